"""OBD-II's questions and answers, its trouble codes, and any bytes in their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.obd import (
    BITMAPS,
    PENDING,
    STORED,
    VEHICLE,
    VIN,
    Codes,
    Current,
    ObdError,
    Refusal,
    Vehicle,
    is_request,
    parse_answer,
    physical_id,
    request,
    supported,
    vin,
)
from gateway.obd_pids import LENGTHS
from gateway.trouble_code_file import load_texts
from gateway.trouble_codes import CODE, TroubleCodeError, code, explain, parse_codes, parse_texts
from internetcar.socketcan import EXTENDED
from simulator.ecu import encode_code

codes = st.from_regex(CODE, fullmatch=True)


def test_several_pids_in_one_answer_are_taken_apart() -> None:
    answer = parse_answer(bytes.fromhex("410c1af80d32"), LENGTHS)
    assert answer == Current({0x0C: b"\x1a\xf8", 0x0D: b"\x32"})


def test_a_list_of_pids_is_read_from_its_first_bit() -> None:
    answer = parse_answer(bytes.fromhex("4100be1fa813"), LENGTHS)
    assert isinstance(answer, Current)
    found = supported(0, answer.data[0])
    assert found == [1, 3, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 19, 21, 28, 31, 32]
    assert supported(0x20, b"\x80") == [0x21]
    assert [pid for pid in found if pid in BITMAPS] == [0x20]


def test_a_pid_without_a_length_takes_the_rest() -> None:
    assert parse_answer(b"\x41\xc3\x01\x02", LENGTHS) == Current({0xC3: b"\x01\x02"})


def test_codes_are_read_as_they_are_written() -> None:
    answer = parse_answer(bytes.fromhex("430403010000c1004035"), LENGTHS)
    assert answer == Codes(STORED, ("P0301", "U0100", "C0035"))
    assert parse_answer(b"\x47\x00", LENGTHS) == Codes(PENDING, ())


def test_the_vehicle_says_its_number() -> None:
    answer = parse_answer(b"\x49\x02\x01WVWZZZ1JZXW000001", LENGTHS)
    assert answer == Vehicle(VIN, b"WVWZZZ1JZXW000001")
    assert vin(answer.data) == "WVWZZZ1JZXW000001"
    assert vin(b"\0\0\0WVWZZZ1JZXW000001") == "WVWZZZ1JZXW000001"
    assert vin(b"\xff" * 17) is None
    assert vin(b"IVWZZZ1JZXW00000O") is None
    assert parse_answer(b"\x49\x00\x40\x00\x00\x00", LENGTHS) == Vehicle(0, b"\x40\0\0\0")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "says nothing"),
        (b"\x41", "says nothing"),
        (b"\x7f\x01", "without its reason"),
        (b"\x41\x0c\x1a", "PID 0C has 1 bytes, not 2"),
        (b"\x41\xc3", "PID C3 has 0 bytes, not 1"),
        (b"\x62\x01\x01", "not an answer"),
    ],
)
def test_what_says_nothing_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(ObdError, match=reason):
        parse_answer(payload, LENGTHS)


def test_a_refusal_says_of_what_and_why() -> None:
    assert parse_answer(b"\x7f\x01\x12", LENGTHS) == Refusal(0x01, 0x12)


@given(st.one_of(st.binary(max_size=40), st.binary(max_size=40).map(lambda rest: b"\x41" + rest)))
def test_any_bytes_are_an_answer_or_refused(payload: bytes) -> None:
    try:
        answer = parse_answer(payload, LENGTHS)
    except ObdError:
        return
    if isinstance(answer, Codes):
        assert all(CODE.fullmatch(each) for each in answer.codes)


def test_questions_are_as_the_standard_writes_them() -> None:
    assert request(STORED) == b"\x03"
    assert request(VEHICLE, VIN) == b"\x09\x02"


def test_ids_of_testers_and_of_controllers_are_told_apart() -> None:
    assert physical_id(0x7E8) == 0x7E0
    assert physical_id(0x7EF) == 0x7E7
    assert physical_id(EXTENDED | 0x18DAF110) == EXTENDED | 0x18DA10F1
    assert [physical_id(each) for each in (0x7E7, 0x7F0, EXTENDED | 0x7E8, 0x18DAF110)] == [
        None
    ] * 4
    asks = (0x7DF, 0x7E0, 0x7E7, EXTENDED | 0x18DB33F1, EXTENDED | 0x18DA10F1)
    assert all(map(is_request, asks))
    others = (0x7DE, 0x7E8, 0x123, EXTENDED | 0x7DF, EXTENDED | 0x18DAF110)
    assert not any(map(is_request, others))


@given(codes)
def test_a_code_survives_its_two_bytes(name: str) -> None:
    assert code(encode_code(name)) == name


@given(st.binary(max_size=20))
def test_a_wrong_count_of_codes_is_believed_as_far_as_bytes_came(data: bytes) -> None:
    assert len(parse_codes(data)) <= max(0, (len(data) - 1) // 2)


def test_hundreds_of_generic_codes_have_a_text() -> None:
    texts = load_texts()
    assert len(texts) > 900
    assert explain("P0301", texts) == (
        "Cylinder 1 misfires; if the warning light blinks, slow down"
    )
    assert len(set(texts.values())) > len(texts) - 20
    assert max(map(len, texts.values())) < 90


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("P0399", "Fault in the engine or drivetrain: ignition or misfire"),
        ("P0CFF", "Fault in the engine or drivetrain: hybrid or electric drive"),
        ("P2799", "Fault in the engine or drivetrain: transmission"),
        ("P2FFF", "Fault in the engine or drivetrain"),
        ("P3400", "Fault in the engine or drivetrain"),
        ("U3FFF", "Fault in the network between the control units"),
        ("P1234", "only the maker knows"),
        ("P3100", "only the maker knows"),
        ("B2345", "only the maker knows"),
        ("C0999", "chassis"),
    ],
)
def test_a_code_that_is_in_no_table_is_explained_by_its_range(name: str, text: str) -> None:
    assert text in explain(name, {})


@given(codes)
def test_every_code_has_a_text(name: str) -> None:
    assert explain(name, {}).startswith("Fault in the ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "trouble codes: "),
        ("[]", "expected an object"),
        ('{"X0300": "?"}', "'X0300' is no code"),
        ('{"P0300": 1}', "'P0300' is no code"),
    ],
)
def test_a_table_that_is_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(TroubleCodeError, match=reason):
        parse_texts(text)

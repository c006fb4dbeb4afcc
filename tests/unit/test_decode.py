import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.databases import Database, parse_database
from gateway.decode import MAX_UNKNOWN_IDS, Decoder
from tests import oracle
from tests.data import data_path

DBC = """VERSION ""
BO_ 291 SHORT_ID: 8 ECU
 SG_ A : 0|8@1+ (1,0) [0|0] "" ECU
 SG_ B : 8|8@1- (0.5,0) [0|0] "" ECU
 SG_ C : 55|16@0+ (1,0) [0|0] "" ECU
BO_ 2147483939 LONG_ID: 8 ECU
 SG_ A : 0|8@1+ (1,0) [0|0] "" ECU
BO_ 292 SWITCHED: 8 ECU
 SG_ SELECTOR M : 0|8@1+ (1,0) [0|0] "" ECU
 SG_ ONE m1 : 8|8@1+ (1,0) [0|0] "" ECU
 SG_ TWO m2 : 8|8@1+ (1,0) [0|0] "" ECU
BO_ 293 EMPTY: 0 ECU
BO_ 294 FLOATS: 8 ECU
 SG_ F : 0|32@1- (1,0) [0|0] "" ECU
SIG_VALTYPE_ 294 F : 1;
"""
FORMATS = ("multiplex_2", "issue_184_extended_mux_cascaded", "motohawk_fd", "floating_point")


def database(text: str = DBC) -> Database:
    return parse_database(text, "x", "dbc")


def names(decoder: Decoder, bus: int, can_id: int, payload: bytes) -> dict[str, int | float]:
    changes = decoder.decode(bus, can_id, payload, 1)
    return {decoder.signals[index].signal: value for index, value in changes}


def test_the_first_frame_says_all_the_same_says_nothing_and_a_change_says_itself() -> None:
    decoder = Decoder([[database()]])
    first = bytes([1, 0xFF, 0, 0, 0, 0, 0x12, 0x34])
    assert names(decoder, 0, 291, first) == {"A": 1, "B": -0.5, "C": 0x1234}
    assert decoder.decode(0, 291, first, 2) == ()
    assert names(decoder, 0, 291, b"\x02" + first[1:]) == {"A": 2}
    assert decoder.decode(0, 291, b"\x02\xff\x00\x77\x00\x00\x12\x34", 4) == []


def test_every_frame_is_counted_and_dated_also_a_repeated_one() -> None:
    decoder = Decoder([[database()]])
    state = decoder.state(0, 291)
    assert state is not None
    assert (state.frames, state.last_at_ns) == (0, 0)
    for at_ns in (5, 6, 9):
        decoder.decode(0, 291, bytes(8), at_ns)
    assert (state.frames, state.last_at_ns) == (3, 9)


def test_identifiers_of_11_and_29_bits_never_mix() -> None:
    decoder = Decoder([[database()]])
    assert set(names(decoder, 0, 291, bytes(8))) == {"A", "B", "C"}
    assert decoder.signals[decoder.decode(0, 0x80000123, bytes(8), 1)[0][0]].message == "LONG_ID"


def test_one_database_on_two_buses_has_two_states() -> None:
    both = database()
    decoder = Decoder([[both], [both]])
    assert len(decoder.signals) == 2 * len(Decoder([[both]]).signals)
    assert names(decoder, 0, 291, bytes(8)) == names(decoder, 1, 291, bytes(8)) != {}
    assert decoder.decode(0, 291, bytes(8), 2) == ()


def test_of_two_databases_on_one_bus_the_first_that_knows_the_identifier_counts() -> None:
    other = database('BO_ 291 OTHER: 8 X\n SG_ Z : 0|8@1+ (1,0) [0|0] "" X\nBO_ 7 MORE: 8 X\n')
    decoder = Decoder([[database(), other]])
    assert "Z" not in names(decoder, 0, 291, bytes(8))
    assert decoder.state(0, 7) is not None


@pytest.mark.parametrize("flag", [0x4000_0000, 0x2000_0000])
def test_remote_and_error_frames_are_neither_decoded_nor_unknown(flag: int) -> None:
    decoder = Decoder([[database()]])
    assert decoder.decode(0, 291 | flag, bytes(8), 1) == ()
    assert decoder.unknown_frames == [0]


def test_unknown_identifiers_are_counted_in_bounded_memory() -> None:
    decoder = Decoder([[database()]])
    for number in range(MAX_UNKNOWN_IDS + 10):
        decoder.decode(0, 0x8001_0000 + number, b"", 1)
    decoder.decode(0, 0x8001_0000, b"", 1)
    assert decoder.unknown_frames == [MAX_UNKNOWN_IDS + 11]
    assert len(decoder.unknown[0]) == MAX_UNKNOWN_IDS
    assert decoder.unknown[0][0x8001_0000] == 2


def test_a_short_frame_gives_what_it_holds_and_the_rest_keeps_its_state() -> None:
    decoder = Decoder([[database()]])
    assert names(decoder, 0, 291, b"\x01\x02") == {"A": 1, "B": 1.0}
    assert names(decoder, 0, 291, b"\x01\x02" + bytes(6)) == {"C": 0}
    assert names(decoder, 0, 291, b"\x05") == {"A": 5}
    assert names(decoder, 0, 291, b"") == {}
    assert names(decoder, 0, 291, b"\x05\x02" + bytes(20)) == {}
    state = decoder.state(0, 291)
    assert state is not None
    assert state.short == 3


def test_a_branch_of_a_multiplexer_keeps_its_state_while_another_is_sent() -> None:
    decoder = Decoder([[database()]])
    assert names(decoder, 0, 292, b"\x01\x05" + bytes(6)) == {"SELECTOR": 1, "ONE": 5}
    assert names(decoder, 0, 292, b"\x02\x06" + bytes(6)) == {"SELECTOR": 2, "TWO": 6}
    assert names(decoder, 0, 292, b"\x01\x05" + bytes(6)) == {"SELECTOR": 1}
    assert names(decoder, 0, 292, b"\x09\x05" + bytes(6)) == {"SELECTOR": 9}
    state = decoder.state(0, 292)
    assert state is not None
    assert state.unknown_selectors == 1


def test_a_message_without_signals_is_still_seen() -> None:
    decoder = Decoder([[database()]])
    assert decoder.decode(0, 293, b"", 7) == ()
    state = decoder.state(0, 293)
    assert state is not None
    assert (state.frames, state.last_at_ns) == (1, 7)


@pytest.mark.parametrize("value", [0.0, -0.0, 1.5, float("inf"), float("nan")])
def test_a_float_is_what_its_bits_say(value: float) -> None:
    decoder = Decoder([[database()]])
    decoded = names(decoder, 0, 294, struct.pack("<f", value) + bytes(4))
    assert repr(decoded) == repr({"F": value})


def test_only_wanted_signals_are_reported() -> None:
    decoder = Decoder([[database()]], wanted={1})
    assert names(decoder, 0, 291, bytes(8)) == {"B": 0.0}
    assert decoder.decode(0, 291, b"\x09" + bytes(7), 1) == []
    assert names(decoder, 0, 291, b"\x09\x02" + bytes(6)) == {"B": 1.0}
    assert decoder.decode(0, 292, bytes(8), 1) == ()


def test_recurring_payloads_are_reported_like_any_other() -> None:
    text = "BO_ 1 M: 8 X\n" + "".join(
        f' SG_ S{n} : {8 * n}|8@1+ (1,0) [0|0] "" X\n' for n in range(8)
    )
    decoder = Decoder([[database(text)]])
    known: dict[str, int | float] = {}
    for number in range(3000):
        payload = bytes([number % 16, 7 * number % 16, number // 500, 0, 0, 0, 0, number // 900])
        now: dict[str, int | float] = {f"S{n}": byte for n, byte in enumerate(payload)}
        expected = {key: value for key, value in now.items() if known.get(key) != value}
        assert names(decoder, 0, 1, payload) == expected
        known = now


def test_a_short_frame_between_recurring_ones_is_not_forgotten() -> None:
    text = "BO_ 1 M: 8 X\n" + "".join(
        f' SG_ S{n} : {8 * n}|8@1+ (1,0) [0|0] "" X\n' for n in range(8)
    )
    decoder = Decoder([[database(text)]])
    even, odd = bytes(8), b"\x01" + bytes(7)
    for _ in range(5):
        names(decoder, 0, 1, even)
        names(decoder, 0, 1, odd)
    assert names(decoder, 0, 1, b"\x00\x07") == {"S0": 0, "S1": 7}
    assert names(decoder, 0, 1, even) == {"S1": 0}
    assert names(decoder, 0, 1, odd) == {"S0": 1}


def test_signals_that_share_bits_are_told_apart_in_short_frames() -> None:
    text = DBC.replace("8|8@1- (0.5,0)", "0|16@1+ (1,0)")
    decoder = Decoder([[database(text)]])
    assert names(decoder, 0, 291, bytes(8)) == {"A": 0, "B": 0, "C": 0}
    assert names(decoder, 0, 291, b"\x05") == {"A": 5}
    assert names(decoder, 0, 291, b"\x05" + bytes(7)) == {"B": 5}


def test_a_frame_that_breaks_the_arithmetic_is_an_error_of_its_bus_and_nothing_more() -> None:
    def broken(payload: bytes) -> list[tuple[int, int | float]]:
        raise OverflowError(payload)

    decoder = Decoder([[], [database()]])
    state = decoder.state(1, 291)
    assert state is not None
    state.decode = broken
    assert decoder.decode(1, 291, bytes(8), 1) == ()
    assert decoder.errors == [0, 1]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(FORMATS),
    st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=64)), max_size=20),
)
def test_any_frames_give_the_changes_of_the_signals_they_hold(
    name: str, frames: list[tuple[int, bytes]]
) -> None:
    loaded = oracle.database(str(data_path(f"can/formats/{name}.dbc")))
    decoder = Decoder([[loaded]])
    known: dict[tuple[int, str], int] = {}
    for which, payload in frames:
        message = loaded.messages[which % len(loaded.messages)]
        signals = {signal.name: signal for signal in message.signals}
        now = oracle.present(message, payload)
        expected = {
            key: repr(oracle.physical(signals[key], number))
            for key, number in now.items()
            if known.get((message.can_id, key)) != number
        }
        ours = names(decoder, 0, message.can_id, payload)
        assert {key: repr(value) for key, value in ours.items()} == expected
        known |= {(message.can_id, key): number for key, number in now.items()}
    assert decoder.errors == [0]

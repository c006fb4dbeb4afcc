"""What the newest frame of a message said, and how it is kept."""

from typing import Any

from gateway.checks import CheckRule
from gateway.databases import parse_database
from gateway.decode import Decoder
from tests.data import data_path
from tests.unit.paced import Car, leaf

DBC = """\
BO_ 256 Motion: 2 Car
 SG_ Speed : 0|8@1+ (1,0) [0|0] "" Car
 SG_ Sum : 8|8@1+ (1,0) [0|0] "" Car
BO_ 258 Pages: 3 Car
 SG_ Page M : 0|8@1+ (1,0) [0|0] "" Car
 SG_ One m1 : 8|8@1+ (1,0) [0|0] "" Car
 SG_ Two m2 : 8|16@1+ (1,0) [0|0] "" Car
BO_ 259 Cascade: 3 Car
 SG_ Outer M : 0|8@1+ (1,0) [0|0] "" Car
 SG_ Inner m1M : 8|8@1+ (1,0) [0|0] "" Car
 SG_ Deep m2 : 16|8@1+ (1,0) [0|0] "" Car
SG_MUL_VAL_ 259 Inner Outer 1-1;
SG_MUL_VAL_ 259 Deep Inner 2-3;
"""
PATHS = ["Vehicle.Speed", "Vehicle.One", "Vehicle.Two", "Vehicle.Deep"]
LEAVES = {path: leaf(path.split(".")[1]) for path in PATHS}


def says(car: Car, path: str) -> bool:
    return car.pipeline.says(car.assembly.paths.index(path))


def test_nothing_was_said_before_the_first_frame() -> None:
    car = Car(DBC, LEAVES)
    assert not any(says(car, path) for path in PATHS)


def test_a_leaf_of_every_frame_was_said_by_the_newest() -> None:
    car = Car(DBC, LEAVES)
    car.feed(0, 256, b"\0\0")
    car.feed(1, 256, b"\0\0")
    assert says(car, "Vehicle.Speed")


def test_a_frame_that_is_too_short_did_not_say_it() -> None:
    car = Car(DBC, LEAVES)
    car.feed(0, 258, b"\2\1\1")
    assert says(car, "Vehicle.Two")
    car.feed(1, 258, b"\2\1")
    assert not says(car, "Vehicle.Two")


def test_of_a_multiplexed_leaf_only_its_page_says_it() -> None:
    car = Car(DBC, LEAVES)
    for now, page in enumerate((1, 2, 1, 9)):
        car.feed(now, 258, bytes([page, 5, 5]))
        assert [says(car, path) for path in ("Vehicle.One", "Vehicle.Two")] == [
            page == 1, page == 2,
        ]  # fmt: skip


def test_of_a_page_within_a_page_both_must_be_there() -> None:
    car = Car(DBC, LEAVES)
    for now, (outer, inner, expected) in enumerate(
        [(1, 2, True), (1, 3, True), (1, 4, False), (2, 2, False), (1, 2, True)]
    ):
        car.feed(now, 259, bytes([outer, inner, 5]))
        assert says(car, "Vehicle.Deep") is expected


def test_a_frame_that_fails_its_check_did_not_say_it() -> None:
    checked: dict[str, Any] = {"checksum": {"signal": "Sum", "rule": "sum"}}
    car = Car(DBC, {"Vehicle.Speed": leaf("Speed", **checked)})
    car.feed(0, 256, b"\5\5")
    assert says(car, "Vehicle.Speed")
    car.feed(1, 256, b"\6\5")
    assert not says(car, "Vehicle.Speed")
    car.feed(2, 256, b"\6\6")
    assert says(car, "Vehicle.Speed")


def decoder(wanted: set[int] | None, rule: CheckRule | None = None) -> Decoder:
    checked = {(0, 256): rule} if rule else None
    return Decoder([[parse_database(DBC, "test.dbc", "dbc")]], wanted, checked)


def newest(made: Decoder, *payloads: bytes) -> list[bytes | None]:
    state = made.messages[0][256]
    state.keep()
    found = []
    for at, payload in enumerate(payloads):
        assert made.decode(0, 256, payload, at) is not None
        found.append(state.newest)
    return found


def test_a_message_of_which_nothing_is_decoded_keeps_its_newest_frame_if_asked() -> None:
    frames = (b"\1\1", b"\1\1", b"\2\2", b"", b"\3")
    assert newest(decoder(set()), *frames) == list(frames)
    silent = decoder(set())
    silent.decode(0, 256, b"\1\1", 0)
    assert silent.messages[0][256].newest is None


def test_a_message_that_is_decoded_keeps_it_anyway_and_goes_on_to_be_decoded() -> None:
    made = decoder(None)
    assert newest(made, b"\1\1", b"\2\2", b"\1\1") == [b"\1\1", b"\2\2", b"\1\1"]
    assert dict(made.decode(0, 256, b"\5\1", 9)) == {0: 5}


def test_of_a_protected_message_the_newest_that_passed_is_kept() -> None:
    nothing: set[int] = set()
    for wanted in (None, nothing):
        made = decoder(wanted, CheckRule("Sum"))
        assert newest(made, b"\1\2") == [None]
        assert newest(made, b"\1\1", b"\2\1", b"\2\2") == [b"\1\1", b"\1\1", b"\2\2"]


def test_every_message_of_a_database_of_pages_within_pages_is_kept() -> None:
    path = data_path("can/formats/issue_184_extended_mux_cascaded.dbc")
    made = Decoder([[parse_database(path.read_text(encoding="utf-8"), path.name, "dbc")]])
    for can_id, state in made.messages[0].items():
        payload = bytes(range(1, state.definition.length + 1))
        made.decode(0, can_id, payload, 5)
        assert state.newest == payload

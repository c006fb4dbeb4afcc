"""Counters and checksums of received frames: quality `error`, last good value kept, recovery."""

import re
from typing import Any

import pytest

from gateway.mapping import MappingError
from simulator.garage import reference_simulation
from tests.unit.paced import MS, Car, leaf
from tests.unit.reference import reference_pipeline

DBC = """\
VERSION ""
NS_ :
BS_:
BU_: Car
BO_ 256 Motion: 3 Car
 SG_ Speed : 0|8@1+ (1,0) [0|255] "km/h" Car
 SG_ Count : 8|4@1+ (1,0) [0|15] "" Car
 SG_ Sum : 16|8@1+ (1,0) [0|255] "" Car
"""
CHECKED: dict[str, Any] = {
    "counter": "Count",
    "checksum": {"signal": "Sum", "rule": "xor8"},
    "interval_ms": 0,
}
SPEED = "Vehicle.Speed"


def motion(speed: int, count: int, error: int = 0) -> bytes:
    return bytes((speed, count & 15, speed ^ (count & 15) ^ error))


def test_a_wrong_checksum_keeps_the_last_good_value_and_says_error_until_a_good_frame() -> None:
    car = Car(DBC, {SPEED: leaf("Speed", **CHECKED)})
    said = []
    for now, frame in enumerate(
        (motion(80, 0), motion(255, 1, error=4), motion(254, 2, error=4), motion(80, 3))
    ):
        car.feed(now, 256, frame)
        said += car.take(now)
    assert said == [(SPEED, 80, "valid", 0), (SPEED, 80, "error", 0), (SPEED, 80, "valid", 3)]


def test_a_counter_that_stands_still_is_believed_for_a_while_and_then_is_an_error() -> None:
    car = Car(DBC, {SPEED: leaf("Speed", **CHECKED)})
    said = []
    for now in range(12):
        car.feed(now, 256, motion(50, 7))
        said += car.take(now)
    for now in range(12, 20):
        car.feed(now, 256, motion(50, now))
        said += car.take(now)
    assert [quality for _, _, quality, _ in said] == ["valid", "error", "valid"]


def test_an_error_is_not_dated_anew_by_frames_nobody_believes() -> None:
    car = Car(DBC, {SPEED: leaf("Speed", **CHECKED)})
    car.feed(0, 256, motion(80, 0))
    car.take(0)
    for now in range(1, 400):
        car.feed(now, 256, motion(9, now, error=1))
        car.take(now)
    assert car.named(car.pipeline.state()) == [(SPEED, 80, "error", 0)]


@pytest.mark.parametrize(
    ("check", "said"),
    [({"counter": "Nothing"}, "Nothing"), ({"checksum": {"signal": "Sum", "rule": "md5"}}, "md5"),
     ({"checksum": {"rule": "sum"}}, "name its `signal`"),
     ({"checksum": {}}, "name its `signal`"), ({"counter": ""}, "name its `signal`"),
     ({"checksum": {"signal": "Sum", "rul": "xor"}}, "nobody reads 'rul'"),
     ({"checksum": {"signal": "Sum", "final_xor": -1}}, "`final_xor` is a whole number"),
     ({"counter": {"signal": "Count", "step": 0}}, "`step` is a whole number"),
     ({"counter": {"signal": "Count", "step": True}}, "`step` is a whole number"),
     ({"counter": "Count", "checksum": "Count"}, "both `counter` and `checksum`")],
)  # fmt: skip
def test_a_check_that_cannot_be_is_one_clear_error(check: dict[str, Any], said: str) -> None:
    with pytest.raises(MappingError, match=re.escape(said)):
        Car(DBC, {SPEED: leaf("Speed", **check)})


def test_leaves_of_one_message_that_contradict_each_other_are_an_error() -> None:
    with pytest.raises(MappingError, match="another check"):
        Car(DBC, {"A": leaf("Speed", **CHECKED), "B": leaf("Speed", counter="Count")})


def test_the_reference_cars_frames_are_all_believed_and_a_broken_one_is_not() -> None:
    pipeline, bus_of = reference_pipeline()
    protected = {state for state in pipeline.messages if state.definition.name == "Vehicle_Motion"}
    for frame in reference_simulation().frames_until(60):
        pipeline.now_ns = int(frame.t_s * 1000) * MS
        pipeline.feed(bus_of[frame.bus], frame.can_id, frame.payload, pipeline.now_ns)
    assert protected
    assert all(state.frames > 100 for state in protected)
    assert not any(state.rejected for state in pipeline.messages)
    (motion_state,) = protected
    pipeline.feed(motion_state.bus, motion_state.definition.can_id, bytes(8), pipeline.now_ns)
    assert motion_state.failing
    assert "error" in {sample.quality for sample in pipeline.take()}

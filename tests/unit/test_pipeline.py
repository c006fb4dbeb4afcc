"""From frames to samples: quality, selectors, staleness, heartbeat and groups."""

import math
import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.paced import Car, leaf

DBC = """\
VERSION ""
NS_ :
BS_:
BU_: Car
BO_ 256 Motion: 4 Car
 SG_ Speed : 0|16@1+ (0.1,0) [0|300] "km/h" Car
 SG_ Gear : 16|4@1+ (1,0) [0|15] "" Car
 SG_ Count : 24|8@1+ (1,0) [0|255] "" Car
BO_ 257 Tick: 1 Car
 SG_ Tock : 0|8@1+ (1,0) [0|255] "" Car
BO_ 258 Page: 3 Car
 SG_ Number : 0|8@1+ (1,0) [0|255] "" Car
 SG_ Content : 8|16@1+ (1,0) [0|65535] "" Car
BO_ 512 Gnss: 8 Car
 SG_ Latitude : 0|32@1- (0.0000001,0) [-90|90] "deg" Car
 SG_ Longitude : 32|32@1- (0.0000001,0) [-180|180] "deg" Car
BO_ 513 Height: 4 Car
 SG_ Altitude : 0|32@1- (1,0) [0|0] "m" Car
BO_ 514 Tank: 4 Car
 SG_ Level : 0|32@1+ (1,0) [0|1] "" Car
SIG_VALTYPE_ 514 Level : 1;
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 256 100;
VAL_ 256 Gear 0 "P" 1 "R" 3 "D" 15 "SNA" ;
"""

GEARS = {"mapping": [{"from": "P", "to": 0}, {"from": "R", "to": -1}, {"from": "D", "to": 1}]}
SPEED, GEAR = "Vehicle.Speed", "Vehicle.Powertrain.Transmission.CurrentGear"
AT_ONCE: dict[str, Any] = {"interval_ms": 0}


def motion(speed_kmh: float, gear: int = 3, count: int = 0) -> bytes:
    return struct.pack("<HBB", round(speed_kmh * 10), gear, count)


def test_a_value_beyond_its_limits_is_said_as_out_of_range_and_a_good_one_as_valid() -> None:
    car = Car(DBC, {SPEED: leaf("Speed", min=0, max=250, **AT_ONCE)})
    said = []
    for now, speed in enumerate((100.0, 300.0, 250.0)):
        car.feed(now, 256, motion(speed))
        said += car.take(now)
    assert said == [
        (SPEED, 100.0, "valid", 0),
        (SPEED, 300.0, "out_of_range", 1),
        (SPEED, 250.0, "valid", 2),
    ]


def test_a_number_that_is_not_finite_makes_the_leaf_not_available() -> None:
    car = Car(DBC, {"Vehicle.Level": leaf("Level", **AT_ONCE)})
    said = []
    for now, level in enumerate((0.5, math.nan, math.nan, math.inf, 0.25)):
        car.feed(now, 514, struct.pack("<f", level))
        said += car.take(now)
    assert said == [
        ("Vehicle.Level", 0.5, "valid", 0),
        ("Vehicle.Level", None, "not_available", 1),
        ("Vehicle.Level", 0.25, "valid", 4),
    ]


def test_a_table_may_say_that_there_is_no_value() -> None:
    table = {"mapping": [{"from": "D", "to": 1}, {"from": "SNA", "to": None}]}
    car = Car(DBC, {GEAR: leaf("Gear", "int8", transform=table, **AT_ONCE)})
    said = []
    for now, gear in enumerate((3, 15)):
        car.feed(now, 256, motion(0, gear=gear))
        said += car.take(now)
    assert said == [(GEAR, 1, "valid", 0), (GEAR, None, "not_available", 1)]


def test_the_counts_go_on_when_another_mapping_takes_the_place() -> None:
    rule = leaf("Gear", "int8", transform=GEARS)
    former, car = Car(DBC, {"A": rule}), Car(DBC, {"B": rule, "A": rule})
    former.feed(5, 256, motion(0, gear=15))
    former.feed(6, 0x666, b"")
    car.pipeline.succeed(former.pipeline)
    assert car.pipeline.unmappable == [0, 1]
    assert car.pipeline.decoder.unknown_frames == [1]
    assert car.pipeline.now_ns == former.pipeline.now_ns


def test_what_a_table_has_no_answer_for_is_counted_and_the_old_value_keeps_its_instant() -> None:
    car = Car(DBC, {GEAR: leaf("Gear", "int8", transform=GEARS, **AT_ONCE)}, max_interval_ns=0)
    car.feed(0, 256, motion(0, gear=3))
    assert car.take(0) == [(GEAR, 1, "valid", 0)]
    car.feed(50, 256, motion(0, gear=15))
    assert car.take(50) == []
    assert car.pipeline.unmappable == [1]
    assert car.named(car.pipeline.state()) == [(GEAR, 1, "valid", 0)]
    car.feed(100, 256, motion(0, gear=3))
    assert car.named(car.pipeline.state()) == [(GEAR, 1, "valid", 100)]


def test_a_leaf_falls_stale_with_its_last_value_and_comes_back_though_it_did_not_change() -> None:
    car = Car(DBC, {SPEED: leaf("Speed", **AT_ONCE), "Vehicle.Tock": leaf("Tock", **AT_ONCE)})
    car.feed(0, 256, motion(80))
    assert (SPEED, 80.0, "valid", 0) in car.take(0)
    said = []
    for now in range(100, 3000, 100):
        car.feed(now, 257, bytes([now // 100]))
        said += [sample for sample in car.take(now) if sample[0] == SPEED]
    assert said == [(SPEED, 80.0, "stale", 0)]
    car.feed(3000, 256, motion(80))
    assert car.take(3100) == [(SPEED, 80.0, "valid", 3000)]


def test_what_was_no_good_value_does_not_become_the_last_good_one_by_falling_silent() -> None:
    leaves = {SPEED: leaf("Speed", max=250, **AT_ONCE), "Vehicle.Tock": leaf("Tock", **AT_ONCE)}
    car = Car(DBC, leaves)
    car.feed(0, 256, motion(300))
    assert (SPEED, 300.0, "out_of_range", 0) in car.take(0)
    for now in range(100, 3000, 100):
        car.feed(now, 257, bytes([now // 100]))
        assert SPEED not in {path for path, *_ in car.take(now)}


def test_a_selector_decides_whether_a_frame_means_the_leaf() -> None:
    leaves = {
        "Vehicle.First": leaf("Content", multiplexer=[{"signal": "Number", "value": 1}], **AT_ONCE),
        "Vehicle.Second": leaf(
            "Content", multiplexer=[{"signal": "Number", "value": 2}], **AT_ONCE
        ),
    }
    car = Car(DBC, leaves)
    said = []
    for now, (number, content) in enumerate([(1, 10), (2, 10), (3, 99), (1, 20), (1, 30)]):
        car.feed(now, 258, struct.pack("<BH", number, content))
        said += car.take(now)
    assert said == [
        ("Vehicle.First", 10, "valid", 0),
        ("Vehicle.Second", 10, "valid", 1),
        ("Vehicle.First", 20, "valid", 3),
        ("Vehicle.First", 30, "valid", 4),
    ]


def test_an_unchanged_value_is_said_again_with_the_instant_of_its_newest_frame() -> None:
    car = Car(DBC, {SPEED: leaf("Speed", **AT_ONCE)}, max_interval_ns=1_000_000_000)
    said = []
    for now in range(0, 2500, 100):
        car.feed(now, 256, motion(50, count=now // 100))
        said += car.take(now)
    assert said == [(SPEED, 50.0, "valid", at) for at in (0, 1000, 2000)]


def test_without_a_mapping_every_signal_is_a_leaf_of_its_message() -> None:
    car = Car(DBC, None)
    car.feed(0, 256, motion(12.5, gear=15, count=7))
    assert car.take(0) == [
        ("Motion.Speed", 12.5, "valid", 0),
        ("Motion.Gear", 15, "valid", 0),
        ("Motion.Count", 7, "valid", 0),
    ]


@given(
    fixes=st.lists(
        st.tuples(st.integers(0, 120), st.integers(0, 3), st.integers(0, 3), st.booleans()),
        max_size=40,
    )
)
def test_a_group_never_tears_wherever_a_drain_ends(
    fixes: list[tuple[int, int, int, bool]],
) -> None:
    """Latitude and longitude that leave together are always from one frame."""
    latitude, longitude = "Vehicle.CurrentLocation.Latitude", "Vehicle.CurrentLocation.Longitude"
    car = Car(
        DBC,
        {
            latitude: leaf("Latitude", "double"),
            longitude: leaf("Longitude", "double", interval_ms=250),
            "Vehicle.CurrentLocation.Altitude": leaf("Altitude", "double"),
        },
    )
    now, sent, seen = 0, {(0, 0)}, []
    for step_ms, north, east, is_drain_over in [*fixes, (1000, 1, 1, True), (1000, 2, 2, True)]:
        now += step_ms
        sent.add((north, east))
        car.feed(now, 512, struct.pack("<ii", north * 10_000_000, east * 10_000_000))
        car.feed(now, 513, struct.pack("<i", north))
        if is_drain_over:
            seen.append(car.take(now))
    for samples in filter(None, seen):
        pairs: dict[int, dict[str, float]] = {}
        for path, value, _, at in samples:
            pairs.setdefault(at, {})[path] = value
        for pair in pairs.values():
            assert (round(pair[latitude]), round(pair[longitude])) in sent
            assert pair["Vehicle.CurrentLocation.Altitude"] == round(pair[latitude])
    assert round({path: value for path, value, *_ in seen[-1]}[latitude]) == 2


def test_another_mapping_knows_the_last_frame_of_each_message_and_what_is_stale() -> None:
    rules = {"Vehicle.Tock": leaf("Tock", **AT_ONCE), SPEED: leaf("Speed", **AT_ONCE)}
    former, car = Car(DBC, rules), Car(DBC, {**rules, "Vehicle.Twice": leaf("Tock")})
    former.feed(0, 256, motion(80))
    for now in range(100, 3000, 100):
        former.feed(now, 257, bytes([7]))
        former.take(now)
    car.pipeline.succeed(former.pipeline)
    assert car.named(car.pipeline.state()) == [
        ("Vehicle.Tock", 7, "valid", 2900),
        (SPEED, 80.0, "stale", 0),
        ("Vehicle.Twice", 7, "valid", 2900),
    ]
    car.feed(3000, 256, motion(80))
    assert car.take(3100) == [(SPEED, 80.0, "valid", 3000)]

"""The position: once for each GNSS frame, changed or not, at most ten a second."""

import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.position import PositionWatch
from tests.unit.paced import MS, UTC_NS, Car, leaf

DBC = """\
VERSION ""
NS_ :
BS_:
BU_: Car
BO_ 256 Motion: 2 Car
 SG_ Speed : 0|16@1+ (0.1,0) [0|300] "km/h" Car
BO_ 512 Gnss: 8 Car
 SG_ Latitude : 0|32@1- (0.0000001,0) [0|0] "deg" Car
 SG_ Longitude : 32|32@1- (0.0000001,0) [0|0] "deg" Car
BO_ 513 Quality: 2 Car
 SG_ Accuracy : 0|16@1- (0.1,0) [0|0] "m" Car
"""

LATITUDE, LONGITUDE = "Vehicle.CurrentLocation.Latitude", "Vehicle.CurrentLocation.Longitude"
LEAVES = {
    LATITUDE: leaf("Latitude", "double"),
    LONGITUDE: leaf("Longitude", "double"),
    "Vehicle.CurrentLocation.HorizontalAccuracy": leaf("Accuracy", "double"),
    "Vehicle.Speed": leaf("Speed", max=250),
}


def fix(lat_deg: float, lon_deg: float) -> bytes:
    return struct.pack("<ii", round(lat_deg * 1e7), round(lon_deg * 1e7))


class Drive:
    def __init__(self, dbc: str = DBC, leaves: dict[str, dict[str, Any]] = LEAVES) -> None:
        self.car = Car(dbc, leaves)
        self.watch = PositionWatch(self.car.pipeline)

    def feed(self, now: int, can_id: int, payload: bytes) -> None:
        self.car.feed(now, can_id, payload)

    def said(self, now: int) -> dict[str, object]:
        """The samples that leave, and no position with them."""
        samples = self.car.take(now)
        assert self.watch.take() is None
        return {path: value for path, value, *_ in samples}

    def take(self, now: int) -> tuple[dict[str, Any], int] | None:
        """The fields and the instant in milliseconds since the beginning."""
        self.car.take(now)
        found = self.watch.take()
        return None if found is None else ({**found[0]}, (found[1] - UTC_NS) // MS)


def test_each_gnss_frame_is_a_position_though_nothing_changed() -> None:
    drive = Drive()
    for now in (0, 1000, 2000):
        drive.feed(now, 512, fix(1.3, 103.8))
        assert drive.take(now) == ({"latitude": 1.3, "longitude": 103.8}, now)
        assert drive.take(now + 500) is None


def test_at_most_ten_a_second_leave_and_the_last_one_is_not_lost() -> None:
    drive = Drive()
    taken = []
    for now in range(0, 1000, 10):
        drive.feed(now, 512, fix(1.3 + now / 1e6, 103.8))
        if (found := drive.take(now)) is not None:
            taken.append(found[1])
    last = drive.take(1000)
    assert taken == list(range(0, 1000, 100))
    assert last is not None
    assert last[1] == 990


def test_what_else_is_known_and_valid_goes_along() -> None:
    drive = Drive()
    drive.feed(0, 256, struct.pack("<H", 505))
    drive.feed(0, 513, struct.pack("<h", 35))
    drive.feed(0, 512, fix(1.3, 103.8))
    fields, _ = drive.take(0) or ({}, 0)
    assert fields == {"latitude": 1.3, "longitude": 103.8, "accuracy_m": 3.5, "speed_kmh": 50.5}
    drive.feed(200, 256, struct.pack("<H", 3000))
    drive.feed(200, 513, struct.pack("<h", -1))
    drive.feed(200, 512, fix(1.3, 103.8))
    fields, _ = drive.take(200) or ({}, 0)
    assert fields == {"latitude": 1.3, "longitude": 103.8}


def test_without_a_latitude_there_is_never_a_position() -> None:
    car = Car(DBC, {"Vehicle.Speed": leaf("Speed")})
    car.feed(0, 256, bytes(2))
    assert PositionWatch(car.pipeline).take() is None


@given(st.lists(st.tuples(st.integers(0, 300), st.binary(min_size=8, max_size=8)), max_size=30))
def test_no_frame_makes_a_place_that_is_not_on_earth(frames: list[tuple[int, bytes]]) -> None:
    """Also where the mapping says no limits: `Position` would refuse it."""
    drive, now = Drive(), 0
    for step_ms, payload in frames:
        now += step_ms
        drive.feed(now, 512, payload)
        if (found := drive.take(now)) is not None:
            north, east = struct.unpack("<ii", payload)
            assert found[0]["latitude"] == north * 1e-7
            assert found[0]["longitude"] == east * 1e-7
            assert abs(north) <= 900_000_000
            assert abs(east) <= 1_800_000_000


def test_a_frame_that_does_not_say_both_is_no_position() -> None:
    """Cut short, or with a longitude that the rule has no value for: never the old longitude."""
    at_once = {"interval_ms": 0}
    leaves = {
        LATITUDE: leaf("Latitude", "double", **at_once),
        LONGITUDE: leaf("Longitude", "double", transform={"math": "sqrt(x)^2"}, **at_once),
    }
    drive = Drive(DBC, leaves)
    drive.feed(0, 512, fix(1.0, 100.0))
    assert drive.take(0) is not None
    drive.feed(1000, 512, fix(2.0, 100.0)[:4])
    assert drive.said(1000) == {LATITUDE: 2.0}
    drive.feed(2000, 512, fix(3.0, -100.0))
    assert drive.said(2000) == {LATITUDE: 3.0}
    drive.feed(3000, 512, fix(3.0, 103.0))
    found = drive.take(3000)
    assert found is not None
    assert (found[0]["latitude"], round(found[0]["longitude"]), found[1]) == (3.0, 103, 3000)


TWO = """\
VERSION ""
NS_ :
BS_:
BU_: Car
BO_ 512 North: 4 Car
 SG_ Latitude : 0|32@1- (0.0000001,0) [0|0] "deg" Car
BO_ 513 East: 4 Car
 SG_ Longitude : 0|32@1- (0.0000001,0) [0|0] "deg" Car
"""


def test_a_place_in_two_messages_is_a_position_when_both_came_of_one_fix() -> None:
    drive = Drive(
        TWO, {LATITUDE: leaf("Latitude", "double"), LONGITUDE: leaf("Longitude", "double")}
    )
    taken = []
    drive.feed(0, 513, fix(0, 0)[4:])
    for second in range(1, 20):
        drive.feed(second * 1000, 512, fix(second, 0)[:4])
        taken.append(drive.take(second * 1000))
        drive.feed(second * 1000 + 20, 513, fix(0, second)[4:])
        taken.append(drive.take(second * 1000 + 20))
    assert taken[0::2] == [None] * 19
    assert [found and found[0] for found in taken[1::2]] == [
        {"latitude": float(second), "longitude": float(second)} for second in range(1, 20)
    ]

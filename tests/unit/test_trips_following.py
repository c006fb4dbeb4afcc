"""A trip out of what a car told is what its log would have brought."""

from services.trips import leaves
from services.trips.following import Followed, follow
from services.trips.reading import Known

START_MS = 1_790_000_000_000
SEAT = "Vehicle.Cabin.Seat.Row1.DriverSide.Position"


def followed(kmh: float, *, is_named: bool = True, lasts_s: int = 120) -> Followed | None:
    first: dict[str, Known] = {leaves.POWER: "ON", SEAT: 210, leaves.OUTSIDE: 27.5}
    if is_named:
        first[leaves.DRIVERS[0]] = "driver-3"
    moments = [(START_MS, first)]
    moments += [(START_MS + s * 1_000, {leaves.SPEED: kmh}) for s in range(1, lasts_s, 2)]
    moments.append((START_MS + 60_000, {SEAT: 230}))
    moments.append((START_MS + lasts_s * 1_000, {leaves.POWER: "OFF"}))
    moments.sort(key=lambda moment: moment[0])
    return follow("demo", moments, (SEAT,), "simulation", "synchronized")


def test_its_start_its_way_and_its_end_are_said_as_of_a_log() -> None:
    found = followed(36.0)
    assert found is not None
    assert found.started.driver == found.ended.driver == "driver-3"
    assert [(each.path, each.value) for each in found.started.settings] == [(SEAT, 210)]
    assert found.started.outside_c == 27.5
    assert [(each.offset_s, each.value) for each in found.ended.settings] == [(0, 210), (60, 230)]
    assert abs(found.ended.distance_m - 1_190) < 20
    assert (found.ended.origin, found.ended.clock, found.ended.why) == (
        "simulation", "synchronized", "power_off",
    )  # fmt: skip
    assert found.started.trip_id == found.ended.trip_id == found.progress[0].trip_id
    assert 10 <= len(found.progress) <= 12
    assert found.run


def test_the_same_trip_has_the_same_id_and_reading() -> None:
    assert followed(36.0) == followed(36.0)


def test_what_moved_less_than_three_hundred_metres_is_no_trip() -> None:
    assert followed(5.0) is None
    assert followed(5.0, lasts_s=1) is None
    assert follow("demo", [], (), "simulation", "synchronized") is None


def test_nobody_is_named_where_the_car_names_nobody() -> None:
    found = followed(36.0, is_named=False)
    assert found is not None
    assert found.ended.driver == "unknown"

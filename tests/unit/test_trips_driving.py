"""How a trip was driven: the sums that say what it took, from good speeds and from hostile ones."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internetcar.contract.trips import Driving, TripEnded
from services.trips import leaves
from services.trips.driving import COLD_AFTER_MS, Motion
from services.trips.reading import Reading
from services.trips.state import State
from tests.trip_log import Kept, TripLog

NOTHING = Reading()
COOLANT = leaves.COOLANT


def driven(speed_mps: Callable[[float], float], seconds: float, each_s: float) -> Driving:
    """The sums of a speed that is a function of the time and told every so many seconds."""
    motion, at_ms = Motion(), 0
    for number in range(round(seconds / each_s)):
        now_ms = round(number * each_s * 1_000)
        motion.pass_time(at_ms, now_ms, NOTHING)
        motion.on_speed(now_ms, speed_mps(now_ms / 1_000))
        at_ms = now_ms
    motion.pass_time(at_ms, round(seconds * 1_000), NOTHING)
    found = motion.total(round(seconds * 1_000))
    assert found is not None
    return found


def there_and_back(at_s: float) -> float:
    """From standing to 20 m/s in 100 s, and back again."""
    return 20 * (at_s / 100 if at_s < 100 else max(0.0, 2 - at_s / 100))


def quantised(at_s: float) -> float:
    """The same in whole km/h, and one more each other tenth of a second."""
    return (round(there_and_back(at_s) * 3.6) + round(at_s * 10) % 2) / 3.6


@pytest.mark.parametrize(("speed", "each_s"), [
    (there_and_back, 0.1), (there_and_back, 1), (there_and_back, 10), (quantised, 0.1),
])  # fmt: skip
def test_the_sums_are_those_of_the_drive_however_often_and_finely_it_is_told(
    speed: Callable[[float], float], each_s: float
) -> None:
    found = driven(speed, 200, each_s)
    assert found.known_s == 200
    assert found.speed_m == pytest.approx(2_000, rel=0.02)
    assert found.speed2_m2_per_s == pytest.approx(2 * 20**2 * 100 / 3, rel=0.03)
    assert found.speed3_m3_per_s2 == pytest.approx(2 * 20**3 * 100 / 4, rel=0.04)
    assert found.faster_m2_per_s2 == pytest.approx(200, rel=0.04)
    assert found.slower_m2_per_s2 == pytest.approx(200, rel=0.04)
    assert found.is_cold_start is None


def test_each_real_wave_of_the_speed_counts_and_a_wobble_does_not() -> None:
    waves = driven(lambda at_s: 20 + 2 * math.sin(at_s / 10 * math.tau), 100, 0.1)
    assert waves.faster_m2_per_s2 == pytest.approx(10 * (22**2 - 18**2) / 2, rel=0.05)
    assert waves.slower_m2_per_s2 == pytest.approx(waves.faster_m2_per_s2, rel=0.05)
    wobble = driven(lambda at_s: 20 + 0.3 * math.sin(at_s * 5), 100, 0.1)
    assert (wobble.faster_m2_per_s2, wobble.slower_m2_per_s2) == (0, 0)


def test_standing_is_idling_unless_the_engine_is_stopped() -> None:
    motion = Motion()
    motion.on_speed(0, 0.0)
    motion.pass_time(0, 10_000, Reading(known={leaves.ENGINE_RUNNING: True}))
    motion.pass_time(10_000, 30_000, Reading(known={leaves.ENGINE_RUNNING: False}))
    motion.pass_time(30_000, 35_000, NOTHING)
    assert motion.idle_ms == 15_000
    assert motion.known_ms == 35_000


def test_a_speed_is_known_for_75_seconds_and_what_comes_then_is_no_change_of_it() -> None:
    motion = Motion()
    motion.pass_time(0, 500, NOTHING)
    motion.on_speed(500, 10.0)
    motion.pass_time(500, 90_500, NOTHING)
    assert (motion.known_ms, motion.speed_mps) == (75_000, None)
    motion.on_speed(90_500, 30.0)
    motion.pass_time(90_500, 95_500, NOTHING)
    assert (motion.faster_m2_per_s2, motion.slower_m2_per_s2) == (0, 0)
    assert motion.total(95_500) is not None
    assert motion.total(101_000) is None, "of less than 80 % of the time the sums say too little"


def test_a_speed_that_no_car_can_have_is_not_believed_until_three_agree() -> None:
    motion = Motion()
    motion.on_speed(0, 14.0)
    motion.pass_time(0, 1_000, NOTHING)
    motion.on_speed(1_000, 69.0)
    motion.pass_time(1_000, 1_100, NOTHING)
    assert motion.known_ms == 1_000, "what is doubted is not known"
    motion.on_speed(1_100, 14.0)
    motion.pass_time(1_100, 2_000, NOTHING)
    assert (motion.known_ms, motion.faster_m2_per_s2) == (1_900, 0)
    for at_ms in (2_000, 2_100, 2_200):
        motion.on_speed(at_ms, 50.0)
    assert (motion.speed_mps, motion.faster_m2_per_s2) == (50.0, 0)
    for at_ms in range(3_000, 9_000, 1_000):
        motion.on_speed(at_ms, 138.0)
    assert motion.speed_mps == 50.0, "500 km/h are not believed, however often they are said"
    motion.shift(1_000)
    assert motion.doubted == (9_000, 138.0)
    assert motion.said_ms == 3_200


@given(st.lists(st.tuples(
    st.integers(-5_000, 100_000),
    st.none() | st.floats(0, 138.9) | st.sampled_from([0.0, 70.0, 1e-300]),
), max_size=60))  # fmt: skip
@settings(max_examples=100)
def test_no_speeds_make_sums_that_no_message_can_hold(
    told: list[tuple[int, float | None]],
) -> None:
    motion, at_ms = Motion(), 0
    for span_ms, speed in told:
        before_ms, at_ms = at_ms, at_ms + span_ms
        motion.pass_time(before_ms, at_ms, NOTHING)
        motion.on_speed(at_ms, speed)
        motion = Motion.model_validate_json(motion.model_dump_json())
    found = motion.total(0)
    assert found is None or Driving.model_validate_json(found.model_dump_json()) == found
    assert motion.speed3_m3_per_s2 <= 70**3 * motion.known_ms / 1_000 + 1


def test_sums_beyond_all_measure_are_cut() -> None:
    found = Motion(known_ms=10**18, speed_m=1e300, speed3_m3_per_s2=1e300).total(1)
    assert found is not None
    assert (found.speed_m, found.speed3_m3_per_s2) == (1e9, 1e15)


def trips(log: TripLog) -> list[TripEnded]:
    return Kept().read(log.batches).trips


def test_a_trip_tells_how_it_was_driven_and_the_next_one_whether_it_began_cold() -> None:
    log = TripLog().drive().asleep(200).drive().asleep(30).drive().asleep(6)
    first, later, soon = trips(log)
    assert first.driving is not None
    assert first.driving.known_s == 121
    assert first.driving.speed_m == pytest.approx(2_000, abs=20)
    assert [trip.driving and trip.driving.is_cold_start for trip in (first, later, soon)] == [
        None, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("coolant_c", "is_cold"), [(20.0, True), (80.0, False), (900.0, None)])
def test_the_coolant_says_whether_the_engine_was_cold(
    coolant_c: float, is_cold: bool | None
) -> None:
    log = TripLog().on().say({COOLANT: coolant_c}).seconds(120, 60.0, 20)
    log.say({COOLANT: 90.0}).off().asleep(6)
    (trip,) = trips(log)
    assert trip.driving is not None
    assert trip.driving.is_cold_start is is_cold


def test_what_the_coolant_was_later_says_nothing_of_the_start() -> None:
    motion = Motion(stood_ms=COLD_AFTER_MS)
    motion.on_coolant(60_001, 85.0)
    assert motion.is_cold() is True


def test_a_car_that_tells_its_speed_for_part_of_the_trip_has_no_sums() -> None:
    log = TripLog().on().seconds(60, 60.0, 20).say({leaves.SPEED: None}).seconds(0)
    log.leaves = (leaves.ODOMETER,)
    log.seconds(200, 60.0, 20).off().asleep(6)
    (trip,) = trips(log)
    assert trip.driving is None


def test_a_hole_is_no_part_of_the_sums_and_a_clock_that_is_set_changes_nothing() -> None:
    log = TripLog(clock="free").on().seconds(120, 60.0, 20).hole(20, 1).seconds(60, 90.0, 20)
    log.clock = "synchronized"
    log.hole(10_000)
    log.seconds(120, 90.0, 20).off().asleep(6)
    (trip,) = trips(log)
    assert trip.driving is not None
    assert trip.driving.known_s == pytest.approx(301, abs=1)
    assert trip.driving.faster_m2_per_s2 == 0, "nobody saw it become faster"


def test_the_state_of_a_version_without_sums_is_read_and_makes_none_up() -> None:
    log = TripLog().on().seconds(300, 60.0, 20)
    kept = Kept().read(log.batches)
    before = len(log.batches)
    assert kept.state.trip is not None
    old = kept.state.model_dump(exclude_defaults=True)
    del old["trip"]["motion"]
    kept.state = State.model_validate(old)
    log.seconds(60, 60.0, 20).off().asleep(6)
    (trip,) = kept.read(log.batches[before:]).trips
    assert trip.driving is None

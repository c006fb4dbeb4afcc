"""How full battery or tank is told to be, and how far it reaches."""

from datetime import timedelta

import pytest

from internetcar.contract.presence import Clock
from internetcar.contract.trips import TripProgress
from services.trips.leaves import LEVELS, PART_RANGES, RANGE, SPEED
from tests.trip_log import Kept, TripLog

DISPLAYED, CURRENT, TANK = LEVELS
BATTERY_RANGE, TANK_RANGE = PART_RANGES


def refuelled(clock: Clock = "synchronized") -> TripLog:
    """A trip that begins at 60 % and ends at 58, with what was true before it."""
    log = (
        TripLog(clock=clock)
        .say({DISPLAYED: 40.0, RANGE: 160_000})
        .on()
        .say({DISPLAYED: 60.0, RANGE: 240_000}, 1)
    )
    log.say({CURRENT: 57.0}).seconds(60, 60.0, 20)
    return log.say({DISPLAYED: 58.0, RANGE: 232_000}).seconds(60, 60.0, 20).seconds(1)


def test_level_and_range_are_told_at_the_start_on_the_way_and_at_the_end() -> None:
    kept = Kept().read(refuelled().off().asleep(6).batches)
    (start,) = kept.starts
    assert (start.level_pct, start.range_m) == (60.0, 240_000)
    moved = [event for event in kept.events if isinstance(event, TripProgress)]
    assert (moved[-1].level_pct, moved[-1].range_m) == (58.0, 232_000)
    (trip,) = kept.trips
    assert (trip.level_start_pct, trip.level_pct) == (60.0, 58.0)


def test_a_level_that_was_told_long_ago_is_not_told() -> None:
    log = refuelled().seconds(80, 60.0, 20).seconds(1).off().asleep(6)
    kept = Kept().read(log.batches)
    moved = [event for event in kept.events if isinstance(event, TripProgress)]
    assert moved[5].level_pct is not None
    assert (moved[-1].level_pct, moved[-1].range_m) == (None, None)
    (trip,) = kept.trips
    assert (trip.level_start_pct, trip.level_pct) == (60.0, None)


def test_a_level_keeps_its_age_when_the_clock_is_set() -> None:
    log = refuelled(clock="free")
    log.at += timedelta(days=3)
    log.clock = "synchronized"
    kept = Kept().read(log.say({SPEED: 0.0}).off().asleep(6).batches)
    (trip,) = kept.trips
    assert (trip.level_start_pct, trip.level_pct) == (60.0, 58.0)


@pytest.mark.parametrize(
    ("told", "level_pct", "range_m"),
    [
        ({}, None, None),
        ({TANK: 30, TANK_RANGE: 300_000}, 30, 300_000),
        ({TANK: 30, CURRENT: 70.5}, 70.5, None),
        ({TANK: 30, CURRENT: 70.5, DISPLAYED: 72.0}, 72.0, None),
        ({BATTERY_RANGE: 40_000, TANK_RANGE: 300_000}, None, 340_000),
        ({BATTERY_RANGE: 40_000, TANK_RANGE: 300_000, RANGE: 350_000}, None, 350_000),
        ({DISPLAYED: 127.5, CURRENT: 71.0, RANGE: 1 << 32, TANK_RANGE: 9_000}, 71.0, 9_000),
        ({DISPLAYED: -1.0, CURRENT: 1e300, TANK: True, RANGE: "far"}, None, None),
        ({DISPLAYED: None, TANK: 255, RANGE: 9e18, TANK_RANGE: -5}, None, None),
    ],
)
def test_battery_goes_before_fuel_and_what_cannot_be_is_not_told(
    told: dict[str, object], level_pct: float | None, range_m: float | None
) -> None:
    log = TripLog().on().say(told)
    kept = Kept().read(log.seconds(60, 60.0, 20).seconds(1).off().asleep(6).batches)
    (start,) = kept.starts
    assert (start.level_pct, start.range_m) == (level_pct, range_m)
    assert kept.trips[0].level_pct == level_pct


def test_a_level_that_is_told_late_is_the_first_and_one_much_later_is_not() -> None:
    for late_s, first in ((40, 50.0), (100, None)):
        log = TripLog().on().seconds(late_s, 60.0, 20).say({TANK: 50}).seconds(20, 60.0, 20)
        kept = Kept().read(log.say({TANK: 49}).seconds(1).off().asleep(6).batches)
        (trip,) = kept.trips
        assert (trip.level_start_pct, trip.level_pct) == (first, 49.0)

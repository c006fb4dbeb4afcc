"""Climate: what drivers who do not exist set next, against the last setting in such weather.

Asked on line at the start of each trip of the test's days, and ten minutes after it where the trip
lasts so long; everything before it is known, nothing after.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from internetcar.contract.message import milliseconds
from internetcar.contract.trips import SettingChange, TripEnded
from services.recommendations.advising import MOST_EVIDENCE, Evidence
from services.recommendations.climate.leaves import FAN, HEATING, LEAVES, SET_POINT
from services.recommendations.climate.past import MARKS_S, Column, Past, body_of, past_of
from services.recommendations.climate.vote import (
    SIMILAR_C,
    WATCHED,
    Question,
    Weights,
    believed,
    log_likelihoods,
    middle,
    shares,
)
from services.recommendations.destination.moment import day_of
from services.recommendations.evaluation.scores import SURE
from tests.bench.report import Figure, progress
from tests.drivers.generate import DAYS, life, split_of
from tests.drivers.life import Trip
from tests.drivers.more_personas import PERSONAS

ASKED_AT = (0, MARKS_S.index(600.0))
"""Which marks of a trip are asked about."""
MEASURED = {SET_POINT.path: "set-point °C", FAN.path: "fan", HEATING.path: "seat heating"}


@dataclass
class Errors:
    """How far off, summed up; `likely` and `near` are of the set-point.

    Attributes:
        asked: How often.
        ours: Sum of how far off the vote was.
        baseline: Sum of how far off the last setting in such weather was.
        likely: Sum of the probabilities that were said.
        near: How often it was within what counts as the same.
        sure: How often it was said with enough to be offered.
        sure_near: And was so.
    """

    asked: int = 0
    ours: float = 0.0
    baseline: float = 0.0
    likely: float = 0.0
    near: int = 0
    sure: int = 0
    sure_near: int = 0

    def include(self, other: "Errors") -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class Measured:
    """Of one life, or several."""

    persona: str
    errors: dict[str, Errors] = field(default_factory=lambda: {path: Errors() for path in MEASURED})


def evidence_of(trips: Sequence[Trip]) -> list[Evidence]:
    """What the service would have kept of trips."""
    found = []
    for number, trip in enumerate(trips):
        ended = _ended(trip, number)
        body = body_of(ended)
        assert body is not None
        started_ms = milliseconds(ended.started_at)
        found.append(
            Evidence(ended.trip_id, trip.driver, started_ms, day_of(trip.departs_at), "", body)
        )
    return found


def _ended(trip: Trip, number: int) -> TripEnded:
    lasted_s = (trip.arrives_at - trip.departs_at).total_seconds()
    settings = [
        SettingChange(path=leaf.path, offset_s=each.after_s, value=value)
        for each in trip.climate
        if each.after_s <= lasted_s
        for leaf, value in zip(
            LEAVES, (each.set_point_c, each.fan, each.seat_heating), strict=False
        )
    ]
    return TripEnded(
        vehicle_id="car", trip_id=f"trip-{number}", revision=1, driver=trip.driver,
        started_at=_utc(trip.departs_at), ended_at=_utc(trip.departs_at) + timedelta(
            seconds=lasted_s), distance_m=1_000.0, outside_c=trip.outside_c, settings=settings,
        why="power_off", origin="simulation", clock="synchronized",
    )  # fmt: skip


def _utc(wall_clock: datetime) -> datetime:
    return wall_clock.replace(tzinfo=UTC)


def measured(persona: str, seed: int, days: int = DAYS) -> Measured:
    """One life, each of its drivers alone."""
    found = Measured(persona)
    whole = [trip for trip in life(persona, seed, days) if not trip.is_lost]
    for driver in sorted({trip.driver for trip in whole}):
        trips = [trip for trip in whole if trip.driver == driver]
        past = past_of(evidence_of(trips))
        tested = [number for number, trip in enumerate(trips) if split_of(trip) == "test"]
        first = max(0, tested[0] - WATCHED)
        for path, likelihoods in log_likelihoods(past, first).items():
            for number in tested:
                watched = likelihoods[max(0, number - first - WATCHED) : number - first]
                _ask(found.errors[path], past, path, number, believed(watched))
    return found


def _ask(errors: Errors, past: Past, path: str, number: int, belief: Weights) -> None:
    rows = slice(max(0, number - MOST_EVIDENCE), number)
    known = _part(past, rows)
    for mark in ASKED_AT:
        if mark and past.lasted_s[number] < MARKS_S[mark]:
            continue
        column = past.settings[path].at[:, mark]
        truth = column[number]
        asked = Question(past.day[number], past.outside_c[number], mark)
        values, given = shares(known, column[rows], asked, belief)
        value = middle(values, given, column[rows])
        likely = float(given[np.abs(values - value) <= 0.5].sum())
        is_near = bool(abs(value - truth) <= 0.5)
        errors.asked += 1
        errors.ours += abs(value - truth)
        errors.baseline += abs(_last(past, column, number) - truth)
        errors.likely += likely
        errors.near += is_near
        errors.sure += likely >= SURE
        errors.sure_near += likely >= SURE and is_near


def _part(past: Past, rows: slice) -> Past:
    """Some of the trips, without their settings."""
    return Past(past.day[rows], past.outside_c[rows], past.lasted_s[rows], past.started_ms[rows])


def _last(past: Past, column: Column, number: int) -> float:
    """The last setting in such weather, else the last one; at the same mark or at its end."""
    near = np.flatnonzero(np.abs(past.outside_c[:number] - past.outside_c[number]) <= SIMILAR_C)
    return float(column[near[-1] if len(near) else number - 1])


def _case(case: tuple[str, int]) -> Measured:
    return measured(*case)


def all_measured(seeds: Iterable[int], workers: int) -> list[Measured]:
    """Every persona with each seed, pooled by persona."""
    cases = [(persona, seed) for seed in seeds for persona in PERSONAS]
    found = {persona: Measured(persona) for persona in PERSONAS}
    with ProcessPoolExecutor(workers) as pool:
        for done, each in enumerate(pool.map(_case, cases), start=1):
            progress(f"climate: {done} of {len(cases)} lives …")
            for path, errors in each.errors.items():
                found[each.persona].errors[path].include(errors)
    return list(found.values())


def is_better(each: Measured, path: str = SET_POINT.path) -> bool:
    """Whether the vote is nearer than the last setting in such weather."""
    return each.errors[path].ours < each.errors[path].baseline


def figures(found: Sequence[Measured]) -> list[Figure]:
    """Pooled over all drivers and questions."""
    whole = Errors()
    for each in found:
        whole.include(each.errors[SET_POINT.path])
    gain = 100 * (1 - whole.ours / whole.baseline)
    off = abs(whole.likely - whole.near) / whole.asked
    precision = whole.sure_near / whole.sure
    holds = all(is_better(each) for each in found)
    return [
        Figure("climate_gain", gain, "% less MAE of the set-point than the last in such weather",
               "better for every persona", holds),
        Figure("climate_calibration_abs", off, "|mean(p) - within 0.5 °C|", "≤ 0.06", off <= 0.06),
        Figure("climate_precision_at_07", precision, "within 0.5 °C at p ≥ 0.7", "≥ 0.75",
               precision >= 0.75),
    ]  # fmt: skip


def print_table(found: Sequence[Measured]) -> None:
    """MAE by persona: of the vote, and of the last setting in such weather."""
    print("  MAE of climate (vote, last in such weather)".ljust(46)
          + "".join(f"{name:>20}" for name in MEASURED.values()))  # fmt: skip
    for each in found:
        cells = (
            f"{errors.ours / errors.asked:.3f}, {errors.baseline / errors.asked:.3f}"
            for errors in each.errors.values()
        )
        asked = each.errors[SET_POINT.path].asked
        print(f"    {each.persona} ({asked} asked)".ljust(46) + "".join(f"{c:>20}" for c in cells))

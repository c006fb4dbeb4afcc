"""A simulated drive past a toll gate: what happened, and what the car said of it.

It is independent of the detector: a true way over the ground, a speed profile with jams and stops,
wheels that measure 1 % wrong and in steps, and a receiver with one of two kinds of noise. All of it
follows from a `Plan` and the generator's seed.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.tolls.facts import Sample
from tests.tolls_noise import Generator, autoregressive, reflected
from tests.tolls_site import Path, Site, crossings

Floats = NDArray[np.float64]
Motion = Literal["through", "wrong way", "turn before", "turn after", "reverse over"]
Jam = Literal["none", "before", "on", "standing"]
Segment = tuple[float, float]
"""Seconds, and the speed in m/s, below 0 backwards."""

TICK_S = 0.25
SMOOTHED_TICKS = 12
"""Speeds change over 3 s, as a foot does it."""
TURN_M = 9.0
"""Radius of a U-turn."""
CLEAR_S = 60.0
"""Of free sight before and after an outage, wherever around the gate it is."""


@dataclass(frozen=True)
class Plan:
    """What kind of drive; lengths in m, times in s, speeds in m/s.

    Attributes:
        right_m: Lateral position in the gate's line, to the right of the centreline.
        lane_change_m: How far to the right the car moves within 300 m around the gate.
        turn_at_m: Where a U-turn begins, from the gate on.
        scale: Of the wheels: 1.01 says 1 % too much.
        late: Share of the samples that come up to five places late.
        restarts: At which shares of the samples the detector's process ends and begins anew.
    """

    motion: Motion = "through"
    right_m: float = 0.0
    lane_change_m: float = 0.0
    speed_mps: float = 15.0
    jam: Jam = "none"
    turn_at_m: float = 0.0
    turns_right: bool = True
    generator: Generator = "a"
    sigma_m: float = 3.0
    period_s: float = 1.0
    outage_s: float = 0.0
    scale: float = 1.0
    has_odometer: bool = True
    has_heading: bool = True
    copies: int = 1
    late: float = 0.0
    restarts: tuple[float, ...] = ()


@dataclass(frozen=True)
class Drive:
    """What the car said, in the order in which it came, and what is true.

    Attributes:
        samples: With duplicates and late ones.
        passed_at_ms: When the middle of the road through the gate was reached, UTC ms; `None`:
            never.
        times_ms: Of the true track.
        track: Shape (n, 2), east and north of the gate in m.
    """

    samples: list[Sample]
    passed_at_ms: int | None
    times_ms: Floats
    track: Floats = field(repr=False)

    def crosses(self, line: Floats) -> list[tuple[float, bool]]:
        """When it truly crossed a line, in ms, and whether from its left to its right."""
        return [
            (float(self.times_ms[i] + part * (self.times_ms[i + 1] - self.times_ms[i])), to_right)
            for i, part, to_right in crossings(self.track, line)
        ]


def drive(site: Site, path: Path, plan: Plan, random: np.random.Generator, at_ms: int) -> Drive:
    """One drive past the gate of a site along a path of it, from `at_ms` on."""
    before_m = plan.speed_mps * (CLEAR_S + plan.outage_s)
    segments = _segments(plan, random, before_m)
    progress, speeds = _progress(segments)
    times_s = np.arange(len(progress), dtype=np.float64) * TICK_S
    along, right, turned = _track(plan, progress - before_m)
    points, heading = path.place(along, right)
    is_past = progress >= before_m
    passed_s = float(times_s[int(np.argmax(is_past))]) if is_past.any() else math.nan
    middle_s = passed_s if is_past.any() else float(times_s[-1]) / 2
    ticks = _Ticks(times_s, points, heading + turned, speeds)
    samples = _said(site, plan, ticks, middle_s, random, at_ms)
    reached = plan.motion != "turn before" and is_past.any()
    return Drive(
        _delivered(samples, plan, random),
        at_ms + round(passed_s * 1000) if reached else None,
        at_ms + times_s * 1000,
        points,
    )


@dataclass(frozen=True)
class _Ticks:
    """The truth, every quarter of a second."""

    times_s: Floats
    points: Floats
    heading_rad: Floats
    speeds_mps: Floats


def _segments(plan: Plan, random: np.random.Generator, before_m: float) -> list[Segment]:
    """Speeds from the start on, so that the gate is `before_m` away."""
    free = plan.speed_mps
    after_s = CLEAR_S + plan.outage_s
    if plan.jam == "none":
        waves = max(1, round((before_m / free + after_s) / 15))
        share = (before_m / free + after_s) / waves
        found = [(share, free * float(factor)) for factor in random.uniform(0.85, 1.15, waves)]
        found.append((5.0, free))
    else:
        found = _jammed(plan, random, before_m)
        found.append((after_s, free))
    if plan.motion == "reverse over":
        return _reversed(free, random, before_m)
    return found


def _jammed(plan: Plan, random: np.random.Generator, before_m: float) -> list[Segment]:
    """Up to the jam, then stop and go until its end; `standing`: minutes on the gate itself."""
    begins_m = before_m - float(random.uniform(40.0, 300.0))
    ends_m = before_m + (float(random.uniform(5.0, 60.0)) if plan.jam != "before" else -15.0)
    found = [(begins_m / plan.speed_mps, plan.speed_mps)]
    at_m, is_stood = begins_m, plan.jam != "standing"
    while at_m < ends_m:
        creep_m = float(random.uniform(4.0, 35.0))
        on_gate = not is_stood and at_m + creep_m >= before_m
        if on_gate:
            creep_m = max(1.0, before_m - at_m + float(random.uniform(-6.0, 6.0)))
        speed = float(random.uniform(1.0, 4.0))
        found.append((creep_m / speed, speed))
        found.append(
            (float(random.uniform(120.0, 300.0) if on_gate else random.uniform(3.0, 40.0)), 0.0)
        )
        is_stood = is_stood or on_gate
        at_m += creep_m
    return found


def _reversed(free: float, random: np.random.Generator, before_m: float) -> list[Segment]:
    """Over the gate, back over it in reverse gear, and there it ends."""
    over_m, back_m = float(random.uniform(10.0, 30.0)), float(random.uniform(60.0, 90.0))
    slow_m = 40.0
    return [
        ((before_m - slow_m) / free, free), ((slow_m + over_m) / 4.0, 4.0), (6.0, 0.0),
        (back_m / 2.0, -2.0), (60.0, 0.0),
    ]  # fmt: skip


def _progress(segments: list[Segment]) -> tuple[Floats, Floats]:
    """Distance along the way at each tick, falling in reverse, and the signed speed."""
    ends = np.cumsum([seconds for seconds, _ in segments])
    count = max(2, math.ceil(float(ends[-1]) / TICK_S))
    exact = np.concatenate(([0.0], np.cumsum([seconds * speed for seconds, speed in segments])))
    wanted = np.interp(np.arange(count + 1) * TICK_S, np.concatenate(([0.0], ends)), exact)
    speeds = np.diff(wanted) / TICK_S
    padded = np.concatenate(
        (np.full(SMOOTHED_TICKS // 2, speeds[0]), speeds, np.full(SMOOTHED_TICKS // 2, speeds[-1]))
    )
    totals = np.concatenate(([0.0], np.cumsum(padded)))
    smooth = (totals[SMOOTHED_TICKS:] - totals[:-SMOOTHED_TICKS])[: len(speeds)] / SMOOTHED_TICKS
    smooth[np.abs(smooth) < 1e-9] = 0.0
    return np.concatenate(([0.0], np.cumsum(smooth) * TICK_S))[:-1], smooth


def _track(plan: Plan, travelled: Floats) -> tuple[Floats, Floats, Floats]:
    """Along and right of the path, and how much further the car is turned, in radians.

    Args:
        plan: The motion.
        travelled: From the gate on, as if the way went straight over it.
    """
    change = plan.lane_change_m / (1.0 + np.exp(-travelled / 30.0)) - plan.lane_change_m / 2
    right = plan.right_m + change
    if plan.motion == "wrong way":
        return -travelled, right, np.full_like(travelled, math.pi)
    if plan.motion not in ("turn before", "turn after"):
        return travelled, right, np.zeros_like(travelled)
    side = 1.0 if plan.turns_right else -1.0
    over = travelled - plan.turn_at_m
    angle = np.clip(over / TURN_M, 0.0, math.pi)
    back = np.maximum(0.0, over - math.pi * TURN_M)
    along = np.where(over <= 0, travelled, plan.turn_at_m + TURN_M * np.sin(angle) - back)
    return along, plan.right_m + side * TURN_M * (1.0 - np.cos(angle)), side * angle


def _said(
    site: Site, plan: Plan, ticks: _Ticks, middle_s: float, random: np.random.Generator, at_ms: int
) -> list[Sample]:
    """One sample a second, some of them with a fix, in the order of their time."""
    first_s = float(random.uniform(0.0, 1.0))
    at_s = np.arange(first_s, float(ticks.times_s[-1]), 1.0)
    index = np.minimum((at_s / TICK_S).astype(int), len(ticks.times_s) - 1)
    every = round(plan.period_s)
    has_fix = np.arange(len(at_s)) % every == int(random.integers(every))
    centre_s = middle_s + float(random.uniform(-0.5, 0.5)) * plan.outage_s
    has_fix &= np.abs(at_s - centre_s) >= plan.outage_s / 2 if plan.outage_s else True
    points = np.column_stack([np.interp(at_s, ticks.times_s, ticks.points[:, i]) for i in (0, 1)])
    if plan.generator == "a":
        error = autoregressive(random, at_s, plan.sigma_m)
    else:
        error = reflected(random, at_s, middle_s - float(random.uniform(0.0, 20.0)))
    degrees = site.plane.degrees(points + error).round(7).tolist()
    speeds = ticks.speeds_mps[index]
    course = np.degrees(ticks.heading_rad[index]) + np.where(speeds < 0, 180.0, 0.0)
    course = (course + random.normal(0.0, 3.0, len(at_s))) % 360.0
    travelled = np.cumsum(np.abs(ticks.speeds_mps)) * TICK_S * plan.scale
    start_m = int(random.integers(1_000, 100_000))
    odometer = np.floor(start_m + travelled[index]).tolist()
    wheels = np.round(np.abs(speeds) * plan.scale * 3.6, 1)
    wheels = (np.where(wheels < 0.7, 0.0, wheels) / 3.6).tolist()
    stamps = (at_ms + np.round(at_s * 1000)).astype(np.int64).tolist()
    columns = (course.tolist(), wheels, odometer, speeds.tolist(), has_fix.tolist())
    rows = zip(stamps, degrees, *columns, strict=True)
    return [
        Sample(
            at_ms=stamp,
            lat_deg=where[0] if is_fix else None,
            lon_deg=where[1] if is_fix else None,
            accuracy_m=plan.sigma_m if is_fix else None,
            heading_deg=heading if is_fix and plan.has_heading and wheel > 1.0 else None,
            speed_mps=wheel,
            odometer_m=reading if plan.has_odometer else None,
            is_reverse=speed < 0,
        )
        for stamp, where, heading, wheel, reading, speed, is_fix in rows
    ]


def _delivered(samples: list[Sample], plan: Plan, random: np.random.Generator) -> list[Sample]:
    """With every sample up to `copies` times, and some of them late."""
    order = np.arange(len(samples), dtype=np.float64)
    if plan.copies > 1:
        order = np.repeat(order, random.integers(1, plan.copies + 1, len(order)))
    index = order.astype(int)
    if plan.copies > 1:
        order = order + random.choice([0.0, 0.2, 3.4], len(order))
    if plan.late:
        is_late = random.random(len(order)) < plan.late
        order = order + np.where(is_late, random.uniform(1.0, 5.0, len(order)), 0.0)
    if plan.copies == 1 and not plan.late:
        return samples
    return [samples[index[i]] for i in np.argsort(order, kind="stable").tolist()]

"""Distant tasks under wind from anywhere: what is left in the battery at the landing."""

import random

from services.drone.geodesy import moved, towards
from simulator.copter.copter import Settings as CopterSettings
from tests.bench.drone_runs import FAST_S, Campaign, Row, world
from tests.bench.report import Figure
from tests.drone_car import START
from tests.drone_life import settings
from tests.drone_talk import Sky
from tests.drone_world import World, point

STRONGEST_MPS = 10.0
FURTHEST_M = 3_000.0
KINDS = ("out_and_stay", "scout", "rising")
"""It hovers there until an interlock brings it home; or a long scout; or the wind rises."""


def run(seed: int) -> Row:
    """One distant task; the battery may be half empty already."""
    kind = KINDS[seed % len(KINDS)]
    chance, row = random.Random(f"wind {seed}"), Row(seed, kind)
    sky = Sky(chance.uniform(0.0, STRONGEST_MPS), chance.uniform(0.0, 360.0))
    if kind == "rising":
        sky = Sky(chance.uniform(0.0, 5.0), chance.uniform(0.0, 360.0))
    config = settings(
        limits={"wind_mps": 12.0, "gust_mps": 15.0},
        tasks={"hover": {"duration_s": 1_800 if kind == "out_and_stay" else 200}},
    )
    copter = CopterSettings(ready_after_s=3.0, gusts_mps=chance.uniform(0.0, 1.0))
    with world(seed, row, sky=sky, config=config, copter=copter, step_s=FAST_S) as here:
        is_full = chance.random() < 0.15
        here.copter.drain(chance.uniform(60.0, 100.0) if is_full else chance.uniform(34.0, 60.0))
        here.ready()
        _fly(here, row, chance)
    return row


def _fly(here: World, row: Row, chance: random.Random) -> None:
    bearing, away = chance.uniform(0.0, 360.0), chance.uniform(200.0, FURTHEST_M)
    for _ in range(8):
        if (
            here.ask(
                *_task(row.kind, bearing, away)[:1], data=_task(row.kind, bearing, away)[1]
            ).data.result
            == 0
        ):
            break
        away *= 0.7  # what it does not dare is asked for nearer
        here.run(1.0)
    row.figures["away"] = away
    if not here.until(lambda: here.truth.take_offs, 60.0):
        row.kind = "not_flown"
        return
    if row.kind == "rising":
        here.run(chance.uniform(10.0, 120.0))
        here.sky.wind_mps, here.sky.from_deg = STRONGEST_MPS, (bearing + 180.0) % 360.0
        if chance.random() < 0.5:
            here.sky.from_deg = chance.uniform(0.0, 360.0)
        here.copter.set_wind(here.sky.from_deg, here.sky.wind_mps)
    if not here.until_down(1_800.0):
        row.faults.append(f"not down: {here.state} {here.detail}")
        return
    landing = here.landings[-1]
    row.figures |= {"left": landing.battery_pct, "beside": landing.error_m}
    if landing.battery_pct < 15.0:
        row.faults.append(
            f"{landing.battery_pct:.1f} % left; wind {here.sky.wind_mps:.1f} m/s from"
            f" {here.sky.from_deg:.0f}, {away:.0f} m to {bearing:.0f}; {' '.join(here.states())}"
        )
    if landing.has_crashed:
        row.faults.append("crashed")


def _task(kind: str, bearing: float, away: float) -> tuple[str, dict[str, object]]:
    place = moved(START, towards(bearing, away))
    if kind == "scout":
        points = [point(moved(START, towards(bearing, away * part))) for part in (0.5, 1.0)]
        return "flighttask_execute", {"task": "scout", "points": points}
    there = point(place)
    return "takeoff_to_point", {
        "target_latitude": there["latitude"], "target_longitude": there["longitude"],
    }  # fmt: skip


def figures(campaign: Campaign) -> list[Figure]:
    """The least of all runs."""
    left = campaign.all("left")
    least = min(left, default=float("nan"))
    furthest = max(campaign.all("away"), default=float("nan"))
    words = f"%, least of {len(left)} landings, wind 0-10 m/s, up to {furthest:.0f} m away"
    return [
        Figure("battery_min_pct", least, words, "≥ 15", least >= 15.0),
        Figure("wind_landed", len(left), f"landings of {len(campaign.rows)} runs"),
        Figure("wind_not_flown", len(campaign.of("not_flown")), "runs whose launch was refused"),
    ]

"""Following a car at 20 km/h with 100 m legs and 8 m corners; beside it the position alone."""

import random
from dataclasses import replace
from typing import Any

from services.drone.autopilot import Track
from services.drone.geodesy import distance_m
from tests.bench.drone_runs import Campaign, Row, share, world
from tests.bench.report import Figure
from tests.drone_car import Legs
from tests.drone_talk import CarLink
from tests.drone_world import World

KINDS = ("exact", "jitter", "position_alone")
MEASURED_S = 60.0
SETTLES_S = 12.0


def size(runs: int) -> int:
    """A minute of following has thousands of errors: fewer runs tell as much."""
    return max(3, runs // 10)


def run(seed: int) -> Row:
    """A minute of following, from when it has caught up."""
    kind = KINDS[seed % len(KINDS)]
    chance, row = random.Random(f"follow {seed}"), Row(seed, kind)
    turns = [chance.choice((1, -1)) for _ in range(40)]
    link = CarLink(loss=0.2, jitter_s=0.3) if kind == "jitter" else CarLink()
    driver = Legs(turns=turns, leg_m=100.0)
    with world(seed, row, driver=driver, car_link=link) as here:
        if kind == "position_alone":
            _without_velocity(here)
        here.ready()
        reply = here.ask("flighttask_execute", data={"task": "follow", "duration_s": 200.0})
        if reply.data.result or not here.until_state("on_task", seconds=60.0):
            row.faults.append(
                f"does not follow: {here.state} {here.detail} {reply.data.output.detail}"
            )
            return row
        driver.go_s = driver.now_s + chance.uniform(0.5, 2.0)
        here.run(SETTLES_S)
        row.errors = _errors(here)
        row.figures = {"p50": share(row.errors, 0.5), "p95": share(row.errors, 0.95)}
        if here.state != "on_task":
            row.faults.append(f"{here.state}: {here.detail}; {' '.join(here.states())}")
    return row


def _errors(here: World) -> list[float]:
    errors: list[float] = []
    here.each_step.append(lambda: errors.append(distance_m(here.drone_true, here.car_true)))
    here.run(MEASURED_S)
    return errors


def _without_velocity(here: World) -> None:
    """The peer: the same places, told without their velocity."""
    assert here.conductor is not None
    autopilot: Any = here.conductor._autopilot
    perform = autopilot.perform

    def alone(intent_id: int, intent: Any, now: Any) -> None:
        if isinstance(intent, Track):
            intent = replace(intent, velocity=(0.0, 0.0, 0.0))
        perform(intent_id, intent, now)

    autopilot.perform = alone


def figures(campaign: Campaign) -> list[Figure]:
    """Of all moments of all runs; the worst run's own figure stands beside it."""
    found = []
    bars = {
        "exact": ("", 0.2, 6.0),
        "jitter": ("_jitter", 1.2, 6.5),
        "position_alone": ("_naive", 0, 0),
    }
    words = {
        "exact": "10 Hz, exact",
        "jitter": "300 ms jitter, 20 % loss",
        "position_alone": "peer: no velocity",
    }
    for kind, (suffix, middle, most) in bars.items():
        errors = [error for row in campaign.of(kind) for error in row.errors]
        for part, bar in (("p50", middle), ("p95", most)):
            worst = max(campaign.all(part, kind), default=float("nan"))
            value = share(errors, 0.5 if part == "p50" else 0.95)
            meaning = f"m, {words[kind]}, {len(campaign.of(kind))} runs; the worst run {worst:.2f}"
            limit, holds = (f"≤ {bar:g}", value <= bar) if bar else ("", None)
            found.append(Figure(f"follow{suffix}_{part}_m", value, meaning, limit, holds))
    return found

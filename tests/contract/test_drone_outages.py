"""The broker is restarted in each state of a flight: one take-off, and a landing at the car."""

from pathlib import Path

import pytest

from tests.drone_world import World

STATES = ("preflight", "armed", "takeoff", "enroute", "on_task", "returning", "landing")


@pytest.mark.parametrize("away_s", [1.0, 25.0])
@pytest.mark.parametrize("state", STATES)
def test_a_broker_that_is_restarted_ends_no_flight_badly(
    tmp_path: Path, state: str, away_s: float
) -> None:
    world = World(tmp_path, 1).ready()
    ahead = {"points": [], "task": "inspect"}
    request = world.request("flighttask_execute", tid="once", data=ahead)
    world.deliver(request)
    assert world.until_state(state), (world.state, world.detail)
    world.broker(is_there=False)
    world.run(away_s)
    world.broker(is_there=True)
    world.deliver(request)  # the broker says again what was not acknowledged
    if world.until(lambda: not world.truth.is_on_ground, 30.0) or world.landings:
        assert world.until(lambda: bool(world.landings), 600.0)
        assert world.landings[-1].error_m < 1.0
        assert not world.landings[-1].has_crashed
    assert world.until_state("docked", seconds=60.0), (world.state, world.detail)
    assert world.states().count("takeoff") <= 1
    assert len(world.landings) <= 1
    world.close()

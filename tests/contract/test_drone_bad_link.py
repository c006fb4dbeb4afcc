"""A link that loses a fifth each way and mixes what it carries: it launches, flies and lands."""

from pathlib import Path

import pytest

from internetcar.contract.drone import DroneEvent
from services.drone.geodesy import Offset, moved
from tests.drone_car import START
from tests.drone_world import World, point


# Seed 1 loses the take-off, seed 0 the way back: both are said again.
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_flight_over_a_bad_link_is_flown_without_a_trip(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed)
    for line in (world.up, world.down):
        line.loss, line.jitter_s = 0.2, 0.3
    world.ready()
    to = point(moved(START, Offset(120.0, 60.0)))
    target = {"target_latitude": to["latitude"], "target_longitude": to["longitude"]}
    reply = world.ask("takeoff_to_point", data={**target, "target_height": 30.0})
    assert reply.data.output.status == "accepted", reply.data.output.detail
    assert world.until_state("on_task")
    world.run(20.0)
    world.ask("return_home")
    assert world.until_down(400.0)
    world.run(2.0)
    assert world.state == "docked"
    assert world.copter.truth.take_offs == 1
    assert "lost_link" not in world.states()
    events = [each.method for each in world.heard if isinstance(each, DroneEvent)]
    assert "interlock_trip" not in events
    assert world.landings[-1].error_m < 0.5
    world.close()


def test_a_link_that_loses_half_launches_nothing_and_says_why(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.down.loss = 0.5
    world.until_state("docked")
    world.run(15.0)
    reply = world.ask("takeoff_to_point", data={})
    assert reply.data.output.status == "rejected"
    assert "packets are lost, at most 30" in (reply.data.output.detail or "")
    world.close()

"""A car that drives off with the drone out: the rule `rendezvous` calls it back, within limits."""

from typing import Any

from services.drone.autopilot import TakeOff
from services.drone.events import CarSignal
from services.drone.rules.settings import RuleSettings
from tests.unit.drone_pilot_world import World, place_at, point
from tests.unit.drone_rules import rule_table

TO = place_at(200.0, 150.0)


def out(**changes: Any) -> World:
    """Hovering somewhere else than the car."""
    rule = {**rule_table()["rendezvous"].model_dump(), **changes}
    world = World(rules={"rendezvous": RuleSettings.model_validate(rule)}).ready()
    to = point(TO)
    world.ask("takeoff_to_point", target_latitude=to["latitude"], target_longitude=to["longitude"],
              target_height=30.0)  # fmt: skip
    world.until_state("on_task")
    return world


def drive(world: World, mps: float, seconds: float) -> None:
    world.car.speed_mps = mps
    world.say(CarSignal("Vehicle.Speed", mps * 3.6, "valid", 0.0))
    world.run(seconds)


def test_a_car_that_drives_off_is_met_where_it_will_be() -> None:
    world = out()
    drive(world, 8.0, 12.0)
    assert world.phase == "returning"
    decision = world.events("rule_decision")[0].data
    assert (decision["rule"], decision["outcome"]) == ("rendezvous", "called_back")
    assert "Vehicle.Speed is" in decision["because"]
    drive(world, 8.0, 20.0)
    drive(world, 0.0, 1.0)
    world.until_state("docked")
    assert world.miss_m < 0.5
    assert len(world.intents(TakeOff)) == 1


def test_a_car_that_creeps_on_is_left_to_creep() -> None:
    world = out()
    drive(world, 4.0, 15.0)
    assert world.phase == "on_task"


def test_a_rule_that_is_not_enabled_calls_nothing_back() -> None:
    world = out(enabled=False)
    drive(world, 8.0, 15.0)
    assert world.phase == "on_task"


def test_the_limits_of_the_rule_hold() -> None:
    world = out(limits={"per_hour": 0})
    drive(world, 8.0, 15.0)
    assert world.phase == "on_task"


def test_a_drone_that_follows_is_not_called_back() -> None:
    rules = {"rendezvous": rule_table()["rendezvous"]}
    world = World(rules=rules).ready()
    world.ask("flighttask_execute", task="follow", duration_s=300.0)
    world.until_state("on_task")
    drive(world, 8.0, 20.0)
    assert world.phase == "on_task"


def test_a_docked_drone_is_not_called_back_and_nothing_counts() -> None:
    world = World(rules={"rendezvous": rule_table()["rendezvous"]}).ready()
    drive(world, 8.0, 30.0)
    assert not world.events("rule_decision")
    assert world.phase == "docked"

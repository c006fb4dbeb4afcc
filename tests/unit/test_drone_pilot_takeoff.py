"""A take-off whose command or answer is lost: said again on the ground, never after a restart."""

from services.drone.autopilot import Disarm, Result, TakeOff
from services.drone.events import CarSignal
from tests.unit.drone_mavlink_vehicle import Link, mav
from tests.unit.drone_pilot_world import World


def test_a_lost_take_off_is_said_again_while_it_stands_there() -> None:
    world = World().ready()
    world.copter.lost_takeoffs = 2
    world.ask("takeoff_to_point")
    world.until_state("on_task")
    assert [each.again for each in world.intents(TakeOff)] == [0, 1, 2]


def test_a_take_off_that_was_heard_is_not_said_again_in_the_air() -> None:
    world = World().ready()
    world.copter.lost_takeoffs, world.copter.is_takeoff_answer_lost = 1, True
    world.ask("takeoff_to_point")
    world.until_state("on_task")
    assert len(world.intents(TakeOff)) <= 2
    assert world.progress("takeoff_to_point_progress") == ["sent", "in_progress", "ok"]


def test_a_take_off_that_is_never_answered_ends_on_the_ground() -> None:
    world = World().ready()
    world.copter.lost_takeoffs = -1
    world.ask("takeoff_to_point")
    world.until_state("takeoff")
    world.until_state("docked", seconds=40.0)
    assert [each.again for each in world.intents(TakeOff)] == [0, 1, 2, 3, 4]
    assert world.progress("takeoff_to_point_progress")[-1] == "failed"
    assert world.intents(Disarm)


def test_a_car_that_drives_off_meanwhile_is_not_taken_off_from() -> None:
    world = World().ready()
    world.copter.lost_takeoffs = -1
    world.ask("takeoff_to_point")
    world.until_state("takeoff")
    world.car.speed_mps = 4.0
    world.say(CarSignal("Vehicle.Speed", 14.4, "valid", 0.0))
    world.until_state("docked", seconds=10.0)
    assert len(world.intents(TakeOff)) <= 2
    assert world.events("interlock_trip")


def test_a_lost_take_off_is_not_said_again_after_a_restart() -> None:
    world = World().ready()
    world.copter.lost_takeoffs = -1
    world.ask("takeoff_to_point")
    world.until_state("takeoff")
    said = len(world.intents(TakeOff))
    world.restart()
    world.run(30.0)
    assert len(world.intents(TakeOff)) == said
    assert world.phase == "docked"


def test_a_lost_take_off_is_not_said_again_after_a_silence() -> None:
    world = World().ready()
    world.copter.lost_takeoffs = -1
    world.ask("takeoff_to_point")
    world.until_state("takeoff")
    said = len(world.intents(TakeOff))
    world.is_cut = True
    world.run(5.0)
    world.is_cut = False
    world.run(30.0)
    assert len(world.intents(TakeOff)) == said
    assert world.phase == "docked"


def test_a_take_off_that_is_said_again_says_so() -> None:
    link = Link().meet()
    link.perform(8, TakeOff(12.5, again=2))
    link.step(2.0)
    (sent,) = link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_NAV_TAKEOFF)
    assert (sent.param7, sent.confirmation) == (12.5, 2)
    assert link.results == [Result(8, "accepted")]

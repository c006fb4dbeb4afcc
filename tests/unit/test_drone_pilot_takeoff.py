"""A take-off whose command or answer is lost: said again on the ground, never after a restart."""

from dataclasses import replace

import pytest

from services.drone.autopilot import Disarm, DroneStatus, Mode, Result, SetMode, TakeOff
from services.drone.events import CarSignal, Effect, Event, Heard
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


class Old(World):
    """What the drone says of the ground is up to five seconds old, as its packets may be lost."""

    ground: DroneStatus | None = None

    def say(self, event: Event) -> list[Effect]:
        if isinstance(event, Heard) and self.ground is not None:
            old = replace(event.status, landed=self.ground.landed, landed_s=self.ground.landed_s)
            event = replace(event, status=old)
        return super().say(event)

    def stay(self) -> None:
        """From now on nothing new is heard of the ground."""
        self.ground = self.last_status


def test_a_take_off_is_not_said_again_by_what_was_said_of_the_ground_before_it() -> None:
    world = Old()
    world.ready()
    world.copter.lost_takeoffs, world.copter.is_takeoff_answer_lost = -1, True
    world.ask("takeoff_to_point")
    world.until_state("takeoff")
    world.stay()
    world.run(3.0)
    assert len(world.intents(TakeOff)) == 1
    world.ground = None
    world.until_state("on_task")


@pytest.mark.parametrize("seconds", [0.0, 0.1, 2.0])
def test_a_stop_in_the_climb_brakes_though_it_was_last_said_to_stand(seconds: float) -> None:
    world = Old()
    world.ready()
    world.ask("takeoff_to_point")
    world.until_state("takeoff")
    world.stay()
    world.run(seconds)
    assert world.ask("drone_emergency_stop").data.output.status == "accepted"
    assert world.intents(SetMode)[-1] == SetMode(Mode.BRAKE)
    highest_m = world.copter.height_m + 2.0
    for _ in range(50):
        world.turn()
        assert world.copter.height_m < highest_m
    assert world.copter.mode == Mode.BRAKE
    world.ground = None
    world.run(5.0)
    assert world.phase == ("hold" if world.copter.is_flying else "docked")
    assert world.progress("takeoff_to_point_progress")[-1] == "canceled"


def test_a_stop_that_meets_it_on_the_ground_disarms_until_it_is() -> None:
    world = World().ready()
    world.copter.lost_takeoffs = -1
    world.ask("takeoff_to_point")
    world.until_state("takeoff")
    world.run(0.5)
    world.copter.deaf = True
    said = len(world.intents(TakeOff))
    world.ask("drone_emergency_stop")
    world.run(3.0)
    world.copter.deaf = False
    world.until_state("docked", 5.0)
    assert len(world.intents(Disarm)) >= 2
    assert len(world.intents(TakeOff)) == said


def test_a_stop_of_what_is_seen_disarmed_after_the_take_off_sends_no_brake() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.until_state("takeoff")
    world.copter.is_armed = False
    world.copter.climb_to = None
    world.turn()
    assert world.ask("drone_emergency_stop").data.output.detail == "the launch is canceled"
    assert SetMode(Mode.BRAKE) not in world.intents(SetMode)
    world.until_state("docked", 10.0)


def test_a_take_off_that_is_said_again_says_so() -> None:
    link = Link().meet()
    link.perform(8, TakeOff(12.5, again=2))
    link.step(2.0)
    (sent,) = link.vehicle.of("COMMAND_LONG", mav.MAV_CMD_NAV_TAKEOFF)
    assert (sent.param7, sent.confirmation) == (12.5, 2)
    assert link.results == [Result(8, "accepted")]

"""While two services speak for a drone none launches it; what flies comes home all the same."""

from services.drone.autopilot import Arm, Disarm, GoTo, Mode, SetMode, TakeOff, Track
from services.drone.events import Twin
from services.drone.flight import deriving
from tests.unit.drone_pilot_world import World, place_at, point

WORDS = "another service speaks for this drone"
STEERING = (Arm, Disarm, GoTo, SetMode, TakeOff, Track)


def away(world: World) -> World:
    world.airborne()
    world.ask("fly_to_point", points=[point(place_at(0.0, 300.0))])
    world.until_state("on_task")
    return world


def beside(world: World) -> World:
    """A second service that remembers nothing begins to hear the drone, and the first."""
    world.disk = None
    world.restart()
    world.effects.clear()
    world.say(Twin(True))
    world.run(5.0)
    return world


def test_a_launch_is_refused_in_words_until_only_one_is_left() -> None:
    world = World().ready()
    world.say(Twin(True))
    reply = world.ask("takeoff_to_point")
    assert reply.data.output.reason == "interlock"
    assert WORDS in str(reply.data.output.detail)
    world.run(2.0)
    assert [each.id for each in world.state.interlocks] == ["twin"], "`car drone status` says it"
    world.say(Twin(False))
    assert world.ask("takeoff_to_point").data.result == 0


def test_a_twin_that_comes_before_the_take_off_cancels_the_launch() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.say(Twin(True))
    world.run(20.0)
    assert world.phase == "docked"
    assert world.intents(TakeOff) == []


def test_a_twin_in_the_air_ends_nothing_and_stop_and_return_work() -> None:
    world = away(World())
    world.say(Twin(True))
    world.run(5.0)
    assert world.phase == "on_task"
    assert world.ask("drone_emergency_stop").data.result == 0
    world.run(1.0)
    assert world.copter.mode == Mode.BRAKE
    assert world.ask("return_home").data.result == 0
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_our_own_flight_is_taken_over_at_once_whoever_speaks_for_the_drone() -> None:
    world = away(World())
    world.restart()
    world.say(Twin(True))
    world.run(0.3)
    assert world.phase == "returning"
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_the_flight_of_the_other_one_is_followed_not_fought() -> None:
    world = beside(away(World()))
    assert (world.phase, world.state.detail) == ("failsafe", deriving.ANOTHERS)
    assert not world.intents(STEERING)
    world.say(Twin(False))
    world.run(0.3)
    assert (world.phase, world.state.detail) == ("hold", deriving.UNKNOWN)
    world.until_state("docked")


def test_the_flight_of_the_other_one_can_be_called_back_and_stopped() -> None:
    world = beside(away(World()))
    assert world.ask("drone_emergency_stop").data.result == 0
    world.run(1.0)
    assert world.copter.mode == Mode.BRAKE
    world = beside(away(World()))
    assert world.ask("return_home", dry_run=True).data.result == 0
    assert world.phase == "failsafe"
    assert world.ask("return_home").data.result == 0
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_docked_one_follows_what_the_other_one_flies() -> None:
    world = World().ready()
    world.say(Twin(True))
    world.effects.clear()
    world.copter.change(Mode.GUIDED)
    world.copter.is_armed = True
    world.run(1.0)
    world.copter.height_m = 10.0
    world.run(2.0)
    assert world.phase == "failsafe"
    assert not world.intents(STEERING)


def test_what_the_other_one_arms_on_the_ground_is_not_disarmed() -> None:
    world = World().ready()
    world.copter.change(Mode.GUIDED)
    world.copter.is_armed = True
    beside(world)
    assert world.phase == "failsafe"
    assert not world.intents(STEERING)


def test_what_nobody_remembers_is_disarmed_on_the_ground_when_nobody_has_answered() -> None:
    world = World().ready()
    world.copter.change(Mode.GUIDED)
    world.copter.is_armed = True
    world.disk = None
    world.restart()
    world.run(2.0)
    assert world.phase == "offline", "it listens"
    world.run(2.0)
    assert world.phase == "armed"
    assert not world.intents(Arm)

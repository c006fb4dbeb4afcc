"""The pilot when something dies: itself, the link, the broker, the car's position, its memory."""

from dataclasses import replace

from services.drone.autopilot import Mode, SetMode
from services.drone.events import BrokerLink, CarPresence, Heard, Perform
from services.drone.flight.settings import FlightSettings
from services.drone.geodesy import distance_m
from tests.unit.drone_pilot_world import HOME, World, place_at, point


def performs(world: World) -> int:
    return sum(isinstance(each, Perform) for each in world.effects)


def away(world: World) -> World:
    world.airborne()
    world.ask("fly_to_point", points=[point(place_at(0.0, 300.0))])
    world.run(15.0)
    return world


def test_a_pilot_who_takes_over_is_never_fought() -> None:
    world = away(World())
    world.copter.change(Mode.OTHER)
    world.run(1.0)
    assert world.phase == "failsafe"
    steering = [each for each in world.copter.asked if isinstance(each, SetMode)]
    world.run(30.0)
    assert [each for each in world.copter.asked if isinstance(each, SetMode)] == steering
    assert world.ask("return_home").data.output.reason == "autopilot"
    assert world.ask("takeoff_to_point").data.output.reason == "autopilot"
    assert world.ask("drone_emergency_stop").data.output.status == "accepted"
    world.run(1.0)
    assert [each for each in world.copter.asked if isinstance(each, SetMode)] == steering


def test_what_a_pilot_gives_back_hovers_and_returns() -> None:
    world = away(World())
    world.copter.change(Mode.OTHER)
    world.run(5.0)
    world.copter.change(Mode.GUIDED)
    world.run(1.0)
    assert world.phase == "hold"
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_short_silence_of_the_drone_ends_no_task() -> None:
    world = World().airborne()
    world.is_cut = True
    world.run(4.0)
    assert world.phase == "lost_link"
    before = performs(world)
    world.run(3.0)
    assert performs(world) == before
    world.is_cut = False
    world.run(1.0)
    assert world.phase == "on_task"


def test_a_long_silence_of_the_drone_brings_it_back() -> None:
    world = away(World())
    world.is_cut = True
    world.run(20.0)
    world.is_cut = False
    world.run(1.0)
    assert world.phase == "returning"
    world.until_state("docked")


def test_a_link_that_dies_for_good_follows_the_autopilots_return() -> None:
    world = away(World())
    world.is_cut = True
    world.run(5.0)
    world.copter.change(Mode.RTL)
    world.run(5.0)
    world.is_cut = False
    world.run(1.0)
    assert world.phase == "failsafe"
    world.until_state("docked")
    assert world.miss_m < 1.0


def test_without_the_broker_it_flies_on_for_ten_seconds_and_returns() -> None:
    world = away(World())
    world.is_connected = False
    world.say(BrokerLink(False))
    world.run(8.0)
    assert world.phase in ("enroute", "on_task")
    world.run(4.0)
    assert world.phase == "returning"
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_without_the_broker_a_car_that_drove_is_waited_for() -> None:
    world = away(World())
    world.car.speed_mps = 4.0
    world.run(1.0)
    world.is_connected = False
    world.say(BrokerLink(False))
    world.until_state("rendezvous")
    world.run(5.0)
    assert world.phase == "rendezvous"
    world.car.speed_mps = 0.0
    world.is_connected = True
    world.say(BrokerLink(True))
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_stop_brakes_and_after_a_minute_it_returns() -> None:
    world = away(World())
    assert world.ask("drone_emergency_stop").data.output.status == "accepted"
    world.run(2.0)
    assert (world.phase, world.copter.mode) == ("hold", Mode.BRAKE)
    world.run(55.0)
    assert world.phase == "hold"
    world.run(5.0)
    assert world.phase == "returning"
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_return_right_after_a_stop_is_flown() -> None:
    world = away(World())
    world.ask("drone_emergency_stop")
    world.ask("return_home")
    world.until_state("docked")
    assert "failsafe" not in world.states()


def test_a_restart_while_stopped_holds_and_then_returns() -> None:
    world = away(World())
    world.ask("drone_emergency_stop")
    world.run(5.0)
    world.restart()
    world.run(1.0)
    assert world.phase == "hold"
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_restart_between_brake_and_return_gives_the_return_back() -> None:
    world = away(World())
    world.copter.change(Mode.RTL)
    world.run(1.0)
    world.car.speed_mps = 3.0
    world.until(lambda: world.copter.mode == Mode.BRAKE)
    world.restart()
    world.run(5.0)
    assert world.copter.mode == Mode.RTL


def test_a_car_of_another_origin_is_not_returned_to() -> None:
    world = away(World())
    world.say(CarPresence(True, "recording", "synchronized"))
    world.run(2.0)
    assert world.phase == "divert_landing"


def test_a_lost_position_of_the_drone_lands_it_where_it_is() -> None:
    world = away(World())
    for _ in range(50):
        world.now = world.now._replace(s=world.now.s + 0.1, utc_ms=world.now.utc_ms + 100)
        status = replace(world.copter.status(world.now.s), is_position_good=False)
        for event in world.car.events():
            world.say(event)
        world.say(Heard(status))
    assert world.phase == "divert_landing"
    assert world.copter.mode == Mode.LAND


def test_a_divert_survives_a_restart() -> None:
    world = away(World(FlightSettings(stale_hold_s=2.0)))
    world.car.is_silent = True
    world.until_state("divert_landing")
    world.restart()
    world.run(1.0)
    assert world.phase == "divert_landing"
    world.until_state("docked")
    assert distance_m(world.copter.place, HOME) < 0.5


def test_the_same_log_gives_the_same_effects() -> None:
    world = away(World())
    world.ask("return_home")
    world.until_state("docked")
    again = World().pilot
    replayed = [effect for event, now in world.log for effect in again.handle(event, now)]
    assert replayed == world.effects


def test_without_car_and_broker_after_a_restart_it_lands_at_home() -> None:
    world = away(World())
    world.is_connected = False
    world.restart()
    world.until_state("divert_landing", 30.0)
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_car_that_is_heard_a_moment_after_a_restart_is_returned_to() -> None:
    world = away(World())
    world.pilot = world.start()
    world.car.is_silent = True
    world.run(3.0)
    world.car.is_silent = False
    world.say(BrokerLink(True))
    world.surroundings()
    world.until_state("docked")
    assert "divert_landing" not in world.states()
    assert world.miss_m < 0.5

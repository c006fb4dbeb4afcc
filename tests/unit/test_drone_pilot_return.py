"""The way back: to a car that moved, that drives, that nobody can reach."""

import pytest

from services.drone.airspace.airspace import Airspace
from services.drone.autopilot import GoTo, Mode, MoveHome, SetMode, Track
from services.drone.events import WeatherReport
from services.drone.flight.settings import Alternate, FlightSettings
from services.drone.geodesy import Place, distance_m
from tests.unit.drone_pilot_world import HOME, World, place_at, point

FIELD = place_at(-60.0)
ALTERNATE = Alternate(name="the field", latitude=FIELD.lat_deg, longitude=FIELD.lon_deg)


def scouting(world: World) -> World:
    world.ready()
    points = [point(place_at(0.0, 150.0)), point(place_at(0.0, 300.0))]
    assert world.ask("flighttask_execute", task="scout", points=points).data.result == 0
    return world


def test_a_scout_flies_ahead_reports_and_lands_on_the_car_that_crept_forward() -> None:
    world = scouting(World())
    world.until_state("returning")
    world.car.heading_deg, world.car.speed_mps = 90.0, 2.5
    world.run(40.0)
    world.car.speed_mps = 0.0
    world.until_state("docked")
    assert distance_m(world.car.place, HOME) > 95.0
    assert world.miss_m < 0.5
    assert world.progress("flighttask_progress") == ["sent", "in_progress", "ok"]
    report = world.events("scout_report")[0].data
    assert report["length_m"] > 250.0


@pytest.mark.parametrize("speed_mps", [1.0, 4.0, 7.0])
def test_it_stays_above_a_driving_car_until_that_stands(speed_mps: float) -> None:
    world = World().airborne()
    world.car.speed_mps = speed_mps
    world.run(15.0)
    world.ask("return_home")
    world.until_state("rendezvous")
    world.run(30.0)
    assert world.phase == "rendezvous"
    assert world.miss_m < 4.0
    assert world.events("driver_request")[0].data["ask"] == "stop"
    world.car.speed_mps = 0.0
    world.run(2.0)
    assert world.phase == "rendezvous"
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_car_that_drives_on_during_the_descent_is_not_landed_on() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until_state("landing")
    world.until(lambda: world.copter.height_m < 8.0)
    world.car.speed_mps = 3.0
    world.run(1.0)
    assert world.phase == "rendezvous"
    world.run(20.0)
    assert world.copter.height_m > 8.0
    world.car.speed_mps = 0.0
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_car_that_is_pushed_two_metres_is_not_landed_on() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until_state("landing")
    world.car.place = place_at(2.5)
    world.run(0.5)
    assert world.phase == "rendezvous"
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_it_lands_where_the_car_says_it_is_now() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until_state("landing")
    world.until(lambda: world.copter.height_m < 6.0)
    world.car.place = place_at(1.2)
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_car_faster_than_the_drone_is_asked_to_slow_down() -> None:
    world = World().airborne()
    world.car.speed_mps = 14.0
    world.run(10.0)
    world.ask("return_home")
    world.run(5.0)
    assert world.events("driver_request")[0].data["ask"] == "slow"
    world.run(20.0)
    world.car.speed_mps = 0.0
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_too_little_for_the_way_to_the_car_lands_at_the_alternate() -> None:
    world = World(FlightSettings(alternates=(ALTERNATE,))).airborne()
    world.car.speed_mps = 14.0
    world.run(20.0)
    world.ask("return_home")
    world.run(5.0)
    world.copter.battery_pct = 20.0
    world.until_state("divert_landing")
    world.until_state("docked")
    assert distance_m(world.copter.place, ALTERNATE.place) < 0.5
    assert world.progress("return_home_progress")[-1] == "failed"


def test_without_an_alternate_it_lands_where_the_car_was_last() -> None:
    world = World().airborne()
    world.car.is_silent = True
    world.run(4.0)
    assert world.phase == "hold"
    world.run(11.0)
    assert world.phase == "divert_landing"
    assert "where the car was last seen" in (world.state.detail or "")
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_position_that_comes_back_lets_it_go_on() -> None:
    world = World().airborne()
    world.car.is_silent = True
    world.run(8.0)
    assert world.phase == "hold"
    world.car.is_silent = False
    world.run(1.0)
    assert world.phase == "on_task"


def test_home_goes_with_the_car() -> None:
    world = World().airborne()
    world.car.speed_mps = 5.0
    before = len(world.intents(MoveHome))
    world.run(20.0)
    told = world.intents(MoveHome)[before:]
    assert len(told) == 4
    assert distance_m(told[-1].place, world.car.place) < 26.0
    world.car.speed_mps = 0.0
    world.run(30.0)
    assert 2 <= len(world.intents(MoveHome)[before:]) - 4 <= 4


def test_guidance_is_said_five_times_a_second_and_a_goal_once() -> None:
    world = World().airborne()
    world.ask("fly_to_point", points=[point(place_at(200.0))])
    before = len(world.intents(GoTo))
    world.run(5.0)
    assert len(world.intents(GoTo)) - before == 1
    world.ask("return_home")
    world.until_state("landing")
    before = len(world.intents(Track))
    world.run(4.0)
    assert 19 <= len(world.intents(Track)) - before <= 21


def test_the_autopilots_own_return_begins_anew_when_the_car_moved() -> None:
    world = World().airborne()
    world.ask("fly_to_point", points=[point(place_at(0.0, 400.0))])
    world.until_state("on_task")
    world.copter.change(Mode.RTL)
    world.run(1.0)
    assert world.phase == "failsafe"
    world.car.speed_mps = 2.5
    world.run(40.0)
    world.car.speed_mps = 0.0
    world.until_state("docked")
    modes = [each.mode for each in world.intents(SetMode)]
    assert Mode.BRAKE in modes
    assert distance_m(world.car.place, HOME) > 95.0
    assert world.miss_m < 6.0
    assert Track not in {type(each) for each in world.copter.asked[-50:]}


def test_a_return_can_be_called_off() -> None:
    world = World().airborne()
    world.ask("fly_to_point", points=[point(place_at(0.0, 300.0))])
    world.until_state("on_task")
    world.ask("return_home")
    world.run(5.0)
    assert world.ask("return_home_cancel").data.output.status == "accepted"
    world.until_state("on_task")
    stays = world.copter.place
    world.run(30.0)
    assert distance_m(world.copter.place, stays) < 5.0
    assert world.progress("return_home_progress") == ["sent", "in_progress", "canceled"]


def test_the_return_of_a_task_that_is_done_is_not_called_off() -> None:
    world = scouting(World())
    world.until_state("returning")
    assert world.ask("return_home_cancel").data.output.reason == "busy"


@pytest.mark.parametrize("wind", [0.0, 8.5])
def test_wind_that_rises_in_the_air_brings_it_back(wind: float) -> None:
    world = World().airborne()
    world.say(WeatherReport(wind, wind, 270.0, 0.0, 15.0, 0.0))
    world.run(3.0)
    assert world.phase == "on_task"
    assert world.events("interlock_trip") == []
    world.run(4.0)
    if wind > 8.0:
        assert [each.id for each in world.pilot.state().interlocks or []] == ["wind"]
        assert world.phase != "on_task"
        trip = world.events("interlock_trip")[0].data
        assert trip["interlocks"][0]["id"] == "wind"
        assert trip["then"] == "return"
        assert len(world.events("interlock_trip")) == 1
    else:
        assert world.phase == "on_task"


def test_a_gust_now_and_then_ends_no_flight() -> None:
    world = World().airborne()
    for _ in range(10):
        world.say(WeatherReport(8.5, 8.5, 270.0, 0.0, 15.0, 0.0))
        world.run(4.0)
        world.say(WeatherReport(7.5, 7.5, 270.0, 0.0, 15.0, 0.0))
        world.run(1.5)
    assert world.phase == "on_task"
    assert world.events("interlock_trip") == []


def test_a_battery_that_runs_down_brings_it_back_with_its_reserve() -> None:
    world = World().airborne()
    world.ask("fly_to_point", points=[point(place_at(0.0, 300.0))])
    world.until_state("on_task")
    world.copter.battery_pct = 40.0
    world.until_state("docked", 900.0)
    assert world.copter.battery_pct > 15.0
    assert world.miss_m < 0.5


def test_the_airspace_leads_the_return_around_a_zone() -> None:
    corners: list[Place] = []

    class Around(Airspace):
        def way(self, start, end, height_m, now, **rest):  # type: ignore[no-untyped-def]  # a fake
            if distance_m(start, end) < 60.0:
                return (start, end)
            corner = place_at(80.0, 100.0)
            corners.append(corner)
            return (start, corner, end) if distance_m(start, corner) > 3.0 else (start, end)

    world = World(airspace=Around()).airborne()
    world.ask("fly_to_point", points=[point(place_at(0.0, 200.0))])
    world.until_state("on_task")
    world.ask("return_home")
    world.until(lambda: distance_m(world.copter.place, place_at(80.0, 100.0)) < 3.0)
    world.until_state("docked")
    assert world.miss_m < 0.5

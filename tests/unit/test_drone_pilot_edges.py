"""Rare turns of the pilot: each ends on the ground or with somebody who flies it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from services.drone.airspace.airspace import Airspace, Trouble
from services.drone.autopilot import Disarm, DroneStatus, Landed, Mode, TakeOff
from services.drone.events import BrokerLink, Heard, Perform
from services.drone.flight.settings import Alternate, FlightSettings
from services.drone.geodesy import distance_m
from tests.unit.drone_pilot_world import NEVER, World, place_at, point

FIELD = place_at(0.0, 290.0)
SETTINGS = FlightSettings(
    alternates=(Alternate(name="the field", latitude=FIELD.lat_deg, longitude=FIELD.lon_deg),)
)


class Gate(Airspace):
    """An airspace that closes: no way ends where `closed` says so."""

    closed: Callable[[Any], bool] = staticmethod(lambda _: False)

    def way(self, start, end, height_m, now, **rest):  # type: ignore[no-untyped-def]  # a fake
        return None if type(self).closed(end) else (start, end)

    def trouble(self, legs, now, **rest):  # type: ignore[no-untyped-def]  # a fake
        return (
            (Trouble("closed", "a zone"),)
            if any(type(self).closed(leg.end) for leg in legs)
            else ()
        )


def gate() -> tuple[Airspace, type[Gate]]:
    kind = type("OneGate", (Gate,), {})
    return kind(), kind


def away(world: World) -> World:
    world.airborne()
    world.ask("fly_to_point", points=[point(place_at(0.0, 300.0))])
    world.until_state("on_task")
    return world


def told(world: World, **changed: Any) -> None:
    """One turn in which the drone says something else than what is so."""
    world.now = world.now._replace(s=world.now.s + 0.1, utc_ms=world.now.utc_ms + 100)
    for event in world.car.events():
        world.say(event)
    world.say(Heard(replace(world.copter.status(world.now.s), **changed)))


def test_a_drone_that_falls_silent_in_preflight_ends_the_launch() -> None:
    world = World().ready()
    world.copter.refuses_arm_until_s = NEVER
    world.ask("takeoff_to_point")
    world.run(2.0)
    world.is_cut = True
    world.run(5.0)
    assert world.phase == "offline"
    assert world.progress("takeoff_to_point_progress")[-1] == "failed"


@pytest.mark.parametrize("known", [{"position": None}, {"landed": Landed.UNKNOWN},
                                   {"is_armed": False}])  # fmt: skip
def test_nothing_is_asked_before_enough_is_known(known: dict[str, Any]) -> None:
    world = away(World())
    world.restart()
    before = len([each for each in world.effects if isinstance(each, Perform)])
    for _ in range(10):
        told(world, **known)
    assert world.phase == "lost_link"
    assert len([each for each in world.effects if isinstance(each, Perform)]) == before


def test_what_landed_while_the_service_was_dead_has_landed() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until(lambda: world.copter.mode == Mode.LAND)
    while world.copter.is_armed:
        world.copter.fly(world.now.s)
    world.restart()
    world.run(1.0)
    assert world.phase == "docked"
    assert world.progress("return_home_progress")[-1] == "ok"


def test_a_restart_in_the_last_metres_lets_it_land() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until(lambda: world.copter.mode == Mode.LAND)
    world.restart()
    world.turn()
    assert world.phase == "landing"
    world.until_state("docked", 10.0)


def test_armed_by_hand_without_memory_is_followed() -> None:
    world = World()
    world.copter.is_armed = True
    world.run(1.0)
    assert world.phase == "failsafe"
    assert not world.intents(Disarm)


def test_motors_that_stop_in_the_air_end_the_flight_as_failed() -> None:
    world = World().ready()
    world.ask("flighttask_execute", task="scout", points=[point(place_at(90.0))])
    world.until_state("enroute")
    told(world, is_armed=False)
    assert world.phase == "enroute"
    for _ in range(50):
        told(world, is_armed=False)
    assert world.phase == "docked"
    assert world.events("flighttask_progress")[-1].data["reason"] == "autopilot"


def test_without_a_legal_way_to_the_car_it_waits_and_lands_elsewhere() -> None:
    airspace, kind = gate()
    world = away(World(SETTINGS, airspace))
    kind.closed = staticmethod(lambda end: distance_m(end, world.car.place) < 50.0)
    world.ask("return_home")
    world.run(20.0)
    assert world.phase == "returning"
    assert len(world.events("driver_request")) == 1
    world.copter.battery_pct = 20.0
    world.until_state("docked")
    assert distance_m(world.copter.place, FIELD) < 1.0


def test_too_little_for_a_car_that_drives_asks_it_to_stop() -> None:
    world = away(World(SETTINGS))
    world.car.speed_mps = 3.0
    world.run(5.0)
    world.copter.battery_pct = 24.0
    world.ask("return_home")
    world.run(2.0)
    assert world.events("driver_request")[-1].data["ask"] == "stop"
    assert "would be left" in world.events("driver_request")[-1].data["detail"]


def test_too_little_for_a_parked_car_lands_at_the_alternate() -> None:
    world = away(World(SETTINGS))
    world.copter.battery_pct = 20.0
    world.until_state("docked")
    assert distance_m(world.copter.place, FIELD) < 1.0
    assert world.copter.battery_pct > 10.0


def test_with_no_legal_way_anywhere_it_lands_where_it_is() -> None:
    airspace, kind = gate()
    world = away(World(SETTINGS, airspace))
    world.car.is_silent = True
    kind.closed = staticmethod(lambda _: True)
    world.until_state("divert_landing")
    assert world.state.detail == "the car's position is too old: lands where it is"
    here = world.copter.place
    world.until_state("docked")
    assert distance_m(world.copter.place, here) < 5.0


def test_an_alternate_that_closes_on_the_way_lands_it_where_it_is() -> None:
    airspace, kind = gate()
    world = World(SETTINGS, airspace).airborne()
    world.car.is_silent = True
    world.until_state("divert_landing")
    kind.closed = staticmethod(lambda _: True)
    world.until_state("docked")
    assert distance_m(world.copter.place, FIELD) > 100.0


def test_a_zone_in_the_way_of_a_task_ends_it_after_a_while() -> None:
    airspace, kind = gate()
    world = World(airspace=airspace).airborne()
    world.ask("fly_to_point", points=[point(place_at(0.0, 300.0))])
    world.run(1.0)
    kind.closed = staticmethod(lambda end: distance_m(end, world.car.place) > 100.0)
    world.copter.goal = None
    world.ask("fly_to_point", points=[point(place_at(0.0, 50.0))])
    kind.closed = staticmethod(lambda end: distance_m(end, world.car.place) > 20.0)
    world.run(8.0)
    assert world.phase == "enroute"
    world.run(5.0)
    assert world.phase != "enroute"
    assert "a zone is in the way" in str(world.events("return_home_info")[-1].data["reason"])


def test_a_film_stays_out_of_a_zone() -> None:
    airspace, kind = gate()
    world = World(airspace=airspace).ready()
    world.ask("flighttask_execute", task="follow", duration_s=200.0)
    world.until_state("on_task")
    edge = place_at(60.0)
    kind.closed = staticmethod(lambda end: end.lat_deg > edge.lat_deg)
    world.car.speed_mps = 5.0
    world.run(25.0)
    assert world.copter.place.lat_deg < edge.lat_deg + 1e-4


def test_an_unknown_charge_waits_above_a_driving_car_for_two_minutes() -> None:
    world = World().airborne()
    status = world.copter.status

    def mute(now_s: float) -> DroneStatus:
        return replace(status(now_s), battery_pct=None)

    world.copter.status = mute  # type: ignore[method-assign]  # it does not say its charge
    world.car.speed_mps = 2.0
    world.until_state("rendezvous")
    world.run(100.0)
    assert world.phase == "rendezvous"
    world.until_state("divert_landing", 60.0)


def test_a_second_stop_begins_the_minute_anew() -> None:
    world = World().airborne()
    world.ask("drone_emergency_stop")
    world.run(40.0)
    world.ask("drone_emergency_stop")
    world.run(40.0)
    assert world.phase == "hold"


def test_a_roof_above_the_take_off_is_landed_on() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until_state("landing")
    fly = world.copter.fly

    def on_a_roof(now_s: float) -> None:
        fly(now_s)
        if world.copter.mode == Mode.GUIDED and world.copter.height_m < 5.0:
            world.copter.height_m, world.copter.velocity[2] = 5.0, 0.0

    world.copter.fly = on_a_roof  # type: ignore[method-assign]  # something solid below it
    world.until(lambda: world.copter.mode == Mode.LAND, 60.0)
    assert world.copter.height_m > 4.5


def test_wind_that_keeps_it_beside_the_place_does_not_keep_it_up_for_ever() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until(lambda: world.copter.height_m < 1.75)
    for _ in range(250):
        beside = world.copter.status(world.now.s).position
        assert beside is not None
        told(world, position=replace(beside, place=place_at(0.45), height_m=1.6))
    assert world.copter.mode == Mode.LAND


def test_one_that_landed_and_does_not_disarm_is_asked_to() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until(lambda: world.copter.mode == Mode.LAND)
    world.copter.height_m = 0.0
    world.run(9.0)
    assert not world.intents(Disarm)
    world.until_state("docked", 5.0)
    assert world.intents(Disarm)


def test_somebody_who_arms_during_preflight_is_followed() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.copter.is_armed = True
    world.turn()
    assert world.phase == "failsafe"
    assert world.progress("takeoff_to_point_progress")[-1] == "failed"


def test_a_preparation_that_never_ends_times_out() -> None:
    world = World().ready()
    world.copter.deaf = True
    world.ask("takeoff_to_point")
    world.run(61.0)
    assert world.phase == "docked"
    assert world.progress("takeoff_to_point_progress")[-1] == "timeout"


def test_a_take_off_that_comes_after_all_is_brought_back() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.until_state("takeoff")
    world.copter.deaf = True
    world.ask("drone_emergency_stop")
    world.run(3.0)
    world.copter.deaf = False
    world.run(1.0)
    assert world.phase == "hold"
    world.until_state("docked")
    assert len(world.intents(TakeOff)) == 1
    assert world.miss_m < 0.5


def test_somebody_who_takes_off_when_it_is_armed_is_followed() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.until_state("armed")
    told(world, landed=Landed.IN_AIR)
    assert world.phase == "failsafe"
    assert not world.intents(TakeOff)


def test_one_that_disarms_before_the_take_off_has_failed() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.until_state("armed")
    told(world, is_armed=False, complaints=("Motors: check ESC",))
    detail = world.events("takeoff_to_point_progress")[-1].data["detail"]
    assert detail == "it disarmed: Motors: check ESC"
    world.copter.is_armed = False
    world.until_state("docked", 10.0)


def test_one_that_does_not_climb_returns() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.until(lambda: world.copter.height_m > 4.0)
    world.copter.climb_to = 5.0
    world.until(lambda: world.phase not in ("takeoff",), 60.0)
    assert world.progress("takeoff_to_point_progress")[-1] == "timeout"
    world.until_state("docked")


def test_a_return_is_answered_in_every_state_of_it() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until_state("landing")
    assert world.ask("return_home").data.output.detail == "it lands already"
    world.until_state("docked")
    assert [e.data["status"] for e in world.events("return_home_progress")].count("ok") == 2
    assert world.ask("fly_to_point", points=[point(place_at(9.0))]).data.output.reason == (
        "not_flying"
    )


def test_a_divert_that_lands_is_not_called_back() -> None:
    world = World().airborne()
    world.car.is_silent = True
    world.until(lambda: world.phase == "divert_landing" and world.copter.mode == Mode.LAND)
    assert world.ask("return_home").data.output.reason == "busy"


def test_a_broker_that_comes_back_in_time_changes_nothing() -> None:
    world = away(World())
    world.is_connected = False
    world.say(BrokerLink(False))
    world.run(6.0)
    world.is_connected = True
    world.say(BrokerLink(True))
    world.run(10.0)
    assert world.phase == "on_task"

"""The pilot after the death of its service, with and without its memory."""

from dataclasses import replace

import pytest

from services.drone.autopilot import Disarm, Mode, TakeOff
from services.drone.events import Effect, Event, Heard, Perform
from tests.unit.drone_pilot_world import World, place_at, point


def performs(world: World) -> int:
    return sum(isinstance(each, Perform) for each in world.effects)


def away(world: World) -> World:
    world.airborne()
    world.ask("fly_to_point", points=[point(place_at(0.0, 300.0))])
    world.run(15.0)
    return world


def test_after_a_restart_in_the_air_it_returns_and_never_takes_off_again() -> None:
    world = away(World())
    world.restart()
    assert world.phase == "lost_link"
    before = performs(world)
    world.say(Heard(replace(world.last_status, heard_s=None)))
    assert performs(world) == before
    world.turn()
    assert world.phase == "returning"
    last = world.events("fly_to_point_progress")[-1].data
    assert (last["status"], last["reason"]) == ("failed", "restarted")
    world.until_state("docked")
    assert len(world.intents(TakeOff)) == 1
    assert world.miss_m < 0.5


@pytest.mark.parametrize(
    "state", ["preflight", "armed", "takeoff", "enroute", "returning", "rendezvous", "landing"]
)
def test_a_restart_in_any_state_ends_docked_with_one_take_off(state: str) -> None:
    world = World().ready()
    world.ask(
        "takeoff_to_point",
        target_latitude=place_at(0.0, 60.0).lat_deg,
        target_longitude=place_at(0.0, 60.0).lon_deg,
    )
    if state in ("returning", "rendezvous", "landing"):
        world.until_state("on_task")
        world.ask("return_home")
    world.until_state(state)
    world.restart()
    world.run(1.0)
    world.until_state("docked")
    world.run(30.0)
    assert world.phase == "docked"
    assert not world.copter.is_armed
    assert len(world.intents(TakeOff)) <= 1
    assert world.miss_m < 0.5 or state == "preflight"


def test_a_take_off_that_was_perhaps_sent_is_waited_for_and_disarmed() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.until_state("armed")
    world.is_cut = True
    world.run(0.5)
    assert len(world.intents(TakeOff)) == 1
    world.is_cut = False
    world.restart()
    world.run(2.0)
    assert world.phase == "takeoff"
    assert world.events("takeoff_to_point_progress")[-1].data["reason"] == "restarted"
    world.until_state("docked", 40.0)
    assert len(world.intents(TakeOff)) == 1


class Mute(World):
    """Its drone does not say how much charge it has."""

    is_mute = False

    def say(self, event: Event) -> list[Effect]:
        if isinstance(event, Heard) and self.is_mute:
            event = replace(event, status=replace(event.status, battery_pct=None))
        return super().say(event)


@pytest.mark.parametrize("is_mute_for_long", [False, True])
def test_a_restart_in_the_air_raises_no_alarm_for_what_is_on_its_way(
    is_mute_for_long: bool,
) -> None:
    world = Mute()
    world.airborne()
    world.is_mute = True
    world.restart()
    told = len(world.events("interlock_trip"))
    world.run(5.0)
    assert not world.state.interlocks
    world.is_mute = is_mute_for_long
    world.run(10.0)
    trips = world.events("interlock_trip")[told:]
    assert any("charge" in str(each.data) for each in trips) is is_mute_for_long


def test_armed_on_the_ground_after_a_restart_is_disarmed() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.until_state("armed")
    world.restart()
    world.run(1.0)
    assert world.intents(Disarm)
    world.until_state("docked", 10.0)
    assert not world.intents(TakeOff)
    assert world.progress("takeoff_to_point_progress")[-1] == "failed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{",
        '{"state": 7}',
        "\x00",
        '{"flight": {"wish": 1}}',
        '{"flight":{"wish":{"tid":"a","requester":"b","method":"x"},'
        '"task":"x","method":"x","height_m":3}}',
    ],
)
def test_a_lost_memory_still_brings_home_what_flies_in_guided(text: str) -> None:
    world = away(World())
    world.disk = text
    world.restart()
    world.run(1.0)
    assert world.phase == "failsafe", "first it listens whether another service flies it"
    world.until_state("hold", 4.0)
    assert world.events("hms")[0].data["list"][0]["code"] == "memory"
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_no_memory_at_all_is_no_damage() -> None:
    world = away(World())
    world.disk = None
    world.restart()
    world.run(1.0)
    assert not world.events("hms")
    world.until_state("docked")
    assert world.miss_m < 0.5


@pytest.mark.parametrize("mode", [Mode.RTL, Mode.LAND, Mode.OTHER, Mode.AUTO])
def test_a_restart_under_another_mode_follows_it(mode: Mode) -> None:
    world = away(World())
    world.copter.change(mode)
    world.restart()
    world.run(1.0)
    assert world.phase == "failsafe"
    assert world.events("fly_to_point_progress")[-1].data["reason"] == "restarted"

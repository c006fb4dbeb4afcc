"""Hostile cars, weathers, autopilots and clocks: it comes down, on the car if that can be known."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega

from internetcar.contract.signals import Position
from services.drone.geodesy import Offset, moved
from services.drone.moment import Moment
from tests.bench.drone_runs import FAST_S
from tests.drone_car import START, Goes
from tests.drone_world import World

mav: Any = ardupilotmega
HOUR_MS = 3_600_000


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(**given: Any) -> World:
        made.append(World(tmp_path, 1, **given).ready())
        return made[-1]

    yield make
    for world in made:
        world.close()


def airborne(world: World) -> World:
    place = moved(START, Offset(80.0, 0.0))
    data = {
        "target_latitude": place.lat_deg, "target_longitude": place.lon_deg, "target_height": 30.0
    }  # fmt: skip
    assert world.ask("takeoff_to_point", data=data).data.output.status == "accepted"
    assert world.until_state("on_task")
    return world


def later(position: Position) -> Position:
    return position.model_copy(update={"at": position.at + timedelta(milliseconds=HOUR_MS)})


def comes_home(world: World) -> bool:
    return world.until_down(600.0) and world.landings[-1].error_m < 1.0


def test_one_position_from_the_future_does_not_hide_where_the_car_drives_to(
    new_world: Callable[..., World],
) -> None:
    driver = Goes()
    world = airborne(new_world(driver=driver))
    world.change_position = later
    world.run(0.1)
    world.change_position = lambda position: position
    driver.go(60.0, 5.0)
    world.run(15.0)
    world.ask("return_home")
    assert comes_home(world)


def test_a_clock_that_is_set_back_and_again_right_in_the_air_does_not_hide_the_car(
    new_world: Callable[..., World],
) -> None:
    driver = Goes()
    world = airborne(new_world(driver=driver))
    world.now, world.change_position = Moment(world.now.s, world.now.utc_ms - HOUR_MS), later
    world.run(5.0)
    assert world.state == "returning"
    world.now = Moment(world.now.s, world.now.utc_ms + HOUR_MS)
    world.change_position = lambda position: position
    driver.go(60.0, 5.0)
    assert comes_home(world)


def test_an_autopilot_whose_time_jumps_in_the_air_is_never_taken_to_be_docked(
    new_world: Callable[..., World],
) -> None:
    world = airborne(new_world())
    vehicle = mav.MAVLink(None, srcSystem=1, srcComponent=1)
    assert world.conductor is not None
    world.conductor.receive(mav.MAVLink_system_time_message(0, 5).pack(vehicle), world.now)
    before = len(world.states())
    world.run(10.0)
    assert world.states()[before] == "lost_link"
    assert not {"docked", "failsafe"} & set(world.states()[before:])
    world.ask("return_home")
    assert comes_home(world)


def test_one_heartbeat_that_says_disarmed_in_the_air_ends_no_flight(
    new_world: Callable[..., World],
) -> None:
    world = airborne(new_world())
    vehicle = mav.MAVLink(None, srcSystem=1, srcComponent=1)
    disarmed = mav.MAVLink_heartbeat_message(
        mav.MAV_TYPE_QUADROTOR, mav.MAV_AUTOPILOT_ARDUPILOTMEGA, 0, 4, mav.MAV_STATE_ACTIVE, 3
    )
    assert world.conductor is not None
    world.conductor.receive(disarmed.pack(vehicle), world.now)
    before = len(world.states())
    world.run(10.0)
    assert not {"docked", "failsafe"} & set(world.states()[before:])
    world.ask("return_home")
    assert comes_home(world)


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({"online": False}, "returning"),
        ({"clock": "free"}, "returning"),
        ({"origin": "simulation"}, "divert_landing"),
    ],
)
def test_a_car_that_is_not_there_or_not_real_any_more_ends_the_flight(
    new_world: Callable[..., World], changed: dict[str, Any], state: str
) -> None:
    world = airborne(new_world())
    world.presence.update(changed)
    world.say_surroundings()
    assert world.until_state(state, seconds=3.0)
    assert comes_home(world)


@pytest.mark.parametrize("north_m", [500_000.0, -9_990_000.0])
def test_a_car_that_is_suddenly_far_away_is_not_chased(
    new_world: Callable[..., World], north_m: float
) -> None:
    world = airborne(new_world(step_s=FAST_S))
    world.copter.drain(50.0)  # it hovers until little is left
    world.ask("return_home")
    away = moved(START, Offset(north_m, 0.0))
    world.change_position = lambda position: position.model_copy(
        update={"latitude": max(-90.0, min(90.0, away.lat_deg))}
    )
    assert world.until_down(1_500.0)
    assert world.landings[-1].true_error_m < 150.0
    assert world.lowest_pct >= 15.0


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_of_ours_that_goes_wrong_in_the_air_and_stays_wrong_lands_on_the_car(
    new_world: Callable[..., World], hours: int
) -> None:
    driver = Goes()
    world = airborne(new_world(driver=driver))
    world.behind_ms = hours * HOUR_MS
    world.now = Moment(world.now.s, world.now.utc_ms + world.behind_ms)
    world.run(3.0)
    assert world.state == "returning"
    assert "own clock was set" in world.detail
    driver.go(60.0, 5.0)
    assert comes_home(world)
    assert "divert_landing" not in world.states()


def test_a_car_that_is_heard_again_is_flown_back_to(new_world: Callable[..., World]) -> None:
    driver = Goes()
    world = airborne(new_world(driver=driver))
    world.ask("return_home")
    world.is_car_silent = True
    assert world.until_state("divert_landing", seconds=30.0)
    world.is_car_silent = False
    driver.go(60.0, 5.0)
    assert comes_home(world)


def test_a_service_that_begins_in_the_air_with_a_wrong_clock_finds_back_once_it_is_right(
    new_world: Callable[..., World],
) -> None:
    driver = Goes()
    world = airborne(new_world(driver=driver))
    world.behind_ms = HOUR_MS
    world.now = Moment(world.now.s, world.now.utc_ms + HOUR_MS)
    world.retained.clear()
    world.restart()
    world.say_surroundings()
    assert world.until_state("divert_landing", seconds=40.0), world.states()
    world.behind_ms = 0
    world.now = Moment(world.now.s, world.now.utc_ms - HOUR_MS)
    world.say_surroundings()
    driver.go(60.0, 5.0)
    assert comes_home(world)

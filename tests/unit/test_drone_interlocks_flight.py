"""Interlocks in flight: which apply, what they look at, and what is done about them."""

from dataclasses import replace
from datetime import datetime

import pytest

from internetcar.contract.message import milliseconds
from services.drone.autopilot import Mode, Wind
from services.drone.events import CarPresence
from services.drone.geodesy import Place
from services.drone.interlocks.check import IDS, REACTIONS, STRENGTH, reaction_to
from services.drone.interlocks.reach import battery_left_pct
from services.drone.interlocks.situation import Phase
from services.drone.interlocks.steady import Steady
from services.drone.moment import Moment
from tests.unit.drone_ready import (
    GOOD,
    NOON,
    SPEED,
    WELL,
    Case,
    box,
    file_of,
    flying,
    read_airspace,
    signal,
    weather,
)

READY = Case()
UP = Case(view=flying(), phase=Phase.FLIGHT)
MIDNIGHT = Moment(NOON.s, milliseconds(datetime.fromisoformat("2026-06-01T23:00:00Z")))
RECORDED = CarPresence(is_online=True, origin="recording", clock="synchronized")


def test_in_flight_the_car_may_drive_and_prearm_says_nothing() -> None:
    names = {each.id for each in UP.all()}
    assert names == set(REACTIONS) == set(IDS) - {"car_at_rest", "drone_prearm", "twin"}
    assert UP.tripped() == set()


IN_FLIGHT: dict[str, list[Case]] = {
    "autopilot": [UP.drone(mode=Mode.OTHER, mode_name="LOITER")],
    "wind": [UP.drone(wind=Wind(0.0, 8.1)), UP.car(weather=None)],
    "daylight": [replace(UP, now=MIDNIGHT), UP.drone(position=None)],
    "drone_position": [
        replace(UP, steady=replace(GOOD, position_s=None, lost_s=NOON.s - 3.1)),
        replace(UP, steady=Steady()),
        UP.drone(heard_s=NOON.s - 3.1),
    ],
    "zone": [
        replace(UP, airspace=read_airspace(file_of(box("z", 200, 35, 30)))),
        UP.drone(position=None),
    ],
    "ceiling": [
        replace(UP, view=flying(height_m=120.5)),
        replace(UP, airspace=read_airspace(file_of(box("z", 200, 35, 30, lower=40)))),
        UP.drone(position=None),
    ],
    "battery": [UP.drone(battery_pct=24.0), UP.drone(position=None), UP.car(fixes=())],
}


@pytest.mark.parametrize("name", IN_FLIGHT)
def test_in_flight_it_is_the_drone_that_is_looked_at(name: str) -> None:
    for case in IN_FLIGHT[name]:
        assert case.one(name).result == "tripped", case


def test_a_position_lost_for_a_moment_lands_nobody() -> None:
    blink = replace(UP, steady=replace(GOOD, position_s=None, lost_s=NOON.s - 1))
    assert blink.tripped() == set()


def test_its_own_wind_needs_no_report_in_flight() -> None:
    own = UP.car(weather=None).drone(wind=Wind(90.0, 5.0))
    assert own.one("wind").result == "ok"
    assert not own.one("wind").assumed
    weak = UP.car(weather=weather(wind_mps=9.0)).drone(wind=Wind(90.0, 1.0))
    assert weak.one("wind").value == 9.0
    broken = UP.car(weather=None).drone(wind=Wind(90.0, float("nan")))
    assert broken.one("wind").result == "tripped"


def test_a_wind_without_direction_is_against_it() -> None:
    blown = UP.drone(wind=Wind(float("nan"), 6.0))
    behind = UP.drone(wind=Wind(0.0, 6.0))
    assert (battery_left_pct(blown.situation) or 0) < (battery_left_pct(behind.situation) or 0)
    told = UP.car(weather=weather(wind_mps=6.0, from_deg=0.0))
    assert battery_left_pct(told.situation) == battery_left_pct(behind.situation)


def test_a_way_may_be_cut_a_little_in_flight() -> None:
    airspace = read_airspace(file_of(box("z", 200, 45, 30)))
    assert "zone" not in replace(UP, airspace=airspace).tripped()
    assert "zone" in replace(READY, airspace=airspace).tripped()


def reactions(case: Case) -> set[str]:
    """What all that is tripped asks for."""
    return {reaction_to(each) for each in case.all() if each.result == "tripped"}


def test_each_trip_has_its_reaction_and_none_lands_a_drone_that_is_not_heard() -> None:
    assert reactions(UP) == set()
    assert reactions(UP.drone(mode=Mode.OTHER)) == {"none"}
    assert reactions(UP.car(is_broker_connected=False)) == {"return"}
    assert "hold" in reactions(UP.car(fixes=()))
    assert reactions(UP.car(presence=RECORDED)) == {"alternate"}
    lost = replace(UP, steady=replace(GOOD, position_s=None, lost_s=NOON.s - 9))
    assert reactions(lost) == {"land"}
    assert "land" not in reactions(lost.drone(heard_s=NOON.s - 9))
    assert set(REACTIONS.values()) == set(STRENGTH)


def test_numbers_that_are_none_trip_and_break_nothing() -> None:
    nan = float("nan")
    assert WELL.drone.position is not None
    for odd in (
        replace(WELL.drone.position, height_m=nan),
        replace(WELL.drone.position, place=Place(nan, 13.0)),
    ):
        assert {"zone", "ceiling", "battery", "daylight"} <= UP.drone(position=odd).tripped()
    assert UP.drone(battery_pct=nan).tripped() == {"battery"}
    assert UP.drone(loss_share=nan).tripped() == {"drone_link"}
    assert READY.says(SPEED, signal(10**400)).tripped() == {"car_at_rest"}

"""Interlocks: each trips at its limit, on absence and on age; any one is enough."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from internetcar.contract.message import milliseconds
from services.drone.autopilot import Mode
from services.drone.events import CarPresence
from services.drone.interlocks.check import IDS
from services.drone.interlocks.limits import Airframe, Assumptions, Limits
from services.drone.interlocks.situation import Phase, Remainder
from services.drone.interlocks.steady import Steady
from services.drone.moment import Moment
from services.drone.tasks.task import Leg
from services.drone.view import View
from tests.unit.drone_ready import (
    GOOD,
    HERE,
    NOON,
    RAIN,
    SPEED,
    TEMPERATURE,
    WELL,
    Case,
    box,
    file_of,
    fix,
    flying,
    off,
    read_airspace,
    signal,
    weather,
)

READY = Case()
UP = Case(view=flying(), phase=Phase.FLIGHT)
MIDNIGHT = Moment(NOON.s, milliseconds(datetime.fromisoformat("2026-06-01T23:00:00Z")))


def presence(**changes: object) -> CarPresence:
    return CarPresence(**{"is_online": True, "origin": "live", "clock": "synchronized", **changes})  # type: ignore[arg-type]  # of a test's few words


def over(*features: object) -> Case:
    return replace(READY, airspace=read_airspace(file_of(*features)))


BROKEN: dict[str, list[Case]] = {
    "origin": [READY.car(presence=presence(origin="simulation")), READY.car(presence=None)],
    "presence": [READY.car(presence=presence(is_online=False)), READY.car(presence=None)],
    "broker": [READY.car(is_broker_connected=False)],
    "clock": [
        READY.car(presence=presence(clock="free")),
        READY.car(presence=presence(clock="recorded")),
        READY.car(fixes=(fix(NOON.s - 0.2), fix(NOON.s + 2, age_s=-2.0))),
        READY.car(presence=None),
    ],
    "car_at_rest": [
        READY.says(SPEED, signal(1.1)),
        READY.says(SPEED, signal(0.0, NOON.s - 66)),
        READY.says(SPEED, signal(0.0, quality="stale")),
        READY.says(SPEED, signal(None)),
        READY.says(SPEED, signal("0")),
        READY.says(SPEED, signal(0.0, NOON.s + 30)),
        READY.says(SPEED, None),
        READY.car(fixes=(fix(NOON.s - 0.2), fix(speed_kmh=1.1))),
        READY.car(fixes=(fix(NOON.s - 0.2), fix(speed_kmh=None))),
        READY.car(fixes=()),
    ],
    "car_gnss_fresh": [
        READY.car(fixes=(fix(NOON.s - 1.2), fix(NOON.s - 1.1))),
        READY.car(fixes=()),
        READY.car(fixes=(fix(), fix(NOON.s + 2))),
    ],
    "car_gnss_accurate": [
        READY.car(fixes=(fix(NOON.s - 0.2), fix(accuracy_m=3.1))),
        READY.car(fixes=(fix(NOON.s - 0.2), fix(accuracy_m=None))),
        READY.car(fixes=()),
    ],
    "car_gnss_steady": [
        READY.car(fixes=(fix(NOON.s - 0.2), fix(place=off(5.2, 0)))),
        READY.car(fixes=(fix(),)),
        READY.car(fixes=()),
    ],
    "twin": [READY.car(has_twin=True)],
    "covered": [over(box("garage", 0, 0, 10, covered=True)), READY.car(fixes=())],
    "drone_link": [
        READY.drone(heard_s=NOON.s - 3.1),
        READY.drone(heard_s=None),
        READY.drone(loss_share=0.31),
    ],
    "drone_position": [
        replace(READY, steady=replace(GOOD, position_s=NOON.s - 4.9)),
        replace(READY, steady=replace(GOOD, position_s=None)),
        READY.drone(heard_s=NOON.s - 3.1),
    ],
    "drone_prearm": [
        replace(READY, steady=replace(GOOD, prearm_s=NOON.s - 4.9)),
        replace(READY, steady=Steady()),
    ],
    "autopilot": [
        READY.drone(refusal="PX4 is not flown yet"),
        READY.drone(is_armed=True, mode=Mode.OTHER),
        READY.drone(is_failsafe=True),
        READY.drone(heard_s=None),
    ],
    "wind": [
        READY.car(weather=weather(wind_mps=8.1)),
        READY.car(weather=weather(wind_mps=5.0, gust_mps=11.5)),
        READY.car(weather=weather(NOON.s - 601, wind_mps=1.0)),
        READY.car(weather=weather(rain_pct=0.0)),
        READY.car(weather=None),
        replace(READY.car(weather=None), assumed=Assumptions(wind_mps=9)),
    ],
    "rain": [
        READY.says(RAIN, signal(6)),
        READY.says(RAIN, None),
        READY.says(RAIN, signal(0, NOON.s - 66)),
        READY.car(weather=weather(wind_mps=3.0, rain_pct=20.0)),
    ],
    "temperature": [
        READY.says(TEMPERATURE, signal(-10.5)),
        READY.says(TEMPERATURE, signal(40.5)),
        READY.says(TEMPERATURE, None),
        READY.car(weather=weather(wind_mps=3.0, temperature_c=-15.0)),
    ],
    "daylight": [replace(READY, now=MIDNIGHT), READY.car(fixes=())],
    "zone": [over(box("airport", 150, 0, 50)), READY.car(fixes=())],
    "ceiling": [
        replace(READY, remainder=Remainder((Leg(HERE, off(300, 0), 120.5),))),
        replace(READY, remainder=Remainder(return_height_m=121.0)),
        over(box("low", 0, 0, 50, lower=44)),
        READY.car(fixes=()),
    ],
    "battery": [
        READY.drone(battery_pct=30.0),
        READY.drone(battery_pct=None),
        replace(READY, remainder=Remainder((Leg(HERE, off(5000, 0), 40.0),))),
        READY.car(fixes=()),
    ],
}


def test_a_car_and_a_drone_with_which_all_is_well_may_launch() -> None:
    assert READY.tripped() == set()
    assert tuple(each.id for each in READY.all()) == IDS
    assert not any(each.assumed for each in READY.all())


@pytest.mark.parametrize("name", IDS)
def test_any_single_interlock_refuses_the_launch(name: str) -> None:
    for case in BROKEN[name]:
        found = case.one(name)
        assert found.result == "tripped", case
        assert found.words


def test_what_is_not_related_stays_untouched() -> None:
    alone = {
        "origin", "presence", "broker", "twin", "clock", "car_at_rest", "car_gnss_accurate",
        "car_gnss_steady", "covered", "drone_position", "drone_prearm", "autopilot", "wind",
        "rain", "temperature", "daylight", "zone", "ceiling", "battery",
    }  # fmt: skip
    for name in alone:
        assert BROKEN[name][0].tripped() == {name}


AT_THE_LIMIT = [
    READY.says(SPEED, signal(1.0)),
    READY.says(SPEED, signal(0.0, NOON.s - 65)),
    READY.car(fixes=(fix(NOON.s - 1.0), fix(NOON.s - 0.99))),
    READY.car(fixes=(fix(NOON.s - 0.2), fix(accuracy_m=3.0))),
    READY.car(fixes=(fix(NOON.s - 0.2), fix(place=off(4.9, 0)))),
    READY.drone(heard_s=NOON.s - 3.0),
    READY.drone(loss_share=0.2),
    replace(READY, steady=replace(GOOD, position_s=NOON.s - 5, prearm_s=NOON.s - 5)),
    READY.car(weather=weather(NOON.s - 600, wind_mps=8.0, gust_mps=11.0)),
    READY.says(RAIN, signal(5)),
    READY.says(TEMPERATURE, signal(-10)),
    READY.says(TEMPERATURE, signal(40)),
    replace(READY, remainder=Remainder((Leg(HERE, off(100, 0), 120.0),))),
    READY.drone(mode=Mode.GUIDED, is_armed=True),
]


@pytest.mark.parametrize("case", AT_THE_LIMIT)
def test_at_its_limit_nothing_trips(case: Case) -> None:
    assert case.tripped() == set()


def test_only_a_setting_assumes_and_each_answer_says_so() -> None:
    bare = READY.car(
        weather=None,
        signals={SPEED: signal(0.0)},
        presence=presence(clock="free"),
        fixes=(fix(NOON.s - 0.2), fix(accuracy_m=None)),
    )
    unknown = {"wind", "rain", "temperature", "clock", "car_gnss_accurate"}
    assert bare.tripped() == unknown
    assumed = Assumptions(
        wind_mps=4, rain_pct=0, temperature_c=12, car_accuracy_m=2, clock_synchronized=True
    )
    found = replace(bare, assumed=assumed).all()
    assert all(each.result == "ok" for each in found)
    assert {each.id for each in found if each.assumed} == unknown
    assert all("assumed" in each.words for each in found if each.assumed)
    measured = replace(READY, assumed=assumed).all()
    assert not any(each.assumed for each in measured)


def test_a_recorded_clock_is_right_for_recordings_only() -> None:
    view = replace(WELL, presence=presence(origin="recording", clock="recorded"))
    assert Case(view, Limits(origin="recording")).tripped() == set()


def test_a_car_that_speeds_up_does_not_jump() -> None:
    driven = [fix(NOON.s - 1.2, speed_kmh=72.0), fix(place=off(23, 0), speed_kmh=72.0)]
    assert READY.car(fixes=tuple(driven)).one("car_gnss_steady").value == 0.0
    silent = [fix(NOON.s - 1.2, speed_kmh=None), fix(place=off(60, 0), speed_kmh=None)]
    assert READY.car(fixes=tuple(silent)).one("car_gnss_steady").value == 0.0


def test_a_zone_that_comes_into_force_soon_refuses_the_launch_and_recalls_no_flight() -> None:
    soon = {"startDateTime": "2026-06-01T10:20:00Z", "endDateTime": "2026-06-01T12:00:00Z"}
    case = over(box("soon", 0, 0, 100, limitedApplicability=[soon]))
    assert case.tripped() == {"zone", "ceiling"}
    flight = replace(case, view=flying(place=off(50, 0)), phase=Phase.FLIGHT)
    assert flight.tripped() == set()


def test_words_are_a_drivers() -> None:
    assert READY.car(weather=weather(wind_mps=11.0)).one("wind").words == "wind 11 m/s, at most 8"
    assert READY.says(SPEED, signal(30.0)).one("car_at_rest").words == (
        "the car drives 30 km/h, at most 1"
    )
    assert READY.car(weather=weather(wind_mps=8.01)).one("wind").words == (
        "wind 8.01 m/s, at most 8"
    )
    assert READY.car(weather=weather(wind_mps=8.0)).one("wind").words == "wind 8 m/s, at most 8"
    assert READY.says(SPEED, signal(1.2)).one("car_at_rest").words == (
        "the car drives 1.2 km/h, at most 1"
    )
    assert READY.says(TEMPERATURE, signal(-10.4)).one("temperature").words == (
        "-10.4 °C outside, allowed from -10 to 40"
    )
    assert READY.drone(loss_share=0.304).one("drone_link").words == (
        "30.4 % of the drone's packets are lost, at most 30"
    )
    odd = READY.drone(refusal="no\nway\u2028" + "x" * 500).one("autopilot")
    assert "\n" not in odd.words
    assert len(odd.words) == 400


def test_a_prearm_complaint_is_told() -> None:
    case = replace(READY, steady=Steady()).drone(complaints=("PreArm: Compass not calibrated",))
    assert "Compass not calibrated" in case.one("drone_prearm").words


def test_a_moving_launch_is_opt_in() -> None:
    fixes = (fix(NOON.s - 0.2, speed_kmh=15.0), fix(speed_kmh=15.0))
    rolling = READY.says(SPEED, signal(15.0)).car(fixes=fixes)
    assert rolling.tripped() == {"car_at_rest"}
    assert replace(rolling, limits=Limits(moving_launch_kmh=20)).tripped() <= {"battery"}
    with pytest.raises(ValidationError):
        Limits(moving_launch_kmh=21)


@pytest.mark.parametrize("cls", [Limits, Assumptions, Airframe])
def test_a_misspelt_setting_is_refused(cls: type[Limits]) -> None:
    with pytest.raises(ValidationError, match="wind_mp"):
        cls.model_validate({"wind_mp": 20})


def test_a_view_of_nothing_trips_everything_and_breaks_nothing() -> None:
    for phase in Phase:
        case = Case(view=View(), steady=Steady(), remainder=Remainder(), phase=phase)
        assert case.tripped() == {each.id for each in case.all()} - {"twin"}


@given(
    st.one_of(st.floats(), st.integers(), st.text(), st.none(), st.booleans()),
    st.sampled_from([SPEED, RAIN, TEMPERATURE]),
)
def test_any_value_of_a_signal_is_judged_and_never_raised(value: object, path: str) -> None:
    for each in READY.says(path, signal(value)).all():
        assert each.result in ("ok", "tripped")

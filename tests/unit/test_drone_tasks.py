"""What each task flies, and that it ends."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from internetcar.contract.drone_methods import (
    FlightTask,
    FlyToPoint,
    MethodData,
    Point,
    TakeoffToPoint,
)
from services.drone.autopilot import DroneStatus, GoTo, Track, Wind
from services.drone.events import WeatherReport
from services.drone.geodesy import Offset, Place, distance_m, moved, offset, towards
from services.drone.tasks.beacon import HAZARD
from services.drone.tasks.registry import CONFIRMED, TASKS, task_of
from services.drone.tasks.settings import TaskSettings
from services.drone.tasks.task import Plan, Step
from services.drone.view import SeenSignal, SeenWeather, View
from tests.unit.drone_flight import car_fix, drone_lost, fly, moment, view_of
from tests.unit.drone_model import ORIGIN, Copter

SETTINGS = TaskSettings()
EVERY = [
    FlightTask(task="scout"),
    FlightTask(task="beacon"),
    FlightTask(task="hand_over", points=(Point(latitude=48.001, longitude=11.0),)),
    FlightTask(task="follow"),
    FlightTask(task="inspect"),
    TakeoffToPoint(),
    FlyToPoint(points=(Point(latitude=48.001, longitude=11.0),)),
]


def point(north_m: float, east_m: float, height: float | None = None) -> Point:
    place = moved(ORIGIN, Offset(north_m, east_m))
    return Point(latitude=place.lat_deg, longitude=place.lon_deg, height=height)


def plan(data: MethodData, view: View) -> Plan:
    return TASKS[task_of(data)].plan(data, view, moment(0.0), SETTINGS)


def nearest_m(places: list[Place], place: Place) -> float:
    return min(distance_m(one, place) for one in places)


def test_a_scout_flies_the_points_orbits_the_last_one_and_reports() -> None:
    points = (point(100, 0), point(100, 100, height=50.0))
    flown = fly(FlightTask(task="scout", points=points))
    ends = [Place(p.latitude, p.longitude) for p in points]
    assert [nearest_m(flown.places, end) < 3.5 for end in ends] == [True, True]
    orbit = [s for s in flown.steps if isinstance(s.guidance, Track)]
    assert all(step.is_there for step in orbit)
    assert {s.guidance.height_m for s in orbit if s.guidance is not None} == {50.0}
    report = flown.last.report
    assert report is not None
    assert [(p["latitude"], p["height"]) for p in report["points"]] == [
        (points[0].latitude, 40.0),
        (points[1].latitude, 50.0),
    ]
    assert report["pictures"] == flown.pictures == 2 + SETTINGS.scout.pictures
    assert report["length_m"] == pytest.approx(200 + 20 + 2 * math.pi * 20, rel=0.1)
    assert 20 < report["duration_s"] < SETTINGS.scout.duration_s
    assert report["wind_mps"] is None


def test_a_scout_without_points_flies_straight_on() -> None:
    def heading_east(view: View, at_s: float) -> View:
        return replace(view, fixes=(car_fix(at_s, heading=90.0),))

    flown = fly(FlightTask(task="scout"), change=heading_east)
    assert flown.last.report is not None
    assert len(flown.last.report["points"]) == 3
    assert nearest_m(flown.places, moved(ORIGIN, Offset(0, 300))) < 3.5


def test_a_car_that_creeps_on_does_not_shift_the_way_of_its_scout() -> None:
    def creeping(view: View, at_s: float) -> View:
        place = moved(ORIGIN, Offset(at_s * 1.0, 0.0))
        return replace(view, fixes=(car_fix(at_s, place),))

    flown = fly(FlightTask(task="scout"), change=creeping)
    assert flown.last.report is not None
    last = flown.last.report["points"][-1]
    end = Place(last["latitude"], last["longitude"])
    assert offset(ORIGIN, end).north_m == pytest.approx(300.0, abs=1.0)


def test_a_scout_whose_time_is_over_reports_what_it_saw() -> None:
    flown = fly(FlightTask(task="scout", duration_s=20.0))
    assert flown.last.report is not None
    assert len(flown.last.report["points"]) == 1
    assert flown.last.report["duration_s"] == pytest.approx(20.0, abs=0.3)


@pytest.mark.parametrize(
    ("wind", "weather", "said"),
    [(Wind(0.0, 4.26), 9.0, 4.3), (None, 9.0, 9.0), (None, None, None)],
)
def test_a_report_says_the_wind_the_drone_felt_or_else_what_was_heard(
    wind: Wind | None, weather: float | None, said: float | None
) -> None:
    report = WeatherReport(weather, None, None, None, None, 0.0)

    def windy(view: View, at_s: float) -> View:
        drone = replace(view.drone, wind=wind)
        return replace(view, drone=drone, weather=SeenWeather(report, at_s))

    flown = fly(FlightTask(task="scout", duration_s=5.0), change=windy)
    assert flown.last.report is not None
    assert flown.last.report["wind_mps"] == said


def test_a_scout_that_knows_no_way_is_over_at_once() -> None:
    def lost(view: View, at_s: float) -> View:
        return replace(view, fixes=(car_fix(at_s, heading=None),))

    flown = fly(FlightTask(task="scout"), change=lost)
    assert len(flown.steps) == 1
    assert "front points" in flown.last.words


def test_an_orbit_stays_round_and_within_what_the_copter_can_do() -> None:
    flown = fly(FlightTask(task="inspect"))
    tracks = [
        (step, place)
        for step, place in zip(flown.steps, flown.places, strict=True)
        if isinstance(step.guidance, Track)
    ]
    assert all(abs(distance_m(place, ORIGIN) - 10.0) < 3.0 for _, place in tracks)
    aims = [step.guidance for step, _ in tracks if isinstance(step.guidance, Track)]
    for aim in aims:
        speed = math.hypot(*aim.velocity)
        assert speed**2 / 10.0 <= 1.5 + 1e-9
        assert distance_m(aim.place, ORIGIN) == pytest.approx(10.0, abs=0.01)
        assert aim.heading_deg is not None
        facing = offset(aim.place, ORIGIN).bearing_deg
        assert abs((aim.heading_deg - facing + 180) % 360 - 180) < 0.5
    leaps = [distance_m(one.place, next_.place) for one, next_ in pairwise(aims)]
    assert max(leaps) < 1.0
    assert flown.pictures == SETTINGS.inspect.pictures
    assert flown.last.words == "has seen the car from all sides"
    assert sum(leaps) == pytest.approx(2 * math.pi * 10, rel=0.02)


def test_an_orbit_waits_for_a_drone_that_does_not_keep_up() -> None:
    def held(view: View, at_s: float) -> View:
        there = Copter(moved(ORIGIN, Offset(10.0, 0.0)), height_m=12.0)
        return replace(view, drone=DroneStatus(position=there.position(at_s)))

    flown = fly(FlightTask(task="inspect"), change=held)
    assert flown.last.words == "the time for the inspection is over"
    aims = [s.guidance.place for s in flown.steps if isinstance(s.guidance, Track)]
    assert distance_m(aims[-1], moved(ORIGIN, Offset(10.0, 0.0))) < 8.5


def test_an_inspection_is_over_when_the_car_leaves() -> None:
    def leaving(view: View, at_s: float) -> View:
        place = moved(ORIGIN, Offset(0.0, 30.0 if at_s > 15.0 else 0.0))
        return replace(view, fixes=(car_fix(at_s, place),))

    flown = fly(FlightTask(task="inspect"), change=leaving)
    assert flown.last.words == "the car has left"
    assert len(flown.steps) == 77


def test_an_orbit_may_go_without_pictures() -> None:
    none = TaskSettings.model_validate({"inspect": {"pictures": 0}})
    assert fly(FlightTask(task="inspect"), none).pictures == 0


def hazard(view: View, is_on: bool, at_s: float, quality: Any = "valid") -> View:
    return replace(view, signals={HAZARD: SeenSignal(is_on, quality, at_s)})


def test_a_beacon_hovers_behind_the_car_until_the_hazard_lights_are_off() -> None:
    flown = fly(
        FlightTask(task="beacon"), change=lambda view, at_s: hazard(view, at_s < 60.0, at_s)
    )
    assert flown.last.words == "the hazard lights are off"
    assert (len(flown.steps) - 1) * 0.2 == pytest.approx(65.0, abs=0.5)
    there = offset(ORIGIN, flown.places[-1])
    assert there.north_m == pytest.approx(-30.0, abs=1.0)
    assert flown.last.is_there
    assert len({step.guidance for step in flown.steps}) == 1


def test_a_blink_of_the_hazard_lights_does_not_end_a_beacon() -> None:
    flown = fly(
        FlightTask(task="beacon", duration_s=60.0),
        change=lambda view, at_s: hazard(view, int(at_s) % 4 < 2, at_s),
    )
    assert (len(flown.steps) - 1) * 0.2 == pytest.approx(60.0, abs=0.3)


def test_lights_that_are_not_known_end_no_beacon() -> None:
    def bad(view: View, at_s: float) -> View:
        return hazard(view, at_s < 10, at_s, "valid" if at_s < 10 else "error")

    flown = fly(FlightTask(task="beacon", duration_s=60.0), change=bad)
    assert (len(flown.steps) - 1) * 0.2 == pytest.approx(60.0, abs=0.3)


def test_a_beacon_without_hazard_lights_stays_its_time() -> None:
    flown = fly(
        FlightTask(task="beacon", duration_s=40.0), change=lambda v, at_s: hazard(v, False, at_s)
    )
    assert (len(flown.steps) - 1) * 0.2 == pytest.approx(40.0, abs=0.3)


def test_a_beacon_goes_after_a_car_that_is_pushed() -> None:
    def pushed(view: View, at_s: float) -> View:
        place = moved(ORIGIN, Offset(min(at_s * 0.5, 20.0), 0.0))
        return replace(view, fixes=(car_fix(at_s, place),))

    flown = fly(FlightTask(task="beacon", duration_s=90.0), change=pushed)
    assert offset(ORIGIN, flown.places[-1]).north_m == pytest.approx(-10.0, abs=3.5)
    assert 3 < len({step.guidance for step in flown.steps}) < 10


def test_a_beacon_whose_car_falls_silent_stays_where_it_is() -> None:
    def silent(view: View, at_s: float) -> View:
        return view if at_s < 1.0 else replace(view, fixes=())

    flown = fly(FlightTask(task="beacon", duration_s=30.0), change=silent)
    assert offset(ORIGIN, flown.places[-1]).north_m == pytest.approx(-30.0, abs=1.0)


def hand_over(**more: Any) -> FlightTask:
    return FlightTask(task="hand_over", points=(point(80, 0),), **more)


def test_a_hand_over_waits_low_until_it_is_confirmed() -> None:
    def confirmed(step: Step, at_s: float) -> dict[str, Any]:
        return {**step.memory, CONFIRMED: at_s > 60.0}

    flown = fly(hand_over(), remember=confirmed)
    assert flown.last.words == "it was taken"
    assert (len(flown.steps) - 1) * 0.2 == pytest.approx(60.4, abs=0.3)
    assert flown.heights[-1] == pytest.approx(2.5, abs=0.5)


def test_a_hand_over_that_nobody_takes_is_over_in_time() -> None:
    flown = fly(hand_over())
    assert flown.last.words == "nobody took it in time"
    waits = [step for step in flown.steps if step.words == "waits until it is taken"]
    assert len(waits) * 0.2 == pytest.approx(180.0, abs=0.5)


def test_a_confirmation_on_the_way_counts_only_at_the_place() -> None:
    def early(step: Step, at_s: float) -> dict[str, Any]:
        del at_s
        return {**step.memory, CONFIRMED: True}

    flown = fly(hand_over(), remember=early)
    assert distance_m(flown.places[-1], moved(ORIGIN, Offset(80, 0))) < 3.0


def test_a_hand_over_without_a_point_is_over_at_once() -> None:
    flown = fly(FlightTask(task="hand_over"))
    assert len(flown.steps) == 1
    assert plan(FlightTask(task="hand_over"), view_of(None, 0.0)).problem


def test_a_film_follows_the_car_for_its_time() -> None:
    def driving(view: View, at_s: float) -> View:
        place = moved(ORIGIN, Offset(at_s * 5.0, 0.0))
        fix = car_fix(at_s, place)
        return replace(view, fixes=(replace(fix, fix=replace(fix.fix, speed_kmh=18.0)),))

    flown = fly(FlightTask(task="follow", duration_s=30.0), change=driving)
    assert (len(flown.steps) - 1) * 0.2 == pytest.approx(30.0, abs=0.3)
    assert offset(ORIGIN, flown.places[-1]).north_m == pytest.approx(150.0, abs=1.0)
    assert flown.last.is_there


def test_a_film_keeps_the_heading_of_a_car_that_stopped() -> None:
    def stopping(view: View, at_s: float) -> View:
        fix = car_fix(at_s, heading=90.0 if at_s < 2.0 else at_s * 40 % 360)
        kmh = 10.0 if at_s < 2.0 else 0.0
        return replace(view, fixes=(replace(fix, fix=replace(fix.fix, speed_kmh=kmh)),))

    flown = fly(FlightTask(task="follow", duration_s=10.0), change=stopping)
    aim = flown.last.guidance
    assert isinstance(aim, Track)
    assert aim.heading_deg == 90.0


def test_a_film_of_a_car_without_a_heading_stays_above_it() -> None:
    def plain(view: View, at_s: float) -> View:
        return replace(view, fixes=(car_fix(at_s, heading=None),))

    flown = fly(FlightTask(task="follow", duration_s=5.0), change=plain)
    assert flown.last.guidance == Track(ORIGIN, 20.0)
    behind = TaskSettings.model_validate({"follow": {"behind_m": 10.0}})
    data = FlightTask(task="follow")
    planned = TASKS["follow"].plan(
        data, View(fixes=(car_fix(0.0, heading=None),)), moment(0.0), behind
    )
    assert planned.legs[0].end == ORIGIN


def test_a_film_of_no_car_goes_nowhere() -> None:
    flown = fly(FlightTask(task="follow", duration_s=5.0), change=lambda v, _: replace(v, fixes=()))
    assert {step.guidance for step in flown.steps} == {None}


def test_points_are_flown_in_their_order_and_the_last_is_held() -> None:
    data = FlyToPoint(points=(point(60, 0), point(60, 60, height=20.0)), max_speed=5.0)
    flown = fly(data, most_s=90.0)
    goes = list(dict.fromkeys(step.guidance for step in flown.steps))
    assert [go.height_m for go in goes if isinstance(go, GoTo)] == [30.0, 20.0]
    assert {go.speed_mps for go in goes if isinstance(go, GoTo)} == {5.0}
    assert distance_m(flown.places[-1], moved(ORIGIN, Offset(60, 60))) < 1.0
    assert flown.last.is_there
    assert not flown.last.is_done


def test_a_take_off_to_a_point_flies_there_at_its_height() -> None:
    there = point(40, 0)
    data = TakeoffToPoint(
        target_latitude=there.latitude, target_longitude=there.longitude, target_height=25.0
    )
    assert plan(data, view_of(None, 0.0)).take_off_m == 25.0
    flown = fly(data, most_s=40.0)
    assert flown.last.guidance == GoTo(Place(there.latitude, there.longitude), 25.0, 8.0)
    assert flown.last.is_there


def test_a_take_off_without_a_target_stays_above_the_car() -> None:
    flown = fly(TakeoffToPoint(), most_s=20.0)
    assert flown.last.guidance == GoTo(ORIGIN, 30.0, 8.0)
    lost = fly(TakeoffToPoint(), most_s=20.0, change=lambda v, _: replace(v, fixes=()))
    assert isinstance(lost.last.guidance, GoTo)
    assert distance_m(lost.last.guidance.place, ORIGIN) < 0.1


@pytest.mark.parametrize("data", EVERY, ids=task_of)
def test_every_task_ends(data: MethodData) -> None:
    assert fly(data).last.is_done


@pytest.mark.parametrize("data", EVERY, ids=task_of)
def test_every_task_ends_although_the_drone_never_says_where_it_is(data: MethodData) -> None:
    flown = fly(data, change=drone_lost)
    assert flown.last.is_done
    assert not any(isinstance(step.guidance, GoTo) for step in flown.steps)


@pytest.mark.parametrize("data", EVERY, ids=task_of)
def test_a_plan_begins_where_the_drone_is_and_goes_without_a_break(data: MethodData) -> None:
    planned = plan(data, view_of(None, 0.0))
    assert not planned.problem
    assert planned.legs[0].start == ORIGIN
    for one, next_ in pairwise(planned.legs):
        assert one.end == next_.start
    copter = Copter(moved(ORIGIN, Offset(0.0, 50.0)))
    assert plan(data, view_of(copter, 0.0)).legs[0].start == copter.place


@pytest.mark.parametrize("data", EVERY, ids=task_of)
def test_what_is_flown_stays_near_the_plan(data: MethodData) -> None:
    planned = plan(data, view_of(None, 0.0))
    flown = fly(data, most_s=400.0)
    for place in flown.places[::5]:
        near = min(_off_m(place, leg.start, leg.end) for leg in planned.legs)
        assert near < 4.0


def _off_m(place: Place, start: Place, end: Place) -> float:
    way, there = offset(start, end), offset(start, place)
    along = way.north_m * there.north_m + way.east_m * there.east_m
    share = max(0.0, min(1.0, along / way.length_m**2)) if way.length_m else 0.0
    return math.hypot(there[0] - share * way[0], there[1] - share * way[1])


@pytest.mark.parametrize("data", EVERY, ids=task_of)
def test_no_plan_is_made_for_a_car_that_nobody_sees(data: MethodData) -> None:
    planned = plan(data, View())
    assert planned.problem
    assert planned.legs == ()


def test_a_beacon_needs_to_know_where_the_front_is() -> None:
    view = View(fixes=(car_fix(0.0, heading=None),))
    assert "front" in plan(FlightTask(task="beacon"), view).problem
    assert "front" in plan(FlightTask(task="scout"), view).problem


def test_the_polygon_of_an_orbit_lies_outside_of_it() -> None:
    legs = plan(FlightTask(task="inspect"), view_of(None, 0.0)).legs[1:]
    for leg in legs:
        way = offset(leg.start, leg.end)
        middle = moved(leg.start, towards(way.bearing_deg, way.length_m / 2))
        assert distance_m(middle, ORIGIN) >= 10.0 - 1e-6
    assert distance_m(legs[-1].end, legs[0].start) < 0.01


Junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
KEYS = [
    "at_s", "elapsed_s", "index", "way", "entry", "anchor", "centre", "orbit_deg", "orbit_mps",
    "orbit_from_deg", "last", "length_m", "pictures", "has_arrived", "waited_s", "heading_deg",
    "hazard_off_s", "confirmed",
]  # fmt: skip


@settings(max_examples=100)
@given(st.sampled_from(EVERY), st.dictionaries(st.sampled_from(KEYS), Junk))
def test_any_memory_gives_a_step(data: MethodData, memory: dict[str, Any]) -> None:
    view = view_of(Copter(ORIGIN), 5.0)
    step = TASKS[task_of(data)].step(data, memory, view, moment(5.0), SETTINGS)
    assert isinstance(step, Step)


@given(st.sampled_from(EVERY), st.lists(st.floats(-5.0, 30.0), max_size=30))
def test_a_clock_that_is_set_back_ends_no_task_early(data: MethodData, ticks: list[float]) -> None:
    memory: Any = {}
    longest = 0.0
    at_s = 100.0
    for tick in ticks:
        at_s += tick
        longest += max(tick, 0.0)
        view = View(fixes=(car_fix(at_s),))
        step = TASKS[task_of(data)].step(data, memory, view, moment(at_s), SETTINGS)
        assert not step.is_done or longest >= 300.0
        memory = step.memory


def test_settings_out_of_range_are_refused() -> None:
    wrongs: tuple[dict[str, Any], ...] = (
        {"scout": {"height_m": 200.0}},
        {"scout": {"hight_m": 20.0}},
        {"fly": {}},
    )
    for wrong in wrongs:
        with pytest.raises(ValidationError):
            TaskSettings.model_validate(wrong)

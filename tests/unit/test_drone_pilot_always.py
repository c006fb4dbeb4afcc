"""What holds of the pilot whatever happens, in whatever order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internetcar.contract.drone import DroneEvent, DroneReply
from internetcar.contract.drone_methods import METHODS
from services.drone.autopilot import Arm, Mode, Prepare, TakeOff
from services.drone.events import BrokerLink, CarPresence, Heard, Perform, WeatherReport
from services.drone.interlocks.limits import Limits
from tests.unit.drone_pilot_world import HOME, World, place_at, point
from tests.unit.drone_ready import box, file_of, read_airspace

DATA: dict[str, list[dict[str, Any]]] = {
    "takeoff_to_point": [{}, {"target_height": 200.0}, {"target_height": 10.0}],
    "fly_to_point": [{"points": [point(place_at(60.0, 40.0))]}],
    "flighttask_execute": [
        {"task": "scout", "points": [point(place_at(0.0, 60.0))]}, {"task": "follow"},
        {"task": "beacon"}, {"task": "inspect"}, {"task": "hand_over"},
        {"task": "hand_over", "points": [point(place_at(30.0))], "duration_s": 20.0},
    ],
}  # fmt: skip
WORLDLY = ("restart", "lose memory", "cut", "mend", "broker away", "broker back", "silent car",
           "car back", "drive", "race", "stand", "pilot", "give back", "rtl", "land", "brake",
           "drain", "storm", "calm", "recording", "live", "deaf", "hears", "disarm")  # fmt: skip
STEPS = st.one_of(
    st.tuples(st.sampled_from(sorted(METHODS)), st.integers(0, 5), st.booleans()),
    st.tuples(st.sampled_from(WORLDLY)),
)
PAUSES = st.sampled_from([0, 0, 1, 3, 10, 40, 150])


def happen(world: World, what: str) -> None:
    copter = world.copter
    match what:
        case "restart":
            world.restart()
        case "lose memory":
            world.disk = None
            world.restart()
        case "cut" | "mend":
            world.is_cut = what == "cut"
        case "broker away" | "broker back":
            world.is_connected = what == "broker back"
            world.say(BrokerLink(world.is_connected))
        case "silent car" | "car back":
            world.car.is_silent = what == "silent car"
        case "drive" | "race" | "stand":
            world.car.speed_mps = {"drive": 3.0, "race": 16.0, "stand": 0.0}[what]
        case "pilot" | "give back" | "rtl" | "land" | "brake":
            modes = {"pilot": Mode.OTHER, "give back": Mode.GUIDED, "rtl": Mode.RTL,
                     "land": Mode.LAND, "brake": Mode.BRAKE}  # fmt: skip
            copter.change(modes[what])
        case "drain":
            copter.battery_pct = min(copter.battery_pct, 25.0)
        case "storm" | "calm":
            wind = 20.0 if what == "storm" else 1.0
            world.say(WeatherReport(wind, wind, 270.0, 0.0, 15.0, 0.0))
        case "recording" | "live":
            world.say(CarPresence(True, "live" if what == "live" else "recording", "synchronized"))
        case "deaf" | "hears":
            copter.deaf = what == "deaf"
        case "disarm":
            if not copter.is_flying:
                copter.is_armed = False


def settled(world: World) -> None:
    """Let everything be well again, and whoever flies it land."""
    world.is_cut = world.copter.deaf = world.car.is_silent = False
    world.is_connected = True
    world.say(BrokerLink(True))
    world.surroundings()
    world.car.speed_mps = 0.0
    for _ in range(200):
        world.run(5.0)
        if world.phase == "docked":
            return
        if world.phase == "failsafe" and world.copter.mode not in (Mode.RTL, Mode.LAND):
            world.copter.change(Mode.LAND)
            if not world.copter.is_flying:
                world.copter.is_armed = False


def launches_are_clean(world: World) -> None:
    accepted = {
        each.tid: each for each in world.effects
        if isinstance(each, DroneReply) and each.data.result == 0
        and not each.data.output.dry_run
        and each.method in ("takeoff_to_point", "flighttask_execute")
    }  # fmt: skip
    for reply in accepted.values():
        assert all(each.result == "ok" for each in reply.data.output.interlocks)
    started = [
        each.tid for each in world.effects
        if isinstance(each, DroneEvent) and each.data.get("status") == "sent"
        and each.data.get("step") in ("docked", "preflight")
    ]  # fmt: skip
    assert len(world.intents(TakeOff)) <= len(set(started) & set(accepted))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(STEPS, PAUSES), max_size=14))
def test_it_always_ends_docked_with_at_most_one_take_off_for_each_request(
    script: list[tuple[tuple[Any, ...], int]],
) -> None:
    world = World().ready()
    world.car.heading_deg = 90.0
    for step, pause in script:
        if len(step) == 1:
            happen(world, step[0])
        else:
            method, index, dry = step
            data = DATA.get(method, [{}])
            world.ask(method, tid=f"t{index}", dry_run=dry, **data[index % len(data)])
        for _ in range(pause):
            world.turn()
    settled(world)
    assert world.phase == "docked", (world.phase, world.state.detail)
    assert not world.copter.is_flying
    assert not world.copter.is_armed
    launches_are_clean(world)
    sent = [
        each.tid
        for each in world.effects
        if isinstance(each, DroneEvent) and each.data.get("status") == "sent"
    ]
    ends = [
        each.tid
        for each in world.effects
        if isinstance(each, DroneEvent)
        and each.data.get("status") in ("ok", "failed", "canceled", "timeout")
    ]
    lost = "lose memory" in [step[0] for step, _ in script]
    assert lost or sorted(map(str, sent)) == sorted(map(str, ends))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(STEPS, PAUSES), max_size=6))
def test_before_the_drone_is_heard_nothing_is_asked_of_it(
    script: list[tuple[tuple[Any, ...], int]],
) -> None:
    world = World()
    for step, _ in script:
        if len(step) == 1:
            happen(world, step[0])
        else:
            world.ask(step[0], dry_run=step[2], **DATA.get(step[0], [{}])[0])
        for event in world.car.events():
            world.say(event)
    assert not [each for each in world.effects if isinstance(each, Perform)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(STEPS, PAUSES), max_size=8))
def test_the_same_log_gives_the_same_effects(
    script: list[tuple[tuple[Any, ...], int]],
) -> None:
    world = World()
    world.say(BrokerLink(True))
    for step, pause in script:
        if len(step) == 1 and step[0] not in ("restart", "lose memory"):
            happen(world, step[0])
        elif len(step) > 1:
            world.ask(step[0], dry_run=step[2], **DATA.get(step[0], [{}])[0])
        for _ in range(pause):
            world.turn()
    again = World().pilot
    assert [e for event, now in world.log for e in again.handle(event, now)] == world.effects
    assert again.remembered() == world.disk or not world.log
    assert [each for each in world.log if isinstance(each[0], Heard)] or not world.intents(Arm)


@pytest.mark.parametrize(
    ("upper_m", "ceiling_m", "fenced"),
    [(60, 60.0, 1), (60, 120.0, 0), (130, 120.0, 1), (130, 300.0, 0)],
)
def test_a_zone_is_in_the_fence_where_it_bars_all_heights_up_to_the_ceiling(
    upper_m: float, ceiling_m: float, fenced: int
) -> None:
    low = box("low", 300.0, 0.0, 50.0, start=HOME, upper=upper_m)
    world = World(airspace=read_airspace(file_of(low)), limits=Limits(ceiling_m=ceiling_m))
    world.airborne()
    (prepare,) = world.intents(Prepare)
    assert (len(prepare.fence), prepare.ceiling_m) == (fenced, ceiling_m)

"""Tasks of the pilot, rules that start them, and what interrupts them."""

from dataclasses import replace

from services.drone.airspace.airspace import Airspace
from services.drone.autopilot import Disarm, Mode, TakeOff, Track
from services.drone.events import CarFix, CarSignal, Heard
from services.drone.geodesy import distance_m
from services.drone.rules.settings import RuleSettings
from services.drone.tasks.settings import HandOverSettings, TaskSettings
from tests.unit.drone_pilot_world import World, place_at, point

HAZARD = "Vehicle.Body.Lights.Hazard.IsSignaling"
RULE = RuleSettings.model_validate(
    {"enabled": True, "task": "beacon", "when": [{"path": HAZARD, "is": True, "for_s": 2}]}
)


def hazard(world: World, seconds: float, *, is_on: bool = True) -> None:
    for _ in range(round(seconds)):
        world.say(CarSignal(HAZARD, is_on, "valid", 0.0))
        world.run(1.0)


def test_a_rule_launches_by_itself_under_the_drones_name() -> None:
    world = World(rules={"beacon": RULE}).ready()
    hazard(world, 6.0)
    decision = world.events("rule_decision")[0]
    assert decision.data["outcome"] == "launched"
    assert decision.data["because"]
    assert (world.state.requester, world.state.tid) == ("drone", decision.tid)
    hazard(world, 40.0)
    assert world.phase == "on_task"
    hazard(world, 15.0, is_on=False)
    world.until_state("docked")
    assert world.progress("flighttask_progress") == ["sent", "in_progress", "ok"]
    assert len(world.intents(TakeOff)) == 1
    assert len(world.events("rule_decision")) == 1


def test_a_rule_that_is_blocked_says_why_and_launches_when_it_may() -> None:
    world = World(rules={"beacon": RULE}).ready()
    world.car.speed_mps = 4.0
    hazard(world, 6.0)
    decision = world.events("rule_decision")[0].data
    assert decision["outcome"] == "blocked"
    assert "car_at_rest" in [each["id"] for each in decision["interlocks"]]
    assert world.phase == "docked"
    world.car.speed_mps = 0.0
    hazard(world, 6.0)
    assert [e.data["outcome"] for e in world.events("rule_decision")] == ["blocked", "launched"]
    assert world.phase != "docked"


def test_a_rule_whose_reason_is_over_does_not_launch_later() -> None:
    world = World(rules={"beacon": RULE}).ready()
    world.car.speed_mps = 4.0
    hazard(world, 6.0)
    hazard(world, 60.0, is_on=False)
    world.car.speed_mps = 0.0
    hazard(world, 10.0, is_on=False)
    assert world.phase == "docked"
    assert not world.intents(TakeOff)


def test_a_request_over_the_limit_of_its_rule_is_refused() -> None:
    off = RULE.model_copy(update={"enabled": False})
    reply = World(rules={"beacon": off}).ready().ask("flighttask_execute", task="beacon")
    assert reply.data.output.interlocks[-1].id == "rule"
    assert "not enabled" in (reply.data.output.detail or "")


def test_a_handed_over_parcel_lets_it_return() -> None:
    world = World(task_settings=TaskSettings(hand_over=HandOverSettings(wait_s=120.0))).ready()
    goal = place_at(80.0)
    reply = world.ask("flighttask_execute", task="hand_over", points=[point(goal)])
    assert reply.data.output.status == "accepted"
    world.until_state("on_task")
    assert distance_m(world.copter.place, goal) < 4.0
    world.run(20.0)
    assert world.ask("hand_over_confirm").data.output.status == "accepted"
    world.until_state("returning", 5.0)
    world.until_state("docked")
    assert world.progress("flighttask_progress") == ["sent", "in_progress", "ok"]


def test_in_the_air_it_may_follow_instead_and_start_no_other_task() -> None:
    world = World().airborne()
    assert world.ask("flighttask_execute", task="inspect").data.output.reason == "busy"
    reply = world.ask("flighttask_execute", task="follow", duration_s=20.0)
    assert reply.data.output.detail == "changes to follow"
    assert world.state.task == "follow"
    world.until_state("docked")
    assert world.progress("flighttask_progress") == ["sent", "in_progress", "ok"]
    assert len(world.intents(TakeOff)) == 1


def test_after_a_stop_only_a_return_moves_it() -> None:
    world = World().airborne()
    assert world.ask("drone_emergency_stop").data.output.status == "accepted"
    world.until_state("hold")
    assert world.ask("flighttask_execute", task="follow").data.output.reason == "busy"
    assert world.ask("fly_to_point", points=[point(place_at(50.0))]).data.output.reason == "busy"
    assert world.ask("return_home").data.output.status == "accepted"
    world.until_state("docked")


def test_a_way_that_the_battery_does_not_allow_is_refused_in_the_air_too() -> None:
    world = World().airborne()
    reply = world.ask("fly_to_point", points=[point(place_at(20_000.0))])
    assert reply.data.output.reason == "interlock"
    assert {each.id for each in reply.data.output.interlocks if each.result == "tripped"} == {
        "battery"
    }


def test_every_answer_shows_the_interlocks() -> None:
    world = World().airborne()
    for method in ("return_home_cancel", "drone_emergency_stop", "return_home"):
        assert "wind" in {each.id for each in world.ask(method).data.output.interlocks}


def test_a_film_is_guided_twice_as_often_in_a_bend() -> None:
    world = World().ready()
    world.ask("flighttask_execute", task="follow", duration_s=60.0)
    world.until_state("on_task")
    world.car.speed_mps = 5.0
    world.run(3.0)
    said = []
    for turn_deg in (0.0, 4.0):
        before = len(world.intents(Track))
        for _ in range(20):
            world.car.heading_deg += turn_deg
            world.run(0.1)
        said.append(len(world.intents(Track)) - before)
    assert 9 <= said[0] <= 11
    assert 18 <= said[1] <= 21


def test_it_films_a_car_that_drives() -> None:
    world = World().ready()
    world.ask("flighttask_execute", task="follow", duration_s=60.0)
    world.until_state("on_task")
    world.car.speed_mps = 5.0
    world.run(15.0)
    assert world.miss_m < 3.0
    world.until_state("rendezvous")
    world.car.speed_mps = 0.0
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_an_inaccurate_position_of_the_car_holds_and_then_goes_on() -> None:
    world = World().airborne()
    events = world.car.events

    def vague() -> list[object]:
        return [replace(e, accuracy_m=9.0) if isinstance(e, CarFix) else e for e in events()]

    world.car.events = vague  # type: ignore[method-assign, assignment]  # a worse receiver
    world.run(3.0)
    assert world.phase == "hold"
    assert world.events("interlock_trip")[0].data["then"] == "hold"
    world.car.events = events  # type: ignore[method-assign]  # and the better one
    world.run(3.0)
    assert world.phase == "on_task"
    world.car.events = vague  # type: ignore[method-assign, assignment]  # for good
    world.run(70.0)
    assert world.phase in ("returning", "rendezvous")


def test_a_zone_that_appears_ends_the_task() -> None:
    class Closing(Airspace):
        def way(self, start, end, height_m, now, **rest):  # type: ignore[no-untyped-def]  # a fake
            is_far = distance_m(start, end) > 60.0 and world.copter.is_flying
            return None if is_far else (start, end)

    world = World(airspace=Closing()).airborne()
    world.ask("takeoff_to_point")
    reply = world.ask("fly_to_point", points=[point(place_at(200.0))])
    assert reply.data.output.reason == "interlock"
    assert "zone" in (reply.data.output.detail or "")
    assert world.phase == "on_task"


def test_a_drone_that_does_not_say_where_it_is_lands() -> None:
    world = World().airborne()
    for _ in range(80):
        world.now = world.now._replace(s=world.now.s + 0.1, utc_ms=world.now.utc_ms + 100)
        for event in world.car.events():
            world.say(event)
        world.say(Heard(replace(world.copter.status(world.now.s), position=None)))
    assert world.phase == "divert_landing"
    assert world.copter.mode == Mode.LAND
    world.until_state("docked")


def test_a_stop_in_the_last_metres_brakes() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until(lambda: world.copter.mode == Mode.LAND)
    world.ask("drone_emergency_stop")
    world.run(1.0)
    assert (world.phase, world.copter.mode) == ("hold", Mode.BRAKE)
    world.until_state("docked")
    assert world.miss_m < 0.5


def test_a_stop_on_the_ground_with_turning_motors_disarms() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until(lambda: world.copter.mode == Mode.LAND)
    world.copter.height_m = 0.0
    world.say(Heard(world.copter.status(world.now.s)))
    world.ask("drone_emergency_stop")
    assert world.intents(Disarm)
    world.until_state("docked", 5.0)


def test_what_would_keep_it_on_the_ground_is_said_while_docked() -> None:
    world = World().ready()
    world.run(2.0)
    assert not world.state.interlocks
    world.car.speed_mps = 4.0
    world.run(2.0)
    assert [each.id for each in world.state.interlocks] == ["car_at_rest"]

"""Launch, land, interlocks and dry runs of the pilot."""

import pytest

from internetcar.contract.drone import DroneReply, DroneState
from services.drone.autopilot import (
    Arm,
    Disarm,
    GoTo,
    HomeHere,
    Mode,
    OperatorAt,
    Prepare,
    SetMode,
    TakeOff,
    Track,
)
from services.drone.events import BrokerLink, Heard, Perform
from services.drone.flight.settings import FlightSettings
from tests.unit.drone_pilot_world import NEVER, World, place_at, point


def test_a_launch_goes_through_every_state_and_lands_on_the_car() -> None:
    world = World().airborne()
    assert world.ask("return_home").data.output.status == "accepted"
    world.until_state("docked")
    assert world.states() == [
        "offline", "docked", "preflight", "armed", "takeoff", "enroute", "on_task",
        "returning", "rendezvous", "landing", "docked",
    ]  # fmt: skip
    assert world.miss_m < 0.5
    assert not world.copter.is_armed
    assert len(world.intents(TakeOff)) == 1
    assert world.progress("takeoff_to_point_progress") == ["sent", "in_progress", "ok"]
    assert world.progress("return_home_progress") == ["sent", "in_progress", "ok"]


def test_the_answer_comes_at_once_with_every_interlock() -> None:
    reply = World().ready().ask("takeoff_to_point")
    assert reply.data.result == 0
    ids = [each.id for each in reply.data.output.interlocks]
    assert {"docked", "plan", "drone_at_car", "car_at_rest", "battery", "zone"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert all(each.result == "ok" for each in reply.data.output.interlocks)


def test_a_dry_run_says_the_same_and_does_nothing() -> None:
    world = World().ready()
    before = world.disk
    reply = world.ask("takeoff_to_point", dry_run=True)
    assert reply.data.output.status == "accepted"
    assert reply.data.output.dry_run
    world.run(5.0)
    assert world.phase == "docked"
    assert world.disk == before
    assert not [each for each in world.effects if isinstance(each, Perform)]


def test_a_driving_car_launches_nothing_and_says_why_in_words() -> None:
    world = World().ready()
    world.car.speed_mps = 4.0
    world.run(1.0)
    reply = world.ask("takeoff_to_point")
    output = reply.data.output
    assert (output.status, output.reason) == ("rejected", "interlock")
    assert output.detail == "the car drives 14 km/h, at most 1"
    world.run(5.0)
    assert not world.intents(Prepare)


def test_a_second_launch_in_the_air_is_busy() -> None:
    world = World().airborne()
    reply = world.ask("takeoff_to_point")
    assert reply.data.output.reason == "busy"
    assert len(world.intents(TakeOff)) == 1


def test_the_same_tid_launches_once() -> None:
    world = World().airborne(tid="a")
    world.ask("return_home")
    world.until_state("docked")
    world.run(6.0)
    assert world.ask("takeoff_to_point", tid="a").data.output.reason == "id_conflict"
    assert len(world.intents(TakeOff)) == 1


def test_arming_is_tried_again_until_it_works() -> None:
    world = World().ready()
    world.copter.refuses_arm_until_s = world.now.s + 18.0
    world.ask("takeoff_to_point")
    world.until_state("on_task")
    assert 8 <= len(world.intents(Arm)) <= 11
    assert len(world.intents(TakeOff)) == 1


def test_a_drone_that_never_arms_gives_up_after_a_minute() -> None:
    world = World().ready()
    world.copter.refuses_arm_until_s = NEVER
    world.ask("takeoff_to_point")
    world.run(58.0)
    assert world.phase == "preflight"
    world.run(10.0)
    assert world.phase == "docked"
    assert world.progress("takeoff_to_point_progress")[-1] == "timeout"
    assert not world.intents(TakeOff)


def test_the_home_of_the_flight_before_is_not_the_home_of_the_next() -> None:
    world = World().airborne()
    world.ask("return_home")
    world.until_state("docked")
    assert world.copter.is_home_locked
    world.copter.ground_m = 3.0
    world.copter.place = world.car.place = place_at(15.0)
    world.run(7.0)
    world.ask("takeoff_to_point")
    world.until_state("on_task")
    assert (world.copter.home, world.copter.home_up_m) == (place_at(15.0), 3.0)
    order = [type(each.intent) for each in world.effects if isinstance(each, Perform)]
    last = len(order) - 1 - order[::-1].index(Arm)
    assert order[:last].count(HomeHere) == 2
    assert order.index(HomeHere) < order.index(Arm)


def test_without_a_home_it_is_not_armed_and_says_why() -> None:
    world = World().ready()
    world.copter.refuses_home = True
    world.ask("takeoff_to_point")
    world.run(5.0)
    assert world.state.detail == "its home cannot be set here: no"
    world.until_state("docked", 60.0)
    assert not world.intents(Arm)


def test_a_car_that_carries_it_on_takes_its_home_along() -> None:
    world = World().ready()
    world.run(30.0)
    assert not world.intents(HomeHere)
    world.car.place = world.copter.place = place_at(300.0)
    world.run(2.0)
    assert world.copter.home == place_at(300.0)
    world.copter.ground_m = 150.0
    world.run(30.0)
    assert world.copter.home_up_m == 150.0
    assert len(world.intents(HomeHere)) == 2


def test_a_safety_profile_with_problems_is_not_armed() -> None:
    world = World().ready()
    world.copter.problems = ("FS_GCS_ENABLE stays 0",)
    world.ask("takeoff_to_point")
    world.run(3.0)
    assert world.phase == "docked"
    last = world.events("takeoff_to_point_progress")[-1].data
    assert (last["status"], last["detail"]) == ("failed", "FS_GCS_ENABLE stays 0")
    assert not world.intents(Arm)


def test_an_interlock_that_trips_before_the_take_off_ends_the_launch() -> None:
    world = World().ready()
    world.copter.refuses_arm_until_s = world.now.s + 10.0
    world.ask("takeoff_to_point")
    world.run(3.0)
    world.car.speed_mps = 5.0
    world.until_state("docked", 10.0)
    assert world.events("takeoff_to_point_progress")[-1].data["reason"] == "interlock"
    assert world.events("interlock_trip")[0].data["interlocks"][0]["id"] == "car_at_rest"
    world.run(20.0)
    assert not world.intents(TakeOff)
    assert not world.copter.is_armed


def test_a_check_that_fails_while_it_takes_its_settings_is_waited_for() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.copter.is_prearm_good = False
    world.run(3.0)
    assert world.phase == "preflight"
    assert world.state.detail == "waits: the drone's own check before arming is not good"
    assert not world.intents(Arm)
    world.copter.is_prearm_good = True
    world.run(4.5)
    assert not world.intents(Arm)
    world.until_state("on_task")


def test_a_check_that_stays_bad_ends_the_launch_in_its_words() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.copter.is_prearm_good = False
    world.until_state("docked", 62.0)
    assert not world.intents(Arm)
    last = world.events("takeoff_to_point_progress")[-1].data
    assert last["status"] == "timeout"
    assert last["detail"] == "it does not arm; the drone's own check before arming is not good"


def test_what_is_above_the_ceiling_is_refused() -> None:
    reply = World().ready().ask("takeoff_to_point", target_height=150.0)
    assert reply.data.output.reason == "interlock"
    assert "150 m" in (reply.data.output.detail or "")


def test_at_the_ceiling_it_stays_below_it_lest_the_fence_sends_it_home() -> None:
    world = World().airborne(target_height=120.0)
    assert [each.height_m for each in world.intents(TakeOff)] == [119.0]
    assert {each.height_m for each in (*world.intents(GoTo), *world.intents(Track))} == {119.0}
    assert world.copter.height_m > 118.0


def test_a_drone_far_from_its_car_does_not_launch() -> None:
    world = World().ready()
    world.copter.place = place_at(500.0)
    world.run(1.0)
    reply = world.ask("takeoff_to_point")
    assert "drone_at_car" in [
        each.id for each in reply.data.output.interlocks if each.result == "tripped"
    ]


@pytest.mark.parametrize("method", ["return_home", "return_home_cancel", "hand_over_confirm"])
def test_on_the_ground_there_is_nothing_to_change(method: str) -> None:
    assert World().ready().ask(method).data.output.reason == "not_flying"


def test_a_stop_is_accepted_on_the_ground_too() -> None:
    world = World().ready()
    assert world.ask("drone_emergency_stop").data.output.status == "accepted"
    assert not world.intents(SetMode)


def test_a_stop_before_the_take_off_cancels_the_launch() -> None:
    world = World().ready()
    world.copter.refuses_arm_until_s = NEVER
    world.ask("takeoff_to_point")
    world.run(3.0)
    assert world.ask("drone_emergency_stop").data.output.status == "accepted"
    world.until_state("docked", 10.0)
    assert world.progress("takeoff_to_point_progress")[-1] == "canceled"


@pytest.mark.parametrize("state", ["preflight", "armed", "takeoff"])
def test_a_return_before_it_has_left_the_ground_cancels_the_launch(state: str) -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.until_state(state)
    assert not world.copter.is_flying
    reply = world.ask("return_home").data.output
    assert (reply.status, reply.detail) == ("accepted", "the launch is canceled")
    world.until_state("docked", 10.0)
    world.run(30.0)
    assert world.phase == "docked"
    assert not world.copter.landed_at
    assert world.progress("takeoff_to_point_progress")[-1] == "canceled"
    assert world.progress("return_home_progress") == ["sent", "ok"]


def test_a_dry_run_of_a_return_cancels_no_launch() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    assert world.ask("return_home", dry_run=True).data.output.status == "accepted"
    world.until_state("on_task")


def test_a_stop_while_armed_disarms() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.until_state("armed")
    world.ask("drone_emergency_stop")
    world.until_state("docked", 10.0)
    assert world.intents(Disarm)
    assert not world.copter.is_armed
    assert not world.intents(TakeOff)


def test_a_take_off_that_does_not_leave_the_ground_is_disarmed() -> None:
    world = World().ready()
    world.ask("takeoff_to_point")
    world.until_state("armed")
    world.copter.mode = Mode.GUIDED
    world.copter.burn_pct_per_s = 0.0
    world.copter.deaf = True
    world.run(1.0)
    world.copter.deaf = False
    world.until_state("docked", 60.0)
    assert world.progress("takeoff_to_point_progress")[-1] == "failed"
    assert len(world.intents(TakeOff)) == 1


def test_nothing_is_sent_before_the_drone_was_heard() -> None:
    world = World()
    world.say(BrokerLink(True))
    world.surroundings()
    for event in world.car.events():
        world.say(event)
    assert world.ask("takeoff_to_point").data.output.reason == "interlock"
    assert all(not isinstance(each, Perform) for each in world.effects)


def test_an_autopilot_that_is_not_flown_is_a_fault_in_its_words() -> None:
    world = World()
    status = world.copter.status(world.now.s)
    world.say(Heard(type(status)(heard_s=world.now.s, refusal="PX4 is not flown yet")))
    assert (world.phase, world.state.detail) == ("fault", "PX4 is not flown yet")


def test_a_drone_that_falls_silent_on_the_ground_is_offline() -> None:
    world = World().ready()
    world.is_cut = True
    world.run(4.0)
    assert world.phase == "offline"
    world.is_cut = False
    world.run(1.0)
    assert world.phase == "docked"


def test_somebody_who_arms_by_hand_is_followed() -> None:
    world = World().ready()
    world.copter.is_armed = True
    world.run(1.0)
    assert world.phase == "failsafe"
    kinds = {type(each.intent) for each in world.effects if isinstance(each, Perform)}
    assert kinds == {OperatorAt}
    world.copter.is_armed = False
    world.run(1.0)
    assert world.phase == "docked"


def test_state_is_said_once_for_each_change() -> None:
    world = World(FlightSettings(height_m=20.0)).airborne()
    count = sum(isinstance(each, DroneState) for each in world.effects)
    world.run(30.0)
    assert sum(isinstance(each, DroneState) for each in world.effects) == count


def test_it_flies_to_the_point_that_was_asked_for() -> None:
    world = World().ready()
    goal = place_at(120.0, 50.0)
    reply = world.ask(
        "takeoff_to_point", target_latitude=goal.lat_deg, target_longitude=goal.lon_deg
    )
    assert isinstance(reply, DroneReply)
    world.until_state("on_task")
    assert abs(world.copter.place.lat_deg - goal.lat_deg) < 5e-5
    assert world.ask("fly_to_point", points=[point(place_at(0.0, -80.0))]).data.result == 0
    assert world.phase == "enroute"
    world.until_state("on_task")
    assert world.progress("fly_to_point_progress") == ["sent", "in_progress", "ok"]

"""The task itself, step by step (pure)."""

from services.drone.autopilot import GoTo, Mode, Track
from services.drone.flight import launch, returning, steering
from services.drone.flight.answers import settle
from services.drone.flight.cockpit import Cockpit
from services.drone.flight.memory import Flight
from services.drone.tasks.task import Step

BLOCKED_S = 10.0
"""So long a zone may be in the way of a task before it returns."""
REMEMBER_S = 1.0
"""How often a task's memory goes to disk."""
DONE_ON_ARRIVAL = ("takeoff_to_point", "fly_to_point")


def turn(cockpit: Cockpit) -> None:
    """One step of the task; when it is over the drone returns."""
    flight = cockpit.memory.flight
    if flight is None or flight.task not in cockpit.rooms.tasks:
        returning.start(cockpit, "there is no task")
        return
    is_bend = flight.task == "follow" and cockpit.car is not None and cockpit.car.turn_dps != 0.0
    every_s = steering.IN_A_BEND_S if is_bend else steering.EVERY_S
    if not steering.is_turn(cockpit, every_s) or not cockpit.mode(Mode.GUIDED):
        return
    step = _step(cockpit, flight)
    if step.picture is not None:
        cockpit.perform(step.picture)
    if step.is_done:
        _finish(cockpit, flight, step)
        return
    _follow(cockpit, step)
    if step.is_there and cockpit.memory.state == "enroute":
        cockpit.enter("on_task", step.words)
        for wish in list(cockpit.memory.wishes):
            if wish.method in DONE_ON_ARRIVAL:
                settle(cockpit, wish, "ok")


def _step(cockpit: Cockpit, flight: Flight) -> Step:
    task = cockpit.rooms.tasks[flight.task]
    memory = flight.task_memory if cockpit.task_memory is None else cockpit.task_memory
    step = task.step(
        launch.data_of(flight), memory, cockpit.view, cockpit.now, cockpit.rooms.task_settings
    )
    cockpit.task_memory = step.memory
    if cockpit.beat.is_due("remember", REMEMBER_S, cockpit.now):
        flight.task_memory = dict(step.memory)
    return step


def _follow(cockpit: Cockpit, step: Step) -> None:
    """Fly where the task wants to be, as far as that is legal."""
    guidance, ceiling_m = step.guidance, cockpit.rooms.checks.limits.ceiling_m
    if guidance is None:
        steering.stay(cockpit)
        is_legal = True
    elif isinstance(guidance, GoTo):
        height_m = min(guidance.height_m, ceiling_m)
        is_legal = steering.fly_to(cockpit, guidance.place, height_m, guidance.speed_mps)
    else:
        height_m = min(guidance.height_m, ceiling_m)
        is_legal = steering.track(
            cockpit, Track(guidance.place, height_m, guidance.velocity, guidance.heading_deg)
        )
    if is_legal:
        cockpit.stage.last.pop("blocked", None)
    elif cockpit.stage.since("blocked", cockpit.now) > BLOCKED_S:
        returning.start(cockpit, "a zone is in the way", "failed", "interlock")


def _finish(cockpit: Cockpit, flight: Flight, step: Step) -> None:
    flight.is_task_done = True
    if step.report is not None:
        wish = flight.wish
        cockpit.say(f"{flight.task}_report", step.report, wish.tid, wish.bid)
    returning.start(cockpit, step.words or "the task is done")

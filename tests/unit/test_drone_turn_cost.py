"""A turn does nothing twice: what is remembered becomes text when it changed, and only then."""

import json
from itertools import pairwise

import pytest

from services.drone.autopilot import Arm
from services.drone.flight.memory import Memory
from services.drone.flight.safety import Safety
from services.drone.flight.settings import FlightSettings
from tests.unit.drone_pilot_world import World, place_at, point


def test_what_is_remembered_is_always_what_is_so_and_becomes_text_once_a_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text, made = Memory.text, []

    def written(memory: Memory) -> str:
        made.append(text(memory))
        return made[-1]

    monkeypatch.setattr(Memory, "text", written)
    world, turns = World().ready(), 0

    def is_home() -> bool:
        nonlocal turns
        turns += 1
        assert world.disk == text(world.pilot._cockpit.memory)
        return world.phase == "docked"

    there = [point(place_at(60.0)), point(place_at(60.0, 40.0))]
    world.ask("flighttask_execute", task="scout", points=there)
    world.until(is_home)
    assert all(before != after for before, after in pairwise(made))
    assert 20 < len(made) < turns / 3
    assert json.loads(made[-1])["state"] == "docked"


def test_a_turn_that_arms_looks_at_all_interlocks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    launch = Safety.launch
    looked: list[None] = []

    def look(self: Safety, *given: object) -> object:
        looked.append(None)
        return launch(self, *given)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Safety, "launch", look)
    world = World(FlightSettings(arm_again_s=0.1)).ready()
    world.copter.refuses_arm_until_s = world.now.s + 5.0
    world.ask("takeoff_to_point")
    often = []
    while not world.copter.is_armed:
        looked.clear()
        world.turn()
        often.append(len(looked))
    assert len(world.intents(Arm)) > 20
    assert set(often) == {0, 1}

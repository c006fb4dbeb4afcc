"""A recorded flight, read back and decided anew."""

import resource
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.drone.autopilot import (
    DronePosition,
    DroneStatus,
    Home,
    Mode,
    Preparation,
    Result,
    Wind,
)
from services.drone.events import (
    Asked,
    BrokerLink,
    CarFix,
    CarPresence,
    CarSignal,
    Event,
    Heard,
    Twin,
    WeatherReport,
)
from services.drone.geodesy import Place
from services.drone.record.journal import JournalError, line, read_line, replay
from services.drone.record.recording import Recording
from tests.drone_stand import WritingPilot, moment, request

PLACE = Place(1.3, 103.8)
STATUS = DroneStatus(
    heard_s=1.5, mode=Mode.GUIDED, is_armed=True, has_fix=True, battery_pct=81.25,
    position=DronePosition(PLACE, 40.0, 30.0, 0.1, -0.2, 0.3, 359.9, 1.25),
    home=Home(PLACE, 10.0), wind=Wind(90.0, 3.5), complaints=("PreArm: x",),
    preparation=Preparation(3, is_done=True, written=("A 0 → 1",)),
)  # fmt: skip
EVENTS: list[Event] = [
    CarFix(PLACE, 1.5, None, 0.1, -0.02),
    CarSignal("Vehicle.Speed", 3, "valid", 0.0),
    CarSignal("Vehicle.Speed", [True, 2.5, "x"], "stale", 0.0),
    CarSignal("Vehicle.Speed", None, "error", 0.0),
    CarPresence(True, "simulation", "free"),
    WeatherReport(1.0, None, None, 0.0, None, 0.5),
    Asked(request(data={"task": "scout", "duration_s": 60.0})),
    BrokerLink(False),
    Heard(STATUS, (Result(1, "accepted"), Result(2, "denied", "no"))),
    Twin(True),
]


def recorded(events: list[Event]) -> list[bytes]:
    pilot = WritingPilot()
    return [
        line(event, moment(s / 10), pilot.handle(event, moment(s / 10)))
        for s, event in enumerate(events)
    ]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_read_back_as_it_was(event: Event) -> None:
    read = read_line(line(event, moment(0.1), []))
    assert (read.event, read.now) == (event, moment(0.1))
    assert type(read.event) is type(event)


def test_the_same_events_give_the_same_decisions() -> None:
    lines = recorded([*EVENTS, *EVENTS])
    assert any(b"TakeOff" in each for each in lines)
    assert replay(lines, WritingPilot()) == []


def test_another_decision_is_told_with_its_line() -> None:
    lines = recorded(EVENTS)
    differences = replay(lines, WritingPilot("takeoff"))
    assert differences
    assert differences[0].startswith("line 8, Asked: it was ")
    assert "accepted" in differences[0]
    assert "busy" in differences[0]


def test_a_decision_that_is_missing_is_told() -> None:
    lines = recorded(EVENTS)
    lines[7] = line(
        BrokerLink(False), moment(0.7), [*WritingPilot("armed").handle(EVENTS[8], moment(0))]
    )
    assert "now it is nothing more" in replay(lines, WritingPilot())[0]


@given(st.binary(max_size=100))
def test_any_bytes_are_a_line_or_an_error(text: bytes) -> None:
    with pytest.raises(JournalError):
        read_line(text)


@pytest.mark.parametrize(
    "changed", [{"kind": "Nothing"}, {"s": "x"}, {"event": {}}, {"effects": 1}, {"s": None}]
)
def test_a_line_with_a_wrong_part_is_an_error(changed: dict[str, Any]) -> None:
    body = {**orjson.loads(line(EVENTS[0], moment(0), [])), **changed}
    with pytest.raises(JournalError):
        read_line(orjson.dumps(body))


def test_a_recording_can_be_replayed(tmp_path: Path) -> None:
    recording, pilot = Recording(tmp_path / "a" / "b.jsonl", "{}", None, 100_000), WritingPilot()
    for event in EVENTS:
        recording.write(event, moment(0), pilot.handle(event, moment(0)))
    recording.flush()
    recording.close()
    recording.close()
    head, *lines = (tmp_path / "a" / "b.jsonl").read_bytes().splitlines()
    assert orjson.loads(head) == {"settings": {}, "memory": None}
    assert replay(lines, WritingPilot()) == []


def test_a_recording_ends_at_its_size(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "b.jsonl", "{}", None, 300)
    for event in EVENTS:
        recording.write(event, moment(0), [])
    recording.flush()
    recording.close()
    written = (tmp_path / "b.jsonl").read_bytes()
    assert len(written) <= 300
    assert written.endswith(b"\n")


def test_where_nothing_can_be_written_nothing_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text("mine")
    recording = Recording(tmp_path / "b.jsonl", "{}", None, 300)
    recording.write(EVENTS[0], moment(0), [])
    recording.flush()
    recording.close()
    assert (tmp_path / "b.jsonl").read_text() == "mine"


def test_a_full_disk_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "b.jsonl", "{}", None, 100_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    try:
        recording.write(EVENTS[0], moment(0), [])
        recording.flush()
        recording.write(EVENTS[0], moment(0), [])
        recording.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "b.jsonl").stat().st_size == 50

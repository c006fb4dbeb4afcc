"""What the contract explains is what the service says: reasons, events and their keys."""

import inspect
import re
from pathlib import Path
from typing import get_args

import services.drone
from internetcar.contract.drone import REASONS
from internetcar.contract.drone_events import EVENTS, InterlockTrip
from services.drone.flight.answers import PROGRESS
from services.drone.interlocks.check import STRENGTH

ROOMS = ("broker", "flight")
PACKAGE = Path(inspect.getfile(services.drone)).parent
SOURCE = "".join(
    path.read_text(encoding="utf-8")
    for room in ROOMS
    for path in sorted((PACKAGE / room).glob("*.py"))
)


def test_every_reason_is_one_that_the_contract_explains_and_each_is_used() -> None:
    refused = re.findall(r'Refusal\(\s*"(\w+)"', SOURCE)
    rejected = re.findall(r'reject\(\s*cockpit, request, "(\w+)"', SOURCE)
    ended = re.findall(r'cockpit, [^()]*"(?:failed|canceled|timeout)",\s*"(\w+)"', SOURCE)
    assert refused
    assert rejected
    assert ended
    assert set(refused + rejected + ended) <= REASONS.keys()
    assert set(re.findall(r'"([a-z_]+)"', SOURCE)) >= REASONS.keys()


def test_every_event_is_one_that_the_contract_explains() -> None:
    said = set(re.findall(r'\.say\(\s*"(\w+)"', SOURCE)) | set(PROGRESS.values())
    said |= set(re.findall(r'DroneEvent\([^)]*method="(\w+)"', SOURCE)) | {"scout_report"}
    assert {"hms", "interlock_trip", "driver_request"} <= said
    assert said == EVENTS.keys()


def test_every_reaction_to_a_trip_is_one_that_the_contract_explains() -> None:
    then = InterlockTrip.model_fields["then"].annotation
    assert {*STRENGTH, "canceled"} == set(get_args(then))

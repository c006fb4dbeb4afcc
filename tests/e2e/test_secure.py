"""A whole car on a broker that knows everybody by certificate."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from internetcar.contract.link import Link
from internetcar.contract.telemetry import RepairedTelemetry, Telemetry, TelemetryRequest
from internetcar.launcher.access import Rights
from tests.e2e.stage import Stage
from tests.secure_place import NOW, Place
from tests.waiting import PATIENCE_S, eventually

STARTED_S = 60.0
CAR = "demo"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "authority")
    for name, rights in {
        CAR: Rights(role="vehicle"),
        "reader": Rights(role="person", vehicles=(CAR,)),
    }.items():
        changed = made.secure.register.with_rights(name, rights, NOW, change=False)
        made.secure.issue(changed, name, NOW, 1)
    with made as running:
        yield running


def test_gateway_view_reader_and_repair_work_with_their_own_certificates(
    stage: Stage, place: Place
) -> None:
    up = stage.car("up", "--plain", "--fresh", "--broker", place.url(CAR).secret)
    batches: list[Telemetry] = []
    repaired: list[RepairedTelemetry] = []
    link = Link(place.url("reader"), "reader")
    link.on(Telemetry, batches.append, vehicle_id=CAR)
    link.on(RepairedTelemetry, repaired.append, requester="reader")
    link.start(PATIENCE_S)
    eventually(lambda: "\nVehicle.Speed = " in up.stdout, STARTED_S)
    eventually(lambda: batches and batches[-1].sequence > 2)
    journal = batches[-1].journal
    request = TelemetryRequest(vehicle_id=CAR, journal=journal, first=1, last=2, reply_to="reader")
    link.publish(request)
    eventually(lambda: len(repaired) >= 2)
    assert [(batch.journal, batch.sequence) for batch in repaired] == [(journal, 1), (journal, 2)]
    link.stop()
    assert up.end() == 0
    for complaint in ("not permit", "no connection", "refuses"):
        assert complaint not in up.stderr, up.stderr

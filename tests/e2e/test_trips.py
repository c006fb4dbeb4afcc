"""Recordings through the gateway become trips, said on the broker and found by `car trips`."""

from collections.abc import Callable, Iterator

import pytest

from internetcar.contract.link import Link
from internetcar.contract.trips import TripEnded, TripProgress, TripStarted
from internetcar.launcher.broker import RunningBroker
from tests.data import data_path
from tests.e2e.stage import PYTHON, Actor, Stage
from tests.e2e.test_tolls_replay import record
from tests.waiting import PATIENCE_S, eventually

KONA = "can/kona-ev/power-off-on-ready-off.pcan0.ccan1.candump.log"


class Hearer:
    """What the trip service says on a broker."""

    def __init__(self, broker: RunningBroker) -> None:
        self.heard: list[TripStarted | TripProgress | TripEnded] = []
        self.link = Link(broker.url, "hearer")
        self.link.on(TripStarted, self.heard.append)
        self.link.on(TripProgress, self.heard.append)
        self.link.on(TripEnded, self.heard.append)
        self.link.start(wait_s=20)

    def ended(self) -> list[TripEnded]:
        return [each for each in self.heard if isinstance(each, TripEnded)]


@pytest.fixture
def hearer(mosquitto: RunningBroker) -> Iterator[Hearer]:
    hearer = Hearer(mosquitto)
    yield hearer
    hearer.link.stop()


def service(stage: Stage, broker: RunningBroker) -> Actor:
    """The trip service, once it listens."""
    actor = stage.start(
        PYTHON, "-m", "services", "trips", environ={"INTERNETCAR_BROKER": broker.url.secret}
    )
    until(actor, lambda: "trips runs on" in actor.stderr)
    return actor


def until(actor: Actor, condition: Callable[[], bool]) -> None:
    eventually(lambda: condition() or not actor.is_running, PATIENCE_S)
    assert actor.is_running, actor.stderr


def test_a_recorded_drive_is_a_trip_also_after_kill_9_and_once_though_played_twice(
    stage: Stage, mosquitto: RunningBroker, hearer: Hearer
) -> None:
    log = stage.folder / "drive.log"
    record(log, 45.0)
    replay = (
        "replay", str(log), "--vehicle-id", "car", "--vehicle", "reference",
        "--broker", mosquitto.url.secret, "--start", "2026-07-06T23:57:20Z", "--fast",
    )  # fmt: skip
    actor = service(stage, mosquitto)
    assert stage.ended(*replay).process.returncode == 0
    actor.kill()
    actor = service(stage, mosquitto)
    until(actor, lambda: bool(hearer.ended()))
    assert stage.ended(*replay).process.returncode == 0
    listed = stage.ended("trips", "list").stdout
    trip = hearer.ended()[0]
    assert listed.count(trip.trip_id[:12]) == 1
    assert len(listed.splitlines()) == 2
    assert trip.driver.startswith("driver-")
    assert trip.distance_from == "odometer"
    assert 300 < trip.distance_m < 1_000
    assert trip.energy_wh is not None
    assert len(trip.route) >= 2
    assert any(isinstance(each, TripStarted) for each in hearer.heard)
    shown = stage.ended("trips", "show", trip.trip_id[:8]).stdout
    assert "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature" in shown
    assert stage.ended("trips", "export", "--format", "gpx").stdout.count("<trkpt") == len(
        trip.route
    )
    assert "1 trips erased" in stage.ended("trips", "forget", "--vehicle-id", "car").stdout
    assert trip.trip_id not in stage.ended("trips", "export").stdout


def test_a_real_car_that_is_switched_on_and_off_where_it_stands_makes_no_trip(
    stage: Stage, mosquitto: RunningBroker, hearer: Hearer
) -> None:
    log = data_path(KONA)
    actor = service(stage, mosquitto)
    stage.ended(
        "replay", str(log), "--vehicle-id", "kona", "--vehicle", "hyundai_kona_ev", "--dbc",
        f"can0={data_path('can/kona-ev/pcan.fixed.dbc')}", "--broker", mosquitto.url.secret,
        "--fast",
    )  # fmt: skip
    until(actor, lambda: bool(hearer.ended()))
    (trip,) = hearer.ended()
    assert trip.is_dropped
    assert (trip.distance_m, trip.why, trip.origin) == (0, "power_off", "recording")
    assert 0 < (trip.ended_at - trip.started_at).total_seconds() < 11

"""`car up --days`: the past is lived, and teaches what the terminal shows at the next start."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from internetcar.contract.advice import ClimateRecommendation
from internetcar.contract.link import Link
from internetcar.contract.message import milliseconds
from internetcar.contract.subscriptions import Received
from internetcar.contract.trips import Place, TripStarted
from internetcar.launcher.broker import RunningBroker, start_broker
from internetcar.launcher.up import SEED, START_M
from internetcar.launcher.up_days import Scene, Wish, fill
from simulator.garage import SINGAPORE, load_route
from simulator.life.habits import CAR_C, SET_POINT
from tests.e2e.stage import PYTHON, Actor, Stage
from tests.waiting import PATIENCE_S, eventually

NOW = datetime(2026, 11, 26, 17, 0, tzinfo=UTC)
"""On the wall clock of Singapore a Friday has just begun."""
DAYS = 6
SETTINGS = """
state = "{folder}"
vehicles = ["demo"]
origin = "simulation"
time_zone = "Asia/Singapore"
[allow]
{user} = ["feedback", "name"]
"""


def lines(up: Actor, begin: str) -> list[str]:
    return [line for line in up.stdout.splitlines() if line.startswith(begin)]


def climate_offer(up: Actor) -> str:
    """The id of the climate offer that the terminal shows; empty: none yet."""
    found = [
        line.split()[-1]
        for line in up.stdout.splitlines()
        if " car recommend accept|reject " in line and "Temperature" in line
    ]
    return found[0] if found and lines(up, "climate: ") else ""


def test_after_a_week_the_next_start_says_where_to_and_sets_the_climate_once_accepted(
    stage: Stage,
) -> None:
    up = stage.car(
        "up", "--plain", "--state", str(stage.state), "--broker", "embedded", "--days", "7"
    )
    eventually(lambda: len(lines(up, "where to: ")) >= 4, 2 * PATIENCE_S)
    assert all(" % " in line for line in lines(up, "where to: "))
    assert all(". Because " in line for line in lines(up, "where to: ")[:3])
    assert "7 days: " in up.stderr
    assert len(lines(up, "trip started ")) == 1, "only the trip of today is shown"
    assert not lines(up, "trip of ")
    eventually(lambda: bool(climate_offer(up)))
    accepted = stage.ended("recommend", "accept", climate_offer(up))
    assert accepted.stdout.startswith("done"), accepted.stdout + accepted.stderr
    eventually(lambda: any(line.endswith("confirmed") for line in lines(up, "recommendations ask")))
    eventually(lambda: bool(lines(up, "climate: done")))
    assert up.end() == 0
    assert "Traceback" not in up.stderr


@contextmanager
def service(stage: Stage) -> Iterator[RunningBroker]:
    """A recommendation service on a broker of its own; nobody else."""
    broker = start_broker("embedded", stage.folder / "broker")
    assert isinstance(broker, RunningBroker)
    with broker:
        path = stage.folder / "recommendations.toml"
        path.write_text(SETTINGS.format(folder=stage.folder, user=broker.url.username))
        stage.start(
            PYTHON, "-m", "services", "recommendations", str(path),
            environ={"INTERNETCAR_BROKER": broker.url.secret},
        )  # fmt: skip
        yield broker


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def next_start(vehicle_id: str, driver: str) -> TripStarted:
    home = load_route(SINGAPORE).at(START_M)
    return TripStarted.model_validate(
        {
            "vehicle_id": vehicle_id, "trip_id": "now", "driver": driver,
            "started_at": NOW + timedelta(hours=6.8), "outside_c": 27.0,
            "start": Place(latitude=home.lat_deg, longitude=home.lon_deg),
            "settings": [{"path": SET_POINT, "offset_s": 0, "value": CAR_C}],
            "origin": "simulation", "clock": "synchronized",
        }
    )  # fmt: skip


def test_the_past_is_lived_once_and_after_two_rejections_the_climate_is_withdrawn(
    stage: Stage,
) -> None:
    said: list[str] = []
    with service(stage) as broker:
        scene = Scene(
            broker.url, "demo", stage.folder, broker.url.username or "", milliseconds(NOW),
            lambda: True, said.append,
        )  # fmt: skip
        ended = replace(scene, turn=lambda: False)
        assert fill(ended, Wish(DAYS, 2, SEED, START_M)).startswith("no days")
        first = fill(scene, Wish(DAYS, 2, SEED, START_M))
        trips = stage.folder / "trips" / "trips.sqlite"
        recommendations = stage.folder / "recommendations" / "recommendations.sqlite"
        kept = count(trips, "trip")
        assert kept == count(recommendations, "recommendation_visit") >= 2 * DAYS
        assert first.startswith(f"{DAYS} days: {kept} trips of driver-")
        assert count(trips, "outgoing") == 0, "the trip service would say them again"
        assert "the history has them all" in fill(scene, Wish(DAYS, 2, SEED, START_M))
        fill(scene, Wish(DAYS + 1, 0, SEED, START_M))
        assert kept < count(trips, "trip") == count(recommendations, "recommendation_visit")
        assert first.endswith(", 2 offers rejected")
        states: list[bytes] = []

        def on_state(received: Received) -> None:
            states.append(received.payload)

        link = Link(broker.url, "next-start")
        topic = ClimateRecommendation.filter(vehicle_id="demo")
        link.on_received(topic, on_state, qos=1)
        link.start(wait_s=PATIENCE_S)
        link.publish(next_start("demo", first.split(" of ")[1].split()[0]))
        eventually(lambda: bool(states and states[-1]))
        assert ClimateRecommendation.decode(topic, states[-1]).is_withdrawn
        link.stop()

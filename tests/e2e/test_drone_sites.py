"""Drones as processes: PostgreSQL that dies in flight, a broker that is restarted, two drones."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from internetcar.launcher.broker import RunningBroker, free_port
from tests.e2e.drone_site import LAT, LON, SETTINGS, Site, StandingCar, launched, state
from tests.e2e.observer import Observer
from tests.e2e.stage import PYTHON, Stage
from tests.postgres import Cluster, running_cluster
from tests.waiting import PATIENCE_S


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


def health(observer: Observer) -> list[tuple[Any, Any]]:
    """Code and level of what was said about the service's own health."""
    events = [
        json.loads(each.payload) for each in observer.of("drone") if each.topic.endswith("/events")
    ]
    said = [each["data"]["list"][0] for each in events if each["method"] == "hms"]
    return [(each["code"], each["level"]) for each in said]


def test_a_database_that_dies_in_flight_keeps_nobody_from_stopping_and_coming_home(
    stage: Stage, mosquitto: RunningBroker, cluster: Cluster
) -> None:
    stage.environ["INTERNETCAR_DRONE_STORE"] = cluster.database()
    with StandingCar(mosquitto.url) as car:
        site = Site(stage, mosquitto, car)
        with Observer(site.broker) as observer:
            identifier = launched(site, "--height", "6")
            observer.until(lambda heard: b'"on_task"' in state(heard), 2 * PATIENCE_S)
            cluster.kill()
            assert site.drone("stop").process.returncode == 0, site.service.stderr
            assert site.drone("return", "--no-wait").process.returncode == 0, site.service.stderr
            observer.until(lambda heard: b'"docked"' in state(heard), 2 * PATIENCE_S)
            refused = site.drone("launch", "--height", "6", "--no-wait")
            assert "rejected: store" in refused.stdout
            assert ("store", 2) in health(observer)
            cluster.start()
            observer.until(lambda heard: health(heard)[-1] == ("store", 0), 2 * PATIENCE_S)
            again = site.drone("launch", "--height", "6", "--id", identifier, "--no-wait")
            assert again.process.returncode == 0, "the stored answer"
            observer.until_more("position")
            assert b'"docked"' in state(observer)
        assert site.service.is_running
        assert "Traceback" not in site.service.stderr


def test_two_drones_of_one_car_are_asked_apart(stage: Stage, mosquitto: RunningBroker) -> None:
    with StandingCar(mosquitto.url) as car:
        site = Site(stage, mosquitto, car)
        port = free_port()
        settings = stage.folder / "second.toml"
        given = SETTINGS.format(port=port, folder=site.records, user=site.broker.username)
        settings.write_text(f'drone_id = "drone2"\n{given}')
        stage.start(
            PYTHON, "-m", "simulator.copter", "--url", f"udpout:127.0.0.1:{port}",
            "--place", f"{LAT},{LON}", "--ready-after", "2",
        )  # fmt: skip
        second = stage.car("service", "drone", "--config", str(settings))
        with Observer(site.broker) as observer:
            observer.until(lambda heard: state(heard, "drone1") and state(heard, "drone2"))
            which = site.drone("stop")
            assert which.process.returncode == 2
            assert "which drone? " in which.stderr
            assert "drone1 of demo, drone2 of demo" in which.stderr
            launched(site, "--height", "6", drone_id="drone2")
            observer.until(lambda heard: b'"on_task"' in state(heard, "drone2"), 2 * PATIENCE_S)
            assert b'"docked"' in state(observer, "drone1")
            home = site.drone("return", "--drone-id", "drone2")
            assert home.process.returncode == 0, home.stdout
        assert (site.service.is_running, second.is_running) == (True, True)


def test_a_broker_that_is_restarted_in_flight_finds_the_drone_at_home(
    stage: Stage, mosquitto: RunningBroker
) -> None:
    with StandingCar(mosquitto.url) as car:
        site = Site(stage, mosquitto, car)
        with Observer(site.broker) as observer:
            identifier = launched(site, "--height", "6")
            observer.until(lambda heard: b'"on_task"' in state(heard), 2 * PATIENCE_S)
        mosquitto.stop()
        mosquitto.restart()
        with Observer(site.broker) as observer:
            observer.until(lambda heard: state(heard), 2 * PATIENCE_S)
            site.drone("return", "--no-wait")
            observer.until(lambda heard: b'"docked"' in state(heard), 3 * PATIENCE_S)
        again = site.drone("launch", "--height", "6", "--id", identifier, "--no-wait")
        assert again.process.returncode == 0, "the stored answer"
        assert "docked" in site.drone("status").stdout
        assert "Traceback" not in site.service.stderr

"""The drone's service and a simulated copter as processes, asked by `car drone`."""

import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.presence import Presence
from internetcar.contract.signals import Position, Signal
from internetcar.launcher.broker import RunningBroker, free_port
from tests.e2e.observer import Observer
from tests.e2e.stage import PYTHON, Actor, Stage
from tests.waiting import PATIENCE_S

LAT, LON = 1.3126, 103.7625
SETTINGS = """
vehicle_id = "demo"
url = "udpin://127.0.0.1:{port}"
origin = "simulation"
record = "{folder}"
[assumed]
wind_mps = 2.0
rain_pct = 0.0
temperature_c = 25.0
clock_synchronized = true
[limits]
sun_deg = -90.0
[allow]
{user} = ["launch", "follow", "return"]
"""


class StandingCar:
    """Says ten times a second where it stands, and how fast it is."""

    def __init__(self, broker: BrokerUrl) -> None:
        self.speed_kmh = 0.0
        self._link = Link(broker, "standing-car")
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "StandingCar":
        self._link.start(wait_s=PATIENCE_S)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._link.stop()

    def _run(self) -> None:
        since = datetime.now(UTC)
        self._link.publish(
            Presence(
                vehicle_id="demo", online=True, journal="j", since=since, clock="free",
                origin="simulation", software="test",
            )
        )  # fmt: skip
        while not self._end.wait(0.1):
            at, kmh = datetime.now(UTC), self.speed_kmh
            self._link.publish(
                Position(
                    vehicle_id="demo", latitude=LAT, longitude=LON, accuracy_m=1.0,
                    heading_deg=90.0, speed_kmh=kmh, at=at,
                )
            )  # fmt: skip
            self._link.publish(Signal(vehicle_id="demo", path="Vehicle.Speed", value=kmh, at=at))


class Site:
    """Broker, car, copter and service."""

    def __init__(self, stage: Stage, broker: RunningBroker, car: StandingCar) -> None:
        self.stage, self.car = stage, car
        self.broker = broker.url
        self.records = stage.folder / "records"
        port = free_port()
        self._settings = stage.folder / "drone.toml"
        self._settings.write_text(
            SETTINGS.format(port=port, folder=self.records, user=broker.url.username)
        )
        stage.environ["INTERNETCAR_BROKER"] = broker.url.secret
        stage.start(
            PYTHON, "-m", "simulator.copter", "--url", f"udpout:127.0.0.1:{port}",
            "--place", f"{LAT},{LON}", "--ready-after", "2",
        )  # fmt: skip
        self.service = self.serve()

    def serve(self, **environ: str) -> Actor:
        """Start the service."""
        settings = ("--config", str(self._settings))
        return self.stage.car("service", "drone", *settings, environ=environ)

    def drone(self, *arguments: str) -> Actor:
        """`car drone` to its end."""
        return self.stage.ended("drone", *arguments, timeout_s=3 * PATIENCE_S)


@pytest.fixture
def site(stage: Stage, mosquitto: RunningBroker) -> Iterator[Site]:
    with StandingCar(mosquitto.url) as car:
        yield Site(stage, mosquitto, car)


def state(observer: Observer) -> Any:
    states = [each for each in observer.of("drone") if each.topic.endswith("/state")]
    return states[-1].payload if states else b""


def until_ready(site: Site) -> None:
    """Until a launch would be accepted."""
    for _ in range(60):
        if site.drone("dry-run", "--task", "inspect").process.returncode == 0:
            return
    raise AssertionError(site.drone("dry-run").stdout)


def test_it_takes_off_stops_comes_home_and_decides_the_same_again(site: Site) -> None:
    until_ready(site)
    with Observer(site.broker) as observer:
        asked = ("--to", f"{LAT + 0.0002},{LON}", "--height", "8", "--id", "once", "--no-wait")
        launched = site.drone("launch", *asked)
        assert launched.process.returncode == 0, launched.stdout + launched.stderr
        assert launched.stdout.startswith("accepted")
        observer.until(lambda heard: b'"on_task"' in state(heard), 2 * PATIENCE_S)
        assert site.drone("launch", *asked).process.returncode == 0, "the same request again"
        busy = site.drone("launch", "--height", "6")
        assert (busy.process.returncode, "rejected: busy" in busy.stdout) == (1, True)
        assert site.drone("stop").process.returncode == 0
        home = site.drone("return")
        assert home.process.returncode == 0, home.stdout + site.service.stderr
        observer.until(lambda heard: b'"docked"' in state(heard))
        takeoffs = [each for each in observer.of("drone") if b'"state":"takeoff"' in each.payload]
        assert len(takeoffs) == 1
    assert "docked" in site.drone("status").stdout
    assert site.service.end() == 0
    assert "Traceback" not in site.service.stderr
    (record,) = site.records.iterdir()
    replayed = site.drone("replay", str(record))
    assert (replayed.process.returncode, replayed.stdout) == (0, "the same decisions\n")


def test_a_launch_while_driving_is_refused_in_words(site: Site) -> None:
    until_ready(site)
    site.car.speed_kmh = 50.0
    with Observer(site.broker) as observer:
        observer.until_more("position")
    refused = site.drone("launch", "--task", "scout")
    assert refused.process.returncode == 1
    assert "rejected: interlock: the car drives 50 km/h" in refused.stdout
    assert "car_at_rest" in refused.stdout


def test_a_second_service_for_one_drone_is_refused(site: Site) -> None:
    until_ready(site)
    second = site.serve()
    assert second.wait() == 2
    assert "another process flies this drone" in second.stderr


def test_a_second_service_elsewhere_ends_with_words_and_the_first_flies_on(site: Site) -> None:
    until_ready(site)
    with Observer(site.broker) as observer:
        site.drone("launch", "--height", "6", "--no-wait")
        observer.until(lambda heard: b'"on_task"' in state(heard), 2 * PATIENCE_S)
        elsewhere = site.stage.folder / "elsewhere"
        second = site.serve(
            INTERNETCAR_DRONE_STATE=str(elsewhere), INTERNETCAR_DRONE_URL="udpout://127.0.0.1:9"
        )
        assert second.wait() == 2
        assert "another service flies drone1 of demo on this broker since 20" in second.stderr
        assert "Traceback" not in second.stderr
        assert b'"on_task"' in state(observer)
        assert site.drone("return").process.returncode == 0, site.service.stderr


def test_a_service_that_is_killed_takes_the_flight_over(site: Site) -> None:
    until_ready(site)
    with Observer(site.broker) as observer:
        site.drone("launch", "--height", "6", "--id", "once", "--no-wait")
        observer.until(lambda heard: b'"on_task"' in state(heard), 2 * PATIENCE_S)
        site.service.send(signal.SIGKILL)
        site.service.wait()
        site.serve()
        observer.until(lambda heard: b'"on_task"' not in state(heard), 2 * PATIENCE_S)
        observer.until(lambda heard: b'"docked"' in state(heard), 2 * PATIENCE_S)
        again = site.drone("launch", "--height", "6", "--id", "once", "--no-wait")
        assert again.process.returncode == 0, "the stored answer"
        observer.until_more("position")
        assert b'"docked"' in state(observer)

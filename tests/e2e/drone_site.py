"""A car that stands, a simulated copter and the drone's service as processes, for the tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

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
[flight]
return_height_m = 6.0
rendezvous_height_m = 4.0
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


@contextmanager
def standing(stage: Stage, mosquitto: RunningBroker) -> Iterator[Site]:
    """All of it, around a car that stands."""
    with StandingCar(mosquitto.url) as car:
        yield Site(stage, mosquitto, car)


def state(observer: Observer, drone_id: str = "drone1") -> Any:
    """The last that was said of a drone."""
    return _last(observer, f"/{drone_id}/state")


def health(observer: Observer) -> Any:
    """The last that was said of its service's health."""
    return _last(observer, "/drone1/health")


def _last(observer: Observer, end: str) -> Any:
    found = [each for each in observer.of("drone") if each.topic.endswith(end)]
    return found[-1].payload if found else b""


def until_ready(site: Site, drone_id: str = "drone1") -> None:
    """Until it stands on the car and nothing keeps it there."""
    with Observer(site.broker) as observer:
        observer.until(
            lambda heard: all(
                each in state(heard, drone_id) for each in (b'"docked"', b'"interlocks":[]')
            ),
            2 * PATIENCE_S,
        )


def launched(site: Site, *arguments: str, drone_id: str = "drone1") -> str:
    """Launch, again and again while a slow machine's fixes are too old; the id that flies."""
    said = ""
    for number in range(20):
        until_ready(site, drone_id)
        given = (*arguments, "--drone-id", drone_id, "--id", f"launch-{number}", "--no-wait")
        asked = site.drone("launch", *given)
        if asked.process.returncode == 0:
            return f"launch-{number}"
        said = asked.stdout + asked.stderr
    raise AssertionError(f"not launched: {said}; {site.service.stderr}")

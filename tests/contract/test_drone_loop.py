"""The drone's control loop on a real broker: it answers at once, and lives on without one."""

import logging
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.drone import (
    DroneEvent,
    DronePresence,
    DroneReply,
    DroneRequest,
    DroneState,
    DroneWeather,
)
from internetcar.contract.drone_health import DroneHealth
from internetcar.contract.link import Link
from internetcar.contract.message import Message, instant
from internetcar.contract.signals import Position, Signal
from internetcar.contract.subscriptions import Received
from internetcar.launcher.broker import RunningBroker
from services.alive import Heartbeat
from services.drone.broker.reception import Reception
from services.drone.broker.telling import Identity
from services.drone.conductor import Conductor
from services.drone.connection import Clock, RealTime
from services.drone.control_loop import ControlLoop
from services.drone.events import BrokerLink, CarFix, CarSignal, WeatherReport
from services.drone.moment import Moment
from services.drone.service import make_link
from tests.drone_stand import (
    NOW_MS,
    BrokenStore,
    WritingAutopilot,
    WritingPilot,
    moment,
    request,
)
from tests.waiting import eventually

ALLOW: Any = {"car": frozenset({"launch", "return"})}


LONG_WAY = [{"latitude": 1.0, "longitude": 2.0}] * 50


class Datagrams:
    """A transport to a socket of the test."""

    def __init__(self) -> None:
        self.ours, self.its = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ours.setblocking(False)
        self.its.settimeout(20)

    problem: str | None = None
    strangers = 0

    def fileno(self) -> int | None:
        return self.ours.fileno()

    def read(self) -> list[bytes]:
        try:
            return [self.ours.recv(2048)]
        except BlockingIOError:
            return []

    def write(self, datagrams: Sequence[bytes]) -> None:
        for data in datagrams:
            with suppress(OSError):  # nobody reads
                self.ours.send(data)

    def close(self) -> None:
        self.ours.close()
        self.its.close()


class StandingClock:
    """It is always the same moment."""

    def hear(self, data: bytes) -> None:
        return

    def now(self) -> Moment:
        return moment(0)


class Flying:
    """A control loop in a thread, and who listens to it."""

    def __init__(
        self,
        broker: RunningBroker | BrokerUrl,
        folder: Path,
        stack: ExitStack,
        clock: Clock | None = None,
        *,
        started_s: float = 0.0,
    ) -> None:
        self.pilot, self.autopilot = WritingPilot(), WritingAutopilot()
        self.transport = Datagrams()
        stack.callback(self.transport.close)
        store = BrokenStore()
        url = broker if isinstance(broker, BrokerUrl) else broker.url
        conductor = Conductor(
            Identity("demo", "drone1", moment(started_s).utc_ms, "test", f"started-{started_s:g}"),
            self.pilot, self.autopilot,
            Reception(store, ALLOW), store,
        )  # fmt: skip
        self.loop = ControlLoop(
            make_link(url, f"drone-test-{started_s:g}"), self.transport, conductor,
            clock or StandingClock(),
            Heartbeat(folder),
        )  # fmt: skip
        stack.callback(self.loop.close)
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()
        stack.callback(self.thread.join, 20)
        stack.callback(self.loop.stop)


@contextmanager
def listening(broker: RunningBroker, *more: type[Message]) -> Iterator[tuple[Link, list[Message]]]:
    """Who hears all that is said of the drone."""
    heard: list[Message] = []
    link = Link(broker.url, "ear")
    classes: tuple[type[Message], ...] = (DroneReply, DroneState, DronePresence, DroneEvent, *more)
    for cls in classes:
        link.on(cls, heard.append)
    link.start(wait_s=20)
    try:
        yield link, heard
    finally:
        link.stop()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def heard(broker: RunningBroker, stack: ExitStack) -> tuple[Link, list[Message]]:
    return stack.enter_context(listening(broker))


def of(heard: list[Message], cls: type[Message]) -> list[Any]:
    return [each for each in heard if isinstance(each, cls)]


def _paths(flying: Flying) -> list[str]:
    return [each.path for each in flying.pilot.heard if isinstance(each, CarSignal)]


def asked(tid: str = "t1", **changed: Any) -> DroneRequest:
    return request(tid, requester="car", **changed)


def test_a_request_is_answered_and_the_state_is_told(
    broker: RunningBroker, heard: tuple[Link, list[Message]], tmp_path: Path, stack: ExitStack
) -> None:
    flying = Flying(broker, tmp_path, stack)
    link, messages = heard
    eventually(lambda: of(messages, DronePresence))
    link.publish(asked())
    eventually(lambda: [each.state for each in of(messages, DroneState)][-1:] == ["takeoff"])
    assert of(messages, DroneReply)[0].data.output.status == "accepted"
    assert BrokerLink(True) in flying.pilot.heard
    assert (tmp_path / "alive").exists()
    flying.loop.stop()
    eventually(lambda: not of(messages, DronePresence)[-1].online)


def test_what_the_car_and_the_weather_say_arrives(
    broker: RunningBroker, heard: tuple[Link, list[Message]], tmp_path: Path, stack: ExitStack
) -> None:
    flying, (link, messages) = Flying(broker, tmp_path, stack), heard
    at = instant(NOW_MS)
    eventually(lambda: of(messages, DronePresence))
    link.publish(Position(vehicle_id="demo", latitude=1.0, longitude=2.0, at=at))
    link.publish(Signal(vehicle_id="demo", path="Vehicle.Speed", value=0.0, at=at))
    link.publish(DroneWeather(vehicle_id="demo", drone_id="drone1", at=at, wind_speed=3.0))
    link.publish_now([("v1/vehicle/demo/signal/Vehicle.X", b"{")], retain=False)
    link.publish_now([("v1/vehicle/other/position", b"{}")], retain=False)
    kinds = {CarFix, CarSignal, WeatherReport}
    eventually(lambda: kinds <= {type(each) for each in flying.pilot.heard})
    assert flying.autopilot.turns > 0


def test_a_leaf_that_nothing_looks_at_is_not_listened_to(
    broker: RunningBroker, heard: tuple[Link, list[Message]], tmp_path: Path, stack: ExitStack
) -> None:
    flying, (link, messages) = Flying(broker, tmp_path, stack), heard
    eventually(lambda: of(messages, DronePresence))
    for path in ("Vehicle.X", "Vehicle.Speed"):
        link.publish(Signal(vehicle_id="demo", path=path, value=0.0, at=instant(NOW_MS)))
    eventually(lambda: _paths(flying))
    assert _paths(flying) == ["Vehicle.Speed"]


def test_a_retained_request_is_refused_and_taken_from_the_broker(
    broker: RunningBroker, heard: tuple[Link, list[Message]], tmp_path: Path, stack: ExitStack
) -> None:
    link, messages = heard
    said = link.publish_bytes(asked().topic, asked().encode(), retain=True)
    eventually(lambda: said.is_acknowledged)
    flying = Flying(broker, tmp_path, stack)
    eventually(lambda: of(messages, DroneReply))
    assert of(messages, DroneReply)[0].data.output.reason == "retained"
    link.publish(asked("t2"))
    eventually(lambda: len(of(messages, DroneReply)) == 2)  # the topic was cleared before
    later: list[Received] = []
    link.on_received(asked().topic, later.append, qos=1)
    eventually(lambda: bool(link.publish(asked("t3")) and later))
    assert not any(each.retained for each in later)
    assert not [each for each in flying.autopilot.performed if each is None]


def test_the_autopilot_hears_us_without_a_broker_and_the_broker_hears_what_it_missed(
    mosquitto: RunningBroker, tmp_path: Path, stack: ExitStack
) -> None:
    flying = Flying(mosquitto, tmp_path, stack)
    with listening(mosquitto) as (_, messages):
        eventually(lambda: of(messages, DronePresence))
    mosquitto.stop()
    eventually(lambda: BrokerLink(False) in flying.pilot.heard)
    turns = flying.autopilot.turns
    eventually(lambda: flying.autopilot.turns > turns + 3)
    assert flying.transport.its.recv(100) == b"heartbeat"
    flying.transport.its.send(b"from the autopilot")
    eventually(lambda: flying.autopilot.received == [b"from the autopilot"])
    mosquitto.restart()
    eventually(lambda: flying.pilot.heard[-1] == BrokerLink(True))
    with listening(mosquitto) as (_, messages):
        eventually(lambda: of(messages, DronePresence) and of(messages, DronePresence)[-1].online)


def test_an_old_will_of_ours_is_corrected(
    broker: RunningBroker, heard: tuple[Link, list[Message]], tmp_path: Path, stack: ExitStack
) -> None:
    Flying(broker, tmp_path, stack)
    link, messages = heard
    eventually(lambda: of(messages, DronePresence))
    gone = of(messages, DronePresence)[0].model_copy(update={"online": False})
    link.publish(gone)
    eventually(lambda: gone in messages)
    eventually(lambda: of(messages, DronePresence)[-1].online)


def test_in_a_flood_a_stop_is_answered_and_what_was_dropped_is_counted_and_said(
    broker: RunningBroker, tmp_path: Path, stack: ExitStack
) -> None:
    Flying(broker, tmp_path, stack, RealTime())
    with listening(broker, DroneHealth) as (link, messages):
        eventually(lambda: of(messages, DroneHealth))
        for number in range(1_000):
            link.publish(asked(f"flood-{number}", data={"task": "scout", "points": LONG_WAY}))
        eventually(lambda: of(messages, DroneHealth)[-1].requests_dropped > 0)
        eventually(lambda: link.is_idle)
        link.publish(asked("stop", method="drone_emergency_stop", data={}))
        eventually(lambda: [each for each in of(messages, DroneReply) if each.tid == "stop"])
        said = [each.data["list"][0] for each in of(messages, DroneEvent) if each.method == "hms"]
        assert [(each["code"], each["level"]) for each in said] == [("requests_dropped", 1)]
        eventually(lambda: of(messages, DroneHealth)[-1].problems)


class RunningClock:
    """Time goes on by a tenth of a second with each datagram, however soon that comes."""

    def __init__(self) -> None:
        self.heard = 0

    def hear(self, data: bytes) -> None:
        self.heard += 1

    def now(self) -> Moment:
        return moment(self.heard * 0.1)


def _has_received(flying: Flying, number: int) -> bool:
    return len(flying.autopilot.received) >= number


def test_a_simulation_that_runs_faster_gets_its_turns_as_often(
    broker: RunningBroker, tmp_path: Path, stack: ExitStack
) -> None:
    flying = Flying(broker, tmp_path, stack, RunningClock())
    for number in range(1, 200):
        flying.transport.its.send(b"a tenth of a second later")
        eventually(partial(_has_received, flying, number))
    flying.loop.stop()
    stack.close()
    assert flying.autopilot.turns >= 199


def test_a_way_to_the_autopilot_that_is_lost_is_said_once_and_so_is_its_return(
    broker: RunningBroker, tmp_path: Path, stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="services.drone.control_loop")
    flying = Flying(broker, tmp_path, stack)
    flying.transport.problem = "unplugged"
    eventually(lambda: "autopilot: unplugged" in caplog.messages)
    turns = flying.autopilot.turns
    eventually(lambda: flying.autopilot.turns > turns + 2)
    flying.transport.problem = None
    eventually(lambda: "autopilot: connected" in caplog.messages)
    assert caplog.messages == ["autopilot: unplugged", "autopilot: connected"]

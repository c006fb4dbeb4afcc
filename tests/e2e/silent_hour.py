"""An hour of a bus's own time in seconds, and how many frames the gateway sent in it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import can
import pytest

from gateway.bus_settings import ASKING_SENDS
from gateway.clock import SystemClock
from gateway.live import LiveGateway
from gateway.settings import make_settings
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.settings import SettingsError
from internetcar.loopback import LoopbackBus
from simulator.elm327 import SimulatedElm
from tests.e2e.command_car import (
    DBC,
    REQUESTER,
    STATUS_ID,
    TEMPERATURE,
    VEHICLE,
    Desk,
    mapping,
)
from tests.elm_line import Adapter
from tests.waiting import PATIENCE_S

HOUR_S, STEP_S = 3_600, 4
COMMAND_EVERY_S = 180
SECOND_NS = 1_000_000_000
TRAFFIC = (
    (STATUS_ID, bytes((40, 30, 0, 0))),
    (0x7DF, bytes.fromhex("0209020000000000")),
    (0x7E8, bytes.fromhex("1014490201575657")),  # a first frame: who asked would let it go on
    (0x7E9, bytes.fromhex("04410c1af8000000")),
)
ENGINE_SPEED = "Vehicle.Powertrain.CombustionEngine.Speed"


class FastClock(SystemClock):
    """This machine's clock, which leaps when it is told to."""

    def __init__(self) -> None:
        self._ahead_ns = 0

    def leap(self, seconds: float) -> None:
        self._ahead_ns += round(seconds * SECOND_NS)

    def monotonic_ns(self) -> int:
        return time.monotonic_ns() + self._ahead_ns

    def wall_ns(self) -> int:
        return time.time_ns() + self._ahead_ns


class Source(Protocol):
    """A bus of one kind, seen from its other side."""

    bus: dict[str, Any]
    """Interface and channel, as the settings have them."""

    def hear(self, can_id: int, payload: bytes) -> None:
        """The car says something on the bus."""

    def sent(self) -> int:
        """Frames the gateway has put on the bus so far."""

    def is_settled(self) -> bool:
        """Whether nothing is under way that takes real time."""


class LoopbackSource:
    def __init__(self, interface: str = "loopback", channel: str = "silent") -> None:
        self.bus = {"interface": interface, "channel": channel}
        self._sent = 0
        self._peer: can.BusABC = (
            LoopbackBus(channel)
            if interface == "loopback"
            else can.Bus(interface=interface, channel=channel)
        )

    def hear(self, can_id: int, payload: bytes) -> None:
        self._peer.send(can.Message(arbitration_id=can_id, data=payload, is_extended_id=False))

    def sent(self) -> int:
        while self._peer.recv(0) is not None:
            self._sent += 1
        return self._sent

    def is_settled(self) -> bool:
        return True

    def close(self) -> None:
        self._peer.shutdown()


class SlcanSource:
    """What is written on the line: a frame begins with one of eight letters."""

    def __init__(self, ours: int, name: str) -> None:
        self.bus = {"interface": "slcan", "channel": name, "bitrate": 500_000}
        self._ours = ours
        self._text = b""
        os.set_blocking(ours, False)

    def hear(self, can_id: int, payload: bytes) -> None:
        os.write(self._ours, f"t{can_id:03X}{len(payload)}{payload.hex().upper()}\r".encode())

    def sent(self) -> int:
        with suppress(BlockingIOError):
            self._text += os.read(self._ours, 65_536)
        return sum(line[:1] in b"tTrRdDbB" for line in self._text.split(b"\r") if line)

    def is_settled(self) -> bool:
        return True


class ElmSource:
    def __init__(self, chip: SimulatedElm, adapter: Adapter, name: str) -> None:
        self.bus = {"interface": "elm327", "channel": name}
        self._chip, self._adapter = chip, adapter

    def hear(self, can_id: int, payload: bytes) -> None:
        self._adapter.hear(can_id, payload)

    def sent(self) -> int:
        return len(self._chip.sent)

    def is_settled(self) -> bool:
        return self._chip.is_monitoring or "STI" in self._chip.commands[-2:]


@contextmanager
def running(
    source: Source, broker: BrokerUrl, folder: Path, clock: FastClock, **bus: Any
) -> Iterator[LiveGateway]:
    """A gateway in this process that may be commanded, and hears a tester of somebody else."""
    dbc, rules = folder / "car.dbc", folder / "mapping.json"
    dbc.write_text(DBC)
    rules.write_text(mapping())
    settings = make_settings(
        vehicle_id=VEHICLE,
        mapping=str(rules),
        buses=[{"name": "can0", "dbc": [str(dbc)], "obd": "listen", **source.bus, **bus}],
        telemetry={"batch_ms": 10_000},
        commands={"allow": {REQUESTER: ["*"]}, "trust_clock": True},
    )
    gateway = LiveGateway(settings, broker, folder / "state", clock)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.end()


def frames_sent_in_an_hour(
    source: Source, broker: BrokerUrl, folder: Path, *, hears: bool = True
) -> int:
    """Without `transmit`: traffic, somebody else's tester, and a command each third minute.

    Args:
        source: The bus.
        broker: Of the gateway and of who commands it.
        folder: For files.
        hears: Whether such a bus can be heard at all.
    """
    with pytest.raises(SettingsError, match="OBD only answers questions") as refused:
        make_settings(buses=[{"name": "can0", "obd": True, **source.bus}])
    assert ASKING_SENDS in str(refused.value)
    clock, given = FastClock(), 0
    with Desk(broker) as desk, running(source, broker, folder, clock) as gateway:
        _turn_until(gateway, lambda: _is_online(desk))
        for second in range(0, HOUR_S, STEP_S):
            for can_id, payload in TRAFFIC:
                source.hear(can_id, payload)
            gateway.turn(0.0)
            if not second % COMMAND_EVERY_S:
                given += 1
                identifier = f"c{second}"
                desk.ask(identifier, TEMPERATURE, 21.5)
                _turn_until(gateway, lambda wanted=identifier: desk.states(wanted))
                assert desk.states(identifier) == ["rejected(not_transmitting)"]
            _turn_until(gateway, source.is_settled)
            clock.leap(STEP_S)
        heard = desk.signals()
    assert given == HOUR_S // COMMAND_EVERY_S
    assert heard.get(TEMPERATURE, {}).get("value") == (20.0 if hears else None)
    assert heard.get(ENGINE_SPEED, {}).get("value") == (1_726.0 if hears else None)
    return source.sent()


def _is_online(desk: Desk) -> bool:
    return any(heard.body.get("online") for heard in desk.of("presence") if heard.payload)


def _turn_until(gateway: LiveGateway, happened: Any) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline_s, "it did not happen"
        gateway.turn(0.005)

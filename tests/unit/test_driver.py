"""A driver of python-can that behaves as no driver should: the gateway goes on."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import can
import pytest

from gateway.bus_spec import BusSpec, FrameError
from gateway.frames import Buses

INTERFACE = "virtual"  # its name, not its class


class Driver(can.BusABC):
    """What the test tells it to be."""

    raised: Exception | None = None
    is_hanging: threading.Event | None = None
    stamps: Iterator[float] = iter(())
    was_closed = False

    def __init__(self, channel: str, **more: Any) -> None:
        super().__init__(channel, **more)
        if Driver.is_hanging is not None:
            Driver.is_hanging.wait()
        if channel == "broken":
            raise RuntimeError("the firmware is too old")

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        if Driver.raised is not None:
            raise Driver.raised
        stamp = next(Driver.stamps, None)
        message = None if stamp is None else can.Message(stamp, 0x123, is_extended_id=False)
        return message, True

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        raise RuntimeError("the firmware cannot send")

    def shutdown(self) -> None:
        Driver.was_closed = True
        super().shutdown()


@pytest.fixture(autouse=True)
def _driver(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = (__name__, "Driver")
    monkeypatch.setitem(can.interfaces.BACKENDS, INTERFACE, entry)
    for name in ("raised", "is_hanging"):
        monkeypatch.setattr(Driver, name, None)
    monkeypatch.setattr(Driver, "was_closed", False)


def instants(stamps: list[float]) -> list[float]:
    Driver.stamps = iter(stamps)
    buses = Buses([BusSpec("a", INTERFACE, "good")])
    at_s: list[float] = []
    buses.drain(lambda bus, can_id, payload, at_ns: at_s.append(at_ns / 1e9))
    buses.close()
    return at_s


def test_a_driver_that_fails_in_its_own_way_is_refused() -> None:
    buses = Buses([BusSpec("a", INTERFACE, "broken")])
    assert buses.counters(0).state == "refused"
    assert "the firmware is too old" in buses.counters(0).reason
    buses.close()


def test_a_driver_that_fails_while_it_reads_or_sends_is_one_bus_less() -> None:
    buses = Buses([BusSpec("a", INTERFACE, "good", transmit=True, listen_only=False)])
    with pytest.raises(FrameError, match="cannot send"):
        buses.send(0, 1, b"")
    Driver.raised = RuntimeError("the buffer is upside down")
    assert buses.drain(lambda *_: None) == 0
    assert buses.counters(0).state == "missing"
    assert "upside down" in buses.counters(0).reason
    buses.close()


def test_a_driver_that_hangs_while_it_is_opened_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.frames._PATIENCE_S", 0.01)
    hanging = Driver.is_hanging = threading.Event()
    buses = Buses([BusSpec("a", INTERFACE, "good")])
    assert buses.counters(0).state != "up"
    buses.close()
    hanging.set()
    until = time.monotonic() + 3.0
    while not Driver.was_closed and time.monotonic() < until:
        time.sleep(0.01)
    assert Driver.was_closed


@pytest.mark.parametrize("start_s", [0.0, 1.0, 4_000.0])
def test_stamps_that_are_not_utc_are_dated_now_wherever_they_jump(start_s: float) -> None:
    jumping = [start_s, start_s + 0.5, start_s + 4_000.0, 0.25, 0.5]
    dated = instants(jumping)
    assert len(dated) == len(jumping)
    assert all(abs(at_s - time.time()) < 30.0 for at_s in dated)


def test_stamps_of_utc_are_kept() -> None:
    now_s = round(time.time(), 3)
    assert instants([now_s - 0.2, now_s - 0.1]) == pytest.approx([now_s - 0.2, now_s - 0.1])

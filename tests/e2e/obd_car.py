"""A car that answers OBD-II on a loopback bus, and notes each frame it hears with its stamp."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import can

from internetcar.loopback import LoopbackBus
from internetcar.socketcan import EXTENDED
from simulator.ecu import Ecu
from tests.unit.obd_car import PETROL

CHANNEL = "obd"
TURN_S = 0.005


class BusEcu:
    """One controller in a thread of its own."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, int, bytes]] = []
        self.ecu = Ecu(0, lambda: PETROL)
        self.is_talking = False
        """Sends a frame of the car's own, some a second."""
        self._bus = LoopbackBus(CHANNEL)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def questions(self) -> list[float]:
        """The stamps of the requests heard so far; flow controls are none."""
        return [at_s for at_s, _, payload in list(self.heard) if payload[0] >> 4 == 0]

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._bus.shutdown()

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._bus.recv(TURN_S)
            now_ns = time.monotonic_ns()
            if message is not None:
                can_id = message.arbitration_id | (EXTENDED if message.is_extended_id else 0)
                payload = bytes(message.data)
                self.heard.append((message.timestamp, can_id, payload))
                self.ecu.feed(can_id, payload, now_ns)
            for can_id, payload in self.ecu.take(now_ns):
                self._send(can_id, payload)
            if self.is_talking:
                self._send(0x100, b"\xe8\x03")

    def _send(self, can_id: int, payload: bytes) -> None:
        self._bus.send(can.Message(arbitration_id=can_id, data=payload, is_extended_id=False))


@contextmanager
def bus_ecu() -> Iterator[BusEcu]:
    """A car from here on."""
    started = BusEcu()
    try:
        yield started
    finally:
        started.close()

"""Frames on a loopback bus, and a gateway process that hears them."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import can

from internetcar.contract.broker_url import BrokerUrl
from internetcar.loopback import LoopbackBus
from tests.e2e.small_car import DBC, gnss_frame, mapping, speed_frame
from tests.e2e.stage import Actor, Stage
from tests.waiting import eventually

VEHICLE = "small"
QUICK = {"INTERNETCAR_GATEWAY_TELEMETRY__BATCH_MS": "200"}


class Traffic:
    """Sends two frames some fifty times a second: a speed that counts, and a place that moves."""

    def __init__(self) -> None:
        self.rounds = 0
        self._bus = LoopbackBus("small")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def send(self, can_id: int, payload: bytes, *, is_extended_id: bool = False) -> None:
        self._bus.send(
            can.Message(arbitration_id=can_id, data=payload, is_extended_id=is_extended_id)
        )

    def go_on(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def pause(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def until_more(self, rounds: int) -> None:
        """Wait until so many more rounds were sent."""
        wanted = self.rounds + rounds
        eventually(lambda: self.rounds >= wanted)

    def close(self) -> None:
        self.pause()
        self._bus.shutdown()

    def _run(self) -> None:
        for step in itertools.count():
            self.send(*speed_frame(step % 250, gear=3, count=step % 256))
            self.send(*gnss_frame(1.3 + step % 100 / 1000, 103.8 + step % 100 / 1000))
            self.rounds += 1
            if self._stop.wait(0.02):
                return


@contextmanager
def traffic() -> Iterator[Traffic]:
    """Traffic from here on."""
    started = Traffic()
    started.go_on()
    try:
        yield started
    finally:
        started.close()


def gateway(stage: Stage, url: BrokerUrl, *more: str, **environ: str) -> Actor:
    """A gateway with the small car's mapping; `mapping.json` of the stage is written once."""
    dbc, rules = stage.folder / "small.dbc", stage.folder / "mapping.json"
    dbc.write_text(DBC)
    if not rules.exists():
        rules.write_text(mapping())
    return stage.car(
        *("gateway", "--bus", "can0=loopback:small", "--dbc", f"can0={dbc}"),
        *("--mapping", str(rules), "--vehicle-id", VEHICLE, "--state", str(stage.state)),
        *("--broker", url.secret, *more),
        environ={**QUICK, **environ},
    )

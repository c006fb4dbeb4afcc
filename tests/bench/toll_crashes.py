"""Processes that die while tolls are paid: every true passage must cost its fee once.

The toll service and payments are processes of their own with stores on disk; they end at a named
I/O point (an exception, an exit, a real kill -9) or get a real kill -9 at any moment. The broker is
this process: it delivers again what was not acknowledged and now and then what was, and when it
restarts it loses part of what it had; telemetry is repaired from the gateway's history on request.
"""

import os
import random
import signal
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Literal

from internetcar.contract.telemetry import Telemetry, TelemetryRequest
from internetcar.contract.tolls import TollCharge
from services import points
from tests.bench.report import CannotMeasureError
from tests.bench.toll_services import SERVICES, serve
from tests.bench.toll_town import Driven, Town

Death = Literal["error", "exit", "kill at a point", "kill"]
DEATHS: tuple[Death, ...] = ("error", "exit", "kill at a point", "kill")
WEIGHTS = (4, 4, 1, 1)
ERROR, EXIT = 2, 3
"""How a process says which death it died; another end is none of ours."""
MOST_REACHED = 14
LONGEST_LIFE_S = 0.04
IN_FLIGHT = 10
AT_ONCE = 10
"""Vehicles on the road at the same time."""
AGAIN = 0.02
"""Share of the messages that are delivered again though they were acknowledged."""
LIVES_OF_BROKER = 100
LOST = 0.3
PATIENCE_S = 120.0
CALM_S = 2.0
"""After a restart of the broker: who lives for milliseconds never asks for what was missed."""
QUIET_S = 4.0
"""A hole in a log is asked for again within a minute of the services' hasty time."""


class EndError(Exception):
    """The process ends here."""


@dataclass
class Waiting:
    """A message that a service has not acknowledged."""

    number: int
    topic: str
    payload: bytes
    may_be_lost: bool = True


@dataclass
class Client:
    """A service as the broker knows it."""

    service: str
    pipe: Connection
    process: Process
    kill_at_s: float | None
    queue: deque[Waiting] = field(default_factory=deque)
    in_flight: dict[int, Waiting] = field(default_factory=dict)
    is_idle: bool = False


class Broker:
    """Starts the services again and again, and carries their messages.

    Args:
        town: What is driven.
        folder: Of the stores.
        crashes: How many deaths there shall be.
    """

    def __init__(self, town: Town, folder: Path, crashes: int) -> None:
        self._town, self._folder, self._wanted = town, folder, crashes
        self._random = random.Random(4)
        self._clients: dict[str, Client] = {}
        self._numbers = iter(range(1, 1 << 60))
        self._calm_until_s = 0.0
        self.deaths: Counter[str] = Counter()
        self.restarts = 0
        self.charges: dict[str, TollCharge] = {}
        self.history: dict[tuple[str, str, int], tuple[str, bytes]] = {}
        self.driven: list[Driven] = []

    @property
    def crashes(self) -> int:
        return sum(self.deaths.values())

    def run(self) -> None:
        """Until there were enough deaths and everything is paid."""
        try:
            self._run()
        finally:
            for client in self._clients.values():
                client.process.kill()
                client.process.join()

    def _run(self) -> None:
        for service in SERVICES:
            self._start(service, deque())
        drives = self._town.drives()
        moved_s = time.monotonic()
        is_last = False
        while not self._is_over() or time.monotonic() - moved_s < QUIET_S:
            if not self._clients["tolls"].queue and self.crashes < self._wanted:
                self._send_out(drives)
            if self.crashes >= self._wanted and not is_last:
                is_last = True
                self._send_signs_of_life()
            if self._turn():
                moved_s = time.monotonic()
            assert time.monotonic() - moved_s < PATIENCE_S, "the services no longer get on"

    def _is_over(self) -> bool:
        return self.crashes >= self._wanted and all(
            client.is_idle and not client.queue and not client.in_flight
            for client in self._clients.values()
        )

    def _send_out(self, drives: Iterator[Driven]) -> None:
        """Put the next drives on the road, their batches dealt among each other."""
        some = [next(drives) for _ in range(AT_ONCE)]
        self.driven += some
        for index in range(max(len(one.batches) for one in some)):
            for one in some:
                if index < len(one.batches):
                    is_last = index == len(one.batches) - 1
                    self._log(one.batches[index], is_last=is_last)

    def _log(self, batch: Telemetry, *, is_last: bool) -> None:
        """The gateway says a batch and keeps it; the ends of a log always get through."""
        said = batch.topic, batch.encode()
        self.history[batch.vehicle_id, batch.journal, batch.sequence] = said
        is_first = batch.sequence == 1 and batch.previous is None
        self._to("tolls", *said, may_be_lost=not (is_first or is_last))

    def _send_signs_of_life(self) -> None:
        """As a gateway does for ever: by the next batch a reader learns what it has missed."""
        newest = {one.vehicle_id: one.batches[-1] for one in self.driven}
        for last in newest.values():
            self._log(
                last.model_copy(
                    update={
                        "sequence": last.sequence + 1, "kind": "changes", "samples": {},
                        "previous": None, "previous_last": None, "start_at": last.end_at,
                    }
                ),
                is_last=True,
            )  # fmt: skip

    def _start(self, service: str, queue: deque[Waiting]) -> None:
        ours, theirs = Pipe()
        is_calm = time.monotonic() < self._calm_until_s
        armed = self.crashes < self._wanted and not is_calm
        death = self._random.choices(DEATHS, WEIGHTS)[0] if armed else None
        reached = self._random.randint(1, MOST_REACHED)
        process = Process(
            target=_live,
            args=(service, self._town, self._folder, theirs, ours, death, reached),
            daemon=True,
        )
        process.start()
        theirs.close()
        kill_at_s = None
        if is_calm and self.crashes < self._wanted:
            kill_at_s = self._calm_until_s + self._random.uniform(0.0, LONGEST_LIFE_S)
        elif death == "kill":
            kill_at_s = time.monotonic() + self._random.uniform(0.0, LONGEST_LIFE_S)
        self._clients[service] = Client(service, ours, process, kill_at_s, queue)

    def _turn(self) -> bool:
        """Carry what there is to carry; whether there was anything."""
        for client in self._clients.values():
            while client.queue and len(client.in_flight) < IN_FLIGHT:
                one = client.queue.popleft()
                client.in_flight[one.number] = one
                client.is_idle = False
                self._say(client, "message", one.number, one.topic, one.payload)
        ready = wait([client.pipe for client in self._clients.values()], 0.005)
        for client in list(self._clients.values()):
            if client.kill_at_s is not None and time.monotonic() >= client.kill_at_s:
                client.process.kill()
                client.kill_at_s = None
            if client.pipe in ready:
                self._hear(client)
        return bool(ready)

    @staticmethod
    def _say(client: Client, kind: str, number: int, topic: str = "", payload: bytes = b"") -> None:
        with suppress(OSError):  # it is dead; `_hear` finds out
            client.pipe.send((kind, number, topic, payload))

    def _hear(self, client: Client) -> None:
        try:
            while client.pipe.poll():
                kind, number, topic, payload = client.pipe.recv()
                if kind == "publish":
                    self._route(topic, payload)
                    self._say(client, "answer", number)
                    client.is_idle = False
                elif kind == "acknowledge":
                    one = client.in_flight.pop(number, None)  # none: a broker ago
                    if one is not None and self._random.random() < AGAIN:
                        client.queue.append(Waiting(next(self._numbers), one.topic, one.payload))
                else:
                    client.is_idle = bool(number)
        except (EOFError, OSError):
            self._bury(client)

    def _bury(self, client: Client) -> None:
        """A service died: what it had in hand comes again, in order, to the next one."""
        client.process.join()
        client.pipe.close()
        code = client.process.exitcode
        if code not in (ERROR, EXIT, -signal.SIGKILL):
            raise CannotMeasureError(f"{client.service} died of itself, see above")
        self.deaths["kill -9" if code == -signal.SIGKILL else f"exit {code}"] += 1
        queue = deque([*client.in_flight.values(), *client.queue])
        self._start(client.service, queue)
        if self.crashes % LIVES_OF_BROKER == 0:
            self._restart_broker()

    def _restart_broker(self) -> None:
        self.restarts += 1
        self._calm_until_s = time.monotonic() + CALM_S
        for client in self._clients.values():
            kept = [*client.in_flight.values(), *client.queue]
            client.in_flight.clear()
            client.queue = deque(
                one for one in kept if not one.may_be_lost or self._random.random() > LOST
            )
            self._say(client, "reconnect", 0)

    def _route(self, topic: str, payload: bytes) -> None:
        if topic.endswith("/toll/charge"):
            charge = TollCharge.decode(topic, payload)
            known = self.charges.setdefault(charge.charge_id, charge)
            assert known == charge, f"charge {charge.charge_id} has two bodies"
            self._to("payments", topic, payload)
        elif topic.endswith("/payment/result"):
            self._to("tolls", topic, payload)
        elif topic.endswith("/telemetry-request"):
            asked = TelemetryRequest.decode(topic, payload)
            for sequence in range(asked.first, asked.last + 1):
                said = self.history.get((asked.vehicle_id, asked.journal, sequence))
                if said is not None:
                    self._to("tolls", *said)

    def _to(self, service: str, topic: str, payload: bytes, *, may_be_lost: bool = True) -> None:
        one = Waiting(next(self._numbers), topic, payload, may_be_lost)
        self._clients[service].queue.append(one)


def _live(
    service: str,
    town: Town,
    folder: Path,
    pipe: Connection,
    others: Connection,
    death: Death | None,
    reached: int,
) -> None:
    """One life of a service, in its own process."""
    others.close()
    left = reached

    def hook(point: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            if death == "error":
                raise EndError(point)
            if death == "kill at a point":
                os.kill(os.getpid(), signal.SIGKILL)
            os._exit(EXIT)

    points.install(None if death in (None, "kill") else hook)
    try:
        serve(service, town, folder, pipe)
    except EndError:
        os._exit(ERROR)

"""Processes that die while tolls are paid: every true passage must cost its fee once.

The toll service and payments are processes of their own with stores on disk; they end at a named
I/O point (an exception, an exit, a real kill -9) or get a real kill -9 at any moment. The broker is
this process, and a bad one: it loses some of what it has acknowledged, more when it restarts,
delivers again what was acknowledged, and not in order. Telemetry is repaired from the gateway's
history on request.
"""

import random
import signal
import time
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection, wait
from pathlib import Path

from internetcar.contract.telemetry import TelemetryRequest
from internetcar.contract.tolls import TollCharge
from tests.bench.report import CannotMeasureError
from tests.bench.toll_deaths import EXIT, LONGEST_LIFE_S, Life, live
from tests.bench.toll_road import Road
from tests.bench.toll_services import Replica, open_tolls
from tests.bench.toll_town import Driven, Town
from tests.services import unsettled

IN_FLIGHT = 10
AGAIN = 0.03
"""Share of the messages that are delivered again though they were acknowledged."""
DROPPED = 0.03
"""Share of the messages that the broker acknowledges and forgets."""
SHUFFLED = 0.3
"""How often what a dead process had in hand comes again in another order."""
LIVES_OF_BROKER = 100
LOST = 0.3
"""Share of what a broker holds that its restart loses."""
PATIENCE_S = 120.0
"""How long the services may need from one death to the next, and from the last to the end."""


@dataclass
class Waiting:
    """A message that a service has not acknowledged."""

    number: int
    topic: str
    payload: bytes
    may_be_lost: bool = True


@dataclass
class Client:
    """A replica as the broker knows it."""

    replica: Replica
    pipe: Connection
    process: Process
    kill_at_s: float | None = None
    queue: deque[Waiting] = field(default_factory=deque)
    in_flight: dict[int, Waiting] = field(default_factory=dict)
    is_idle: bool = False

    def say(self, kind: str, number: int = 0, topic: str = "", word: bytes | Life = b"") -> None:
        with suppress(OSError):  # it is dead; who listens finds out
            self.pipe.send((kind, number, topic, word))


class Broker:
    """Starts the services again and again, and carries their messages.

    Args:
        town: What is driven.
        stores: The URL of each service's store.
        folder: Of the replicas' own files.
        crashes: How many deaths there shall be.
        replicas: How many processes of each service share its messages.
    """

    def __init__(
        self, town: Town, stores: Mapping[str, str], folder: Path, crashes: int, replicas: int = 1
    ) -> None:
        self._town, self._wanted = town, crashes
        self._replicas = [
            Replica(f"{service}.{number}", service, url, folder / f"{service}.{number}")
            for service, url in stores.items()
            for number in range(replicas)
        ]
        self._random = random.Random(4)
        self._clients: dict[str, Client] = {}
        self._numbers = iter(range(1, 1 << 60))
        self.deaths: Counter[str] = Counter()
        self.restarts = 0
        self.charges: dict[str, TollCharge] = {}
        self._road = Road(town, partial(self._to, "tolls"), stores["tolls"])
        self._tolls_url = stores["tolls"]

    @property
    def driven(self) -> list[Driven]:
        return self._road.driven

    @property
    def crashes(self) -> int:
        return sum(self.deaths.values())

    def run(self) -> None:
        """Until there were enough deaths and everything is paid."""
        try:
            for replica in self._replicas:
                self._start(replica)
            self._run()
        finally:
            for client in self._clients.values():
                client.process.kill()
                client.process.join()

    def _run(self) -> None:
        known, until_s = 0, time.monotonic() + PATIENCE_S
        while known < self._wanted:
            if known != self.crashes:
                known, until_s = self.crashes, time.monotonic() + PATIENCE_S
            if not any(client.queue for client in self._of("tolls")):
                self._road.go_on(time.monotonic(), is_over=False)
            self._turn_until(until_s)
        while not self._is_over():
            self._turn_until(until_s)

    def _is_over(self) -> bool:
        """Whether every log is read to its end, and every charge is answered.

        The store is asked too: a service that has just read a charge's telemetry may have said
        before that nothing is left to do.
        """
        if not (self._is_calm() and self._road.go_on(time.monotonic(), is_over=True)):
            return False
        with closing(open_tolls(self._tolls_url)) as database, database.read() as connection:
            return not unsettled(connection)

    def _turn_until(self, until_s: float) -> None:
        self._turn()
        if time.monotonic() > until_s:
            raise CannotMeasureError("the services do not get on")

    def _of(self, service: str) -> list[Client]:
        return [each for each in self._clients.values() if each.replica.service == service]

    def _is_calm(self) -> bool:
        return all(
            client.is_idle and not client.queue and not client.in_flight
            for client in self._clients.values()
        )

    def _start(self, replica: Replica) -> Client:
        """Begin a process."""
        life, kill_at_s = self._next_life()
        ours, theirs = Pipe()
        process = Process(target=live, args=(replica, self._town, theirs, ours, life), daemon=True)
        process.start()
        theirs.close()
        client = self._clients[replica.name] = Client(replica, ours, process, kill_at_s)
        return client

    def _next_life(self) -> tuple[Life, float | None]:
        """How a service lives now, and when it gets a kill -9, if it does."""
        if self.crashes >= self._wanted:
            return Life(), None
        at_s = time.monotonic() + self._random.uniform(0.0, LONGEST_LIFE_S)
        life = Life.drawn(self._random)
        return life, at_s if life.death == "kill" else None

    def _turn(self) -> None:
        """Carry what there is to carry."""
        for client in self._clients.values():
            while client.queue and len(client.in_flight) < IN_FLIGHT:
                one = client.queue.popleft()
                client.in_flight[one.number] = one
                client.is_idle = False
                client.say("message", one.number, one.topic, one.payload)
        ready = wait([client.pipe for client in self._clients.values()], 0.005)
        for client in list(self._clients.values()):
            if client.kill_at_s is not None and time.monotonic() >= client.kill_at_s:
                client.process.kill()
                client.kill_at_s = None
            if client.pipe in ready:
                self._hear(client)

    def _hear(self, client: Client) -> None:
        try:
            while client.pipe.poll():
                kind, number, topic, payload = client.pipe.recv()
                if kind == "publish":
                    self._route(topic, payload)
                    client.say("answer", number)
                elif kind == "acknowledge":
                    one = client.in_flight.pop(number, None)  # none: a broker ago
                    if one is not None and self._random.random() < AGAIN:
                        self._to(client.replica.service, one.topic, one.payload, is_late=True)
                elif kind == "died":
                    self._begin_again(client)
                else:
                    client.is_idle = bool(number)
        except (EOFError, OSError):
            self._bury(client)

    def _begin_again(self, client: Client) -> None:
        """A service died of an error; its process lives on."""
        self.deaths["error"] += 1
        self._deal_again(client, client)
        life, client.kill_at_s = self._next_life()
        client.is_idle = False
        client.say("begin", word=life)

    def _bury(self, client: Client) -> None:
        """A service died with its process."""
        client.process.join()
        client.pipe.close()
        code = client.process.exitcode
        if code not in (EXIT, -signal.SIGKILL):
            raise CannotMeasureError(f"{client.replica.name} died of itself, see above")
        self.deaths["kill -9" if code == -signal.SIGKILL else "exit"] += 1
        self._deal_again(client, self._start(client.replica))

    def _deal_again(self, dead: Client, heir: Client) -> None:
        """What it had in hand comes again, to it or another replica, not always in order."""
        in_hand = list(dead.in_flight.values())
        dead.in_flight.clear()
        if self._random.random() < SHUFFLED:
            self._random.shuffle(in_hand)
        heir.queue = dead.queue
        takes = self._random.choice(self._of(dead.replica.service))
        takes.queue.extendleft(reversed(in_hand))
        if self.crashes % min(LIVES_OF_BROKER, self._wanted // 3 + 1) == 0:
            self._restart()

    def _restart(self) -> None:
        """The broker itself dies, and has lost a part of what it held."""
        self.restarts += 1
        for client in self._clients.values():
            held = [*client.in_flight.values(), *client.queue]
            client.in_flight.clear()
            client.queue = deque(
                one for one in held if not one.may_be_lost or self._random.random() > LOST
            )
            client.say("reconnect")

    def _route(self, topic: str, payload: bytes) -> None:
        if topic.endswith("/toll/charge"):
            charge = TollCharge.decode(topic, payload)
            known = self.charges.setdefault(charge.charge_id, charge)
            if known != charge:
                raise CannotMeasureError(f"charge {charge.charge_id} has two bodies")
            self._to("payments", topic, payload)
        elif topic.endswith("/payment/result"):
            self._to("tolls", topic, payload)
        elif topic.endswith("/telemetry-request"):
            self._road.send_again(TelemetryRequest.decode(topic, payload))

    def _to(
        self, service: str, topic: str, payload: bytes, *,
        may_be_lost: bool = True, is_late: bool = False,
    ) -> None:  # fmt: skip
        """Queue a message for one of the replicas, where it is late at any place of the queue."""
        if may_be_lost and self._random.random() < DROPPED:
            return
        queue = self._random.choice(self._of(service)).queue
        place = self._random.randint(0, len(queue)) if is_late else len(queue)
        queue.insert(place, Waiting(next(self._numbers), topic, payload, may_be_lost))

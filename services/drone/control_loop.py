"""The control loop between the autopilot's transport and the broker."""

import logging
import select
import socket
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

from internetcar.contract.drone import DronePresence, DroneRequest, DroneWeather
from internetcar.contract.link import Link
from internetcar.contract.message import ContractError, Message
from internetcar.contract.presence import Presence
from internetcar.contract.signals import Position, Signal
from internetcar.contract.subscriptions import Complaints, Received, filter_pattern
from services.alive import Heartbeat
from services.drone.broker import telling
from services.drone.broker.health import HealthKeeper, Tally
from services.drone.broker.inbox import Inbox
from services.drone.broker.leaves import ALWAYS
from services.drone.broker.twins import Twins, ours
from services.drone.broker.unsaid import Unsaid
from services.drone.conductor import Conductor
from services.drone.connection import Clock
from services.drone.mavlink.transports import Transport
from services.drone.moment import Moment
from services.drone.record.recording import Recording

log = logging.getLogger(__name__)

TURN_S = 0.05
"""Between two turns at most, by the machine's clock and by the drone's: that one may run faster."""
EARLY_S = 1e-6
_OTHERS = 10
REQUESTS_A_TURN = 10
STATES_A_TURN = 500
FLUSH_S = 1.0


class ControlLoop:
    """The control loop of one drone; the link turns in a thread of its own.

    Args:
        link: Not started yet, with a clean session: what is asked while we are away is gone.
        transport: To the autopilot.
        conductor: Decides all.
        clock: Both clocks of all decisions.
        heartbeat: For `services.alive`.
        recording: Is flushed once a second.
        leaves: Of the car, which are listened to; the broker keeps all others from us.
    """

    def __init__(
        self,
        link: Link,
        transport: Transport,
        conductor: Conductor,
        clock: Clock,
        heartbeat: Heartbeat,
        recording: Recording | None = None,
        leaves: Iterable[str] = ALWAYS,
    ) -> None:
        self._link = link
        self._transport = transport
        self._conductor = conductor
        self._clock = clock
        self._heartbeat = heartbeat
        self._recording = recording
        self._unsaid = Unsaid(link)
        self._complaints = Complaints()
        self._ends = socket.socketpair()
        for end in self._ends:
            end.setblocking(False)
        self._inbox = Inbox(self._wake, conductor.requesters)
        self._is_stopping = False
        self._is_connected: bool | None = None
        self._is_greeting = False
        self._flush_s = 0.0
        self._turned_s = 0.0
        self._problem: str | None = None
        self._others: deque[DronePresence] = deque(maxlen=_OTHERS)
        self._twins = Twins(conductor.identity)
        self._has_twin = False
        self._unreadable = 0
        self._health = HealthKeeper(conductor.identity)
        self._listen(leaves)

    def run(self) -> None:
        """Fly until `stop`.

        What is in the air stays there: the autopilot's own failsafe and the next start take over.
        """
        self._link.start()
        next_s = time.monotonic()
        is_flooded = False
        try:
            while not self._is_stopping:
                is_woken = self._wait(next_s - time.monotonic(), hears_broker=not is_flooded)
                self._receive()
                is_due = not is_flooded or time.monotonic() >= next_s
                requests = self._inbox.take_requests(REQUESTS_A_TURN if is_due else 0)
                if is_due:
                    # Then only in regular turns: else the link's thread does not get to read.
                    is_flooded = len(requests) == REQUESTS_A_TURN
                if requests or is_woken or time.monotonic() >= next_s or self._is_time_up():
                    next_s = max(next_s + TURN_S, time.monotonic())
                    self._turn(requests)
        finally:
            self._link.publish(self._offline())
            self._link.stop()

    def _is_time_up(self) -> bool:
        """Whether a simulation that runs faster has come to its next turn before the machine."""
        return self._clock.now().s - self._turned_s >= TURN_S - EARLY_S

    def stop(self) -> None:
        """Make this turn the last; from any thread or signal handler."""
        self._is_stopping = True
        self._wake()

    def close(self) -> None:
        """Let go of what the loop itself holds."""
        for end in self._ends:
            end.close()

    def _listen(self, leaves: Iterable[str]) -> None:
        link, here = self._link, self._conductor.identity
        levels = {"vehicle_id": here.vehicle_id, "drone_id": here.drone_id}
        car = {"vehicle_id": here.vehicle_id}
        inbox = self._inbox
        link.on_received(Position.filter(**car), inbox.put_position, qos=Position.QOS)
        for path in sorted(leaves):
            link.on_received(Signal.filter(**car, path=path), inbox.put_newest, qos=Signal.QOS)
        link.on_received(Presence.filter(**car), inbox.put_newest, qos=Presence.QOS)
        link.on_received(DroneWeather.filter(**levels), inbox.put_newest, qos=DroneWeather.QOS)
        link.on_received(DronePresence.filter(**levels), self._on_own, qos=DronePresence.QOS)
        link.on_received(
            DroneRequest.filter(**levels), inbox.put_request, qos=DroneRequest.QOS,
            tells_retain=True,
        )  # fmt: skip
        link.on_connected(self._greet)
        link.will = self._offline()

    def _offline(self) -> DronePresence:
        return telling.presence(self._conductor.identity, "", online=False)

    def _wake(self) -> None:
        with suppress(OSError):  # full: it is awake; closed: it is over
            self._ends[0].send(b"\0")

    def _wait(self, timeout_s: float, *, hears_broker: bool) -> bool:
        """Wait for the autopilot or the broker; whether the broker woke us."""
        waits = [self._ends[1].fileno()] if hears_broker else []
        if (readable := self._transport.fileno()) is not None:
            waits.append(readable)
        found, _, _ = select.select(waits, [], [], max(0.0, timeout_s))
        if self._ends[1].fileno() not in found:
            return False
        with suppress(BlockingIOError):
            self._ends[1].recv(4096)
        return True

    def _receive(self) -> None:
        for data in self._transport.read():
            self._clock.hear(data)
            self._conductor.receive(data, self._clock.now())
        self._say_problem(self._transport.problem)

    def _say_problem(self, problem: str | None) -> None:
        """Say once that the way to the autopilot is lost, and once that it is back."""
        if problem is not None and self._problem is None:
            log.info("autopilot: %s", problem)
        elif problem is None and self._problem is not None:
            log.info("autopilot: connected")
        self._problem = problem

    def _turn(self, requests: list[Received]) -> None:
        now = self._clock.now()
        self._turned_s = now.s
        self._tell_connection(now)
        self._meet(now)
        for received in self._inbox.take_states(STATES_A_TURN):
            self._hear(received, now)
        for received in requests:
            self._conductor.ask(received.topic, received.payload, now, retained=received.retained)
        said = self._conductor.turn(now)
        self._transport.write(self._conductor.outgoing())
        if self._is_greeting:
            self._is_greeting = False
            self._health.greet()
            said = [*self._conductor.greeting(), *said]
        self._unsaid.say(ours(said, self._conductor.state) if self._has_twin else said)
        self._unsaid.say(self._health.look(self._tally(), now, twin=self._has_twin))
        self._clear_retained()
        self._keep_house()

    def _tally(self) -> Tally:
        counts = self._conductor.counts
        return Tally(
            requests_dropped=self._inbox.requests_dropped,
            states_dropped=self._inbox.states_dropped,
            unreadable=self._link.unreadable + self._unreadable,
            strangers=self._transport.strangers,
            foreign=counts.foreign,
            unsigned=counts.unsigned,
            junk_bytes=counts.junk_bytes,
        )

    def _tell_connection(self, now: Moment) -> None:
        is_connected = self._link.is_connected
        if is_connected != self._is_connected:
            self._is_connected = is_connected
            self._conductor.broker(now, is_connected=is_connected)

    def _hear(self, received: Received, now: Moment) -> None:
        try:
            self._conductor.hear(_decode(received), now)
        except ContractError as error:
            self._unreadable += 1
            if self._complaints.is_due(received.topic):
                log.warning("dropped: %s", error)

    def _clear_retained(self) -> None:
        while self._link.is_connected and (topic := self._inbox.take_retained()) is not None:
            self._link.publish_bytes(topic, b"", retain=True)

    def _keep_house(self) -> None:
        now_s = time.monotonic()
        if self._is_connected:
            with suppress(OSError):  # a full disk ends no flight; the health check says it
                self._heartbeat.beat(now_s)
        if self._recording is not None and now_s >= self._flush_s:
            self._flush_s = now_s + FLUSH_S
            self._recording.flush()

    def _greet(self) -> None:
        self._is_greeting = True
        self._wake()

    def _on_own(self, received: Received) -> None:
        """Note what somebody says in our place: an old will, or another service.

        What the broker remembers of another is no news: who lives hears us and says it again.
        """
        heard = DronePresence.decode(received.topic, received.payload)
        if not (heard.online and received.retained):
            self._others.append(heard)
            self._wake()

    def _meet(self, now: Moment) -> None:
        """Say again that we are here to who speaks in our place, and tell the pilot of it."""
        now_s = time.monotonic()
        while self._others:
            self._twins.hear(self._others.popleft(), now_s)
        self._is_greeting |= self._twins.is_answer_due(now_s)
        has_twin = self._twins.are_heard(now_s)
        if has_twin != self._has_twin:
            self._has_twin = has_twin
            self._conductor.twin(now, is_heard=has_twin)
            here = self._conductor.identity
            whose = f"{here.drone_id} of {here.vehicle_id}"
            if has_twin:
                log.warning("another service speaks for %s too: end one of them", whose)
            else:
                log.info("no other service speaks for %s any more", whose)


_STATES = tuple(
    (filter_pattern(cls.filter()).fullmatch, cls)
    for cls in (Signal, Position, Presence, DroneWeather)
)


def _decode(received: Received) -> Message:
    for matches, cls in _STATES:
        if matches(received.topic):
            return cls.decode(received.topic, received.payload)
    raise ContractError(f"{received.topic[:200]!r} is not what was asked for")

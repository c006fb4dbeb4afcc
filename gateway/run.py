"""One run of the gateway: from paced samples to topics and the log, live or replayed."""

import logging
import time
from collections import deque
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from gateway.announcer import Announcer
from gateway.assembly import Assembly
from gateway.outbox_writer import Outbox
from gateway.pacing import Sample
from gateway.position import Place, PositionWatch
from gateway.repair_requests import RepairRequests
from gateway.sender import Sender
from gateway.settings import HomeAssistantSettings
from gateway.speaker import Speaker
from gateway.telemetry import Batch, Batcher
from gateway.withdrawal import Withdrawal
from internetcar.contract.link import Link
from internetcar.contract.presence import Clock, Presence
from internetcar.contract.presence_keeper import PresenceKeeper
from internetcar.contract.signals import Catalog
from internetcar.contract.telemetry import TelemetryRequest

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Signals in one go when all are said again: a small broker's buffers take so many."""
_PUMP_S = 0.02
_REPEAT_NS = 1_000_000_000
_MOST_REQUESTS = 64


class Run:
    """What the live loop and the replay share.

    Whoever runs it feeds frames to `assembly.pipeline`, then calls `step`.

    Args:
        assembly: The pipeline and its leaves.
        link: Not started yet.
        outbox: Not started yet.
        batcher: Of the journal that `presence` names.
        presence: To say on every connection.
        in_flight: Telemetry batches sent and not yet acknowledged, at most.
        home_assistant: Announce the vehicle so; `None`: a recording is no device.
        wait_for_room: Called when the link takes no more signals: true to try again. Live samples
            are not worth waiting for, since the next ones are newer.
    """

    def __init__(
        self,
        assembly: Assembly,
        *,
        link: Link,
        outbox: Outbox,
        batcher: Batcher,
        presence: Presence,
        in_flight: int,
        home_assistant: HomeAssistantSettings | None = None,
        wait_for_room: Callable[[], bool] = lambda: False,
    ) -> None:
        self.link = link
        self.outbox = outbox
        self.batcher = batcher
        self.journal = presence.journal
        self.speaker = Speaker(link, presence.vehicle_id)
        self.keeper = PresenceKeeper(link, presence, self._on_taken_over)
        self.sender = Sender(
            outbox,
            lambda payload: link.publish_bytes(outbox.topic, payload),
            most_in_flight=in_flight,
        )
        self._repairs = RepairRequests(outbox, link.publish_bytes)
        self._requests: deque[TelemetryRequest] = deque(maxlen=_MOST_REQUESTS)
        self._wait_for_room = wait_for_room
        self._must_repeat = False
        self._repeat_ns = 0
        self._wall_ms = 0
        self._position: Place | None = None
        self._next_pump_ns = 0
        link.on_connected(self._on_connected)
        link.on_received(
            Catalog.filter(vehicle_id=presence.vehicle_id), self.speaker.hear_catalog, qos=1
        )
        link.on(TelemetryRequest, self._requests.append, vehicle_id=presence.vehicle_id)
        self._ha_requester = home_assistant.requester if home_assistant else ""
        self._announcer: Announcer | None = None
        self._withdrawal: Withdrawal | None = None
        if home_assistant is not None and home_assistant.enabled:
            self._announcer = Announcer(
                link, presence.vehicle_id, home_assistant, presence.software
            )
        elif home_assistant is not None:
            self._withdrawal = Withdrawal(link, presence.vehicle_id, home_assistant)
        self._use(assembly)

    def start(self, wait_s: float | None = None) -> None:
        """Begin the journal and connect; `wait_s` as in `Link.start`."""
        self.outbox.start(self.journal)
        self.link.start(wait_s)

    def adopt(self, assembly: Assembly) -> None:
        """Use other leaves from here on; those that are gone are cleared from the broker."""
        self._flush(self._wall_ms)
        self._use(assembly)
        self.batcher.retain(assembly.paths)
        self._must_repeat = not self.say_all()
        self._keep(assembly.pipeline.state(), self._wall_ms, None)

    def step(self, wall_ms: int, clock: Clock | None = None) -> None:
        """Say what is due at the pipeline's `now_ns`.

        Args:
            wall_ms: UTC milliseconds since 1970, read together with `now_ns`.
            clock: How far instants can be trusted from here on; `None`: as before.
        """
        self._wall_ms = wall_ms
        pipeline = self.assembly.pipeline
        if pipeline.newly_told:
            self.describe()
        if self._must_repeat and self.link.is_connected and pipeline.now_ns >= self._repeat_ns:
            self._repeat_ns = pipeline.now_ns + _REPEAT_NS
            self._must_repeat = False
            if not self.say_all():
                self._must_repeat = True
        samples = pipeline.take()
        if samples and not self._say(samples):
            self._must_repeat = True
        self._say_position(self.positions.take())
        self._keep(samples, wall_ms, clock)
        self.pump()

    def pump(self) -> None:
        """Send what is committed and asked for again, some fifty times a second."""
        now_ns = time.monotonic_ns()
        if now_ns >= self._next_pump_ns:
            self._next_pump_ns = now_ns + int(_PUMP_S * 1e9)
            self.sender.pump(now_ns // 1_000_000)
            self.speaker.pump()
            if self._announcer is not None:
                self._announcer.pump()
            if self._withdrawal is not None:
                self._withdrawal.pump()
            while self._requests:
                self._repairs.on_request(self._requests.popleft())
            self._repairs.pump()

    def describe(self) -> None:
        """Say the catalog as it is now; leaves that were told for the first time enter it."""
        assembly = self.assembly
        assembly.introduce(assembly.pipeline.newly_told)
        assembly.pipeline.newly_told.clear()
        catalog = assembly.messages(self.speaker.vehicle_id)
        self.speaker.describe(assembly.paths, catalog)
        if self._announcer is not None:
            self._announcer.describe(catalog, assembly.allowed.get(self._ha_requester, frozenset()))

    def say_all(self) -> bool:
        """Say every leaf as it is now: the broker may have forgotten, or we were away."""
        state = self.assembly.pipeline.state()
        parts = [state[start : start + AT_ONCE] for start in range(0, len(state), AT_ONCE)]
        self._say_position(self._position)
        return all(self._say(part) for part in parts)

    def finish(self, wall_ms: int) -> None:
        """Say what pacing still holds and end the journal."""
        self._flush(wall_ms)
        now_ms = self.assembly.pipeline.now_ns // 1_000_000
        self._append(self.batcher.finish(now_ms=now_ms, wall_ms=wall_ms))

    def deliver(self, timeout_s: float) -> bool:
        """Wait until the broker has every batch; false if it has not in time."""
        deadline_s = time.monotonic() + timeout_s
        while self.outbox.unsent_batches:
            if time.monotonic() > deadline_s:
                return False
            self.sender.pump(time.monotonic_ns() // 1_000_000)
            time.sleep(_PUMP_S / 4)
        return True

    def leave(self) -> int:
        """Say goodbye and close; how many batches stay on disk for the next run."""
        if self.link.is_connected:
            self.keeper.leave()
        left = self.outbox.unsent_batches
        self.link.stop()
        self.outbox.close()
        if left:
            log.warning("%d batches stay on disk; the next run sends them first", left)
        return left

    def outbox_problem(self) -> str | None:
        """What a person should know of the outbox; `None` while all is well."""
        return "telemetry cannot be written to disk" if self.outbox.is_failing else None

    def _say(self, samples: list[Sample]) -> bool:
        while not self.speaker.samples(samples):
            if not self._wait_for_room():
                return False
        return True

    def _flush(self, wall_ms: int) -> None:
        pipeline = self.assembly.pipeline
        samples = pipeline.pacer.flush(pipeline.now_ns)
        if samples and not self._say(samples):
            self._must_repeat = True
        self._say_position(self.positions.flush())
        self._keep(samples, wall_ms, None)

    def _say_position(self, position: Place | None) -> None:
        if position is not None:
            self._position = position
            self.speaker.position(*position)

    def _use(self, assembly: Assembly) -> None:
        self.assembly = assembly
        self._position = None
        self.positions = PositionWatch(assembly.pipeline)
        self.describe()

    def _keep(self, samples: list[Sample], wall_ms: int, clock: Clock | None) -> None:
        paths = self.assembly.paths
        self._append(
            self.batcher.take(
                [
                    (paths[leaf], at_ns // 1_000_000, value, quality)
                    for leaf, value, quality, at_ns in samples
                ],
                now_ms=self.assembly.pipeline.now_ns // 1_000_000,
                wall_ms=wall_ms,
                clock=clock,
            )
        )

    def _append(self, batches: list[Batch]) -> None:
        for batch in batches:
            self.outbox.append(batch)

    def _on_connected(self) -> None:
        self.speaker.introduce()
        self.sender.on_connected()
        self._repeat_ns = 0
        self._must_repeat = True

    def _on_taken_over(self, other: Presence) -> None:
        log.error(
            "another gateway (journal %s) speaks for %s: give one of them another vehicle_id",
            other.journal, other.vehicle_id,
        )  # fmt: skip


@cache
def software_version() -> str:
    """The version of this software, as presence says it."""
    try:
        return f"internetcar {version('internetcar')}"
    except PackageNotFoundError:
        return "internetcar"

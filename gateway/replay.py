"""A recording of a real car through the gateway, at its own pace or as fast as it goes."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from gateway.clock import wall_ms
from gateway.listeners import Listeners
from gateway.outbox import Limits
from gateway.outbox_writer import Outbox
from gateway.recordings import Player, Recording
from gateway.run import Run, software_version
from gateway.settings import GatewaySettings
from gateway.setup import Setup
from gateway.telemetry import Batcher
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.presence import BusState, Presence
from internetcar.contract.settings import SettingsError

log = logging.getLogger(__name__)

STEP_NS = 1_000_000
"""With pacing, samples that fall due within this much of the recording's time leave together."""
FRAMES_AT_ONCE = 1000
ROOM_BATCHES = 32
"""Batches in memory before the replay waits for the disk."""
STALLED_S = 30.0
"""Without an acknowledgement for so long the broker is taken to be gone."""
GOODBYE_S = 2.0
"""The same once somebody wants us to stop."""
DELIVER_S = 0.2


@dataclass(frozen=True)
class Played:
    """What became of a replay."""

    frames: int
    unknown_channels: set[str]
    batches_left: int
    """Telemetry the broker has not acknowledged; it stays on disk for the next run."""
    batches_given_up: int
    """Telemetry left out for want of room on disk, and stated as lost."""
    is_said: bool
    """Whether the broker was handed the last value of every signal."""
    broken_stamps: int
    """Frames left out because their instant was nowhere near the others'."""
    first_broken_ns: int
    """The first such instant, as recorded."""
    steps_back: int
    """How often the recording's clock stepped back; what followed was played as going on."""


class Replay:
    """Plays one recording; `stop` may come from a signal handler.

    Args:
        settings: As of a gateway; its buses are channels of the recording.
        recording: What is played.
        broker: Where to.
        state: Folder of the outbox.
        speed: Times real time; `None` as fast as it goes.
        is_looped: Begin again at the end, the recording's time going on.
        journal: A fixed id for a run that can be repeated; a fresh one if `None`.

    Raises:
        InputError: Settings, recording or outbox cannot be used.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        recording: Recording,
        broker: BrokerUrl,
        state: Path,
        *,
        speed: float | None = None,
        is_looped: bool = False,
        journal: str | None = None,
    ) -> None:
        self._settings = settings
        self._setup = Setup(settings)
        self._bus_of = {name: index for index, name in enumerate(self._setup.bus_names)}
        self._frames = [0] * len(self._bus_of)
        self._unknown: set[str] = set()
        self._is_stopping = False
        self._next_step_ns = 0
        self._recording = recording
        assembly = self._setup.assemble()
        outbox = Outbox(
            state / settings.vehicle_id / "telemetry.db",
            settings.vehicle_id,
            Limits(unsent_bytes=settings.telemetry.unsent_mib << 20),
        )
        presence = self._presence(journal or uuid4().hex)
        self._run = Run(
            assembly,
            link=Link(broker, f"replay-{settings.vehicle_id}"),
            outbox=outbox,
            batcher=Batcher(
                presence.journal,
                previous=outbox.previous,
                clock="recorded",
                origin="recording",
                batch_ms=settings.telemetry.batch_ms,
                snapshot_ms=settings.telemetry.snapshot_s * 1000,
            ),
            presence=presence,
            in_flight=settings.telemetry.in_flight,
            wait_for_room=self._wait_for_room,
        )
        self._player = Player(recording, speed, is_looped)
        listeners = Listeners(settings)
        listeners.use(assembly, assembly.pipeline.feed)
        feed = assembly.pipeline.feed
        self._sinks = [listeners.sinks.get(bus, feed) for bus in range(len(self._bus_of))]

    @property
    def warnings(self) -> list[str]:
        """Leaves that will not be said here, and why."""
        return self._run.assembly.errors + self._run.assembly.warnings

    def run(self, on_progress: Callable[[int, int], None]) -> Played:
        """Play to the end or until `stop`.

        Args:
            on_progress: Gets how many bytes of the recording are read and how many it has.

        Raises:
            LinkError: No connection to the broker at the start.
        """
        run = self._run
        run.start(wait_s=STALLED_S)
        began_s = time.monotonic()
        while not self._is_stopping:
            wait_s = self._player.take(time.monotonic() - began_s, self._feed, FRAMES_AT_ONCE)
            on_progress(self._recording.bytes_read, self._recording.size_bytes)
            if wait_s is None:
                break
            run.pump()
            time.sleep(min(wait_s, 0.05))
        return self._end()

    def stop(self) -> None:
        """End `run` soon."""
        self._is_stopping = True

    def _feed(self, channel: str, can_id: int, payload: bytes, at_ns: int) -> None:
        bus = self._bus_of.get(channel)
        if bus is None:
            self._unknown.add(channel)
            return
        self._frames[bus] += 1
        pipeline = self._run.assembly.pipeline
        while (due_ns := pipeline.pacer.next_due_ns) is not None and due_ns < at_ns:
            self._step(due_ns)  # a later value must not take the place of what was due before
        pipeline.now_ns = max(pipeline.now_ns, at_ns)
        self._sinks[bus](bus, can_id, payload, at_ns)
        if at_ns >= self._next_step_ns or not self._settings.pacing.enabled:
            self._next_step_ns = at_ns + STEP_NS
            self._step(at_ns)

    def _step(self, at_ns: int) -> None:
        pipeline = self._run.assembly.pipeline
        pipeline.now_ns = max(pipeline.now_ns, at_ns)
        self._wait_for_disk()
        self._run.step(pipeline.now_ns // 1_000_000)

    def _end(self) -> Played:
        run = self._run
        wall_ms = run.assembly.pipeline.now_ns // 1_000_000
        run.finish(wall_ms)
        left = self._deliver()
        is_said = left == 0 and run.say_all() and run.link.drain(self._patience_s)
        run.leave()
        if not sum(self._frames):
            channels = ", ".join(sorted(self._unknown)) or "none"
            names = ", ".join(self._bus_of)
            raise SettingsError(f"no frame of {names} in the recording; its channels: {channels}")
        time_of = self._player.time
        return Played(
            frames=sum(self._frames),
            unknown_channels=self._unknown,
            batches_left=left,
            batches_given_up=run.outbox.given_up,
            is_said=is_said,
            broken_stamps=time_of.broken,
            first_broken_ns=time_of.first_broken_ns,
            steps_back=time_of.steps_back,
        )

    def _deliver(self) -> int:
        """Wait for the broker as long as it goes on, after `stop` briefly; the batches left."""
        run = self._run
        left = run.outbox.unsent_batches
        since_s = time.monotonic()
        while left and time.monotonic() - since_s < self._patience_s:
            run.deliver(DELIVER_S)
            now_left = run.outbox.unsent_batches
            if now_left < left:
                since_s = time.monotonic()
            left = now_left
        return left

    @property
    def _patience_s(self) -> float:
        return GOODBYE_S if self._is_stopping else STALLED_S

    def _wait_for_disk(self) -> None:
        while self._run.outbox.uncommitted > ROOM_BATCHES and not self._is_stopping:
            self._run.pump()
            time.sleep(0.001)

    def _wait_for_room(self) -> bool:
        self._run.pump()
        time.sleep(0.001)
        return self._run.link.is_connected and not self._is_stopping

    def _presence(self, journal: str) -> Presence:
        return Presence.model_validate(
            {
                "vehicle_id": self._settings.vehicle_id,
                "online": True,
                "journal": journal,
                "since": wall_ms() / 1000,
                "clock": "recorded",
                "origin": "recording",
                "software": software_version(),
                "buses": {name: BusState(interface=f"recording:{name}") for name in self._bus_of},
            }
        )

"""The gateway on live buses: one loop that drains, decodes, says and keeps."""

import gc
import logging
from pathlib import Path
from uuid import uuid4

from gateway.assembly import Assembly
from gateway.audit import Audit
from gateway.bus_spec import BusSpec
from gateway.clock import SYSTEM, SystemClock, read_clock
from gateway.commander import Commander
from gateway.frames import Buses
from gateway.health import HealthWatch
from gateway.inbox import Inbox
from gateway.introduction import introduce
from gateway.listeners import Listeners
from gateway.live_world import LiveWorld
from gateway.mapping import MappingError
from gateway.obd_asker import ObdAsker
from gateway.outbox import Limits
from gateway.outbox_writer import Outbox
from gateway.replica import client_id
from gateway.run import Run
from gateway.settings import GatewaySettings
from gateway.setup import Setup, bus_specs
from gateway.telemetry import Batcher
from gateway.waker import Waker
from gateway.world import Moment
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.presence import Presence
from internetcar.contract.retry import LinkOptions

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 0.1
SECOND_NS = 1_000_000_000
GOODBYE_S = 2.0
MOST_PROBLEMS = 5
"""Mapping errors that health repeats; the log has all."""


class LiveGateway:
    """Runs until `stop`, which may come from a signal handler.

    Args:
        settings: Of the gateway.
        broker: Where to.
        state: Folder of what must last.
        clock: This machine's; a test brings one that runs faster.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        broker: BrokerUrl,
        state: Path,
        clock: SystemClock = SYSTEM,
    ) -> None:
        self._settings = settings
        self._time = clock
        self._setup = Setup(settings)
        assembly = self._setup.assemble()
        _log_findings(assembly)
        self._since_ms = clock.wall_ms()
        self._clock = read_clock()
        self._asleep_ns = int(settings.asleep_after_s * SECOND_NS)
        self._is_stopping = False
        self._is_asleep = False
        self._awake_ns = clock.monotonic_ns()
        self._next_second_ns = 0
        self._waker = Waker()
        self._buses = self._open(bus_specs(settings, assembly))
        self._listeners = Listeners(settings)
        self._obd = ObdAsker(self._listeners.obd, lambda: self._buses)
        self._health = HealthWatch(self._setup.bus_names, [bus.bitrate for bus in settings.buses])
        telemetry = settings.telemetry
        outbox = Outbox(
            state / settings.vehicle_id / "telemetry.db",
            settings.vehicle_id,
            Limits(
                unsent_bytes=telemetry.unsent_mib << 20,
                history_bytes=telemetry.history_mib << 20,
                history_s=telemetry.history_hours * 3600,
            ),
        )
        self._said = self._presence(uuid4().hex, asleep=False)
        journal = self._said.journal
        link = Link(
            broker,
            client_id(settings.vehicle_id, state),
            options=LinkOptions(in_flight=telemetry.in_flight),
        )
        self._commander = Commander(
            link,
            settings.vehicle_id,
            Audit(state / settings.vehicle_id / "commands.db", self._waker.wake),
            LiveWorld(lambda: self._buses, clock.wall_ns),
            Inbox(self._waker.wake, settings.commands.requester_rate_hz),
            journal,
            settings.commands.requester_rate_hz,
            clock.monotonic_ns,
        )
        self._commander.use(assembly, self._moment())
        self._run = Run(
            assembly,
            link=link,
            outbox=outbox,
            batcher=Batcher(
                journal,
                previous=outbox.previous,
                clock=self._clock,
                origin=settings.origin,
                batch_ms=telemetry.batch_ms,
                snapshot_ms=telemetry.snapshot_s * 1000,
            ),
            presence=self._said,
            in_flight=telemetry.in_flight,
            home_assistant=settings.home_assistant,
        )
        self._listen(assembly)

    def run(self) -> None:
        """Drain, decode, say and keep, until `stop`; then say goodbye."""
        self.start()
        try:
            while not self._is_stopping:
                self.turn()
        finally:
            self.end()

    def start(self) -> None:
        """Begin to hear and to speak; `turn` does the rest, and `end` must follow."""
        run = self._run
        gc.collect()
        gc.freeze()  # databases and decoders stay: looking through them costs 10 ms each time
        self._commander.start(self._moment())
        run.start()
        log.info(
            "vehicle %s: %s, telemetry journal %s",
            self._settings.vehicle_id,
            _sources(
                len(run.assembly.pipeline.leaves),
                len(self._buses.specs),
                is_told=bool(self._listeners.sinks),
            ),
            run.journal,
        )

    def end(self) -> None:
        """Give the buses back, and say goodbye."""
        run = self._run
        self._commander.stop(self._moment())
        self._buses.close()
        run.finish(self._time.wall_ms())
        if run.link.is_connected:
            run.deliver(GOODBYE_S)
        run.leave()

    def stop(self) -> None:
        """End `run` at its next turn, a tenth of a second away at most."""
        self._is_stopping = True

    def turn(self, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        """Wait until something is to be done, and do it."""
        self._buses.wait(min(longest_wait_s, self._wait_s()))
        run = self._run
        pipeline = run.assembly.pipeline
        pipeline.now_ns = self._time.monotonic_ns()
        self._buses.drain(self._sink, self._listeners.sinks)
        if self._listeners.obd:
            self._obd.turn(pipeline.now_ns)
        if not self._commander.is_idle:
            self._commander.turn(self._moment(), is_mute=run.keeper.is_taken_over)
        run.step(self._time.wall_ms(), self._clock)
        if pipeline.now_ns >= self._next_second_ns:
            self._next_second_ns = pipeline.now_ns + SECOND_NS
            self._every_second()

    def _feed_unpaced(self, bus: int, can_id: int, payload: bytes, at_ns: int) -> None:
        self._run.assembly.pipeline.feed(bus, can_id, payload, at_ns)
        self._run.step(self._time.wall_ms(), self._clock)

    def _listen(self, assembly: Assembly) -> None:
        is_paced = self._settings.pacing.enabled
        self._sink = assembly.pipeline.feed if is_paced else self._feed_unpaced
        self._listeners.use(assembly, self._sink)

    def _open(self, specs: list[BusSpec]) -> Buses:
        return Buses(specs, waker=self._waker, now_ns=self._time.monotonic_ns)

    def _moment(self) -> Moment:
        is_trusted = self._clock == "synchronized" or self._settings.commands.trust_clock
        return Moment(self._time.monotonic_ns(), self._time.wall_ns(), is_trusted)

    def _wait_s(self) -> float:
        paced_ns = self._run.assembly.pipeline.pacer.next_due_ns
        commanded_ns, asked_ns = self._commander.next_due_ns, self._obd.next_due_ns
        due = [due_ns for due_ns in (paced_ns, commanded_ns, asked_ns) if due_ns is not None]
        if not due:
            return LONGEST_WAIT_S
        wait_s = (min(due) - self._time.monotonic_ns()) / SECOND_NS
        return min(LONGEST_WAIT_S, max(0.0, wait_s))

    def _every_second(self) -> None:
        run, pipeline = self._run, self._run.assembly.pipeline
        self._clock = read_clock()
        self._is_asleep = self._falls_or_stays_asleep()
        run.batcher.asleep = self._is_asleep
        presence = self._presence(run.journal, asleep=self._is_asleep)
        if presence != self._said:
            if presence.buses != self._said.buses:
                run.batcher.request_snapshot()  # a bus was lost or came back: say from when
            self._said = presence
            run.keeper.update(presence)
        found = (run.keeper.problem(), run.outbox_problem(), self._commander.problem())
        problems = [problem for problem in found if problem]
        counters = [self._buses.counters(bus) for bus in range(len(self._buses.specs))]
        problems += [each.reason for each in counters if each.reason and each.state != "up"]
        problems += self._obd.problems()
        problems += run.assembly.errors[:MOST_PROBLEMS]
        health = self._health.take(
            pipeline,
            counters,
            vehicle_id=self._settings.vehicle_id,
            wall_ms=self._time.wall_ms(),
            unsent=(run.outbox.unsent_batches, run.outbox.unsent_bytes),
            commands_refused=self._commander.refused_in_all,
            problems=problems,
        )
        run.speaker.health(health)
        if self._setup.is_changed():
            self._take_up_mapping()

    def _falls_or_stays_asleep(self) -> bool:
        """Whether every bus is silent, for long enough if it was not so before."""
        pipeline = self._run.assembly.pipeline
        is_silent = pipeline.freshness.is_asleep(pipeline.now_ns, self._asleep_ns)
        is_due = self._is_asleep or pipeline.now_ns - self._awake_ns > self._asleep_ns
        return is_silent and is_due

    def _take_up_mapping(self) -> None:
        try:
            assembly = self._setup.assemble()
        except MappingError as error:
            log.warning("the changed mapping is not taken up: %s", error)
            return
        assembly.pipeline.succeed(self._run.assembly.pipeline)
        specs = bus_specs(self._settings, assembly)
        if specs != list(self._buses.specs):  # other frames are needed from the kernel
            self._buses.close()
            buses = self._open(specs)
            buses.succeed(self._buses)
            self._buses = buses
        self._commander.use(assembly, self._moment())
        self._run.adopt(assembly)
        self._listen(assembly)
        self._awake_ns = assembly.pipeline.now_ns
        _log_findings(assembly)
        log.info("the changed mapping is taken up: %d leaves", len(assembly.paths))

    def _presence(self, journal: str, *, asleep: bool) -> Presence:
        return introduce(
            self._settings,
            self._buses,
            journal=journal,
            since_ms=self._since_ms,
            clock=self._clock,
            asleep=asleep,
        )


def _sources(leaves: int, buses: int, *, is_told: bool) -> str:
    """Where the leaves come from, for a person."""
    if not is_told:
        return f"{leaves} leaves from {buses} buses"
    if not leaves:
        return f"leaves from {buses} buses as OBD-II or J1939 tells them"
    return f"{leaves} leaves from {buses} buses, and more as OBD-II or J1939 tells them"


def _log_findings(assembly: Assembly) -> None:
    for error in assembly.errors:
        log.error("left out: %s", error)
    for warning in assembly.warnings:
        log.warning("%s", warning)

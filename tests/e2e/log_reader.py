"""A service that reads a vehicle's log: its position and what it applied survive its death."""

import time
from typing import Any

from internetcar.contract.message import ContractError
from internetcar.contract.reader import Gap, Position, TelemetryReader
from internetcar.contract.telemetry import RepairedTelemetry, Telemetry
from tests.e2e.observer import Observer

REQUESTER = "tester"


class LogReader:
    """`attend` begins with an empty memory, as a process does that was killed."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.applied: list[Telemetry] = []
        self.gaps: list[Gap] = []
        self.requests = 0

    def attend(self, observer: Observer) -> None:
        self._observer = observer
        self._reader = TelemetryReader(REQUESTER, request_after_s=0.2)
        self._read = 0
        self._vehicles: set[str] = set()

    def step(self) -> None:
        """Apply what came since."""
        now_s = time.monotonic()
        while self._read < len(self._observer.heard):
            heard = self._observer.heard[self._read]
            self._read += 1
            for cls in (Telemetry, RepairedTelemetry):
                try:
                    batch = cls.decode(heard.topic, heard.payload)
                except ContractError:
                    continue
                self._vehicles.add(batch.vehicle_id)
                self._take(self._reader.accept(batch, self.position, now_s))
        for vehicle_id in self._vehicles:
            self._take(self._reader.due(vehicle_id, self.position, now_s))

    def _take(self, accepted: Any) -> None:
        self.position = accepted.position
        self.applied += accepted.batches
        self.gaps += accepted.gaps
        if accepted.request is not None:
            self.requests += 1
            self._observer.publish(accepted.request.topic, accepted.request.encode())

    def sequences(self) -> dict[str, list[int]]:
        """What was applied, by journal, in the order it was."""
        found: dict[str, list[int]] = {}
        for batch in self.applied:
            found.setdefault(batch.journal, []).append(batch.sequence)
        return found

    def assert_complete(self) -> None:
        assert not self.gaps
        for sequences in self.sequences().values():
            assert sequences == list(range(1, len(sequences) + 1))
        batches = {(batch.journal, batch.sequence): batch for batch in self.applied}
        assert len(batches) == len(self.applied)

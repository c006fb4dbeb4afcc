"""The vehicles' side while processes die: their gateways say what is driven, and say it again."""

from contextlib import closing
from typing import Protocol

from sqlalchemy import select

from internetcar.contract.reader import Position
from internetcar.contract.telemetry import Telemetry, TelemetryRequest
from services.tables import log_position
from tests.bench.toll_services import open_tolls
from tests.bench.toll_town import Driven, Town

AT_ONCE = 10
"""Vehicles on the road at the same time; the next drive when these are read to their ends."""
LOOK_S = 0.1
REMIND_S = 1.0
"""As a gateway says something for ever: by the next batch a reader learns what it has missed."""


class Send(Protocol):
    """Carries telemetry to the toll service."""

    def __call__(self, topic: str, payload: bytes, *, may_be_lost: bool) -> None: ...


class Road:
    """Drives, and the gateways' history of them.

    Args:
        town: What is driven.
        send: Where it is said.
        url: Of the toll service's store; opened for each look, as SQLite must not be open in a
            process that forks.
    """

    def __init__(self, town: Town, send: Send, url: str) -> None:
        self._drives, self._send, self._url = town.drives(), send, url
        self._history: dict[tuple[str, str, int], tuple[str, bytes]] = {}
        self._ends: dict[str, Telemetry] = {}
        self._look_s = self._remind_s = 0.0
        self.driven: list[Driven] = []

    def go_on(self, now_s: float, *, is_over: bool) -> bool:
        """Put the next drives on the road once the last are read; whether all is read.

        Args:
            now_s: Monotonic clock.
            is_over: Nobody will drive any more.
        """
        if now_s < self._look_s:
            return False
        self._look_s = now_s + LOOK_S
        behind = self._behind()
        if not behind and not is_over:
            self._send_out()
        elif now_s >= self._remind_s:
            self._remind_s = now_s + REMIND_S
            for last in behind:
                self._send(last.topic, last.encode(), may_be_lost=False)
        return not behind

    def _send_out(self) -> None:
        """The next drives, their batches dealt among each other."""
        some = [next(self._drives) for _ in range(AT_ONCE)]
        self.driven += some
        for index in range(max(len(one.batches) for one in some)):
            for one in some:
                if index < len(one.batches):
                    is_last = index == len(one.batches) - 1
                    self._log(one.batches[index], is_last=is_last)
        self._ends |= {one.vehicle_id: one.batches[-1] for one in some}

    def _log(self, batch: Telemetry, *, is_last: bool) -> None:
        """The gateway says a batch and keeps it; the ends of a log always get through."""
        said = batch.topic, batch.encode()
        self._history[batch.vehicle_id, batch.journal, batch.sequence] = said
        is_first = batch.sequence == 1 and batch.previous is None
        self._send(*said, may_be_lost=not (is_first or is_last))

    def send_again(self, asked: TelemetryRequest) -> None:
        """What a reader has missed, from the history."""
        for sequence in range(asked.first, asked.last + 1):
            said = self._history.get((asked.vehicle_id, asked.journal, sequence))
            if said is not None:
                self._send(*said, may_be_lost=True)

    def _behind(self) -> list[Telemetry]:
        """The last batches of the vehicles whose log is not read to its end."""
        with closing(open_tolls(self._url)) as database, database.read() as connection:
            rows = connection.execute(select(log_position)).all()
        found = {
            row.vehicle_id: Position.model_validate_json(row.position)
            for row in rows
            if row.position and row.vehicle_id in self._ends
        }
        return [
            last
            for vehicle_id, last in self._ends.items()
            if (at := found.get(vehicle_id)) is None
            or (at.journal, at.sequence) != (last.journal, last.sequence)
        ]

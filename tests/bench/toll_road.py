"""The vehicles' side while processes die: their gateways say what is driven, and say it again."""

from collections import Counter
from contextlib import closing
from typing import Protocol

from sqlalchemy import select

from internetcar.contract.reader import Position
from internetcar.contract.telemetry import Telemetry, TelemetryRequest
from services.tables import log_position
from tests.bench.toll_services import open_tolls
from tests.bench.toll_town import DAYS, Driven, Town

AT_ONCE = 10
"""Vehicles on the road at the same time."""


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
        self.driven: list[Driven] = []

    def send_out(self) -> None:
        """Put the next drives on the road, their batches dealt among each other."""
        some = [next(self._drives) for _ in range(AT_ONCE)]
        self.driven += some
        for index in range(max(len(one.batches) for one in some)):
            for one in some:
                if index < len(one.batches):
                    is_last = index == len(one.batches) - 1
                    self._log(one.batches[index], is_last=is_last)

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

    def send_signs_of_life(self, *, is_over: bool) -> None:
        """As a gateway does for ever: by the next batch a reader learns what it has missed.

        Args:
            is_over: Nobody will drive any more; else those who will say something anyway.
        """
        days = Counter(one.vehicle_id for one in self.driven)
        behind = self._behind()
        for vehicle_id, last in behind.items():
            if is_over or days[vehicle_id] == DAYS:
                self._log(last, is_last=True)

    def is_all_read(self) -> bool:
        """Whether the toll service has come to the end of every log."""
        return not self._behind()

    def _behind(self) -> dict[str, Telemetry]:
        """The sign of life of each vehicle whose log is not read to that."""
        with closing(open_tolls(self._url)) as database, database.read() as connection:
            rows = connection.execute(select(log_position)).all()
        found = {
            row.vehicle_id: Position.model_validate_json(row.position)
            for row in rows
            if row.position
        }
        signs = {one.vehicle_id: _sign_of_life(one.batches[-1]) for one in self.driven}
        return {
            vehicle_id: sign
            for vehicle_id, sign in signs.items()
            if (at := found.get(vehicle_id)) is None
            or (at.journal, at.sequence) != (sign.journal, sign.sequence)
        }


def _sign_of_life(last: Telemetry) -> Telemetry:
    return last.model_copy(
        update={
            "sequence": last.sequence + 1, "kind": "changes", "samples": {},
            "previous": None, "previous_last": None, "start_at": last.end_at,
        }
    )  # fmt: skip

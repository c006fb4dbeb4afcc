"""Reading telemetry right: each batch once, in order, and every gap either filled or known.

Right whatever the broker's order, so any number of replicas may share a subscription. Where a
vehicle's log stands is plain data that a service commits together with what it derived.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import Field

from internetcar.contract.message import Instant, Name, Part
from internetcar.contract.telemetry import Telemetry, TelemetryRequest

_JOURNALS_REMEMBERED = 16
_MOST_REQUESTED = 500
_SHORTEST_DELAY_S = 5.0
_LONGEST_DELAY_S = 60.0


class Position(Part):
    """Up to where a vehicle's log was applied; plain data for a service's store.

    Attributes:
        journal: The journal that is being read.
        sequence: The last one applied.
        end_at: Up to when that batch speaks.
        past: Journals read before, each with its last sequence applied, the newest last.
    """

    journal: str
    sequence: int = Field(ge=1)
    end_at: Instant
    past: dict[str, int] = Field(default_factory=dict)

    def after(self, batch: Telemetry) -> "Position":
        """The position once this batch is applied."""
        past = dict(self.past)
        if batch.journal != self.journal:
            past[self.journal] = self.sequence
        past = dict(list(past.items())[-_JOURNALS_REMEMBERED:])
        return _at(batch).model_copy(update={"past": past})


@dataclass(frozen=True, slots=True)
class Gap:
    """Batches that will never be applied; `last` is `None` where nobody knows the end."""

    vehicle_id: str
    journal: str
    first: int
    last: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What to do now, all of it in one transaction with the position."""

    position: Position | None
    batches: list[Telemetry]
    gaps: list[Gap]
    request: TelemetryRequest | None
    is_waiting: bool = False
    """Whether batches are parked, so that `due` may bring something."""


class _Parked(NamedTuple):
    batch: Telemetry
    at_s: float


@dataclass(slots=True)
class _Vehicle:
    """What is remembered of a vehicle between two batches; losing it costs only time."""

    parked: dict[tuple[str, int], _Parked] = field(default_factory=dict)
    advanced_s: float = float("-inf")
    hole: tuple[str, int] | None = None
    ask_s: float = 0.0
    delay_s: float = 0.0


def _first(batch: Telemetry) -> int:
    return batch.dropped.first if batch.dropped else batch.sequence


class TelemetryReader:
    """Puts a service's telemetry in order.

    A batch that is not greater than the position is a duplicate; the next is applied; any other
    is parked and the hole before it requested, again and again. After `give_up_s` without the
    missing ones the first snapshot beyond the hole begins anew and the gap is a fact. A reader
    without a position begins with the first snapshot it meets.

    A new journal follows when its first batch names the journal read so far and that is read to
    its end (`previous_last`); a journal in between that was missed is requested whole. The first
    batch of a journal without a predecessor (the writer lost its disk) is followed at once if it
    is younger than the position, else after `give_up_s` in which the journal read so far stood
    still: so an old batch that a broker delivers late never turns a reader back.

    Args:
        requester: The name under whose `v1/client/` the missing batches shall come.
        request_after_s: How long a hole may be the broker's order before it is requested.
        give_up_s: How long a hole is waited for.
        most_parked: Batches kept per vehicle; the newest beyond are dropped and requested later.
    """

    def __init__(
        self,
        requester: Name,
        *,
        request_after_s: float = 2.0,
        give_up_s: float = 600.0,
        most_parked: int = 1000,
    ) -> None:
        self.requester = requester
        self._request_after_s = request_after_s
        self._give_up_s = give_up_s
        self._most_parked = most_parked
        self._vehicles: dict[str, _Vehicle] = {}

    def accept(self, batch: Telemetry, position: Position | None, now_s: float) -> Accepted:
        """Take one batch as it arrived.

        Args:
            batch: From the telemetry topic or repaired.
            position: Where the vehicle's log stands, as the store has it; `None`: nowhere yet.
            now_s: Monotonic clock.
        """
        vehicle = self._vehicles.setdefault(batch.vehicle_id, _Vehicle())
        if not _is_known(batch, position) and (position or batch.kind == "snapshot"):
            vehicle.parked.setdefault((batch.journal, batch.sequence), _Parked(batch, now_s))
        return self._advance(batch.vehicle_id, vehicle, position, now_s)

    def due(self, vehicle_id: str, position: Position | None, now_s: float) -> Accepted:
        """What time alone brings: a request again, or the end of waiting."""
        vehicle = self._vehicles.setdefault(vehicle_id, _Vehicle())
        return self._advance(vehicle_id, vehicle, position, now_s)

    def _advance(
        self, vehicle_id: str, vehicle: _Vehicle, position: Position | None, now_s: float
    ) -> Accepted:
        batches, gaps = list[Telemetry](), list[Gap]()
        _forget_known(vehicle, position)
        while found := _next(vehicle, position) or self._anew(vehicle, position, now_s):
            gaps += _gaps(found, position)
            position = position.after(found) if position else _at(found)
            batches.append(found)
            vehicle.advanced_s, vehicle.hole = now_s, None
            del vehicle.parked[found.journal, found.sequence]
        _forget_known(vehicle, position)
        while len(vehicle.parked) > self._most_parked:
            vehicle.parked.popitem()
        request = None
        if vehicle.parked:
            request = self._ask(vehicle_id, vehicle, position, now_s)
        else:
            del self._vehicles[vehicle_id]
        return Accepted(position, batches, gaps, request, bool(vehicle.parked))

    def _anew(self, vehicle: _Vehicle, position: Position | None, now_s: float) -> Telemetry | None:
        """The snapshot to begin (anew) with, if nothing else can be done."""
        if position is None:
            return _first_snapshot(parked.batch for parked in vehicle.parked.values())
        journals = []
        for key, parked in list(vehicle.parked.items()):
            if now_s - parked.at_s < self._give_up_s:
                continue
            is_ours = position.journal in (parked.batch.journal, parked.batch.previous)
            if parked.at_s < vehicle.advanced_s and not is_ours:
                del vehicle.parked[key]
            else:
                journals.append(parked.batch.journal)
        if not journals or now_s - vehicle.advanced_s < self._give_up_s:
            return None
        journal = position.journal if position.journal in journals else journals[0]
        return _first_snapshot(
            parked.batch for parked in vehicle.parked.values() if parked.batch.journal == journal
        )

    def _ask(
        self, vehicle_id: str, vehicle: _Vehicle, position: Position | None, now_s: float
    ) -> TelemetryRequest | None:
        """The request for the oldest hole, if it is time for one."""
        if vehicle.hole is None:
            vehicle.hole, vehicle.delay_s = ("", 0), self._request_after_s
            vehicle.ask_s = now_s + vehicle.delay_s
        missing = _missing(vehicle, position) if position and now_s >= vehicle.ask_s else None
        if missing is None:
            return None
        grown_s = 2 * vehicle.delay_s if vehicle.hole == missing[:2] else 0.0  # else it got on
        vehicle.delay_s = min(max(grown_s, _SHORTEST_DELAY_S), _LONGEST_DELAY_S)
        vehicle.hole = missing[:2]
        vehicle.ask_s = now_s + vehicle.delay_s
        journal, first, last = missing
        return TelemetryRequest(
            vehicle_id=vehicle_id,
            journal=journal,
            first=first,
            last=min(last, first + _MOST_REQUESTED - 1),
            reply_to=self.requester,
        )


def _at(batch: Telemetry) -> Position:
    return Position(journal=batch.journal, sequence=batch.sequence, end_at=batch.end_at)


def _is_known(batch: Telemetry, position: Position | None) -> bool:
    """Whether a batch was applied, or is of a journal that was left behind."""
    if position is None:
        return False
    if batch.journal == position.journal:
        return batch.sequence <= position.sequence
    return batch.journal in position.past


def _forget_known(vehicle: _Vehicle, position: Position | None) -> None:
    for key, parked in list(vehicle.parked.items()):
        if _is_known(parked.batch, position):
            del vehicle.parked[key]


def _first_snapshot(batches: Iterable[Telemetry]) -> Telemetry | None:
    snapshots = [batch for batch in batches if batch.kind == "snapshot"]
    return min(snapshots, key=lambda batch: batch.sequence, default=None)


def _next(vehicle: _Vehicle, position: Position | None) -> Telemetry | None:
    """The parked batch that comes right after the position."""
    if position is None:
        return None
    following = vehicle.parked.get((position.journal, position.sequence + 1))
    if following is not None:
        return following.batch
    for parked in vehicle.parked.values():
        batch = parked.batch
        if batch.journal == position.journal:
            if _first(batch) <= position.sequence + 1 <= batch.sequence:
                return batch
        elif _first(batch) == 1 and _follows(batch, position):
            return batch
    return None


def _follows(first: Telemetry, position: Position) -> bool:
    """Whether a journal's first batch may be applied now; see the class for the rules."""
    if first.previous == position.journal:
        return first.previous_last is None or position.sequence >= first.previous_last
    if first.previous is None or first.previous in position.past:
        return first.start_at >= position.end_at
    return False


def _gaps(found: Telemetry, position: Position | None) -> list[Gap]:
    """What is passed over, or stated as lost, when this batch is applied."""
    begin, gaps = _first(found), []

    def gap(journal: str, first: int, last: int | None, reason: str) -> None:
        if last is None or first <= last:
            gaps.append(Gap(found.vehicle_id, journal, first, last, reason))

    if position is not None and found.journal == position.journal:
        gap(found.journal, position.sequence + 1, begin - 1, "never came")
        begin = max(begin, position.sequence + 1)
    elif position is not None:
        end = found.previous_last if found.previous == position.journal else None
        if found.previous != position.journal or end is not None:
            gap(position.journal, position.sequence + 1, end, "never came")
        if found.previous in position.past and found.previous_last is not None:
            applied = position.past[found.previous]
            gap(found.previous, applied + 1, found.previous_last, "never came")
        gap(found.journal, 1, begin - 1, "never came")
    if found.dropped is not None:
        gap(found.journal, begin, found.dropped.last, found.dropped.reason)
    return gaps


def _missing(vehicle: _Vehicle, position: Position) -> tuple[str, int, int] | None:
    """Journal, first and last sequence of the oldest hole; `None` where only time can help."""
    heads: dict[str, Telemetry] = {}
    for parked in vehicle.parked.values():
        head = heads.setdefault(parked.batch.journal, parked.batch)
        if _first(parked.batch) < _first(head):
            heads[parked.batch.journal] = parked.batch
    if position.journal in heads:
        return position.journal, position.sequence + 1, _first(heads[position.journal]) - 1
    journal, last = next(iter(heads)), 0
    while journal in heads:
        head = heads.pop(journal)
        if _first(head) > 1:
            return journal, 1, _first(head) - 1
        if not head.previous or not head.previous_last or head.previous in position.past:
            return None
        journal, last = head.previous, head.previous_last
    if journal == position.journal:
        return journal, position.sequence + 1, last
    return journal, 1, last

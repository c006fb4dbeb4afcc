"""An operator's invoice held against our own evidence (pure)."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, islice
from typing import Literal

from internetcar.contract.money import format_minor
from internetcar.contract.tolls import PassageState
from services.tolls.passages.invoice import Billed

NEAR = timedelta(minutes=3)
"""Two clocks and a minute's rounding: an operator's time is trusted no further."""

Kind = Literal["proven", "unresolved", "contradicted", "missing"]


@dataclass(frozen=True, slots=True)
class Held:
    """A passage as our store has it.

    Attributes:
        passage_id: What `car tolls explain` wants.
        gate: Its id in the context.
        names: What an operator may call the place: label, station.
        crossed_at: UTC.
        uncertainty_ms: One standard deviation of that.
        state: What the evidence says.
        fee_minor: What it costs by the tariff, be it charged or not.
    """

    passage_id: str
    gate: str
    names: tuple[str, ...]
    crossed_at: datetime
    uncertainty_ms: int
    state: PassageState
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time over which the vehicle's log is whole."""

    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """What our evidence says of one line of the invoice, or of a passage it does not have.

    Attributes:
        kind: `proven`: we passed there; `unresolved`: we cannot say; `contradicted`: we did not;
            `missing`: we did, but it is not billed.
        billed: The line; `None`: it is missing.
        held: Our passage; `None`: there is none.
        difference_minor: What is billed above (below 0: below) our fee; 0 where we have none.
        words: For a person.
    """

    kind: Kind
    billed: Billed | None
    held: Held | None
    difference_minor: int
    words: str


class _Whole:
    """Where a log is whole, to be asked often."""

    def __init__(self, log: Iterable[Stretch]) -> None:
        stretches = sorted(log, key=lambda stretch: stretch.from_at)
        self._begins = [stretch.from_at for stretch in stretches]
        self._reached = list(accumulate((stretch.until_at for stretch in stretches), max))

    def holds(self, from_at: datetime, until_at: datetime) -> bool:
        """Whether one stretch holds all of a time."""
        begun = bisect_right(self._begins, from_at)
        return begun > 0 and until_at <= self._reached[begun - 1]


def reconcile(
    invoice: Sequence[Billed], passages: Iterable[Held], log: Sequence[Stretch], currency: str
) -> list[Line]:
    """Every billed line with what the evidence says of it, then what is missing, by time.

    Each passage answers one line: a second one for it is contradicted.

    Args:
        invoice: Its lines of this vehicle.
        passages: All of the vehicle in the invoice's time and one minute more, of any state.
        log: Where the vehicle's log is whole, in order.
        currency: For the words.
    """
    held = sorted(passages, key=_crossed_at)
    widest_ms = max((passage.uncertainty_ms for passage in held), default=0)
    charges = [billed for billed in invoice if billed.amount_minor >= 0]
    pairs = sorted(
        (
            (_rank(passage), distance, billed.line, passage.passage_id, billed, passage)
            for billed in charges
            for passage in _around(billed, held, widest_ms)
            if (distance := _distance(billed, passage)) is not None
        ),
        key=lambda pair: pair[:4],
    )
    answers: dict[int, Held] = {}
    taken: set[str] = set()
    for *_, passage_id, billed, passage in pairs:
        if billed.line not in answers and passage_id not in taken:
            answers[billed.line] = passage
            taken.add(passage_id)
    twice = {billed.line: passage for *_, billed, passage in reversed(pairs)}
    whole = _Whole(log)
    lines = [
        _line(billed, answers.get(billed.line), twice.get(billed.line), whole, currency)
        for billed in invoice
    ]
    lines += [
        Line("missing", None, passage, 0, _missing_words(passage, currency))
        for passage in held
        if passage.passage_id not in taken and passage.state == "proven" and passage.fee_minor
    ]
    return lines


def _rank(passage: Held) -> int:
    return {"proven": 0, "unresolved": 1, "free": 1, "rejected": 2}[passage.state]


def _around(billed: Billed, held: Sequence[Held], uncertainty_ms: int) -> Iterator[Held]:
    """Of passages in order of time those that a line may mean: a year has many."""
    slack = _slack(billed, uncertainty_ms)
    begin = bisect_left(held, billed.instants[0] - slack, key=_crossed_at)
    end = bisect_right(held, billed.instants[-1] + slack, key=_crossed_at)
    return islice(held, begin, end)


def _crossed_at(passage: Held) -> datetime:
    return passage.crossed_at


def _slack(billed: Billed, uncertainty_ms: int) -> timedelta:
    return NEAR + timedelta(milliseconds=billed.resolution_ms + 3 * uncertainty_ms)


def _distance(billed: Billed, passage: Held) -> timedelta | None:
    """How far apart in time; `None`: the line cannot mean this passage."""
    if not _is_place(billed.place, passage):
        return None
    distance = min(abs(instant - passage.crossed_at) for instant in billed.instants)
    return distance if distance <= _slack(billed, passage.uncertainty_ms) else None


def _is_place(written: str, passage: Held) -> bool:
    place = _plain(written)
    if not place:
        return True
    number = re.fullmatch(r"(?:gantry|gate|station|no|nr|[ ])*0*(\d+)", place)
    if place == _plain(passage.gate) or (number and number[1] == passage.gate.lstrip("0")):
        return True
    names = [name for name in map(_plain, passage.names) if len(name) > 2]
    return any(place == name or (len(place) > 4 and _holds(name, place)) for name in names)


def _holds(name: str, place: str) -> bool:
    """Whether one of two names holds the other as whole words."""
    return f" {place} " in f" {name} " or f" {name} " in f" {place} "


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _line(
    billed: Billed, held: Held | None, other: Held | None, whole: _Whole, currency: str
) -> Line:
    if billed.amount_minor < 0:
        return Line("unresolved", billed, None, 0, "given back by the operator; not a passage")
    if held is None:
        if other is not None:
            words = f"billed twice: {other.passage_id} answers another line already"
            return Line("contradicted", billed, other, billed.amount_minor, words)
        if _is_logged(billed, whole):
            words = "the log is whole at that time and shows no passage there"
            return Line("contradicted", billed, None, billed.amount_minor, words)
        return Line(
            "unresolved", billed, None, 0, "the log of the vehicle is not whole around that time"
        )
    if held.state == "proven":
        difference = billed.amount_minor - held.fee_minor
        return Line("proven", billed, held, difference, _proven_words(held, difference, currency))
    if held.state == "rejected":
        words = "the evidence says that it was not passed"
        return Line("contradicted", billed, held, billed.amount_minor, words)
    return Line("unresolved", billed, held, 0, "the evidence neither proves nor rejects it")


def _is_logged(billed: Billed, whole: _Whole) -> bool:
    """Whether the log is whole around the time, whichever instant is meant."""
    slack = _slack(billed, 0)
    return all(whole.holds(instant - slack, instant + slack) for instant in billed.instants)


def _proven_words(held: Held, difference: int, currency: str) -> str:
    if difference == 0:
        return f"passed, and the fee is ours: {format_minor(held.fee_minor, currency)}"
    word = "above" if difference > 0 else "below"
    return (
        f"passed, but billed {format_minor(abs(difference), currency)} {word} our fee of"
        f" {format_minor(held.fee_minor, currency)}"
    )


def _missing_words(held: Held, currency: str) -> str:
    return f"passed for {format_minor(held.fee_minor, currency)}, but not on the invoice"


def covers(invoice: Sequence[Billed]) -> tuple[datetime, datetime] | None:
    """From the first to the last instant of an invoice; `None` for an empty one."""
    instants = [instant for billed in invoice for instant in billed.instants]
    return (min(instants), max(instants)) if instants else None

"""From a set of passages to what each of them costs, whatever order they became known in (pure)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from internetcar.contract.message import EPOCH, milliseconds
from internetcar.contract.tolls import ExceptionList, PassageState
from services.tolls.facts import Passage
from services.tolls.passages.charging import (
    Billing,
    Movement,
    Owed,
    asked_minor,
    counts,
    owed,
    treatment_of,
)
from services.tolls.passages.matching import Known

_FIRST, _LAST = datetime(1001, 1, 1, tzinfo=UTC), datetime(8999, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_FIRST_MS, _LAST_MS = milliseconds(_FIRST), milliseconds(_LAST)


class Fee(Protocol):
    """What the tariff says of a passage: `services/tolls/tariff/fees.py` has the class."""

    @property
    def passage_id(self) -> str:
        """Of the passage it is for."""
        ...

    @property
    def amount_minor(self) -> int | None:
        """In the currency's smallest unit; `None`: it cannot be priced."""
        ...

    @property
    def words(self) -> Sequence[str]:
        """How it comes about, rule by rule."""
        ...


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A passage that the tariff cannot price as long as something is not said; with why."""

    passage_id: str
    words: tuple[str, ...]
    amount_minor: None = None


Fees = Callable[[Sequence[Passage]], Sequence[Fee]]
"""The fees of a set of passages: the context's tariff for a vehicle."""


@dataclass(frozen=True, slots=True)
class Account:
    """A passage and all money and verdicts that concern it.

    Attributes:
        known: The passage.
        bar: Why it may not cost money whatever is proven, such as `recording`.
        is_free: It was unresolved for too long.
        shift_ms: Added to the crossing's time to have the tariff's time.
        movements: Money asked for, in order.
        billings: What the charger said, in order.
    """

    known: Known
    bar: str | None = None
    is_free: bool = False
    shift_ms: int = 0
    movements: tuple[Movement, ...] = ()
    billings: tuple[Billing, ...] = ()

    @property
    def state(self) -> PassageState:
        """What is said of it; evidence that comes after all undoes `free`."""
        verdict = self.known.finding.verdict
        return "free" if verdict == "unresolved" and self.is_free else verdict

    @property
    def crossed_at(self) -> datetime:
        """When it was passed, UTC."""
        return instant(self.known.finding.crossed_at_ms)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What a passage costs.

    Attributes:
        fee_minor: By the tariff, as it is declared; `None`: it is not in the tariff's set.
        owed: What its movements shall add up to.
        is_priced: Whether that is known; if not, money and declarations stay as they are.
    """

    fee_minor: int | None
    owed: Owed
    is_priced: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """What beside the tariff decides on money.

    Attributes:
        fees: The tariff.
        exceptions: The operator's list.
        pays_dearer: Whether more than the fee is paid on the operator's word alone.
        words: What stands behind each fee's own words, such as that a tariff time was set.
    """

    fees: Fees
    exceptions: ExceptionList | None = None
    pays_dearer: bool = False
    words: tuple[str, ...] = field(default=())


def instant(at_ms: int) -> datetime:
    """UTC milliseconds since 1970 as an aware instant, within what a message may hold."""
    return EPOCH + min(max(at_ms, _FIRST_MS), _LAST_MS) * _MS


def reckon(accounts: Iterable[Account], rules: Rules) -> dict[str, Reckoned]:
    """What each passage of one vehicle, context and window costs; the same for any order."""
    reckoned: dict[str, Reckoned] = {}
    charged: dict[str, Account] = {}
    for account in accounts:
        passage_id = account.known.passage_id
        why_not = _why_not(account, rules.exceptions)
        if why_not is None:
            charged[passage_id] = account
        else:
            reckoned[passage_id] = Reckoned(None, Owed(0, (why_not,), why_not))
    passages = [
        Passage(
            passage_id=passage_id,
            gate=account.known.finding.gate,
            crossed_at=instant(account.known.finding.crossed_at_ms + account.shift_ms),
            uncertainty_ms=account.known.finding.uncertainty_ms,
        )
        for passage_id, account in charged.items()
    ]
    passages.sort(key=lambda passage: (passage.crossed_at, passage.gate, passage.passage_id))
    for fee in rules.fees(passages) if passages else ():
        account = charged[fee.passage_id]
        words = (*fee.words, *rules.words)
        if fee.amount_minor is None:
            as_it_is = Owed(asked_minor(account.movements), words)
            reckoned[fee.passage_id] = Reckoned(None, as_it_is, is_priced=False)
            continue
        due = owed(fee.amount_minor, words, account.billings, pays_dearer=rules.pays_dearer)
        reckoned[fee.passage_id] = Reckoned(fee.amount_minor, due)
    return reckoned


def _why_not(account: Account, exceptions: ExceptionList | None) -> str | None:
    known = account.known
    treatment = treatment_of(exceptions, known.place.vehicle_id, account.crossed_at)
    if account.state == "free":
        return "could not be proven in time, so it is free"
    return counts(known.finding.verdict, account.bar, treatment, account.billings)


def with_movement(account: Account, movement: Movement) -> Account:
    """The account once this movement is added, or replaces the one with its number."""
    kept = [known for known in account.movements if known.number != movement.number]
    ordered = sorted((*kept, movement), key=lambda known: known.number)
    return replace(account, movements=tuple(ordered))

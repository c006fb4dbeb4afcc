"""What a decision is made of: the instruction, the account, the ledger, and the time."""

from dataclasses import dataclass
from datetime import datetime

from internetcar.contract.money import MOST_MINOR, format_minor
from internetcar.contract.payments import PaymentReason, PaymentState
from services.payments.instruction import Instruction
from services.payments.ledger import (
    Books,
    Entry,
    EntryKind,
    driver,
    holding,
    postings,
    receipt_id,
    spending_name,
)
from services.payments.limits import Terms


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an instruction.

    Attributes:
        state: As in `PaymentResult`.
        amount_minor: What moved, was held or released; of a refusal what was asked.
        currency: ISO 4217.
        reason: Of a refusal.
        detail: For a person.
        entry: What the ledger gets; `None` where nothing moves.
    """

    state: PaymentState
    amount_minor: int
    currency: str
    reason: PaymentReason | None = None
    detail: str = ""
    entry: Entry | None = None


class RefusedError(Exception):
    """The rules do not allow it."""

    def __init__(self, reason: PaymentReason, detail: str) -> None:
        """Refuse.

        Args:
            reason: For a program.
            detail: For a person, one line.
        """
        super().__init__(detail)
        self.reason: PaymentReason = reason
        self.detail = detail


class EarlyError(Exception):
    """A toll refund that came before the charge it corrects: it can be decided after that."""


@dataclass(frozen=True, slots=True)
class Case:
    """An instruction with all there is to know for a decision."""

    asked: Instruction
    owner: str
    books: Books
    terms: Terms
    now: datetime

    @property
    def group(self) -> str:
        """What the request's entry belongs together with, if it begins something."""
        if self.asked.passage is not None:
            return passage_group(self.asked)
        return receipt_id(self.asked.vehicle_id, self.asked.requester, self.asked.request_id)

    def entry(
        self,
        kind: EntryKind,
        changes: tuple[tuple[str, int], ...],
        *,
        day: str,
        about: str,
        ends: str | None = None,
        expires_at: datetime | None = None,
    ) -> Entry:
        """An entry for the request, made of `changes`."""
        asked = self.asked
        return Entry(
            entry_id=receipt_id(asked.vehicle_id, asked.requester, asked.request_id),
            kind=kind,
            owner=self.owner,
            currency=asked.currency,
            postings=postings(*changes),
            at=self.now,
            vehicle_id=asked.vehicle_id,
            requester=asked.requester,
            request_id=asked.request_id,
            payee=asked.payee,
            purpose=asked.purpose,
            day=day,
            about=about,
            ends=ends,
            expires_at=expires_at,
            words=asked.words,
            reason=asked.reason,
        )


def referred_id(instruction: Instruction) -> str | None:
    """The entry an instruction refers to, if it refers to one."""
    if instruction.refers_to is None:
        return None
    return receipt_id(instruction.vehicle_id, instruction.requester, instruction.refers_to)


def passage_group(instruction: Instruction) -> str:
    """What all charges of one passage have in common."""
    return f"{instruction.vehicle_id}/{instruction.payee}/{instruction.passage}"


def check_debit(case: Case) -> str:
    """Refuse what the account does not have or may not spend; the day whose limit it uses."""
    asked, terms = case.asked, case.terms
    if asked.amount_minor == 0:
        raise RefusedError("malformed", f"a {asked.action} of 0")
    if asked.refers_to is not None:
        raise RefusedError("malformed", f"a {asked.action} refers to nothing")
    day = terms.local_day(asked.occurred_at or case.now)
    available = case.books.balance(driver(case.owner), asked.currency)
    if available - asked.amount_minor < -terms.credit_minor.get(asked.currency, 0):
        raise RefusedError(
            "insufficient_funds", f"available: {format_minor(available, asked.currency)}"
        )
    limit = terms.day_limit(asked.purpose, asked.currency)
    if limit is not None:
        spent = case.books.spent(case.owner, asked.purpose, day, asked.currency)
        if spent + asked.amount_minor > limit:
            raise RefusedError(
                "limit",
                f"{format_minor(limit, asked.currency)} a day for {asked.purpose}, of which"
                f" {format_minor(spent, asked.currency)} are used on {day}",
            )
    return day


def referred(case: Case, kinds: tuple[EntryKind, ...], unknown: PaymentReason) -> Entry:
    """The entry an instruction refers to, which must be about the same money."""
    asked = case.asked
    entry_id = referred_id(asked)
    if entry_id is None:
        raise RefusedError("malformed", f"a {asked.action} needs refers_to")
    entry = case.books.entry(entry_id)
    if entry is None or entry.kind not in kinds:
        raise RefusedError(unknown, f"{asked.refers_to} of {asked.requester} is none")
    if entry.currency != asked.currency:
        raise RefusedError("currency", f"it is in {entry.currency}")
    if (entry.payee, entry.purpose) != (asked.payee, asked.purpose):
        raise RefusedError("malformed", f"it is {entry.purpose} for {entry.payee}")
    return entry


def check_bounds(entry: Entry, books: Books) -> None:
    """Refuse what would take a ledger account beyond what messages can say.

    Raises:
        RefusedError: It would.
    """
    for each in entry.postings:
        if abs(books.balance(each.name, entry.currency) + each.amount_minor) > MOST_MINOR:
            raise RefusedError("limit", f"{each.name} would hold more than can be counted")
    # Both together too: a statement adds them, and what is held must find room when it comes back.
    names = (spending_name(entry.owner), holding(entry.owner))
    booked = sum(books.balance(name, entry.currency) for name in names)
    if entry.booked_change > 0 and booked + entry.booked_change > MOST_MINOR:
        raise RefusedError("limit", f"{entry.owner} would hold more than can be counted")

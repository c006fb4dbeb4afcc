"""Double entry: accounts by name, entries whose postings add up to nothing, and their ids."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import orjson

EntryKind = Literal[
    "payment", "hold", "post", "void", "expiry", "refund", "top_up", "payout", "reversal"
]

FEES = "fees"
"""The ledger account of what the wallet itself earns."""


def driver(account: str) -> str:
    """The ledger account of what a driver may spend."""
    return f"driver:{account}"


def holding(account: str) -> str:
    """The ledger account of what is held for a driver's open holds."""
    return f"holding:{account}"


def operator(payee: str) -> str:
    """The ledger account of what an operator, station or shop has earned."""
    return f"operator:{payee}"


def provider(name: str) -> str:
    """The ledger account of the outside world, as one provider reaches it."""
    return f"provider:{name}"


def spending_name(owner: str) -> str:
    """The ledger account an owner spends from: a driver's, or an operator's own."""
    return owner if ":" in owner else driver(owner)


def receipt_id(scope: str, requester: str, request_id: str, kind: str = "") -> str:
    """The id of the entry a request makes; the same request makes the same one everywhere.

    Args:
        scope: The vehicle's id.
        requester: Who asked.
        request_id: What they call it.
        kind: Set for an entry that follows from a request by itself, such as `expiry`.
    """
    said = orjson.dumps([scope, requester, request_id, kind])
    return f"r-{hashlib.sha256(said).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Posting:
    """What an entry changes on one ledger account; below 0 it leaves it."""

    name: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry, for ever.

    Attributes:
        entry_id: Also the id of its receipt.
        kind: What happened.
        owner: Whose it is: an account, or `operator:{payee}` for a payout to an operator.
        currency: ISO 4217; an entry has one.
        postings: At least two, on different accounts, not 0, adding up to 0.
        at: When it was decided, UTC.
        vehicle_id: Whose request it was; `None` for what a person recorded.
        requester: Who asked.
        request_id: What they call it.
        payee: Who gets the money, or where it comes from.
        purpose: What for; `None` for top-up and payout.
        day: The owner's local day whose limit it counts against; empty where none does.
        about: What it belongs together with: a payment and its refunds, a hold and its end, all
            charges of one passage. It can never give back more than was paid within it.
        ends: The hold it ends.
        reverses: The entry that a person undid by it.
        expires_at: Of a hold: when it ends by itself.
        words: What it was for, line by line, for a person.
        reason: Of a refund or reversal: why.
    """

    entry_id: str
    kind: EntryKind
    owner: str
    currency: str
    postings: tuple[Posting, ...]
    at: datetime
    vehicle_id: str | None
    requester: str
    request_id: str
    payee: str
    purpose: str | None
    day: str
    about: str
    ends: str | None = None
    reverses: str | None = None
    expires_at: datetime | None = None
    words: tuple[str, ...] = ()
    reason: str = ""

    @property
    def available_change(self) -> int:
        """What it adds to what the owner may spend."""
        return self._change(spending_name(self.owner))

    @property
    def held_change(self) -> int:
        """What it adds to what is held for the owner."""
        return self._change(holding(self.owner))

    @property
    def booked_change(self) -> int:
        """What it adds to what the owner owns, held or not: a hold by itself adds nothing."""
        return self.available_change + self.held_change

    def _change(self, name: str) -> int:
        return sum(each.amount_minor for each in self.postings if each.name == name)


def postings(*changes: tuple[str, int]) -> tuple[Posting, ...]:
    """Postings of account and amount; those of 0 are left out, the rest is in order of names.

    Raises:
        ValueError: They do not add up to 0, are fewer than two, or name an account twice.
    """
    made = tuple(Posting(name, amount) for name, amount in sorted(changes) if amount)
    if sum(each.amount_minor for each in made):
        raise ValueError(f"postings do not add up to 0: {made}")
    if len(made) < 2 or len({each.name for each in made}) < len(made):
        raise ValueError(f"an entry has postings on two accounts or more: {made}")
    return made


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry in the ledger, and what its owner had after it.

    Attributes:
        entry: The entry.
        available_minor: What may be spent.
        held_minor: What is held.
    """

    entry: Entry
    available_minor: int
    held_minor: int


@dataclass(frozen=True, slots=True)
class Period:
    """What an owner's balance did in a time; what is held counts as the owner's.

    Attributes:
        opening_minor: Before the first line.
        lines: What changed it, oldest first.
        closing_minor: At the end of the time, also where lines are cut.
        is_cut: Whether there are more lines than were asked for.
    """

    opening_minor: int
    lines: tuple[Booked, ...]
    closing_minor: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Balances:
    """What an owner has now, by currency, and how many entries that took."""

    available_minor: dict[str, int]
    held_minor: dict[str, int]
    entries: int


class Books(Protocol):
    """What the rules may ask the ledger; the owner's rows are locked meanwhile."""

    def balance(self, name: str, currency: str) -> int:
        """The sum of a ledger account's postings, 0 where there are none."""
        ...

    def entry(self, entry_id: str) -> Entry | None:
        """The entry with this id."""
        ...

    def ending(self, hold_id: str) -> EntryKind | None:
        """How a hold ended; `None` while it is open."""
        ...

    def spent(self, owner: str, purpose: str, day: str, currency: str) -> int:
        """What the owner paid and has held for a purpose on a day, less what came back."""
        ...

    def paid(self, about: str, currency: str) -> int:
        """What was paid within a group of entries, less what came back."""
        ...

    def claimed(self, about: str, currency: str) -> int:
        """All that was asked for within a group, less what was asked back, granted or refused."""
        ...

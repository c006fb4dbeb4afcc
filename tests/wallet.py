"""Requests and toll charges of tests, and a ledger in memory that the rules can ask."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from internetcar.contract.payments import PaymentRequest, PaymentResult
from internetcar.contract.tolls import Crossing, TollCharge
from services.payments import audit, desk
from services.payments.agreements import Account, Agreements
from services.payments.case import Decision
from services.payments.domain import decide
from services.payments.history import all_balances, journal
from services.payments.instruction import Instruction, of_charge, of_request
from services.payments.ledger import Entry, EntryKind
from services.payments.limits import Terms
from services.payments.movements import Movement, top_up
from services.payments.service import Payments
from services.payments.store import open_store
from services.payments.tables import answers
from services.tables import outgoing

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def request(
    request_id: str = "one", action: str = "pay", amount: int = 500, **fields: Any
) -> PaymentRequest:
    """What a petrol pump asks, unless told otherwise."""
    given = {
        "vehicle_id": "car", "requester": "pump", "payee": "shell", "purpose": "fuel",
        "currency": "SGD", "origin": "live", "amount_minor": amount,
    }  # fmt: skip
    return PaymentRequest.model_validate(
        {**given, "request_id": request_id, "action": action, **fields}
    )


def charge(
    charge_id: str = "c1", kind: str = "charge", amount: int = 300, **fields: Any
) -> TollCharge:
    """What the toll service charges for a passage, unless told otherwise."""
    given: dict[str, Any] = {
        "vehicle_id": "car", "operator": "lta", "passage_id": "p1",
        "crossing": Crossing(gate="42", label="CTE", crossed_at=NOW, uncertainty_ms=50),
        "currency": "SGD", "context": "singapore", "context_version": "1",
        "words": ["12:00 to 12:30: 3.00"], "evidence_digest": "0" * 64, "origin": "live",
        "key_id": "", "signature": "", "fee_minor": amount if kind == "charge" else 0,
    }  # fmt: skip
    if kind == "refund":
        given["reason"] = "a later passage makes it free"
    return TollCharge.model_validate(
        {**given, "charge_id": charge_id, "kind": kind, "amount_minor": amount, **fields}
    )


@dataclass
class MemoryBooks:
    """The whole ledger as a list: what the store must agree with."""

    entries: list[Entry] = field(default_factory=list)
    claims: list[tuple[str, str, int]] = field(default_factory=list)

    def balance(self, name: str, currency: str) -> int:
        return sum(
            each.amount_minor
            for entry in self.entries
            if entry.currency == currency
            for each in entry.postings
            if each.name == name
        )

    def entry(self, entry_id: str) -> Entry | None:
        return next((each for each in self.entries if each.entry_id == entry_id), None)

    def ending(self, hold_id: str) -> EntryKind | None:
        return next((each.kind for each in self.entries if each.ends == hold_id), None)

    def spent(self, owner: str, purpose: str, day: str, currency: str) -> int:
        key = (owner, purpose, day, currency)
        return -sum(
            each.available_change
            for each in self.entries
            if (each.owner, each.purpose, each.day, each.currency) == key
        )

    def paid(self, about: str, currency: str) -> int:
        return -sum(
            each.booked_change
            for each in self.entries
            if (each.about, each.currency) == (about, currency)
        )

    def claimed(self, about: str, currency: str) -> int:
        return sum(minor for *group, minor in self.claims if group == [about, currency])

    def names(self) -> set[str]:
        return {each.name for entry in self.entries for each in entry.postings}

    def sum(self, currency: str) -> int:
        return sum(self.balance(name, currency) for name in self.names())


def ask(
    books: MemoryBooks,
    asked: PaymentRequest | TollCharge,
    terms: Terms | None = None,
    now: datetime = NOW,
    *,
    may_wait: bool = False,
) -> Decision:
    """Decide what is asked of the account `alice`, and book it."""
    instruction = told(asked)
    decision = decide(instruction, "alice", books, terms or Terms(), now, may_wait=may_wait)
    if decision.entry is not None:
        books.entries.append(decision.entry)
    return decision


def told(asked: PaymentRequest | TollCharge) -> Instruction:
    """The same as an instruction."""
    return of_charge(asked) if isinstance(asked, TollCharge) else of_request(asked)


def funded(amount: int = 10_000, currency: str = "SGD") -> MemoryBooks:
    """A ledger in which alice has money."""
    books = MemoryBooks()
    decision = top_up(Movement("cash", "start", "alice", amount, currency), books, NOW)
    assert decision.entry is not None
    books.entries.append(decision.entry)
    return books


AGREEMENTS = Agreements(
    believes_unsigned=True,
    accounts={
        "alice": Account("alice", {"car"}),
        "bob": Account("bob", {"van"}, {"live", "simulation"}, Terms({"SGD": 500})),
    },
    purposes={"pump": {"fuel", "parking"}, "evil": {"order"}},
)


class Replica:
    """One process of the wallet on a store, with a clock that a test moves."""

    def __init__(self, url: str, agreements: Agreements = AGREEMENTS) -> None:
        self.now = NOW
        self.database = open_store(url)
        self.payments = Payments(self.database, agreements, lambda: self.now)

    def hear(self, asked: PaymentRequest | TollCharge) -> None:
        """What the broker brings."""
        if isinstance(asked, TollCharge):
            self.payments.on_charge(asked)
        else:
            self.payments.on_request(asked)

    def said(self) -> list[tuple[str, bytes]]:
        """What is to be sent, oldest first; it is sent by that."""
        with self.database.begin() as connection:
            rows = connection.execute(select(outgoing).order_by(outgoing.c.number)).all()
            connection.execute(outgoing.delete())
        return [(row.topic, row.payload) for row in rows]

    def ask(self, asked: PaymentRequest | TollCharge) -> PaymentResult | None:
        """The answer to a message, if it got one."""
        self.hear(asked)
        found = [
            PaymentResult.decode(topic, payload)
            for topic, payload in self.said()
            if topic.endswith("/payment/result")
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def fund(self, account: str = "alice", amount: int = 10_000, currency: str = "SGD") -> Entry:
        """Give an account money."""
        movement = Movement("cash", f"for {account} {currency}", account, amount, currency)
        return desk.take_in(self.database, movement, self.now)

    def balance(self, name: str, currency: str = "SGD") -> int:
        """What is on a ledger account."""
        with self.database.read() as connection:
            found = {(each, code): minor for each, code, minor in all_balances(connection)}
        return found.get((name, currency), 0)

    def findings(self) -> list[str]:
        """What is wrong with the ledger."""
        with self.database.read() as connection:
            assert set(audit.sums(connection).values()) <= {0}
            return audit.findings(connection)

    def ledger(self) -> tuple[object, ...]:
        """Everything that must be the same whatever way the messages took, but the time."""
        with self.database.read() as connection:
            booked = [each.entry for each in journal(connection)]
            results = connection.execute(
                select(
                    answers.c.scope, answers.c.requester, answers.c.request_id, answers.c.payload
                ).where(answers.c.is_binding)
            ).all()
            return (
                tuple(all_balances(connection)),
                tuple(sorted((each.entry_id, each.kind, each.postings) for each in booked)),
                tuple(sorted(tuple(row) for row in results)),
            )

    def close(self) -> None:
        """End it."""
        self.database.close()

"""What the wallet hears, and what it answers; each message is one transaction."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from internetcar.contract.message import ContractError
from internetcar.contract.payments import PaymentRequest, PaymentResult, StatementRequest
from internetcar.contract.subscriptions import Received
from internetcar.contract.tolls import TollCharge
from services.database import Database
from services.outgoing import enqueue
from services.payments import holds, papers
from services.payments.agreements import Agreements
from services.payments.books import as_ms, from_ms
from services.payments.case import Decision, EarlyError, RefusedError, passage_group, referred_id
from services.payments.domain import decide, refused
from services.payments.history import is_owner, period
from services.payments.instruction import (
    Instruction,
    RequestHead,
    of_charge,
    of_head,
    of_request,
)
from services.payments.ledger import Entry
from services.payments.sayings import say_balances, say_booked
from services.payments.settings import SERVICE, PaymentsSettings
from services.payments.store import Answer, Ledger
from services.payments.tables import TABLES, VERSION
from services.payments.triggers import trigger_ddl
from services.runner import Runner, run_service
from services.settings import load_settings

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=10)
"""How long a toll refund may wait for the charge it corrects; then it is refused."""
_EXPIRE_AT_ONCE = 50
_SAY_AT_ONCE = 100
_TURN_EVERY = timedelta(seconds=1)


class Payments:
    """The wallet: hears requests and toll charges, and answers each of them once and for ever.

    Args:
        database: As `open_store` opened it.
        agreements: Whose money, and how much of it.
        clock: The time now, UTC.
    """

    def __init__(
        self, database: Database, agreements: Agreements, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._agreements = agreements
        self._clock = clock
        self._turned_at: datetime | None = None

    def on_charge(self, charge: TollCharge) -> None:
        """A toll charge: money for a passage, or back."""
        instruction = of_charge(charge)
        self._answer(instruction, lambda: self._agreements.check_charge(charge))

    def on_request(self, request: PaymentRequest) -> None:
        """A service's request."""
        instruction = of_request(request)
        self._answer(instruction, lambda: self._agreements.check_requester(instruction))

    def on_unreadable_request(self, received: Received, error: ContractError) -> None:
        """A request with an id that breaks the contract otherwise: it would be repeated for ever.

        A toll charge gets no such answer: its topic does not say who sent it, and what cannot be
        read cannot be signed.
        """
        try:
            head = RequestHead.decode(received.topic, received.payload)
        except ContractError:
            return

        def refuse() -> None:
            raise RefusedError("malformed", str(error))

        self._answer(of_head(head, received.payload), refuse)

    def on_statement_request(self, asked: StatementRequest) -> None:
        """The owner of an account wants its statement; asked again, answered again.

        Raises:
            ContractError: There is no such account.
        """

        def answer(connection: Connection) -> None:
            known = asked.account in self._agreements.accounts
            if not known and not is_owner(connection, asked.account):
                raise ContractError(f"{asked.topic}: there is no such account")
            found = period(
                connection,
                asked.account,
                asked.currency,
                asked.from_at,
                asked.until_at,
                papers.MOST_LINES,
            )
            enqueue(connection, papers.statement(asked, found))

        self._database.run(answer)

    def say_balances(self) -> None:
        """Say what every account has: a broker that forgot it is told again."""
        now = self._now()
        accounts = sorted(self._agreements.accounts)
        for start in range(0, len(accounts), _SAY_AT_ONCE):
            some = accounts[start : start + _SAY_AT_ONCE]
            self._database.run(partial(say_balances, accounts=some, at=now))

    def turn(self) -> None:
        """End the holds whose time is over; call it often."""
        now = self._now()
        if self._turned_at is not None and abs(now - self._turned_at) < _TURN_EVERY:
            return
        self._turned_at = now
        with self._database.read() as connection:
            due = Ledger(connection).due_holds(now, _EXPIRE_AT_ONCE)
        for hold_id in due:
            self._database.run(partial(self._expire, hold_id=hold_id))

    def _now(self) -> datetime:
        """The time in whole milliseconds, as it is stored and said."""
        return from_ms(as_ms(self._clock()))

    def _answer(self, instruction: Instruction, check_trust: Callable[[], None]) -> None:
        self._database.run(lambda connection: self._settle(connection, instruction, check_trust))

    def _settle(
        self, connection: Connection, instruction: Instruction, check_trust: Callable[[], None]
    ) -> None:
        ledger = Ledger(connection)
        ledger.lock_scope(instruction.vehicle_id)
        known = ledger.answers_to(
            instruction.vehicle_id, instruction.requester, instruction.request_id
        )
        same = known.get(instruction.digest)
        if same is not None:
            enqueue(connection, _stored_result(instruction.vehicle_id, same.payload))
            return
        now = self._now()
        if any(answer.is_binding for answer in known.values()):
            other = refused(instruction, "conflict", "this id was used for something else")
            self._conclude(ledger, instruction, other, now, is_binding=False)
            return
        try:
            check_trust()
            owner = self._owner(ledger, instruction)
            self._agreements.check_origin(owner, instruction.origin)
        except RefusedError as error:
            # It does not take the id: else a stranger could take it from who may use it.
            decision = refused(instruction, error.reason, error.detail)
            self._conclude(ledger, instruction, decision, now, is_binding=False)
            return
        self._decide(ledger, instruction, owner, now)

    def _decide(self, ledger: Ledger, instruction: Instruction, owner: str, now: datetime) -> None:
        now = ledger.lock_owner(owner, now)
        terms = self._agreements.terms(owner)
        early = instruction.vehicle_id, instruction.digest
        try:
            decision = decide(instruction, owner, ledger.books, terms, now, may_wait=True)
        except EarlyError as error:
            if now - ledger.early_since(*early, now) < PATIENCE:
                log.info("%s: not answered yet", error)
                return
            decision = decide(instruction, owner, ledger.books, terms, now)
        ledger.forget_early(*early)
        if decision.entry is not None:
            self._book(ledger, decision.entry)
        self._conclude(ledger, instruction, decision, now, is_binding=True)

    def _owner(self, ledger: Ledger, instruction: Instruction) -> str:
        """Whose money is meant: of what is referred to, else of the vehicle.

        A passage stays with the account that began to pay it, also when the vehicle has moved to
        another: else what one of them paid would come back to the other.

        Raises:
            RefusedError: The vehicle has no account.
        """
        owner = None
        if (entry_id := referred_id(instruction)) is not None:
            entry = ledger.books.entry(entry_id)
            owner = None if entry is None else entry.owner
        elif instruction.passage is not None:
            owner = ledger.books.owner_about(passage_group(instruction))
        owner = owner or self._agreements.account_of(instruction.vehicle_id)
        if owner is None:
            raise RefusedError(
                "no_account",
                f"no account pays for {instruction.vehicle_id}: see accounts in the settings of"
                " payments",
            )
        return owner

    def _book(self, ledger: Ledger, entry: Entry) -> None:
        booked = ledger.book(entry)
        log.info("%s %s of %s for %s", entry.kind, entry.entry_id, entry.owner, entry.payee)
        say_booked(ledger.connection, booked)

    def _conclude(
        self,
        ledger: Ledger,
        instruction: Instruction,
        decision: Decision,
        now: datetime,
        *,
        is_binding: bool,
    ) -> None:
        """Store the answer and say it."""
        result = papers.result(instruction, decision, now)
        about, claimed_minor = None, 0
        if is_binding and instruction.passage is not None:
            about = passage_group(instruction)
            is_refund = instruction.action == "toll_refund"
            claimed_minor = -instruction.amount_minor if is_refund else instruction.amount_minor
        ledger.remember(
            Answer(
                instruction.vehicle_id,
                instruction.requester,
                instruction.request_id,
                instruction.digest,
                result.encode(),
                instruction.currency,
                is_binding,
                about,
                claimed_minor,
            )
        )
        if decision.state == "refused":
            log.warning(
                "%s of %s for %s refused: %s",
                instruction.request_id,
                instruction.requester,
                instruction.vehicle_id,
                decision.detail,
            )
        enqueue(ledger.connection, result)

    def _expire(self, connection: Connection, hold_id: str) -> None:
        ledger = Ledger(connection)
        hold = ledger.books.entry(hold_id)
        assert hold is not None
        assert hold.vehicle_id is not None
        ledger.lock_scope(hold.vehicle_id)
        now = ledger.lock_owner(hold.owner, self._now())
        if ledger.books.ending(hold_id) is None:
            expiry = holds.expire(hold, now)
            self._book(ledger, expiry)
            enqueue(connection, papers.expiry_result(expiry))


def build(runner: Runner, agreements: Agreements) -> Payments:
    """Give a runner the wallet's handlers."""
    payments = Payments(runner.database, agreements, lambda: datetime.now(UTC))
    runner.on(TollCharge, payments.on_charge)
    runner.on(PaymentRequest, payments.on_request, on_unreadable=payments.on_unreadable_request)
    runner.on(StatementRequest, payments.on_statement_request)
    runner.on_turn(payments.turn)
    runner.link.on_connected(payments.say_balances)
    return payments


def main(path: Path | None) -> None:
    """Run the wallet until SIGTERM.

    Args:
        path: Its settings, a TOML file; `None`: the environment's only.

    Raises:
        InputError: Settings, store or broker cannot be used; one line.
    """
    settings = load_settings(PaymentsSettings, path)
    run_service(
        SERVICE,
        settings,
        TABLES,
        partial(build, agreements=settings.agreements()),
        version=VERSION,
        extra_ddl=trigger_ddl,
    )


def _stored_result(vehicle_id: str, payload: bytes) -> PaymentResult:
    return PaymentResult.decode(PaymentResult.filter(vehicle_id=vehicle_id), payload)

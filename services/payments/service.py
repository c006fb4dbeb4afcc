"""What the wallet hears, and what it answers; each message is one transaction."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from internetcar.contract.message import ContractError, instant, milliseconds
from internetcar.contract.payments import PaymentRequest, StatementRequest
from internetcar.contract.subscriptions import Received
from internetcar.contract.tolls import TollCharge
from services.database import Database
from services.outgoing import enqueue
from services.payments import papers
from services.payments.agreements import Agreements
from services.payments.case import RefusedError
from services.payments.history import is_owner, period
from services.payments.instruction import (
    Instruction,
    RequestHead,
    of_charge,
    of_head,
    of_request,
)
from services.payments.sayings import say_balances
from services.payments.settings import SERVICE, PaymentsSettings
from services.payments.settling import Settling
from services.payments.store import Ledger
from services.payments.tables import TABLES, VERSION
from services.payments.triggers import trigger_ddl
from services.runner import Runner, run_service
from services.settings import load_settings

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
        self._settling = Settling(agreements, self._now)
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
            self._database.run(partial(self._settling.expire, hold_id=hold_id))

    def _now(self) -> datetime:
        """The time in whole milliseconds, as it is stored and said."""
        return instant(milliseconds(self._clock()))

    def _answer(self, instruction: Instruction, check_trust: Callable[[], None]) -> None:
        self._database.run(
            lambda connection: self._settling.settle(connection, instruction, check_trust)
        )


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

"""How the wallet answers one instruction: once and for ever, in the transaction that hears it."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from internetcar.contract.payments import PaymentResult
from services.outgoing import enqueue
from services.payments import holds, papers
from services.payments.agreements import Agreements
from services.payments.case import Decision, EarlyError, RefusedError, passage_group, referred_id
from services.payments.domain import decide, refused
from services.payments.instruction import Instruction
from services.payments.ledger import Entry
from services.payments.sayings import say_booked
from services.payments.store import Answer, Ledger

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=10)
"""How long a toll refund may wait for the charge it corrects; then it is refused."""


class Settling:
    """Settles instructions against the ledger.

    Args:
        agreements: Whose money, and how much of it.
        now: The time now, UTC, in whole milliseconds.
    """

    def __init__(self, agreements: Agreements, now: Callable[[], datetime]) -> None:
        self._agreements = agreements
        self._now = now

    def settle(
        self, connection: Connection, instruction: Instruction, check_trust: Callable[[], None]
    ) -> None:
        """Answer an instruction, unless it waits for another; asked again, answered the same.

        Args:
            connection: To write; the answer is enqueued in its transaction.
            instruction: What is asked.
            check_trust: Raises `RefusedError` where whoever asks may not.
        """
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

    def expire(self, connection: Connection, hold_id: str) -> None:
        """End a hold whose time is over, unless it ended meanwhile."""
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


def _stored_result(vehicle_id: str, payload: bytes) -> PaymentResult:
    return PaymentResult.decode(PaymentResult.filter(vehicle_id=vehicle_id), payload)

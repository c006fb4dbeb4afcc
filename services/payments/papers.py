"""What an owner gets to see: balance, receipt and statement, made from entries."""

from datetime import datetime
from typing import Literal

from internetcar.contract.payments import (
    CurrencyBalance,
    PaymentResult,
    StatementLine,
    StatementRequest,
    WalletBalance,
    WalletReceipt,
    WalletStatement,
)
from services.payments.case import Decision
from services.payments.instruction import Instruction
from services.payments.ledger import Balances, Booked, Entry, EntryKind, Period

_MOST_WORDS = 400
MOST_LINES = 400
"""Of one statement, so that it stays below what a message may have."""

ReceiptKind = Literal["payment", "refund", "top_up", "payout", "reversal"]
_RECEIPTS: dict[EntryKind, ReceiptKind] = {
    "payment": "payment", "post": "payment", "refund": "refund", "top_up": "top_up",
    "payout": "payout", "reversal": "reversal",
}  # fmt: skip


def result(instruction: Instruction, decision: Decision, now: datetime) -> PaymentResult:
    """The answer to an instruction."""
    return PaymentResult(
        vehicle_id=instruction.vehicle_id,
        request_id=instruction.request_id,
        requester=instruction.requester,
        state=decision.state,
        reason=decision.reason,
        detail=decision.detail[:_MOST_WORDS] or None,
        amount_minor=decision.amount_minor,
        currency=decision.currency,
        receipt_id=None if decision.entry is None else decision.entry.entry_id,
        at=now,
    )


def expiry_result(expiry: Entry) -> PaymentResult:
    """What the holder of a hold is told when its time is over."""
    assert expiry.vehicle_id is not None
    return PaymentResult(
        vehicle_id=expiry.vehicle_id,
        request_id=expiry.request_id,
        requester=expiry.requester,
        state="expired",
        reason="expired",
        detail="the hold's time was over; all of it went back",
        amount_minor=-expiry.held_change,
        currency=expiry.currency,
        receipt_id=expiry.entry_id,
        at=expiry.at,
    )


def balance(account: str, now_has: Balances, at: datetime) -> WalletBalance:
    """What an account has, for everybody who may look."""
    currencies = sorted(now_has.available_minor.keys() | now_has.held_minor.keys())
    return WalletBalance(
        account=account,
        balances={
            currency: CurrencyBalance(
                available_minor=now_has.available_minor.get(currency, 0),
                held_minor=now_has.held_minor.get(currency, 0),
            )
            for currency in currencies
        },
        entries=now_has.entries,
        at=at,
    )


def receipt(booked: Booked) -> WalletReceipt | None:
    """The receipt of an entry; `None` where no money has left or come yet (a hold, its end)."""
    entry = booked.entry
    kind = _RECEIPTS.get(entry.kind)
    if kind is None:
        return None
    return WalletReceipt.model_validate(
        {
            "account": entry.owner,
            "receipt_id": entry.entry_id,
            "request_id": entry.request_id,
            "vehicle_id": entry.vehicle_id,
            "kind": kind,
            "payee": entry.payee,
            "purpose": entry.purpose,
            "amount_minor": entry.booked_change,
            "currency": entry.currency,
            "balance_minor": booked.available_minor,
            "words": [line[:_MOST_WORDS] for line in (*entry.words, entry.reason) if line],
            "at": entry.at,
        }
    )


def text(entry: Entry) -> str:
    """An entry in one line."""
    kind = _RECEIPTS.get(entry.kind, entry.kind).replace("_", "-")
    said = entry.words[:1] + ((entry.reason,) if entry.reason else ())
    return ": ".join((kind, *said))[:_MOST_WORDS]


def statement(asked: StatementRequest, found: Period) -> WalletStatement:
    """The answer to who asks for a statement."""
    return WalletStatement(
        account=asked.account,
        request_id=asked.request_id,
        currency=asked.currency,
        from_at=asked.from_at,
        until_at=asked.until_at,
        opening_minor=found.opening_minor,
        lines=[
            StatementLine(
                at=line.entry.at,
                receipt_id=line.entry.entry_id,
                payee=line.entry.payee,
                text=text(line.entry),
                amount_minor=line.entry.booked_change,
                balance_minor=line.available_minor + line.held_minor,
            )
            for line in found.lines
        ],
        is_cut=found.is_cut,
        closing_minor=found.closing_minor,
    )

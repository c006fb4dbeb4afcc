"""What is asked of the wallet, whichever message brought it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

import orjson

from internetcar.contract.message import Message, Name
from internetcar.contract.money import EventId
from internetcar.contract.payments import PaymentRequest
from internetcar.contract.tolls import TollCharge

NO_CURRENCY = "XXX"
"""ISO 4217's code for transactions that involve none."""

TOLLS = "tolls"
"""The requester of a toll charge, which says none itself."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One thing the wallet is asked to do.

    Attributes:
        vehicle_id: Whose account is meant.
        requester: Who asks.
        request_id: What they call it, for ever.
        digest: SHA-256 of the whole message: another body under the same id is a conflict.
        action: What to do; a passage's refund is `toll_refund`, its charge a plain `pay`.
        payee: Who gets the money.
        purpose: What for.
        amount_minor: How much.
        currency: ISO 4217.
        origin: Whether the vehicle's world is real.
        words: For a person.
        refers_to: The request id of the hold or payment.
        expires_at: Of a hold.
        reason: Of a refund.
        occurred_at: When it happened, where the message says so; its day counts for the limits.
        passage: The toll passage it belongs to.
        claimed_before: Of a toll: what all earlier charges of the passage add up to.
    """

    vehicle_id: str
    requester: str
    request_id: str
    digest: str
    action: Literal["pay", "hold", "post", "void", "refund", "toll_refund"]
    payee: str
    purpose: str
    amount_minor: int
    currency: str
    origin: str
    words: tuple[str, ...] = ()
    refers_to: str | None = None
    expires_at: datetime | None = None
    reason: str = ""
    occurred_at: datetime | None = None
    passage: str | None = None
    claimed_before: int = 0


def body_digest(message: Message) -> str:
    """SHA-256 of every field that is not its default, in an order that no sender decides.

    A field that is added with a default leaves the digest of an older message alone: what is
    repeated over an upgrade is the same request.
    """
    body = message.model_dump(mode="json", exclude_defaults=True)
    said = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(said).hexdigest()


def printable(text: str) -> str:
    """A stranger's text as it may stand in a ledger: one line of signs that can be seen."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def of_request(request: PaymentRequest) -> Instruction:
    """What a service asks."""
    return Instruction(
        vehicle_id=request.vehicle_id,
        requester=request.requester,
        request_id=request.request_id,
        digest=body_digest(request),
        action=request.action,
        payee=request.payee,
        purpose=request.purpose,
        amount_minor=request.amount_minor,
        currency=request.currency,
        origin=request.origin,
        words=_lines(request.description),
        refers_to=request.refers_to,
        expires_at=request.expires_at,
        reason=printable(request.reason or ""),
    )


def of_charge(charge: TollCharge) -> Instruction:
    """What the toll service asks, in the same terms."""
    is_charge = charge.kind == "charge"
    signed_minor = charge.amount_minor if is_charge else -charge.amount_minor
    return Instruction(
        vehicle_id=charge.vehicle_id,
        requester=TOLLS,
        request_id=charge.charge_id,
        digest=body_digest(charge),
        action="pay" if is_charge else "toll_refund",
        payee=charge.operator,
        purpose="toll",
        amount_minor=charge.amount_minor,
        currency=charge.currency,
        origin=charge.origin,
        words=_lines(charge.crossing.label, *charge.words),
        reason=printable(charge.reason or ""),
        occurred_at=charge.crossing.crossed_at,
        passage=charge.passage_id,
        claimed_before=charge.fee_minor - signed_minor,
    )


class RequestHead(Message):
    """What must be readable of a request so that it can be answered that the rest is not."""

    TOPIC: ClassVar[str] = PaymentRequest.TOPIC
    SENDER: ClassVar[str] = PaymentRequest.SENDER
    QOS: ClassVar[Literal[0, 1]] = PaymentRequest.QOS
    RETAIN: ClassVar[bool] = PaymentRequest.RETAIN
    MAX_PAYLOAD_BYTES: ClassVar[int] = PaymentRequest.MAX_PAYLOAD_BYTES

    vehicle_id: Name
    requester: Name
    request_id: EventId


def of_head(head: RequestHead, payload: bytes) -> Instruction:
    """What cannot be read but has an id: nothing is asked, and nothing can be granted."""
    return Instruction(
        vehicle_id=head.vehicle_id,
        requester=head.requester,
        request_id=head.request_id,
        digest=hashlib.sha256(payload).hexdigest(),
        action="pay",
        payee="",
        purpose="",
        amount_minor=0,
        currency=NO_CURRENCY,
        origin="",
    )


def _lines(*texts: str) -> tuple[str, ...]:
    return tuple(line for text in texts if (line := printable(text)))

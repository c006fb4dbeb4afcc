"""The wallet: what may be asked of it, what it answers, and what belongs to an account."""

from typing import ClassVar, Literal

from pydantic import Field

from internetcar.contract.message import Instant, Message, Name, Part
from internetcar.contract.money import Currency, EventId, Minor, SignedMinor, Words

Action = Literal["pay", "hold", "post", "void", "refund"]
"""`pay` at once; `hold` an amount, then `post` at most that or `void`; `refund` a payment."""

PaymentState = Literal["posted", "held", "voided", "expired", "refunded", "refused"]

PaymentReason = Literal[
    "malformed", "origin", "no_account", "not_trusted", "conflict", "insufficient_funds",
    "limit", "currency", "unknown_hold", "hold_ended", "exceeds_hold", "unknown_payment",
    "exceeds_payment", "expired",
]  # fmt: skip

Purpose = Literal["toll", "fuel", "charging", "parking", "order"]


class PaymentRequest(Message):
    """A service asks the wallet of a vehicle; it repeats until the result with this id is stored.

    Which account pays, say the settings of payments and never the vehicle.
    """

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/payment/request/{requester}"
    SENDER: ClassVar[str] = "requester"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("payments",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 8192

    vehicle_id: Name
    requester: Name = Field(description="the broker's user name; its rules let nobody else in")
    request_id: EventId
    action: Action
    payee: Name = Field(description="the operator, station or shop that gets the money")
    purpose: Purpose
    amount_minor: Minor = Field(default=0, description="of `void`: 0")
    currency: Currency
    description: Words = ""
    refers_to: EventId | None = Field(
        default=None, description="the hold of `post` and `void`, the payment of `refund`"
    )
    expires_at: Instant | None = Field(
        default=None, description="of `hold`: when it ends by itself; none: after 24 h"
    )
    reason: Words | None = Field(default=None, description="of `refund`: why")
    origin: Literal["live", "recording", "simulation"]


class PaymentResult(Message):
    """What became of a request or of a toll charge; the same id always gets the same answer.

    `expired` is said once more for a hold that was answered `held`, when its time is over.
    """

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/payment/result"
    SENDER: ClassVar[str] = "payments"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("tolls",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name
    request_id: EventId = Field(description="that of the request, or of the toll charge")
    requester: Name = Field(description="who asked; of a toll charge `tolls`")
    state: PaymentState
    reason: PaymentReason | None = None
    detail: Words | None = Field(default=None, description="for a person")
    amount_minor: Minor
    currency: Currency
    receipt_id: EventId | None = Field(default=None, description="of what moved money")
    at: Instant


class CurrencyBalance(Part):
    """An account in one currency."""

    available_minor: SignedMinor = Field(description="what may still be spent, credit not counted")
    held_minor: Minor = Field(description="held for what is not posted yet")


class WalletBalance(Message):
    """What an account has."""

    TOPIC: ClassVar[str] = "v1/wallet/{account}/balance"
    SENDER: ClassVar[str] = "payments"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = True

    account: Name
    balances: dict[Currency, CurrencyBalance]
    entries: int = Field(ge=0, description="journal entries so far: a greater number is newer")
    at: Instant


class WalletReceipt(Message):
    """One movement of money, as its owner may keep it."""

    TOPIC: ClassVar[str] = "v1/wallet/{account}/receipt"
    SENDER: ClassVar[str] = "payments"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    account: Name
    receipt_id: EventId
    request_id: EventId
    vehicle_id: Name | None = None
    kind: Literal["payment", "refund", "top_up", "payout", "reversal"]
    payee: Name
    purpose: Purpose | None = None
    amount_minor: SignedMinor = Field(description="below 0: it left the account")
    currency: Currency
    balance_minor: SignedMinor = Field(description="available after it")
    words: list[Words] = Field(default_factory=list)
    at: Instant


class StatementLine(Part):
    """One line of a statement."""

    at: Instant
    receipt_id: EventId
    payee: Name
    text: Words
    amount_minor: SignedMinor
    balance_minor: SignedMinor


class StatementRequest(Message):
    """The owner of an account asks for its statement."""

    TOPIC: ClassVar[str] = "v1/wallet/{account}/statement-request"
    SENDER: ClassVar[str] = "owner"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("payments",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 1024

    account: Name
    request_id: EventId
    currency: Currency
    from_at: Instant
    until_at: Instant


class WalletStatement(Message):
    """All movements of an account in a time: opening balance, lines, closing balance."""

    TOPIC: ClassVar[str] = "v1/wallet/{account}/statement"
    SENDER: ClassVar[str] = "payments"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    account: Name
    request_id: EventId
    currency: Currency
    from_at: Instant
    until_at: Instant
    opening_minor: SignedMinor
    lines: list[StatementLine]
    is_cut: bool = Field(default=False, description="there are more lines than one message holds")
    closing_minor: SignedMinor

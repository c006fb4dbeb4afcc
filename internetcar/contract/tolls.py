"""Tolls: what was passed, what it costs, and what the toll charger says of it (ISO 12855)."""

from typing import ClassVar, Literal

from pydantic import Field

from internetcar.contract.message import Instant, Message, Name, Part
from internetcar.contract.money import LINE, MOST_MINOR, Currency, EventId, Minor, Term, Words
from internetcar.contract.presence import Origin

PassageState = Literal["proven", "unresolved", "rejected", "free"]
"""Only `proven` costs money; `unresolved` waits for evidence and expires as `free`."""


class Crossing(Part):
    """Where and when a toll object was passed."""

    gate: Term = Field(description="its id in the toll context")
    label: Words
    crossed_at: Instant
    uncertainty_ms: int = Field(ge=0, description="one standard deviation of `crossed_at`")


class TollPassage(Message):
    """A passage, said again with a greater `revision` whenever evidence or fee changes."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/toll/passage"
    SENDER: ClassVar[str] = "tolls"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name
    passage_id: EventId
    revision: int = Field(ge=1)
    state: PassageState
    crossing: Crossing
    context: Name = Field(description="the toll context, such as singapore")
    context_version: Term
    fee_minor: Minor = Field(description="what all charges for it add up to, now")
    currency: Currency
    words: list[Words] = Field(description="the fee, rule by rule")
    origin: Origin
    at: Instant


class TollCharge(Message):
    """Money for a passage, or back: repeated until `payment/result` with its id is stored.

    A passage that another one makes cheaper or dearer is charged or refunded the difference.
    """

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/toll/charge"
    SENDER: ClassVar[str] = "tolls"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("payments",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 16_384

    vehicle_id: Name
    charge_id: EventId
    kind: Literal["charge", "refund"]
    operator: Name
    passage_id: EventId
    crossing: Crossing
    amount_minor: Minor
    currency: Currency
    fee_minor: Minor = Field(description="what all charges for the passage add up to, with this")
    context: Name
    context_version: Term
    words: list[Words] = Field(description="the fee, rule by rule")
    reason: Words | None = Field(default=None, description="of a difference or correction: why")
    evidence_digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256")
    origin: Origin
    key_id: Term = Field(description="which key signed it")
    signature: str = Field(
        max_length=128,
        pattern=LINE,
        description="Ed25519 over the canonical JSON of the rest, base64",
    )


class TollDeclaration(Message):
    """What the service provider declares to the toll charger; repeated until billing details come.

    The terms are ISO 12855's: toll declaration, billing details, exception list.
    """

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/toll/declaration"
    SENDER: ClassVar[str] = "tolls"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("toll-charger",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name
    declaration_id: EventId
    operator: Name
    passage_id: EventId
    crossing: Crossing
    fee_minor: Minor
    currency: Currency
    vehicle_class: Term
    context: Name
    context_version: Term
    evidence_digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    origin: Origin
    key_id: Term
    signature: str = Field(max_length=128, pattern=LINE)


class BillingDetails(Message):
    """The toll charger's answer to a declaration; the same declaration gets the same answer."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/toll/billing-details"
    SENDER: ClassVar[str] = "toll-charger"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("tolls",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name
    declaration_id: EventId
    operator: Name
    passage_id: EventId
    verdict: Literal["confirmed", "rejected", "corrected"]
    amount_minor: Minor = Field(description="what the charger bills for the passage")
    currency: Currency
    reason: Words | None = None
    at: Instant


class ExceptionEntry(Part):
    """One vehicle the charger treats otherwise."""

    vehicle_id: Name
    treatment: Literal["exempt", "blocked"]
    reason: Words = ""
    valid_from: Instant
    valid_until: Instant | None = None


class ExceptionList(Message):
    """The charger's exception list: whom it exempts, and whose account it does not accept."""

    TOPIC: ClassVar[str] = "v1/toll-charger/{operator}/exception-list"
    SENDER: ClassVar[str] = "toll-charger"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("tolls",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = True

    operator: Name
    version: int = Field(ge=0, le=MOST_MINOR)
    entries: list[ExceptionEntry] = Field(default_factory=list, max_length=10_000)

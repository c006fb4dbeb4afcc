"""The log: every paced sample, numbered, in order, without gaps."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from internetcar.contract.message import Instant, Message, Name, Part, Path, Value
from internetcar.contract.presence import Clock, Origin
from internetcar.contract.signals import Quality

MOST_OFFSET_MS = 1 << 44
"""Some 557 years: more than between 1970 and any instant in nanoseconds of 64 bits."""

_Offset = Annotated[int, Field(ge=-MOST_OFFSET_MS, le=MOST_OFFSET_MS)]

Sample = tuple[_Offset, Value] | tuple[_Offset, Value, Quality]
"""Milliseconds after `start_at` (a snapshot looks back: below 0), value, quality if not valid."""

MOST_SEQUENCE = 1 << 53
"""The last a journal may have: JSON numbers are exact up to here, and every store can hold it."""


class Dropped(Part):
    """A stated loss: these sequences were given up, and why."""

    first: int = Field(ge=1, le=MOST_SEQUENCE)
    last: int = Field(ge=1, le=MOST_SEQUENCE)
    reason: str


class Telemetry(Message):
    """One batch of a journal. It says everything from `start_at` to `end_at`."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/telemetry"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name
    journal: str = Field(min_length=1, max_length=64)
    sequence: int = Field(
        ge=1, le=MOST_SEQUENCE, description="from 1 without a gap; of `dropped`, its last"
    )
    previous: str | None = Field(
        default=None,
        max_length=64,
        description="on sequence 1 (or a loss from 1 on): the journal this writer kept before",
    )
    previous_last: int | None = Field(
        default=None,
        ge=1,
        le=MOST_SEQUENCE,
        description="beside `previous`: that journal's last sequence",
    )
    dropped: Dropped | None = None
    kind: Literal["changes", "snapshot", "dropped"] = "changes"
    start_at: Instant
    end_at: Instant
    clock: Clock
    origin: Origin
    samples: dict[Path, list[Sample]] = Field(default_factory=dict)


class RepairedTelemetry(Telemetry):
    """A batch sent again to one reader who asked for it, byte for byte as it was."""

    TOPIC: ClassVar[str] = "v1/client/{requester}/telemetry/{vehicle_id}"

    requester: Name


class TelemetryRequest(Message):
    """A reader asks for batches it missed."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/telemetry-request"
    SENDER: ClassVar[str] = "reader"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 1024

    vehicle_id: Name
    journal: str = Field(min_length=1, max_length=64)
    first: int = Field(ge=1, le=MOST_SEQUENCE)
    last: int = Field(ge=1, le=MOST_SEQUENCE)
    reply_to: Name = Field(description="the requester below whose `v1/client/` the answer goes")

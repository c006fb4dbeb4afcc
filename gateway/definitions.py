"""What is known about each signal before the first frame."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cantools.database.can import Signal

from gateway.databases import MessageDefinition

Number = int | float


@dataclass(frozen=True)
class SignalDefinition:
    """What is known about one signal of one bus.

    Attributes:
        index: its number in `Decoder.signals`.
        bus: index of the bus.
        can_id: of its frame, with bit 31 set when that has 29 bits.
        minimum: smallest physical value; `None` where the database gives no finite one.
        maximum: largest physical value; likewise.
        choices: raw number → name.
        initial: physical value before the first frame (GenSigStartValue); `None` if not given.
        cycle_time_ms: how often its frame is sent; `None` if the database is silent.
        bits: its length.
    """

    index: int
    bus: int
    message: str
    can_id: int
    signal: str
    unit: str
    minimum: float | None
    maximum: float | None
    choices: Mapping[int, str]
    scale: Number
    offset: Number
    is_float: bool
    is_signed: bool
    bits: int
    initial: Number | None
    cycle_time_ms: int | None
    senders: tuple[str, ...]
    comment: str


def define_signal(
    index: int, bus: int, message: MessageDefinition, signal: Signal
) -> SignalDefinition:
    """What a database says about one signal of one bus."""
    conversion = signal.conversion
    return SignalDefinition(
        index=index,
        bus=bus,
        message=message.name,
        can_id=message.can_id,
        signal=signal.name,
        unit=signal.unit or "",
        minimum=_finite(signal.minimum),
        maximum=_finite(signal.maximum),
        choices={int(raw): str(name) for raw, name in (signal.choices or {}).items()},
        scale=conversion.scale,
        offset=conversion.offset,
        is_float=conversion.is_float,
        is_signed=signal.is_signed,
        bits=signal.length,
        initial=_finite(signal.initial),
        cycle_time_ms=message.cycle_time_ms,
        senders=message.senders,
        comment=signal.comment or "",
    )


def _finite(value: object) -> Number | None:
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    return None

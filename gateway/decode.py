"""Turns frames into the signals that changed.

A payload is compared with the previous one of its identifier; only signals whose bits changed are
computed. Every frame, repeated or not, is counted and dated.
"""

import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cantools.database.can import Signal

from gateway.codegen import Group, generate
from gateway.databases import Database, MessageDefinition

Number = int | float
Changes = Sequence[tuple[int, Number]]
Handler = Callable[[bytes, int], Changes]
"""Takes payload and instant (UTC nanoseconds) of one frame of one identifier."""

EXTENDED = 0x8000_0000
NOT_DATA = 0x6000_0000
"""Remote frames and error frames carry no signals."""
MAX_UNKNOWN_IDS = 4096
"""Unknown identifiers counted one by one, per bus; a hostile sender has half a billion."""


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


class MessageState:
    """One message of one bus: its definition, and what has come of it.

    Attributes:
        indices: of its signals in `Decoder.signals`.
        short: changed frames too short for some wanted signal.
        unknown_selectors: changed frames whose multiplexer has a value the database does not know.
    """

    def __init__(self, bus: int, definition: MessageDefinition, first_index: int) -> None:
        self.bus = bus
        self.definition = definition
        self.indices = range(first_index, first_index + len(definition.signals))
        self.short = 0
        self.unknown_selectors = 0
        self._read: Callable[[], tuple[int, int]] = lambda: (0, 0)

    @property
    def frames(self) -> int:
        """How many frames came, repeated ones included."""
        return self._read()[0]

    @property
    def last_at_ns(self) -> int:
        """When the newest frame came, repeated or not; 0 before the first."""
        return self._read()[1]

    def build(self, wanted: Collection[int] | None) -> Handler:
        """Compiles the decoder of this message."""
        program = generate(self.definition.signals, self.indices.start, wanted)
        space: dict[str, Any] = {"__builtins__": {"len": len}}
        exec(compile(program.source, f"<decoder {self.definition.can_id:#x}>", "exec"), space)
        merge = _Merge(self, program.groups)
        handler, self._read = space["bind"](
            int.from_bytes, merge, _half, _single, _double, self._count_unknown
        )
        return handler  # type: ignore[no-any-return]  # it comes out of generated code

    def _count_unknown(self) -> None:
        self.unknown_selectors += 1


class _Merge:
    """What generated code calls for a group's first frame and for unusual lengths.

    It lets bits that did not come keep what they were, so that one state serves all lengths.
    """

    def __init__(self, state: MessageState, groups: Sequence[Group]) -> None:
        self._state = state
        self._groups = groups
        self._unseen = [group.mask for group in groups]

    def __call__(self, number: int, new: int, word: int, size: int) -> tuple[int, int, int]:
        """The bits to look at, the word to keep, and the length that needs no further call."""
        there = missing = 0
        for field in self._groups[number].fields:
            if field.end <= size:
                there |= field.mask
            else:
                missing += 1
        if missing:
            self._state.short += 1
        diff = ((new ^ word) | self._unseen[number]) & there
        self._unseen[number] &= ~there
        usual = -1 if missing or self._unseen[number] else size
        return diff, (new & there) | (word & ~there), usual


class _Handlers(dict[int, Handler]):
    """The handlers of one bus by `can_id`; an unknown one gets a handler that counts."""

    def __init__(self) -> None:
        super().__init__()
        self.unknown: dict[int, int] = {}
        self.unknown_frames = 0
        self.not_data = 0

    def __missing__(self, can_id: int) -> Handler:
        if can_id & NOT_DATA:
            self.not_data += 1
            return _nothing
        self.unknown_frames += 1
        if can_id in self.unknown or len(self.unknown) < MAX_UNKNOWN_IDS:
            self.unknown[can_id] = self.unknown.get(can_id, 0) + 1
        return _nothing


class Decoder:
    """Decodes the frames of several buses.

    Attributes:
        signals: every signal by its index, wanted or not.
        messages: per bus, the state of each message by `can_id`.
        handlers: per bus, `can_id` → handler; the shortest way for a loop that binds it once.
        errors: per bus, frames whose decoding failed.
    """

    def __init__(
        self,
        buses: Sequence[Sequence[Database]],
        wanted: Collection[int] | None = None,
    ) -> None:
        """Compiles the decoders.

        Args:
            buses: per bus its databases; where two know the same identifier, the first counts.
            wanted: indices of signals to report, as `signal_definitions` numbers them; `None`: all.
        """
        self.signals, self.messages = _states(buses)
        self.errors = [0] * len(buses)
        keep = None if wanted is None else frozenset(wanted)
        self.handlers: list[_Handlers] = []
        for states in self.messages:
            handlers = _Handlers()
            for can_id, state in states.items():
                handlers[can_id] = state.build(keep)
            self.handlers.append(handlers)

    def decode(self, bus: int, can_id: int, payload: bytes, at_ns: int) -> Changes:
        """The signals that changed with this frame: (index, physical number) each.

        The first frame of an identifier reports all its signals.
        """
        try:
            return self.handlers[bus][can_id](payload, at_ns)
        except (ArithmeticError, ValueError, struct.error):
            self.errors[bus] += 1
            return ()

    def state(self, bus: int, can_id: int) -> MessageState | None:
        """What has come of a message; `None` if no database of the bus knows it."""
        return self.messages[bus].get(can_id)

    def unknown(self, bus: int) -> Mapping[int, int]:
        """Frames that no database knows, by `can_id`; at most `MAX_UNKNOWN_IDS` identifiers."""
        return self.handlers[bus].unknown

    def unknown_frames(self, bus: int) -> int:
        """How many frames of a bus no database knows."""
        return self.handlers[bus].unknown_frames


def signal_definitions(buses: Sequence[Sequence[Database]]) -> list[SignalDefinition]:
    """Every signal of every bus, numbered as a `Decoder` for the same databases numbers them."""
    return _states(buses)[0]


def _states(
    buses: Sequence[Sequence[Database]],
) -> tuple[list[SignalDefinition], list[dict[int, MessageState]]]:
    signals: list[SignalDefinition] = []
    messages: list[dict[int, MessageState]] = []
    for bus, databases in enumerate(buses):
        states: dict[int, MessageState] = {}
        for database in databases:
            for definition in database.messages:
                if definition.can_id in states:
                    continue
                states[definition.can_id] = MessageState(bus, definition, len(signals))
                for signal in definition.signals:
                    signals.append(_signal_definition(len(signals), bus, definition, signal))
        messages.append(states)
    return signals, messages


def _signal_definition(
    index: int, bus: int, message: MessageDefinition, signal: Signal
) -> SignalDefinition:
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
    if isinstance(value, int | float) and abs(value) < float("inf"):
        return value
    return None


def _nothing(payload: bytes, at_ns: int) -> Changes:
    return ()


def _half(raw: int) -> float:
    return struct.unpack("<e", raw.to_bytes(2, "little"))[0]  # type: ignore[no-any-return]


def _single(raw: int) -> float:
    return struct.unpack("<f", raw.to_bytes(4, "little"))[0]  # type: ignore[no-any-return]


def _double(raw: int) -> float:
    return struct.unpack("<d", raw.to_bytes(8, "little"))[0]  # type: ignore[no-any-return]

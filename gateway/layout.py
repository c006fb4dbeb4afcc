"""Where the signals of a message are, and which of them come together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cantools.database.can import Signal


@dataclass(frozen=True)
class Field:
    """One signal as generated code sees it.

    Attributes:
        index: what its value is reported under.
        signal: where its bits are and what they mean.
        mask: its bits in the payload read as a little-endian number.
        end: the number of bytes a frame needs to contain it.
    """

    index: int
    signal: Signal
    mask: int
    end: int


@dataclass(frozen=True)
class Group:
    """Fields that come under one condition and share no bit.

    Attributes:
        multiplexer: name of the signal that selects them; `None` for those in every frame.
        selectors: the multiplexer's values with which they are there, ascending.
    """

    multiplexer: str | None
    selectors: tuple[int, ...]
    fields: tuple[Field, ...]

    @property
    def mask(self) -> int:
        """The bits of all fields."""
        return union(self.fields)


def field_mask(signal: Signal) -> int:
    """The signal's bits in a payload read as a little-endian number."""
    if signal.byte_order == "little_endian":
        return ((1 << signal.length) - 1) << signal.start
    mask = 0
    bit = signal.start
    for _ in range(signal.length):
        mask |= 1 << bit
        bit = bit + 15 if bit % 8 == 0 else bit - 1
    return mask


def insert(signal: Signal, raw: int, payload: bytes) -> bytes:
    """The payload with the signal's bits set to a raw number, cut to the signal's length.

    The payload is long enough to contain the signal.
    """
    ones = (1 << signal.length) - 1
    word = int.from_bytes(payload, "little") & ~field_mask(signal)
    raw &= ones
    if signal.byte_order == "little_endian":
        word |= raw << signal.start
    else:
        bit = signal.start
        for place in reversed(range(signal.length)):
            word |= (raw >> place & 1) << bit
            bit = bit + 15 if bit % 8 == 0 else bit - 1
    return word.to_bytes(len(payload), "little")


def groups_of(fields: Sequence[Field]) -> list[Group]:
    """Groups by condition; fields that share bits are put in different groups."""
    found: dict[tuple[str | None, tuple[int, ...], int], list[Field]] = {}
    taken: dict[tuple[str | None, tuple[int, ...], int], int] = {}
    for field in sorted(fields, key=lambda field: field.mask & -field.mask):
        signal = field.signal
        selectors = tuple(sorted(signal.multiplexer_ids or ())) if signal.multiplexer_signal else ()
        layer = 0
        while taken.get((signal.multiplexer_signal, selectors, layer), 0) & field.mask:
            layer += 1
        key = (signal.multiplexer_signal, selectors, layer)
        found.setdefault(key, []).append(field)
        taken[key] = taken.get(key, 0) | field.mask
    return [Group(name, ids, tuple(found[name, ids, n])) for name, ids, n in found]


def union(fields: Iterable[Field]) -> int:
    """The bits of all fields."""
    mask = 0
    for field in fields:
        mask |= field.mask
    return mask


def multiplexers_of(signals: Sequence[Signal], groups: Sequence[Group]) -> list[Signal]:
    """The multiplexers on which the groups depend, each after the one it depends on itself."""
    by_name = {signal.name: signal for signal in signals if signal.is_multiplexer}
    needed: set[str] = set()
    for group in groups:
        name = group.multiplexer
        while name in by_name and name not in needed:
            needed.add(name)
            name = by_name[name].multiplexer_signal
    ordered: list[Signal] = []
    reached: set[str | None] = {None}
    while True:
        level = [
            by_name[name]
            for name in sorted(needed - reached)
            if by_name[name].multiplexer_signal in reached
        ]
        if not level:
            return ordered
        ordered += level
        reached.update(signal.name for signal in level)

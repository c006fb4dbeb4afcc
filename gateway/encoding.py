"""A value to the payload of a command's frame, or why there is none (pure)."""

import math
import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction

from cantools.database.can import Signal

from gateway.checks import Seal, reader
from gateway.layout import field_mask, insert

_FLOATS = {16: "<e", 32: "<f", 64: "<d"}


class Refusal(Exception):  # noqa: N818 # it is an answer, not an error
    """Why a command is not carried out: a reason of the contract, and the facts in words."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def raw_number(signal: Signal, physical: float) -> int:
    """The bits that say a physical number; the nearest the signal can say.

    Raises:
        Refusal: The number is beyond the signal's range, or stands for a name.
    """
    if not math.isfinite(physical):
        raise Refusal("transform", f"{signal.name}: {physical} is no number a signal can say")
    low, high = said_range(signal.minimum, signal.maximum)
    if not low <= physical <= high:
        raise Refusal(
            "out_of_range",
            f"{_short(physical)} is not in {low:g}…{high:g}, the range of {signal.name}",
        )
    conversion = signal.conversion
    raw: int | None
    if conversion.is_float:
        raw = _float_bits(signal, (physical - conversion.offset) / conversion.scale)
    else:
        steps = Fraction(physical) - Fraction(conversion.offset)
        raw = round(steps / Fraction(conversion.scale))
    if raw is None or not fits(signal, raw):
        raise Refusal("out_of_range", f"{_short(physical)} does not fit {signal.name}")
    return raw


def physical_number(signal: Signal, raw: int) -> float:
    """What a raw number says, as a decoder computes it."""
    conversion = signal.conversion
    if not conversion.is_float:
        return raw * conversion.scale + conversion.offset
    [number] = struct.unpack(_FLOATS[signal.length], raw.to_bytes(signal.length // 8, "little"))
    return float(number * conversion.scale + conversion.offset)


def said_range(minimum: float | None, maximum: float | None) -> tuple[float, float]:
    """What a database lets a number be; a range of nothing, such as [0|0], says nothing."""
    low = -math.inf if minimum is None or math.isnan(minimum) else minimum
    high = math.inf if maximum is None or math.isnan(maximum) else maximum
    return (low, high) if low < high else (-math.inf, math.inf)


def fits(signal: Signal, raw: int) -> bool:
    """Whether the signal's bits can say a raw number."""
    if signal.is_signed and not signal.conversion.is_float:
        return -(1 << signal.length) <= 2 * raw < 1 << signal.length
    return 0 <= raw < 1 << signal.length


def reserved_name(signal: Signal, raw: int) -> str | None:
    """The name a raw number of a physical quantity has, such as `not available`; else `None`."""
    names = {int(known): str(name) for known, name in (signal.choices or {}).items()}
    return names.get(raw) if signal.unit else None


class Composer:
    """Puts the frames of one message together."""

    def __init__(
        self, name: str, length: int, signals: Sequence[Signal], seal: Seal | None
    ) -> None:
        """Prepare.

        Args:
            name: Of the message.
            length: Bytes of its payload.
            signals: All of it.
            seal: Its counter and checksum.
        """
        self._name = name
        self._length = length
        self._by_name = {signal.name: signal for signal in signals}
        self._read = {signal.name: reader(signal) for signal in signals}
        self._signals = sorted(signals, key=lambda signal: len(self._multiplexers(signal)))
        self._selecting = {signal.multiplexer_signal for signal in signals}
        self._seal = seal
        self._sealed = seal.names if seal else frozenset()

    @property
    def sealed(self) -> frozenset[str]:
        """The signals that are its counter and checksum."""
        return self._sealed

    def page(self, name: str, seen: bytes | None) -> dict[str, int]:
        """The multiplexers with the values that a signal of this name needs.

        Of several pages that have it, the one that was seen, else the first.
        """
        heard = self._heard(seen)
        page: dict[str, int] = {}
        for multiplexer, below in self._multiplexers(self._by_name[name]):
            ids = below.multiplexer_ids or [0]
            last = heard.get(multiplexer.name)
            page[multiplexer.name] = last if last is not None and last in ids else min(ids)
        return page

    def compose(self, wanted: Mapping[str, int], seen: bytes | None, before: bytes | None) -> bytes:
        """One payload.

        Args:
            wanted: Raw numbers by signal; all of them of one page.
            seen: The newest frame that another node sent: what it says else is kept.
            before: The frame before this one, whoever sent it: its counter goes on.

        Raises:
            Refusal: A further signal was never seen and has no initial value.
        """
        for name in list(wanted):
            wanted = {**self.page(name, seen), **wanted}
        heard = self._heard(seen)
        is_same_page = all(
            heard.get(name, raw) == raw for name, raw in wanted.items() if name in self._selecting
        )
        kept = seen if seen is not None and is_same_page else b""
        payload = kept[: self._length].ljust(self._length, b"\0")
        values: dict[str, int] = {}
        missing = []
        for signal in self._signals:
            if not self._is_there(signal, values):
                continue
            raw = self._raw(signal, wanted, heard)
            if raw is None:
                missing.append(signal.name)
            else:
                values[signal.name] = raw
                payload = insert(signal, raw, payload)
        if missing:
            raise Refusal(
                "missing_signal",
                f"{self._name}: {', '.join(missing[:8])} was never seen and has no initial value",
            )
        for name, raw in wanted.items():  # where signals share bits, what is wanted holds
            payload = insert(self._by_name[name], raw, payload)
        return payload if self._seal is None else self._seal.seal(payload, before)

    def _raw(
        self, signal: Signal, wanted: Mapping[str, int], heard: Mapping[str, int]
    ) -> int | None:
        if signal.name in wanted:
            return wanted[signal.name]
        if signal.name in self._sealed:
            return 0
        return heard.get(signal.name, initial_number(signal))

    def _heard(self, seen: bytes | None) -> dict[str, int]:
        """Every signal that another node's frame says, as its raw number."""
        heard: dict[str, int] = {}
        if seen is None:
            return heard
        for signal in self._signals:
            is_whole = field_mask(signal).bit_length() <= 8 * len(seen)
            if is_whole and self._is_there(signal, heard):
                heard[signal.name] = self._read[signal.name](seen)
        return heard

    def _is_there(self, signal: Signal, values: Mapping[str, int]) -> bool:
        """Whether a signal is in a frame whose multiplexers have these values."""
        name = signal.multiplexer_signal
        return name is None or values.get(name) in (signal.multiplexer_ids or ())

    def _multiplexers(self, signal: Signal) -> list[tuple[Signal, Signal]]:
        """(multiplexer, the signal that it selects) from this signal up to the root."""
        chain: list[tuple[Signal, Signal]] = []
        while (name := signal.multiplexer_signal) in self._by_name and len(chain) < 8:
            multiplexer = self._by_name[name or ""]
            chain.append((multiplexer, signal))
            signal = multiplexer
        return chain


def initial_number(signal: Signal) -> int | None:
    """The raw number a database gives a signal before anybody sets it."""
    raw = signal.raw_initial
    if raw is None or not math.isfinite(raw):
        return None
    if signal.conversion.is_float:
        return _float_bits(signal, float(raw))
    return int(raw) if fits(signal, int(raw)) else None


def _float_bits(signal: Signal, number: float) -> int | None:
    """The bits of a float; `None` where it is too large for them."""
    try:
        bits = struct.pack(_FLOATS[signal.length], number)
    except OverflowError:
        return None
    return int.from_bytes(bits, "little") if math.isfinite(number) else None


def _short(number: float) -> str:
    return f"{number:.10g}"

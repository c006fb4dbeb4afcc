"""Counters and checksums of frames: whether one that came may be believed.

The same rules seal the frames we send. Tolerance and recovery are those of opendbc's parser: a
wrong checksum refuses its frame at once; a counter that does not advance is believed four times,
then refused until it has advanced again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from cantools.database.can import Signal

from gateway.codegen import raw_expression
from gateway.layout import field_mask, insert

MAX_BAD_COUNTERS = 5
"""As opendbc's parser has it; each good counter makes up for a bad one."""

Algorithm = Callable[[bytes], int]


class CheckRuleError(ValueError):
    """A rule that does not fit its message; the message names both."""


@dataclass(frozen=True)
class CheckRule:
    """How the frames of one message are protected.

    Attributes:
        checksum: name of the signal with the checksum; `None` if there is none.
        algorithm: one of `ALGORITHMS`, over the payload with the checksum's own bits as zero; a
            CRC leaves out the checksum's byte.
        final_xor: applied to the result, before it is cut to the signal's length.
        counter: name of the signal that counts frames; `None` if there is none.
        step: by how much it counts.
    """

    checksum: str | None = None
    algorithm: str = "sum"
    final_xor: int = 0
    counter: str | None = None
    step: int = 1


class Seal:
    """The rule of one message at work on the frames we send: counter first, then checksum."""

    def __init__(self, rule: CheckRule, signals: Sequence[Signal]) -> None:
        """Prepares the rule.

        Raises:
            CheckRuleError: the message has no such signal, or there is no such algorithm.
        """
        self._rule = rule
        self._counter = _signal(rule.counter, signals) if rule.counter else None
        self._sum = _signal(rule.checksum, signals) if rule.checksum else None
        self._checksum = checksum_of(rule, signals) if rule.checksum else None
        self._count = reader(self._counter) if self._counter else None

    @property
    def names(self) -> frozenset[str]:
        """The signals it sets."""
        return frozenset(name for name in (self._rule.counter, self._rule.checksum) if name)

    def seal(self, payload: bytes, before: bytes | None) -> bytes:
        """The payload as the one after `before`; with `None` the counter begins at 0."""
        if self._counter is not None and self._count is not None:
            is_first = before is None or len(before) < _end(self._counter)
            count = 0 if is_first else self._count(before or b"") + self._rule.step
            payload = insert(self._counter, count, payload)
        if self._sum is not None and self._checksum is not None:
            payload = insert(self._sum, self._checksum(payload), payload)
        return payload


class Check:
    """The rule of one message at work on its frames."""

    def __init__(self, rule: CheckRule, signals: Sequence[Signal]) -> None:
        """Prepares the rule.

        Raises:
            CheckRuleError: the message has no such signal, or there is no such algorithm.
        """
        self._checksum = _checksum(rule, signals) if rule.checksum else None
        self._last: int | None = None
        self._bad = 0
        self._step = rule.step
        self._ones = self._end = 0
        if rule.counter:
            counter = _signal(rule.counter, signals)
            self._ones = (1 << counter.length) - 1
            self._end = _end(counter)
            self._count = reader(counter)

    def accept(self, payload: bytes) -> bool:
        """Whether to believe the newest frame; to be asked once for each frame."""
        if len(payload) < self._end:
            return False
        if self._checksum is not None and not self._checksum(payload):
            return False
        return not self._ones or self._advances(self._count(payload))

    def _advances(self, count: int) -> bool:
        last, self._last = self._last, count
        if last is None or (last + self._step) & self._ones == count:
            self._bad = max(self._bad - 1, 0)
        else:
            self._bad = min(self._bad + 1, MAX_BAD_COUNTERS)
        return self._bad < MAX_BAD_COUNTERS


def reader(signal: Signal) -> Callable[[bytes], int]:
    """The function that takes the signal's unsigned raw number out of a payload."""
    source = (
        f'lambda payload: (lambda new: {raw_expression(signal)})(from_bytes(payload, "little"))'
    )
    space = {"__builtins__": {}, "from_bytes": int.from_bytes}
    return eval(source, space)  # type: ignore[no-any-return]  # it comes out of generated code


def _signal(name: str, signals: Sequence[Signal]) -> Signal:
    for signal in signals:
        if signal.name == name:
            return signal
    raise CheckRuleError(f"no signal {name!r} in the message that a check is for")


def _end(signal: Signal) -> int:
    return (field_mask(signal).bit_length() + 7) // 8


def checksum_of(rule: CheckRule, signals: Sequence[Signal]) -> Callable[[bytes], int]:
    """What the checksum of a payload should be, as the raw number of the rule's signal.

    Raises:
        CheckRuleError: the message has no such signal, or there is no such algorithm.
    """
    signal = _signal(rule.checksum or "", signals)
    algorithm = ALGORITHMS.get(rule.algorithm)
    if algorithm is None:
        known = ", ".join(ALGORITHMS)
        raise CheckRuleError(f"no algorithm {rule.algorithm!r}: there are {known}")
    keep = ~field_mask(signal)
    ones, final_xor = (1 << signal.length) - 1, rule.final_xor
    own = signal.start // 8 if rule.algorithm.startswith("crc") else None

    def checksum(payload: bytes) -> int:
        if own is None:
            rest = (int.from_bytes(payload, "little") & keep).to_bytes(len(payload), "little")
        else:
            rest = payload[:own] + payload[own + 1 :]
        return (algorithm(rest) ^ final_xor) & ones

    return checksum


def _checksum(rule: CheckRule, signals: Sequence[Signal]) -> Callable[[bytes], bool]:
    checksum = checksum_of(rule, signals)
    signal = _signal(rule.checksum or "", signals)
    end, read = _end(signal), reader(signal)

    def is_right(payload: bytes) -> bool:
        return len(payload) >= end and checksum(payload) == read(payload)

    return is_right


def _xor(rest: bytes) -> int:
    result = 0
    for byte in rest:
        result ^= byte
    return result


def _sum_of_nibbles(rest: bytes) -> int:
    return sum(rest) - 15 * sum(byte >> 4 for byte in rest)


def _xor_of_nibbles(rest: bytes) -> int:
    result = _xor(rest)
    return (result ^ result >> 4) & 0xF


def _crc8_table(polynomial: int) -> bytes:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte << 1) ^ (polynomial if byte & 0x80 else 0)
        table.append(byte & 0xFF)
    return bytes(table)


def _crc8(table: bytes, first: int, final_xor: int, rest: bytes) -> int:
    for byte in rest:
        first = table[first ^ byte]
    return first ^ final_xor


ALGORITHMS: Mapping[str, Algorithm] = {
    "sum": sum,
    "xor": _xor,
    "sum_of_nibbles": _sum_of_nibbles,
    "xor_of_nibbles": _xor_of_nibbles,
    "crc8_sae_j1850": partial(_crc8, _crc8_table(0x1D), 0xFF, 0xFF),
    "crc8_autosar": partial(_crc8, _crc8_table(0x2F), 0xFF, 0xFF),
}
"""By name: what makes a number of the payload without its checksum.

The Kona's recording proves all but AUTOSAR's CRC8H2F (profile 2).
"""

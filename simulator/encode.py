"""Signal values → frames, command frames → requests, with counters and checksums.

The attribute `ChecksumRule` of a message in the DBC names the rule; the signals whose names end in
`_Counter` and `_Checksum` carry it. A checksum covers every other byte, first to last.
"""

from collections.abc import Callable, Mapping

from cantools.database.can import Database, Message
from cantools.database.can.signal import Signal

from internetcar.contract.message import InputError

EXTENDED = 0x8000_0000
"""The bit that marks a 29-bit id, as in SocketCAN's canid_t."""

COUNTER_VALUES = 16


class EncodeError(InputError):
    """A DBC the simulator cannot speak."""


def crc8_table(polynomial: int) -> tuple[int, ...]:
    """The 256 remainders of an 8-bit CRC, most significant bit first."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value << 1) ^ polynomial if value & 0x80 else value << 1
        table.append(value & 0xFF)
    return tuple(table)


def _crc8(polynomial: int) -> Callable[[bytes], int]:
    table = crc8_table(polynomial)

    def checksum(covered: bytes) -> int:
        crc = 0xFF
        for byte in covered:
            crc = table[crc ^ byte]
        return crc ^ 0xFF

    return checksum


def _xor8(covered: bytes) -> int:
    value = 0
    for byte in covered:
        value ^= byte
    return value


RULES: Mapping[str, Callable[[bytes], int]] = {
    "crc8_sae_j1850": _crc8(0x1D),
    "crc8_autosar": _crc8(0x2F),
    "xor8": _xor8,
}
"""SAE J1850 and AUTOSAR CRC-8 (CRC8H2F) both start from 0xFF and invert the result."""


class Protection:
    """The counter and the checksum of one message."""

    def __init__(self, message: Message, rule_name: str):
        if rule_name not in RULES:
            raise EncodeError(f"{message.name}: unknown checksum rule {rule_name!r}")
        self.counter = _one(message, "_Counter").name
        checksum = _one(message, "_Checksum")
        if checksum.length != 8:
            raise EncodeError(f"{message.name}: {checksum.name} is not one whole byte")
        self.checksum = checksum.name
        self._at = checksum.start // 8
        self._rule = RULES[rule_name]

    def seal(self, payload: bytes) -> bytes:
        """The payload with its checksum in place."""
        covered = payload[: self._at] + payload[self._at + 1 :]
        return payload[: self._at] + bytes((self._rule(covered),)) + payload[self._at + 1 :]

    def holds(self, payload: bytes) -> bool:
        """Whether the checksum of a received payload is right."""
        return self.seal(payload) == payload


class Sender:
    """One cyclic message: its period, its turn, its counter."""

    def __init__(self, message: Message):
        if not message.cycle_time:
            raise EncodeError(f"{message.name}: no GenMsgCycleTime")
        self.name = message.name
        self.cycle_ms = int(message.cycle_time)
        self.can_id = can_id(message)
        self.is_fd = message.is_fd
        self._message = message
        self._protection = protection(message)
        self._counter = 0
        self._turn = 0
        self._multiplexer = next((s for s in message.signals if s.is_multiplexer), None)
        self._turns = len(self._multiplexer.choices or {}) if self._multiplexer else 1
        self._bounds = {
            s.name: (_bound(s.minimum, -1e18), _bound(s.maximum, 1e18)) for s in message.signals
        }

    def encode(self, values: Mapping[str, float]) -> bytes:
        """The next payload; values beyond a signal's range are sent as its limit."""
        clamped: dict[str, float] = {}
        for name, value in values.items():
            low, high = self._bounds[name]
            clamped[name] = low if value < low else high if value > high else value
        if self._multiplexer is not None:
            clamped[self._multiplexer.name] = self._turn
            self._turn = (self._turn + 1) % self._turns
        if self._protection is None:
            return self._message.encode(clamped, strict=False)
        clamped[self._protection.counter] = self._counter
        clamped[self._protection.checksum] = 0
        self._counter = (self._counter + 1) % COUNTER_VALUES
        return self._protection.seal(self._message.encode(clamped, strict=False))


class Listener:
    """One command message: what a received frame asks for."""

    def __init__(self, message: Message):
        self._message = message
        self._protection = protection(message)
        self._requests = {
            signal.name: _no_request(signal)
            for signal in message.signals
            if signal.name.endswith("_Request")
        }

    def requests(self, payload: bytes) -> dict[str, float]:
        """Signal → requested value, without the `NO_REQUEST` ones; nothing from a damaged frame."""
        if len(payload) != self._message.length:
            return {}
        if self._protection is not None and not self._protection.holds(payload):
            return {}
        values = self._message.decode_simple(payload, decode_choices=False)
        return {
            name: float(str(values[name]))
            for name, nothing in self._requests.items()
            if float(str(values[name])) != nothing
        }


def can_id(message: Message) -> int:
    """The id as SocketCAN writes it: bit 31 marks 29-bit ids."""
    return message.frame_id | (EXTENDED if message.is_extended_frame else 0)


def protection(message: Message) -> Protection | None:
    """How a message is protected, None where it is not."""
    attributes = message.dbc.attributes if message.dbc else {}
    rule = attributes.get("ChecksumRule")
    return Protection(message, str(rule.value)) if rule is not None and rule.value else None


def senders(database: Database) -> list[Sender]:
    """The messages of a bus that are sent in cycles."""
    return [Sender(message) for message in database.messages if message.cycle_time]


def listeners(database: Database) -> dict[int, Listener]:
    """The command messages of a bus by id."""
    return {
        can_id(message): Listener(message)
        for message in database.messages
        if message.name.endswith("_Command")
    }


def _one(message: Message, ending: str) -> Signal:
    found = [signal for signal in message.signals if signal.name.endswith(ending)]
    if len(found) != 1:
        raise EncodeError(f"{message.name}: needs one signal that ends in {ending}")
    return found[0]


def _bound(value: float | None, default: float) -> float:
    return default if value is None else float(value)


def _no_request(signal: Signal) -> float:
    for raw, name in (signal.choices or {}).items():
        if str(name) == "NO_REQUEST":
            return float(raw) * float(signal.scale) + float(signal.offset)
    raise EncodeError(f"{signal.name}: no value NO_REQUEST")

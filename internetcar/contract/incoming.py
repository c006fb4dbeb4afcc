"""The PUBLISH packets a broker sends us, read (pure; MQTT 3.1.1 and 5, §3.3).

The MQTT library takes a tenth of a millisecond for each, most of it for the properties: a flood of
ten thousand a second would keep everything else waiting for seconds.
"""

import struct

from internetcar.contract.connection import Arrival
from internetcar.contract.subscriptions import Received

_TEXT, _PAIR, _VARIABLE = "text", "pair", "variable"
_RESPONSE_TOPIC, _CORRELATION = 0x08, 0x09
_PROPERTIES: dict[int, int | str] = {
    0x01: 1, 0x02: 4, 0x03: _TEXT, _RESPONSE_TOPIC: _TEXT, _CORRELATION: _TEXT, 0x0B: _VARIABLE,
    0x23: 2, 0x26: _PAIR,
}  # fmt: skip
"""What a PUBLISH may carry: a number of bytes, or the kind of what has a length of its own."""


class PacketError(ValueError):
    """The broker sent what is not MQTT."""


def read_publish(flags: int, packet: bytes, *, is_v5: bool) -> Arrival:
    """What a PUBLISH packet brings.

    Args:
        flags: The packet's first byte.
        packet: What follows the remaining length.
        is_v5: Whether there are properties.

    Raises:
        PacketError: It is no such packet, or of a QoS we never ask for.
    """
    qos = flags >> 1 & 3
    if qos > 1:
        raise PacketError("a PUBLISH with QoS 2")
    name, at = _sized(packet, 0)
    identifier = 0
    if qos:
        if len(packet) < at + 2:
            raise PacketError("a PUBLISH without its identifier")
        identifier, at = packet[at] << 8 | packet[at + 1], at + 2
    answer_to = correlation = None
    if is_v5:
        answer_to, correlation, at = _properties(packet, at)
    try:
        topic, response_topic = name.decode(), None if answer_to is None else answer_to.decode()
    except UnicodeDecodeError:
        return Arrival(identifier, qos, None)
    is_retained, is_again = bool(flags & 1), bool(flags & 8)
    received = Received(
        topic, packet[at:], is_retained, response_topic, correlation, identifier, is_again
    )
    return Arrival(identifier, qos, received)


def _properties(packet: bytes, at: int) -> tuple[bytes | None, bytes | None, int]:
    """Response topic and correlation data, and where the payload begins."""
    length, at = _variable(packet, at)
    if not length:
        return None, None, at
    end = at + length
    if end > len(packet):
        raise PacketError("properties beyond the end of their packet")
    found: dict[int, bytes] = {}
    while at < end:
        kind, at = packet[at], at + 1
        size = _PROPERTIES.get(kind)
        match size:
            case int():
                at += size
            case "text":
                found[kind], at = _sized(packet, at)
            case "pair":
                at = _sized(packet, _sized(packet, at)[1])[1]
            case "variable":
                at = _variable(packet, at)[1]
            case _:
                raise PacketError(f"a PUBLISH has no property {kind:#x}")
    if at != end:
        raise PacketError("a property beyond the end of the others")
    return found.get(_RESPONSE_TOPIC), found.get(_CORRELATION), end


def _sized(packet: bytes, at: int) -> tuple[bytes, int]:
    """What stands behind its length in two bytes, and where it ends."""
    try:
        (length,) = struct.unpack_from("!H", packet, at)
    except struct.error as error:
        raise PacketError("a length beyond the end of its packet") from error
    end = at + 2 + length
    if end > len(packet):
        raise PacketError("a text beyond the end of its packet")
    return packet[at + 2 : end], end


def _variable(packet: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer (MQTT 5 §1.5.5), and where it ends."""
    value = 0
    for index, byte in enumerate(packet[at : at + 4]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, at + index + 1
    raise PacketError("a variable byte integer that does not end")

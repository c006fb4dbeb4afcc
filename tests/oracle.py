"""A slow decoder that looks at one bit after the other, and cantools itself, to compare with."""

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from cantools.database import DecodeError
from cantools.database.can import Message, Signal

from gateway.databases import Database, MessageDefinition, load_database, opendbc_names
from tests.data import data_path

FORMATS = (".dbc", ".kcd", ".sym", ".arxml")


def database_names() -> list[str]:
    """Everything that must load: all of opendbc, all real databases."""
    try:
        folder = data_path("can")
    except pytest.skip.Exception:
        files: list[Path] = []
    else:
        files = [path for path in sorted(folder.rglob("*")) if path.suffix in FORMATS]
    real = [str(path) for path in files if path.stem != "LICENSE"]
    return real + [f"opendbc:{name}" for name in opendbc_names()]


@cache
def database(name: str) -> Database:
    return load_database(name)


def bits(signal: Signal) -> Iterator[int]:
    """Numbers of the signal's bits in a payload, the most significant first."""
    if signal.byte_order == "little_endian":
        yield from range(signal.start + signal.length - 1, signal.start - 1, -1)
        return
    bit = signal.start
    for _ in range(signal.length):
        yield bit
        bit = bit - 1 if bit % 8 else bit + 15


def raw(signal: Signal, payload: bytes) -> int | None:
    """The signal's bits as an unsigned number; `None` if the payload is too short."""
    number = 0
    for bit in bits(signal):
        if bit // 8 >= len(payload):
            return None
        number = number << 1 | payload[bit // 8] >> bit % 8 & 1
    return number


def physical(signal: Signal, number: int) -> int | float:
    if signal.conversion.is_float:
        form = {16: "<e", 32: "<f", 64: "<d"}[signal.length]
        value = struct.unpack(form, number.to_bytes(signal.length // 8, "little"))[0]
    else:
        negative = signal.is_signed and number >> (signal.length - 1)
        value = number - (1 << signal.length) if negative else number
    result = signal.conversion.raw_to_scaled(value, decode_choices=False)
    assert isinstance(result, int | float)
    return result


def present(message: MessageDefinition, payload: bytes) -> dict[str, int]:
    """The raw numbers of the signals that a frame contains, by name."""
    by_name = {signal.name: signal for signal in message.signals}

    def is_there(signal: Signal) -> bool:
        if signal.multiplexer_signal is None:
            return True
        parent = by_name[signal.multiplexer_signal]
        number = raw(parent, payload)
        if number is None or not is_there(parent) or not parent.is_multiplexer:
            return False
        return physical(parent, number) in (signal.multiplexer_ids or ())

    numbers = {signal.name: raw(signal, payload) for signal in message.signals if is_there(signal)}
    return {name: number for name, number in numbers.items() if number is not None}


def by_cantools(message: Message, payload: bytes) -> dict[str, int | float] | None:
    """What cantools makes of it; `None` if it refuses."""
    try:
        values = message.decode(
            payload, decode_choices=False, allow_truncated=True, allow_excess=True
        )
    except DecodeError:
        return None
    assert isinstance(values, dict)
    return {name: value for name, value in values.items() if isinstance(value, int | float)}

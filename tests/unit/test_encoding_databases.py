"""Frames of every message of every database at hand read, by cantools, as what was wanted."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from cantools.database import DecodeError
from cantools.database.can import Signal

from gateway.databases import MessageDefinition, load_database, opendbc_names
from gateway.encoding import Composer, Refusal
from gateway.layout import field_mask, insert
from tests.data import data_path

_AT_ONCE = 4
"""Signals of one message that are tried; the databases have a hundred thousand."""


def files() -> list[Path]:
    folder = data_path("can/formats")
    return sorted(p for p in folder.iterdir() if p.suffix in (".dbc", ".kcd", ".sym", ".arxml"))


def is_whole(message: MessageDefinition) -> bool:
    """Whether a frame of it can be made, and cantools reads all of it without sharing bits."""
    taken: list[tuple[Signal, int]] = []
    for signal in message.signals:
        mask = field_mask(signal)
        if mask >> 8 * message.length:
            return False
        if any(mask & other and not apart(signal, each) for each, other in taken):
            return False
        taken.append((signal, mask))
    return len(message.signals) == len(message.source.signals) > 0


def is_read_by_cantools(message: MessageDefinition) -> bool:
    """Whether whatever selects a signal is said to be a multiplexer."""
    by_name = {signal.name: signal for signal in message.signals}
    selecting = [by_name.get(signal.multiplexer_signal or "") for signal in message.signals]
    return all(signal is None or signal.is_multiplexer for signal in selecting)


def apart(one: Signal, other: Signal) -> bool:
    if one.multiplexer_signal != other.multiplexer_signal:
        return False
    ids, others = set(one.multiplexer_ids or ()), set(other.multiplexer_ids or ())
    return bool(ids and others) and not ids & others


def read(message: MessageDefinition, payload: bytes) -> dict[str, int]:
    """The raw numbers in a frame; only signals that are in it."""
    decoded = message.source.decode(
        payload, decode_choices=False, scaling=False, allow_truncated=True
    )
    assert isinstance(decoded, dict)
    return {name: raw for name, raw in decoded.items() if isinstance(raw, int)}


def unsigned(signal: Signal, raw: float) -> int:
    """Bits as a number; floats are left to other tests."""
    return int(raw) & (1 << signal.length) - 1


def tried(message: MessageDefinition, chance: random.Random) -> Iterator[tuple[Signal, int]]:
    integers = [signal for signal in message.signals if not signal.conversion.is_float]
    for signal in chance.sample(integers, min(_AT_ONCE, len(integers))):
        if not signal.is_multiplexer:
            raw = chance.getrandbits(signal.length)
            yield signal, raw


def check(message: MessageDefinition, chance: random.Random) -> int:
    composer = Composer(message.name, message.length, message.signals, None)
    by_name = {signal.name: signal for signal in message.signals}
    done = 0
    for signal, raw in tried(message, chance):
        seen = chance.randbytes(message.length)
        for name, value in composer.page(chance.choice(message.signals).name, None).items():
            seen = insert(by_name[name], value, seen)
        try:
            payload = composer.compose({signal.name: raw}, seen, None)
        except Refusal as refusal:
            assert refusal.reason == "missing_signal"
            assert any(each.multiplexer_ids for each in message.signals)
            continue
        try:
            before, after = read(message, seen), read(message, payload)
        except DecodeError:  # it has a further multiplexer, of which chance chose no page
            continue
        assert unsigned(signal, after[signal.name]) == raw
        page = composer.page(signal.name, seen)
        for name, value in after.items():
            if name in page or name == signal.name or by_name[name].conversion.is_float:
                continue
            begins = by_name[name].raw_initial
            known = {before.get(name), None if begins is None else int(begins)}
            assert value in known, (message.name, signal.name, name)
        done += 1
    return done


def check_all(source: str) -> int:
    chance = random.Random(source)
    messages = load_database(source).messages
    readable = [each for each in messages if is_whole(each) and is_read_by_cantools(each)]
    return sum(check(message, chance) for message in readable)


def test_any_signal_of_the_files_of_all_formats_can_be_set() -> None:
    counts = {path.name: check_all(str(path)) for path in files()}
    empty = {name for name, count in counts.items() if not count}
    assert empty <= {"no_signals.dbc", "message-dlc-zero.dbc", "floating_point.dbc", "j1939.dbc"}
    assert sum(counts.values()) > 500


@pytest.mark.parametrize("name", opendbc_names())
def test_any_signal_of_a_real_car_can_be_set(name: str) -> None:
    assert check_all(f"opendbc:{name}") >= 0

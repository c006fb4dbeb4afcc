"""The decoder against cantools, on every database there is."""

import random
from collections.abc import Iterator

import pytest

from gateway.databases import MessageDefinition
from gateway.decode import Decoder
from tests import oracle

STEPS = 12


def walk(message: MessageDefinition, steps: int) -> Iterator[bytes]:
    """Payloads as a bus brings them and worse: repeated, changed a little or much, cut, longer."""
    chance = random.Random(message.can_id)
    payload = chance.randbytes(message.length)
    for _ in range(steps):
        yield payload
        match chance.randrange(6):
            case 0:
                continue
            case 1 | 2 | 3 if payload:
                changed = bytearray(payload)
                changed[chance.randrange(len(payload))] ^= 1 << chance.randrange(8)
                payload = bytes(changed)
            case 4:
                payload = chance.randbytes(message.length)
            case _:
                payload = payload[: chance.randrange(message.length + 1)]
                payload += bytes(chance.randrange(3))


@pytest.mark.parametrize("name", oracle.database_names())
def test_a_random_walk_is_decoded_as_by_cantools_and_only_changes_are_reported(name: str) -> None:
    database = oracle.database(name)
    decoder = Decoder([[database]])
    for message in database.messages:
        state = decoder.state(0, message.can_id)
        assert state is not None
        index = dict(zip((s.name for s in message.signals), state.indices, strict=True))
        signals = {signal.name: signal for signal in message.signals}
        known: dict[str, int] = {}
        for payload in walk(message, STEPS):
            now = oracle.present(message, payload)
            values = {key: oracle.physical(signals[key], number) for key, number in now.items()}
            theirs = oracle.by_cantools(message.source, payload)
            if theirs is not None:
                ours = {key: values[key] for key in theirs if key in values}
                assert repr(ours) == repr({key: theirs[key] for key in ours})
                assert set(theirs) - set(values) <= {n.signal for n in database.refused}
            expected = {(index[k], repr(values[k])) for k in now if known.get(k) != now[k]}
            changes = decoder.decode(0, message.can_id, payload, 1)
            assert {(i, repr(value)) for i, value in changes} == expected, (message, payload)
            assert len(changes) == len(expected)
            known |= now
    assert decoder.errors == [0]

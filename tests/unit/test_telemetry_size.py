"""Batches stay small enough for every broker, and nothing is lost by that."""

import pytest

from gateway.telemetry import MOST_BYTES, PacedSample
from internetcar.contract.known import Known, apply
from tests.unit.test_telemetry import START, Drive, milliseconds


@pytest.mark.parametrize("leaves", [22_000, 1])
def test_what_is_too_large_for_one_batch_follows_in_others(leaves: int) -> None:
    drive = Drive()
    said: list[PacedSample] = [
        (f"Message{place % leaves:05}.Signal", START + 500, place, "valid")
        for place in range(22_000)
    ]
    changes = drive.wait(1000, said)
    assert all(len(message.encode()) <= MOST_BYTES for message in changes)
    values = [
        sample[1] for message in changes for leaf in message.samples.values() for sample in leaf
    ]
    assert values == list(range(22_000))
    assert {milliseconds(message) for message in changes} == {(START, START + 1000)}


def test_a_reader_that_begins_with_a_divided_snapshot_knows_every_leaf() -> None:
    drive = Drive()
    drive.wait(1000, [(f"Leaf{place:05}", START + 500, place, "valid") for place in range(22_000)])
    drive.batcher.request_snapshot()
    parts = drive.wait(1000)
    assert [message.kind for message in parts] == ["snapshot"] + ["changes"] * (len(parts) - 1)
    assert all(len(message.encode()) <= MOST_BYTES for message in parts)
    state: dict[str, Known] = {}
    for message in parts:
        state = apply(state, message)
    assert len(state) == 22_000
    assert {round(known.at.timestamp() * 1000) for known in state.values()} == {START + 500}

"""The outbox is cheap to write: flash wears, and every commit writes whole pages."""

import random
from pathlib import Path

import pytest

from gateway.journals import Journals
from gateway.outbox import Limits
from gateway.telemetry import Batch, Batcher, PacedSample


def bytes_written() -> int:
    """What this process handed to write() so far."""
    counters = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counters["wchar"])


def an_hour_of_driving() -> list[Batch]:
    chance = random.Random(1)
    drive = Batcher("j1", previous=None, clock="free", origin="live")
    paths = [f"Vehicle.Chassis.Axle.Row1.Wheel.Left.Sensor{number}" for number in range(60)]
    batches: list[Batch] = []
    for second in range(3600):
        samples: list[PacedSample] = [
            (path, 1000 * second, chance.randrange(999) / 10, "valid")
            for path in (paths if second == 0 else chance.sample(paths, 9))
            for _ in range(2)
        ]
        batches += drive.take(samples, now_ms=1000 * second, wall_ms=1000 * second)
    return batches


@pytest.mark.parametrize("history_bytes", [256 << 20, 300_000])
def test_at_most_two_bytes_are_written_for_each_of_the_payload(
    tmp_path: Path, history_bytes: int
) -> None:
    batches = an_hour_of_driving()
    before = bytes_written()
    journals = Journals(tmp_path / "outbox.db", "kona", Limits(history_bytes=history_bytes))
    journals.begin("j1")
    for each in batches:
        journals.write([each], each.sequence - 2)
        journals.trim(each.sequence, running_s=each.sequence)
    journals.close()
    assert bytes_written() - before <= 2 * sum(len(each.payload) for each in batches)

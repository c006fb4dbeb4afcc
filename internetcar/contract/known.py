"""What is known of a vehicle's leaves, from its telemetry."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from internetcar.contract.message import Value
from internetcar.contract.signals import Quality
from internetcar.contract.telemetry import Telemetry


class Known(NamedTuple):
    """What is known of one leaf."""

    value: Value
    quality: Quality
    at: datetime


def apply(state: Mapping[str, Known], batch: Telemetry) -> dict[str, Known]:
    """The last known value of every leaf after a batch: a snapshot replaces all there was.

    After a stated loss the state is what was known before it, until the next snapshot.
    """
    after = {} if batch.kind == "snapshot" else dict(state)
    for path, samples in batch.samples.items():
        if samples:
            offset_ms, value, quality = (*samples[-1], "valid")[:3]
            at = batch.start_at + timedelta(milliseconds=offset_ms)
            after[path] = Known(value, quality, at)
    return after

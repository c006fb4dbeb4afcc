"""The byte encoders of the hot path, equal to the models (a test holds them to it)."""

from datetime import UTC, datetime

import orjson

from internetcar.contract.message import Value
from internetcar.contract.presence import Clock, Origin
from internetcar.contract.signals import Quality, Signal
from internetcar.contract.telemetry import Sample, Telemetry


class InstantWriter:
    """Writes UTC milliseconds as RFC 3339; remembers the second, which seldom changes."""

    def __init__(self) -> None:
        self._second = -1
        self._prefix = ""

    def __call__(self, at_ms: int) -> str:
        """Write one instant, in milliseconds since 1970."""
        second, milliseconds = divmod(at_ms, 1000)
        if second != self._second:
            self._second = second
            self._prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        return f"{self._prefix}{milliseconds:03d}Z"


def signal_topic_prefix(vehicle_id: str) -> str:
    """What every signal topic of a vehicle begins with; the path is all that follows."""
    return Signal.TOPIC.format(vehicle_id=vehicle_id, path="")


def signal_payload(value: Value, at: str, quality: Quality) -> bytes:
    """The payload of `Signal`; `at` as `InstantWriter` writes it, `quality` always there."""
    return orjson.dumps({"value": value, "at": at, "quality": quality})


def telemetry_payload(
    *,
    journal: str,
    sequence: int,
    previous: str | None,
    kind: str,
    start_at: str,
    end_at: str,
    clock: Clock,
    origin: Origin,
    samples: dict[str, list[Sample]],
    previous_last: int | None = None,
) -> bytes:
    """The payload of `Telemetry` without `dropped`, in the field order of the model."""
    body: dict[str, object] = {"journal": journal, "sequence": sequence}
    if previous is not None:
        body["previous"] = previous
    if previous_last is not None:
        body["previous_last"] = previous_last
    body |= {"kind": kind, "start_at": start_at, "end_at": end_at, "clock": clock}
    return orjson.dumps({**body, "origin": origin, "samples": samples})


def telemetry_topic(vehicle_id: str) -> str:
    """The topic of a vehicle's telemetry."""
    return Telemetry.TOPIC.format(vehicle_id=vehicle_id)

"""From a vehicle's log to samples, in VSS's names; how the log was cut into batches is no matter.

A leaf is news once for each instant: a snapshot tells again what was known, with the instants it
was known from, and what is not newer than the last of its leaf is dropped. So an old fix in a
snapshot is not a new one, and a batch that comes twice adds nothing.
"""

import math
from dataclasses import dataclass, field

import orjson

from internetcar.contract.message import Value, milliseconds
from internetcar.contract.telemetry import Sample as Entry
from internetcar.contract.telemetry import Telemetry
from services.tolls.facts import Sample

_LOCATION = "Vehicle.CurrentLocation."
_TRANSMISSION = "Vehicle.Powertrain.Transmission."
LATITUDE = _LOCATION + "Latitude"
LONGITUDE = _LOCATION + "Longitude"
ACCURACY = _LOCATION + "HorizontalAccuracy"
HEADING = _LOCATION + "Heading"
FIX_TYPE = _LOCATION + "GNSSReceiver.FixType"
SPEED = "Vehicle.Speed"
ODOMETER = "Vehicle.TraveledDistance"
CURRENT_GEAR = _TRANSMISSION + "CurrentGear"
SELECTED_GEAR = _TRANSMISSION + "SelectedGear"
LEAVES = (
    FIX_TYPE, LATITUDE, LONGITUDE, ACCURACY, HEADING, SPEED, ODOMETER, CURRENT_GEAR, SELECTED_GEAR,
)  # fmt: skip
"""What is read, the kind of fix before the fix."""
NO_FIX = "NONE"
_STEP_MS = 60_000
"""A batch that begins so far before what was said last is one of a clock that was set back."""

Known = float | str | None


@dataclass(slots=True)
class Reading:
    """What was last said of each leaf; plain values, so that it can be kept.

    Attributes:
        at_ms: By leaf, the instant of what was last said, UTC ms.
        known: By leaf, its value; `None` where it is not valid.
    """

    at_ms: dict[str, int] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)

    def dump(self) -> bytes:
        """As bytes, exact."""
        return orjson.dumps([self.at_ms, self.known])

    @classmethod
    def load(cls, kept: bytes) -> "Reading":
        """What `dump` wrote; nothing where it was written in another format."""
        try:
            at_ms, known = orjson.loads(kept)
        except (ValueError, TypeError):
            return cls()
        is_ours = isinstance(at_ms, dict) and isinstance(known, dict)
        return cls(at_ms, known) if is_ours else cls()


def read(reading: Reading, batch: Telemetry) -> list[Sample]:
    """The samples of the next batch, in the order of their instants.

    Args:
        reading: Of this vehicle; changed.
        batch: The next in the log's order.
    """
    start_ms = milliseconds(batch.start_at)
    if batch.kind == "changes" and start_ms < max(reading.at_ms.values(), default=0) - _STEP_MS:
        reading.at_ms.clear()
    told: dict[int, list[tuple[str, Known]]] = {}
    for leaf in LEAVES:
        last = reading.at_ms.get(leaf)
        for entry in sorted(batch.samples.get(leaf, ()), key=_offset):
            at_ms = start_ms + entry[0]
            if last is None or at_ms > last:
                last = at_ms
                told.setdefault(at_ms, []).append((leaf, _value(leaf, entry)))
        if last is not None:
            reading.at_ms[leaf] = last
    return [_sample(reading, at_ms, told[at_ms]) for at_ms in sorted(told)]


def _offset(entry: Entry) -> int:
    return entry[0]


def _value(leaf: str, entry: Entry) -> Known:
    """What a leaf says, if it says it rightly."""
    value: Value = entry[1]
    if len(entry) > 2 and entry[2] != "valid":
        return None
    if leaf == FIX_TYPE:
        return value if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _sample(reading: Reading, at_ms: int, told: list[tuple[str, Known]]) -> Sample:
    """What was said at one instant, on what is known from before."""
    known = reading.known
    known.update(told)
    leaves = {leaf for leaf, _ in told}
    is_fix = bool(leaves & {LATITUDE, LONGITUDE}) and known.get(FIX_TYPE) != NO_FIX
    lat, lon = _number(known, LATITUDE), _number(known, LONGITUDE)
    if not is_fix or lat is None or lon is None:
        lat = lon = None
    has_fix = lat is not None
    speed = _number(known, SPEED) if SPEED in leaves else None
    gear = _number(known, CURRENT_GEAR)
    if gear is None:
        gear = _number(known, SELECTED_GEAR)
    is_gear = bool(leaves & {CURRENT_GEAR, SELECTED_GEAR}) and gear is not None
    return Sample(
        at_ms=at_ms,
        lat_deg=lat,
        lon_deg=lon,
        accuracy_m=_number(known, ACCURACY) if has_fix else None,
        heading_deg=_number(known, HEADING) if has_fix else None,
        speed_mps=None if speed is None else abs(speed) / 3.6,
        odometer_m=_number(known, ODOMETER) if ODOMETER in leaves else None,
        is_reverse=gear < 0 if is_gear and gear is not None else None,
    )


def _number(known: dict[str, Known], leaf: str) -> float | None:
    value = known.get(leaf)
    return value if isinstance(value, float) else None

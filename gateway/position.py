"""Where the vehicle is, in one piece, once for each GNSS frame (pure)."""

import math

from gateway.pipeline import Pipeline
from internetcar.contract.message import Value

INTERVAL_NS = 100_000_000
"""At most ten positions a second."""
USUAL_PERIOD_NS = 1_000_000_000
"""Of a GNSS receiver, until the period of its message is known."""

_LATITUDE = "Vehicle.CurrentLocation.Latitude"
_LONGITUDE = "Vehicle.CurrentLocation.Longitude"
_OPTIONAL = {
    "accuracy_m": "Vehicle.CurrentLocation.HorizontalAccuracy",
    "heading_deg": "Vehicle.CurrentLocation.Heading",
    "speed_kmh": "Vehicle.Speed",
}
_LIMITS = {_LATITUDE: (-90.0, 90.0), _LONGITUDE: (-180.0, 180.0), "accuracy_m": (0.0, math.inf)}
"""What can be a place on Earth, whatever a mapping without limits lets through."""

Place = tuple[dict[str, Value], int]
"""The fields of a position and its instant (UTC ns)."""


class PositionWatch:
    """Watches the frames that carry the place; each one is a position, changed or not.

    Where latitude and longitude come in two messages, both must have come anew, no further apart
    than half a period: else they are of two fixes.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        leaf_of = {bound.path: leaf for leaf, bound in enumerate(pipeline.leaves)}
        self._latitude = leaf_of.get(_LATITUDE)
        self._longitude = leaf_of.get(_LONGITUDE)
        self._optional = {
            name: leaf_of[path] for name, path in _OPTIONAL.items() if path in leaf_of
        }
        self._frames = (0, 0)
        self._next_ns = 0

    def flush(self) -> Place | None:
        """A new position, without waiting until one is due."""
        self._next_ns = self._pipeline.now_ns
        return self.take()

    def take(self) -> Place | None:
        """A new position, or `None` when none is due."""
        if self._latitude is None or self._longitude is None:
            return None
        pipeline = self._pipeline
        north, east = pipeline.message_of(self._latitude), pipeline.message_of(self._longitude)
        if north.frames == self._frames[0] or east.frames == self._frames[1]:
            return None
        if pipeline.now_ns < self._next_ns:
            return None
        if not (pipeline.is_current(self._latitude) and pipeline.is_current(self._longitude)):
            return None
        period_ns = pipeline.period_ns(self._latitude) or USUAL_PERIOD_NS
        if abs(north.last_at_ns - east.last_at_ns) > period_ns // 2:
            return None
        self._frames = north.frames, east.frames
        self._next_ns = pipeline.now_ns + INTERVAL_NS
        latitude = self._valid(self._latitude, _LATITUDE)
        longitude = self._valid(self._longitude, _LONGITUDE)
        if latitude is None or longitude is None:
            return None
        fields: dict[str, Value] = {"latitude": latitude, "longitude": longitude}
        for name, leaf in self._optional.items():
            if (value := self._valid(leaf, name)) is not None:
                fields[name] = value
        return fields, max(north.last_at_ns, east.last_at_ns)

    def _valid(self, leaf: int, name: str) -> float | None:
        value, quality = self._pipeline.pacer.newest(leaf)
        if quality != "valid" or isinstance(value, bool) or not isinstance(value, int | float):
            return None
        low, high = _LIMITS.get(name, (-math.inf, math.inf))
        return value if low <= value <= high and math.isfinite(value) else None

"""What is said of a trip: its start, where it is, and all of it once it has ended (pure)."""

from collections.abc import Iterable, Sequence

from internetcar.contract.message import instant
from internetcar.contract.trips import (
    MOST_RECENT,
    MOST_ROUTE_POINTS,
    HarshEvent,
    SettingChange,
    TripEnded,
    TripProgress,
    TripStarted,
)
from services.trips import leaves
from services.trips.geometry import Fix, simplified
from services.trips.observing import RECENT_MS, Detail, place, setting
from services.trips.reading import Reading
from services.trips.state import State, Trip

LEAST_M = 300.0
"""What moved less is no trip."""
_FRESH_MS = 10_000


def standing(reading: Reading, trip: Trip, settings: Iterable[str]) -> list[Detail]:
    """How things stand at the start of a trip."""
    known = reading.known
    noted = [
        setting(trip, leaf, trip.started_ms, known[leaf])
        for leaf in settings
        if known.get(leaf) is not None
    ]
    return [each for each in noted if each is not None]


def started(vehicle_id: str, state: State, trip: Trip, standing: Sequence[Detail]) -> TripStarted:
    """That a trip has started."""
    return TripStarted(
        vehicle_id=vehicle_id,
        trip_id=trip.trip_id,
        driver=trip.driver,
        started_at=instant(trip.started_ms),
        start=trip.start,
        outside_c=_outside_c(state.reading),
        settings=[_change(each.body) for each in standing],
        origin=trip.origin,
        clock=trip.clock,
    )


def progress(vehicle_id: str, state: State, trip: Trip) -> TripProgress:
    """Where a trip is."""
    spot, reading = trip.travel.spot, state.reading
    is_fresh = spot is not None and state.end_ms - spot.at_ms <= _FRESH_MS
    heading, speed = reading.number(leaves.HEADING), trip.travel.speed_mps
    said = TripProgress(
        vehicle_id=vehicle_id,
        trip_id=trip.trip_id,
        driver=trip.driver,
        started_at=instant(trip.started_ms),
        at=instant(state.end_ms),
        elapsed_s=_seconds(state.end_ms - trip.started_ms),
        distance_m=_metres(trip),
        start=trip.start,
        position=place(spot) if spot is not None and is_fresh else None,
        heading_deg=heading if heading is not None and 0 <= heading <= 360 and is_fresh else None,
        speed_kmh=None if speed is None else round(speed * 3.6, 1),
        outside_c=_outside_c(reading),
        changed=_changed(state, trip),
        origin=trip.origin,
    )
    while said.changed and len(said.encode()) > said.MAX_PAYLOAD_BYTES:
        said.changed.remove(max(reversed(said.changed), key=_letters))
    return said


def ended(vehicle_id: str, trip: Trip, details: Iterable[Detail]) -> TripEnded:
    """All of a trip.

    Args:
        vehicle_id: Whose.
        trip: It has an end.
        details: Of this reading of it, in the order of their numbers.
    """
    by_kind: dict[str, list[list[object]]] = {"point": [], "setting": [], "harsh": []}
    for detail in details:
        by_kind[detail.kind].append(detail.body)
    last = trip.route.end()
    route, tolerance_m = _route([*map(_fix, by_kind["point"]), *([last] if last else [])], trip)
    ended_ms = max(trip.started_ms, trip.started_ms if trip.off_ms is None else trip.off_ms)
    energy_wh, fuel_ml = trip.energy.total_wh(), trip.energy.total_fuel_ml()
    outside, outside_ms = trip.outside
    return TripEnded(
        vehicle_id=vehicle_id,
        trip_id=trip.trip_id,
        revision=max(1, trip.revision),
        is_dropped=trip.travel.total()[0] < LEAST_M,
        driver=trip.driver,
        started_at=instant(trip.started_ms),
        ended_at=instant(ended_ms),
        start=trip.start,
        end=place(trip.travel.spot) if trip.travel.spot is not None else None,
        distance_m=_metres(trip),
        distance_from=trip.travel.total()[1],
        energy_wh=None if energy_wh is None else round(_between(energy_wh, 1e7), 1),
        fuel_ml=None if fuel_ml is None else round(_between(fuel_ml, 1e7), 1),
        idle_s=_seconds(trip.behaviour.idle_ms)
        if trip.has_power and trip.travel.has_speed
        else None,
        driving=trip.motion.total(ended_ms - trip.started_ms - trip.stopped_ms),
        stopped_s=_seconds(trip.stopped_ms),
        unknown_s=_seconds(trip.unknown_ms),
        harsh=[HarshEvent.model_validate(_harsh(body)) for body in by_kind["harsh"]],
        harsh_count=min(trip.behaviour.count, 1_000_000),
        harsh_watched=sorted(trip.behaviour.watched),
        outside_c=round(outside / outside_ms, 1) if outside_ms else None,
        settings=[_change(body) for body in by_kind["setting"]],
        route=route,
        route_tolerance_m=round(tolerance_m, 1),
        why="crash" if trip.crash_ms is not None else trip.why,
        origin=trip.origin,
        clock=trip.clock,
    )


def _changed(state: State, trip: Trip) -> list[SettingChange]:
    """What was changed in the last ten minutes, the newest first."""
    newest = sorted(trip.recent.items(), key=lambda each: (-each[1], each[0]))
    return [
        _change([leaf, _seconds(at_ms - trip.started_ms), state.reading.known[leaf]])
        for leaf, at_ms in newest
        if leaf in state.reading.known and state.end_ms - at_ms <= RECENT_MS
    ][:MOST_RECENT]


def _letters(change: SettingChange) -> int:
    return len(change.value) if isinstance(change.value, str) else 0


def _outside_c(reading: Reading) -> float | None:
    outside_c = reading.number(leaves.OUTSIDE)
    return outside_c if outside_c is not None and -100 <= outside_c <= 150 else None


def _route(points: Sequence[Fix], trip: Trip) -> tuple[list[Fix], float]:
    return simplified(points, MOST_ROUTE_POINTS, trip.route.tolerance_m)


def _fix(body: Sequence[object]) -> Fix:
    lat, lon, offset_s = (float(str(each)) for each in body)
    return lat, lon, offset_s


def _change(body: Sequence[object]) -> SettingChange:
    path, offset_s, value = body
    return SettingChange.model_validate({"path": path, "offset_s": offset_s, "value": value})


def _harsh(body: Sequence[object]) -> dict[str, object]:
    return dict(zip(("kind", "offset_s", "peak_mps2"), body, strict=True))


def _metres(trip: Trip) -> float:
    return round(min(trip.travel.total()[0], 1e9), 1)


def _seconds(span_ms: int) -> float:
    return round(min(max(0, span_ms) / 1_000, 1e9), 1)


def _between(value: float, most: float) -> float:
    return max(-most, min(value, most))

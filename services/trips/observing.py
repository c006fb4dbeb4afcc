"""What one moment of a vehicle's log adds to its trip (pure)."""

import hashlib
from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple

from internetcar.contract.trips import MOST_HARSH, MOST_SETTINGS, UNKNOWN_DRIVER, HarshKind, Place
from services.trips import leaves
from services.trips.behaviour import Event, engine_runs
from services.trips.reading import Known, Reading, number
from services.trips.state import State, Trip, trip_id_of
from services.trips.travel import HOLD_MS, Spot

_MOVING_KMH = 1.0
_FASTEST_KMH = 500.0
_MOST_LETTERS = 64
_SETTLED_M = 300.0
"""Who is named after that has not begun this trip."""
_MOVED_M = 500.0
"""A car that is found further away than it has driven was moved while its log was silent."""
_TURNING_MS = 5_000
"""A knob that is turned passes what nobody wants: so soon after, it is the same change."""

RECENT_MS = 600_000
"""What was changed longer ago is not told with a progress."""


class Detail(NamedTuple):
    """A piece of a trip that the store keeps until its end; the same number replaces it."""

    run: str
    kind: Literal["point", "setting", "harsh"]
    number: int
    body: list[object]


def is_on(reading: Reading) -> bool | None:
    """Whether the car is on, by the best that it tells; `None`: as before.

    By its power mode; else by its engine; else it is on while it moves.
    """
    if leaves.POWER in reading.at_ms:
        return leaves.POWER_STATES.get(str(reading.known.get(leaves.POWER)).upper())
    runs, moves = engine_runs(reading), is_moving(reading)
    if runs or moves:
        return True
    return None if runs is None and moves is None else False


def is_moving(reading: Reading) -> bool | None:
    """Whether it moves; `None`: it does not tell."""
    speed_kmh = reading.number(leaves.SPEED)
    if speed_kmh is not None:
        return abs(speed_kmh) >= _MOVING_KMH
    moves = reading.known.get(leaves.IS_MOVING)
    return moves if isinstance(moves, bool) else None


def begun(vehicle_id: str, at_ms: int, state: State) -> Trip:
    """A trip that begins now."""
    reading = state.reading
    run = f"{vehicle_id}\0{state.journal}\0{state.sequence}\0{at_ms}"
    trip = Trip(
        trip_id=trip_id_of(vehicle_id, state.origin, at_ms),
        run=hashlib.sha256(run.encode()).hexdigest()[:32],
        origin=state.origin,
        clock=state.clock,
        started_ms=at_ms,
        heard_ms=at_ms,
        progress_ms=at_ms,
        driver=_driver(reading) or UNKNOWN_DRIVER,
    )
    spot = _spot(reading, at_ms) or state.spot
    if spot is not None:
        trip.start = place(spot)
    trip.energy.at_ms = at_ms
    trip.energy.meter_kwh = reading.number(leaves.CONSUMED)
    trip.energy.counter_l = reading.number(leaves.FUEL_SINCE_START)
    odometer_m = reading.number(leaves.ODOMETER)
    if odometer_m is not None:
        trip.travel.odometer_m, trip.travel.odometer_at_ms = odometer_m, at_ms
        trip.travel.is_whole = True
    trip.travel.on_speed(at_ms, _speed_mps(reading))
    trip.levels.on_told(at_ms, at_ms, reading)
    trip.motion.on_speed(at_ms, _speed_mps(reading))
    trip.motion.stood_ms = max(0, at_ms - state.off_ms) if state.off_ms else None
    return trip


def passed(trip: Trip, from_ms: int, at_ms: int, reading: Reading) -> None:
    """A car that is on went on from one instant to the next as it was known."""
    if at_ms <= from_ms:
        return
    trip.travel.pass_time(at_ms)
    trip.energy.pass_time(at_ms, reading)
    trip.behaviour.pass_time(from_ms, at_ms, trip.travel.speed_mps, reading)
    trip.motion.pass_time(from_ms, at_ms, reading)
    outside_c = reading.number(leaves.OUTSIDE)
    if outside_c is not None and -100 <= outside_c <= 150 and at_ms - from_ms <= HOLD_MS:
        total, span_ms = trip.outside
        trip.outside = total + outside_c * (at_ms - from_ms), span_ms + at_ms - from_ms


def observe(
    state: State, at_ms: int, told: dict[str, Known], changed: Collection[str]
) -> list[Detail]:
    """What a moment adds to the trip, if there is one; what the store has to keep of it.

    Args:
        state: Of the vehicle, with what was told; its trip is changed.
        at_ms: UTC ms.
        told: What was told.
        changed: Settings among it that are not what they were.
    """
    trip, reading = state.trip, state.reading
    if any(told.get(leaf) is True for leaf in leaves.AIRBAGS) and trip is not None:
        trip.crash_ms = trip.crash_ms or at_ms
    spot = _spot(reading, at_ms) if told.keys() & {leaves.LATITUDE, leaves.LONGITUDE} else None
    if trip is None or trip.off_ms is not None:
        state.spot = spot or state.spot
        return []
    trip.has_power = trip.has_power or leaves.POWER in reading.at_ms or (
        engine_runs(reading) is not None
    )  # fmt: skip
    details = _move(trip, at_ms, told, reading)
    if not told.keys().isdisjoint(leaves.LEVELS):
        trip.levels.on_told(at_ms, trip.started_ms, reading)
    is_first = trip.travel.spot is None
    if spot is not None and trip.travel.on_fix(spot):
        if trip.start is None or (is_first and _is_elsewhere(trip, spot)):
            trip.start = place(spot)
        details += _route(trip, spot)
    driver = _driver(reading)
    if driver and (trip.driver == UNKNOWN_DRIVER or trip.travel.total()[0] < _SETTLED_M):
        trip.driver = driver
    if trip.is_told:
        changes = [setting(trip, leaf, at_ms, told[leaf]) for leaf in sorted(changed)]
        details += [change for change in changes if change is not None]
    return details


def _is_elsewhere(trip: Trip, spot: Spot) -> bool:
    """Whether the first fix is further from where the car had been left than it has driven."""
    assert trip.start is not None
    left = spot.model_copy(update={"lat_deg": trip.start.latitude, "lon_deg": trip.start.longitude})
    return spot.from_m(left) > trip.travel.total()[0] + _MOVED_M


def place(spot: Spot) -> Place:
    """A fix as a message says it: to some ten centimetres."""
    return Place(latitude=round(spot.lat_deg, 6), longitude=round(spot.lon_deg, 6))


def setting(trip: Trip, leaf: str, at_ms: int, value: Known) -> Detail | None:
    """Note a setting; `None`: there are too many already."""
    before = trip.settings.get(leaf)
    is_same = before is not None and trip.started_ms < before[1] > at_ms - _TURNING_MS
    if not is_same and trip.changes >= MOST_SETTINGS:
        return None
    if before is not None and is_same:
        number_ = before[0]
    else:
        number_ = trip.changes
        trip.changes += 1
    trip.settings[leaf] = number_, at_ms
    offset_s = round(max(0, at_ms - trip.started_ms) / 1_000, 1)
    return Detail(trip.run, "setting", number_, [leaf, offset_s, value])


def note_recent(trip: Trip, at_ms: int, changed: Iterable[str]) -> None:
    """Remember for ten minutes that settings were changed; one heard for the first time was not.

    Args:
        trip: It is changed.
        at_ms: Now, UTC ms.
        changed: The leaves.
    """
    if news := dict.fromkeys(changed, at_ms):
        kept = {leaf: then for leaf, then in trip.recent.items() if at_ms - then <= RECENT_MS}
        trip.recent = {**kept, **news}


def harsh(trip: Trip, over: Iterable[tuple[HarshKind, Event]]) -> list[Detail]:
    """Harsh events that are over, the first so many of a trip."""
    details = []
    for kind, event in over:
        if trip.behaviour.count <= MOST_HARSH:
            offset_s = round(max(0, event.begun_ms - trip.started_ms) / 1_000, 1)
            body: list[object] = [kind, offset_s, round(event.peak_mps2, 2)]
            details.append(Detail(trip.run, "harsh", trip.behaviour.count, body))
    return details


def _move(trip: Trip, at_ms: int, told: dict[str, Known], reading: Reading) -> list[Detail]:
    """Speed, odometer, meters and accelerations."""
    speed_mps = None
    if leaves.SPEED in told:
        speed_mps = _speed_mps(reading)
        trip.travel.on_speed(at_ms, speed_mps)
        trip.motion.on_speed(at_ms, speed_mps)
    if (odometer_m := number(told.get(leaves.ODOMETER))) is not None:
        if trip.travel.odometer_m is None:
            trip.travel.is_whole = at_ms - trip.started_ms <= 5_000
        trip.travel.on_odometer(at_ms, odometer_m)
    if (meter_kwh := number(told.get(leaves.CONSUMED))) is not None:
        trip.energy.on_meter(meter_kwh)
    if (counter_l := number(told.get(leaves.FUEL_SINCE_START))) is not None:
        trip.energy.on_counter(counter_l)
    if (coolant_c := number(told.get(leaves.COOLANT))) is not None:
        trip.motion.on_coolant(at_ms - trip.started_ms, coolant_c)
    return harsh(trip, trip.behaviour.on_moment(at_ms, speed_mps, set(told), reading))


def _route(trip: Trip, spot: Spot) -> list[Detail]:
    offset_s = round(max(0, spot.at_ms - trip.started_ms) / 1_000, 1)
    point = trip.route.add((round(spot.lat_deg, 6), round(spot.lon_deg, 6), offset_s))
    return [] if point is None else [Detail(trip.run, "point", trip.route.points, list(point))]


def _driver(reading: Reading) -> str:
    for leaf in leaves.DRIVERS:
        name = reading.known.get(leaf)
        if isinstance(name, str) and name.strip():
            return name.strip()[:_MOST_LETTERS]
    return ""


def _speed_mps(reading: Reading) -> float | None:
    speed_kmh = reading.number(leaves.SPEED)
    if speed_kmh is None or abs(speed_kmh) > _FASTEST_KMH:
        return None
    return abs(speed_kmh) / 3.6


def _spot(reading: Reading, at_ms: int) -> Spot | None:
    """Where it is, if there is a fix."""
    lat, lon = reading.number(leaves.LATITUDE), reading.number(leaves.LONGITUDE)
    if lat is None or lon is None or not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return None
    if reading.known.get(leaves.FIX_TYPE) == leaves.NO_FIX:
        return None
    accuracy_m = reading.number(leaves.ACCURACY)
    return Spot(
        lat_deg=lat, lon_deg=lon, at_ms=at_ms,
        accuracy_m=10.0 if accuracy_m is None or accuracy_m < 0 else accuracy_m,
    )  # fmt: skip

"""How to use less: each trip against the model of its car and the driver's own trips (pure).

The trips of everybody in a car teach what the *car* takes, for its mass and engine are nobody's
secret; how somebody else drives is never a measure for this driver.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from internetcar.contract.advice import EcoAdvice
from internetcar.contract.message import milliseconds
from internetcar.contract.presence import Origin
from internetcar.contract.recommendations import OfferKind
from internetcar.contract.trips import TripEnded
from services.recommendations.advising import Advice, Asked, Body, Evidence, Kind
from services.recommendations.eco.drive import Drive, Unit, drive_of, read
from services.recommendations.eco.hints import Saving, hints, savings
from services.recommendations.eco.model import Model, fitted

LEAST_TRIPS = 10
"""Of the driver; below them nothing is said."""
AGAIN_MS = 7 * 86_400_000
"""A kind of hint is said again where it is more than on any trip of so long before."""
MOST_OWN = 300
"""Of a driver's newest trips, what this one is measured by."""
_MOST_COMPARED = 40
_WH_PER_ML = 8.9
_MOST_USED = 1e7
_UNITS: tuple[Unit, ...] = ("Wh", "ml")


class Own(NamedTuple):
    """A trip of the driver: which, when it began (UTC ms), and how it was driven."""

    trip_id: str
    started_ms: int
    drive: Drive


@dataclass(frozen=True, slots=True)
class Learned:
    """What the trips of a car teach.

    Attributes:
        models: What the car takes, by unit.
        own: The trips of each driver, the oldest first.
    """

    models: Mapping[Unit, Model] = field(default_factory=dict)
    own: Mapping[str, Sequence[Own]] = field(default_factory=dict)


class EcoAdviser:
    """What a trip took and what would have used less; it makes no offers."""

    kind: Kind = "energy"
    offers: OfferKind | None = None
    of_car = True
    speaks_after = True

    def kept(self, trip: TripEnded, day: float, place_id: str) -> Body | None:
        """How it was driven and what it took."""
        drive = drive_of(trip)
        return None if drive is None else drive.body()

    def learn(self, evidence: Sequence[Evidence]) -> Learned:
        """The model of the car, and each driver's own trips."""
        own: dict[str, list[Own]] = {}
        drives = []
        for each in evidence:
            drive = read(each.body)
            if drive is not None:
                drives.append(drive)
                own.setdefault(each.driver, []).append(Own(each.trip_id, each.started_ms, drive))
        models = ((unit, fitted(drives, unit)) for unit in _UNITS)
        return Learned(
            {unit: model for unit, model in models if model is not None},
            {driver: trips[-MOST_OWN:] for driver, trips in own.items()},
        )

    def advise(self, asked: Asked, learned: Learned) -> Advice:
        """Nothing of a trip that is on."""
        return Advice()

    def after(
        self, trip: TripEnded, learned: Learned, trips: int, day: float, origin: Origin
    ) -> EcoAdvice | None:
        """What the trip took, should have taken, and what would have saved."""
        told = _used(trip)
        if trips < LEAST_TRIPS or told is None or trip.is_dropped:
            return None
        unit, used = told
        model, drive = learned.models.get(unit), drive_of(trip)
        advice = EcoAdvice(
            vehicle_id=trip.vehicle_id, trip_id=trip.trip_id, driver=trip.driver, origin=origin,
            at=trip.ended_at, unit=unit, used=round(used, 1), hints=[],
        )  # fmt: skip
        if model is None or drive is None or drive.used(unit) is None:
            return advice
        expected = round(min(max(model.used(drive), -_MOST_USED), _MOST_USED), 1)
        before = [
            own
            for own in learned.own.get(trip.driver, ())
            if own.trip_id != trip.trip_id and own.started_ms < milliseconds(trip.started_at)
        ]
        found = _news(trip, drive, before, model, used) if used > 0 else []
        return advice.model_copy(
            update={"expected": expected, "hints": hints(drive, found, unit, used)}
        )


def _used(trip: TripEnded) -> tuple[Unit, float] | None:
    """What the trip took, in the unit of which it took more."""
    wh, ml = trip.energy_wh, trip.fuel_ml or None
    if ml is not None and (wh is None or ml * _WH_PER_ML >= abs(wh)):
        return "ml", ml
    return None if wh is None else ("Wh", wh)


def _news(
    trip: TripEnded, drive: Drive, before: Sequence[Own], model: Model, used: float
) -> list[Saving]:
    """The savings that are more than they were on any trip of the week before."""
    own = [each.drive for each in before]
    found = savings(drive, own, model, used)
    said: dict[str, float] = {}
    since_ms = milliseconds(trip.started_at) - AGAIN_MS
    week = [each.drive for each in before if each.started_ms >= since_ms]
    for other in week[-_MOST_COMPARED:] if found else ():
        took = other.used(model.unit)
        if took is not None and took > 0:
            for saving in savings(other, own, model, took):
                said[saving.kind] = max(said.get(saving.kind, 0.0), saving.saves / took)
    return [saving for saving in found if saving.saves / used > said.get(saving.kind, 0.0)]

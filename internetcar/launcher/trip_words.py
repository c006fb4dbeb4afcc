"""Trips as one line each, for who watches a car."""

from collections import OrderedDict

from internetcar.contract.trips import UNKNOWN_DRIVER, Place, TripEnded, TripStarted
from internetcar.launcher.tables import printable


def started_line(trip: TripStarted) -> str:
    """That a trip has started: when, who, and where."""
    who = "" if trip.driver == UNKNOWN_DRIVER else f", {trip.driver}"
    return printable(f"trip started {trip.started_at:%H:%M:%S} UTC{who}{_at(trip.start)}")


def ended_line(trip: TripEnded) -> str:
    """A trip as a whole: how long, how far, and what it took."""
    if trip.is_dropped:
        return f"trip of {trip.started_at:%H:%M:%S} UTC: {trip.distance_m:.0f} m is no trip"
    minutes = (trip.ended_at - trip.started_at).total_seconds() / 60
    parts = [f"{minutes:.0f} min", f"{trip.distance_m / 1_000:.1f} km", *took(trip)]
    why = "" if trip.why == "power_off" else f" ({trip.why.replace('_', ' ')})"
    return printable(
        f"trip of {trip.started_at:%H:%M:%S} UTC = {', '.join(parts)}{_at(trip.end)}{why}"
    )


def took(trip: TripEnded) -> list[str]:
    """Energy and fuel, where the car told enough."""
    parts = []
    if trip.energy_wh is not None:
        parts.append(f"{trip.energy_wh / 1_000:.2f} kWh")
    if trip.fuel_ml is not None:
        parts.append(f"{trip.fuel_ml / 1_000:.2f} l")
    return parts


def place_text(place: Place | None) -> str:
    """A place in degrees, to some metre."""
    return "?" if place is None else f"{place.latitude:.5f}, {place.longitude:.5f}"


def _at(place: Place | None) -> str:
    return "" if place is None else f", at {place_text(place)}"


class TripLines:
    """The newest trips that were heard of, a line each."""

    def __init__(self, most: int = 2) -> None:
        self._most = most
        self._by_id: OrderedDict[str, str] = OrderedDict()

    @property
    def lines(self) -> list[str]:
        """The oldest first."""
        return list(self._by_id.values())

    def on(self, trip: TripStarted | TripEnded) -> str | None:
        """Learn of a trip; as one line, where that is news."""
        known = self._by_id.get(trip.trip_id)
        is_start = isinstance(trip, TripStarted)
        line = started_line(trip) if isinstance(trip, TripStarted) else ended_line(trip)
        if known == line or (known is not None and is_start):
            return None
        self._by_id[trip.trip_id] = line
        if len(self._by_id) > self._most:
            self._by_id.popitem(last=False)
        return line

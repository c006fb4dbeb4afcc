"""Trips out of other people's files, by the same rules as those of a log (pure)."""

from collections.abc import Callable, Iterable, Iterator

from internetcar.contract.trips import TripEnded
from services.trips import leaves, telling
from services.trips.domain import MERGE_MS, Ended, Follower
from services.trips.gpx import Point
from services.trips.observing import Detail
from services.trips.reading import Known
from services.trips.state import State
from services.trips.ved import Row

_MOST_VEHICLES = 2_000


class TooManyVehiclesError(ValueError):
    """A file that names more vehicles than any real one."""


class Importer:
    """Follows the vehicles of a file, each as if it had switched on and off.

    Args:
        most_vehicles: More than these in one file are no vehicles.
    """

    def __init__(self, most_vehicles: int = _MOST_VEHICLES) -> None:
        self._most_vehicles = most_vehicles
        self._followers: dict[str, Follower] = {}
        self._details: dict[str, list[Detail]] = {}
        self.dropped = 0

    def start(self, vehicle_id: str, at_ms: int) -> None:
        """A vehicle is switched on.

        Raises:
            TooManyVehiclesError: It is one too many.
        """
        follower = self._followers.get(vehicle_id)
        if follower is None:
            if len(self._followers) >= self._most_vehicles:
                raise TooManyVehiclesError(f"more than {self._most_vehicles} vehicles")
            state = State(journal="import", origin="recording", clock="recorded")
            follower = self._followers[vehicle_id] = Follower(vehicle_id, state, ())
        follower.connect(at_ms, at_ms, "recorded", "recording", is_next=False)
        self.tell(vehicle_id, at_ms, {leaves.POWER: "ON"})

    def tell(self, vehicle_id: str, at_ms: int, told: dict[str, Known]) -> None:
        """A vehicle that is on tells something; UTC ms."""
        follower = self._followers[vehicle_id]
        follower.state.reading.at_ms.update(dict.fromkeys(told, at_ms))
        follower.on_moment(at_ms, told)

    def stop(self, vehicle_id: str, at_ms: int) -> None:
        """A vehicle is switched off, and what it told is known no more."""
        self.tell(vehicle_id, at_ms, {leaves.POWER: "OFF"})
        reading = self._followers[vehicle_id].state.reading
        reading.known.clear()
        reading.at_ms.clear()

    def ended(self, vehicle_id: str) -> Iterator[tuple[TripEnded, str]]:
        """The trips of a vehicle that are final by now, each with the reading it comes from."""
        follower = self._followers[vehicle_id]
        events, follower.events = follower.events, []
        details = self._details.setdefault(vehicle_id, [])
        for event in events:
            if isinstance(event, Detail):
                details.append(event)
            elif isinstance(event, Ended):
                if event.trip.is_told:
                    yield telling.ended(vehicle_id, event.trip, details), event.trip.run
                else:
                    self.dropped += 1
                details.clear()

    def finish(self) -> Iterator[tuple[TripEnded, str]]:
        """The file has come to its end: so have all trips."""
        for vehicle_id, follower in self._followers.items():
            follower.finish()
            yield from self.ended(vehicle_id)


def follow_gpx(
    importer: Importer, vehicle_id: str, points: Iterable[Point]
) -> Iterator[tuple[TripEnded, str]]:
    """The trips of a track: its vehicle is on from the first point of a segment to the last.

    A segment in which nothing is said for as long as ends a trip is two.
    """
    last_ms: int | None = None
    for point in points:
        is_apart = last_ms is not None and not 0 <= point.at_ms - last_ms < MERGE_MS
        if last_ms is None or point.begins or is_apart:
            if last_ms is not None:
                importer.stop(vehicle_id, last_ms)
            importer.start(vehicle_id, point.at_ms)
            yield from importer.ended(vehicle_id)
        told: dict[str, Known] = {leaves.LATITUDE: point.lat_deg, leaves.LONGITUDE: point.lon_deg}
        if point.speed_mps is not None:
            told[leaves.SPEED] = point.speed_mps * 3.6
        importer.tell(vehicle_id, point.at_ms, told)
        last_ms = point.at_ms
    if last_ms is not None:
        importer.stop(vehicle_id, last_ms)
    yield from importer.finish()


def follow_ved(
    importer: Importer, rows: Iterable[Row], utc_ms: Callable[[int], int]
) -> Iterator[tuple[TripEnded, str]]:
    """The trips of the dataset: a vehicle is on from the first row of a trip to the last.

    Args:
        importer: That follows them.
        rows: Of the dataset.
        utc_ms: From what the dataset's clock shows to UTC.
    """
    on: dict[int, tuple[int, int]] = {}
    for row in rows:
        vehicle_id, at_ms = f"ved-{row.vehicle}", utc_ms(row.at_ms)
        trip, last_ms = on.get(row.vehicle, (None, 0))
        if trip != row.trip:
            if trip is not None:
                importer.stop(vehicle_id, last_ms)
            importer.start(vehicle_id, at_ms)
            yield from importer.ended(vehicle_id)
        importer.tell(vehicle_id, at_ms, row.told)
        on[row.vehicle] = row.trip, at_ms
    for vehicle, (_, last_ms) in on.items():
        importer.stop(f"ved-{vehicle}", last_ms)
    yield from importer.finish()

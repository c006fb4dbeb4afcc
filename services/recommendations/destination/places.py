"""Where trips end, as places: greedy clusters with ids that stay (pure)."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from services.recommendations.destination.ground import Floats, distances_m

RADIUS_M = 175.0
"""What ends this near a place's centre is a visit of it: a car park is as large."""
_SETTLED = 20
"""The centre is the mean of so many ends; then it stays where it is."""
_FIRST_SIZE = 64


class PositionError(ValueError):
    """A position that is not on the Earth."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place as a store keeps it; `ends` is how many ends of trips made it."""

    id: str
    lat_deg: float
    lon_deg: float
    ends: int = 1


class Places:
    """One driver's places. An id is never given twice, also not after its place is forgotten."""

    def __init__(self, known: Iterable[Place] = (), issued: int = 0) -> None:
        """Begin with the places of a store.

        Args:
            known: Its places.
            issued: How many ids were ever given; a store keeps it.
        """
        self.issued = issued
        self._ids: list[str] = []
        self._ends: list[int] = []
        self._centres: Floats = np.zeros((2, _FIRST_SIZE))
        for place in known:
            self._append(place)

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Place]:
        return iter([self._place(number) for number in range(len(self._ids))])

    def find(self, lat_deg: float, lon_deg: float) -> str:
        """The id of the nearest place within reach; empty where there is none.

        Raises:
            PositionError: That is nowhere on the Earth.
        """
        number = self._nearest(lat_deg, lon_deg)
        return "" if number is None else self._ids[number]

    def take(self, lat_deg: float, lon_deg: float) -> Place:
        """The place at which a trip ended; it is made where there is none within reach.

        Raises:
            PositionError: That is nowhere on the Earth.
        """
        number = self._nearest(lat_deg, lon_deg)
        if number is None:
            self.issued += 1
            self._append(Place(f"place-{self.issued}", lat_deg, lon_deg))
            return self._place(len(self._ids) - 1)
        self._ends[number] += 1
        if self._ends[number] <= _SETTLED:
            self._move(number, lat_deg, lon_deg)
        return self._place(number)

    def centres(self, ids: Iterable[str]) -> Floats:
        """(2, n): latitude and longitude of places; NaN where one is not known."""
        where = {place: number for number, place in enumerate(self._ids)}
        known = [where.get(place) for place in ids]
        found = np.full((2, len(known)), np.nan)
        for column, number in enumerate(known):
            if number is not None:
                found[:, column] = self._centres[:, number]
        return found

    def forget(self, place: str) -> bool:
        """Remove a place; whether there was one."""
        if place not in self._ids:
            return False
        kept = [each for each in self if each.id != place]
        self._ids, self._ends = [], []
        self._centres = np.zeros((2, _FIRST_SIZE))
        for each in kept:
            self._append(each)
        return True

    def _nearest(self, lat_deg: float, lon_deg: float) -> int | None:
        if not (math.isfinite(lat_deg) and math.isfinite(lon_deg)) or not (
            abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0
        ):
            raise PositionError(f"{lat_deg}, {lon_deg} is not on the Earth: -90…90, -180…180")
        if not self._ids:
            return None
        lat, lon = self._centres[:, : len(self._ids)]
        away_m = distances_m(lat, lon, lat_deg, lon_deg)
        number = int(away_m.argmin())
        return number if away_m[number] <= RADIUS_M else None

    def _append(self, place: Place) -> None:
        number = len(self._ids)
        if number == self._centres.shape[1]:
            self._centres = np.hstack([self._centres, np.zeros_like(self._centres)])
        self._centres[:, number] = place.lat_deg, place.lon_deg
        self._ids.append(place.id)
        self._ends.append(place.ends)

    def _move(self, number: int, lat_deg: float, lon_deg: float) -> None:
        lat, lon = self._centres[:, number]
        share = 1.0 / self._ends[number]
        east = (lon_deg - lon + 180.0) % 360.0 - 180.0
        moved = (lon + east * share + 180.0) % 360.0 - 180.0
        self._centres[:, number] = lat + (lat_deg - lat) * share, moved

    def _place(self, number: int) -> Place:
        lat, lon = self._centres[:, number].tolist()
        return Place(self._ids[number], lat, lon, self._ends[number])

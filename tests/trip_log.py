"""A car's log in the making: batches of a second, as a gateway writes them."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from internetcar.contract.presence import Clock, Origin
from internetcar.contract.telemetry import Dropped, Sample, Telemetry
from internetcar.contract.trips import TripEnded, TripStarted
from services.trips import telling
from services.trips.domain import Ended, Event, advance
from services.trips.leaves import LATITUDE, LONGITUDE, ODOMETER, POWER, SETTINGS, SPEED
from services.trips.observing import Detail
from services.trips.state import State

AT = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
DRIVER = "Vehicle.Occupant.Row1.DriverSide.Identifier.Subject"
_DEGREE_M = math.pi / 180 * 6_371_000.0

Told = Mapping[str, object]


class TripLog:
    """The log of a car that drives north at a speed, and what it tells of it.

    Args:
        leaves: Of speed, odometer, latitude and longitude, those that the car tells.
        at: When it begins.
    """

    def __init__(
        self,
        *leaves: str,
        at: datetime = AT,
        vehicle_id: str = "kona",
        journal: str = "j1",
        origin: Origin = "live",
        clock: Clock = "synchronized",
    ) -> None:
        self.leaves = leaves or (SPEED, ODOMETER, LATITUDE, LONGITUDE)
        self.at = at
        self.vehicle_id, self.journal, self.sequence = vehicle_id, journal, 0
        self.origin, self.clock = origin, clock
        self.driven_m, self.longitude = 0.0, 103.8
        self.batches: list[Telemetry] = []

    def seconds(self, count: int, speed_kmh: float = 0.0, each_s: int = 1) -> "TripLog":
        """Drive on for so many seconds, in batches of so many."""
        for _each in range(count // each_s):
            told = {
                SPEED: speed_kmh,
                ODOMETER: 10_000_000 + int(self.driven_m),
                LATITUDE: 1.3 + self.driven_m / _DEGREE_M,
                LONGITUDE: self.longitude,
            }
            self.say({leaf: value for leaf, value in told.items() if leaf in self.leaves}, each_s)
            self.driven_m += speed_kmh / 3.6 * each_s
        return self

    def say(self, told: Told, seconds: float = 1.0) -> "TripLog":
        """One batch in which these leaves have news at its beginning."""
        samples: dict[str, list[Sample]] = {
            leaf: [value] if isinstance(value, tuple) else [(0, value)]  # type: ignore[list-item]
            for leaf, value in told.items()
        }
        self.sequence += 1
        end_at = self.at + timedelta(seconds=seconds)
        self.batches.append(
            Telemetry.model_validate({
                "vehicle_id": self.vehicle_id, "journal": self.journal, "sequence": self.sequence,
                "kind": "snapshot" if self.sequence == 1 else "changes", "start_at": self.at,
                "end_at": end_at, "clock": self.clock, "origin": self.origin, "samples": samples,
            })
        )  # fmt: skip
        self.at = end_at
        return self

    def on(self) -> "TripLog":
        """Switch the car on."""
        return self.say({POWER: "ON"})

    def off(self) -> "TripLog":
        """Switch the car off."""
        return self.say({POWER: "OFF"})

    def asleep(self, minutes: int) -> "TripLog":
        """An empty batch a minute."""
        for _ in range(minutes):
            self.say({}, 60)
        return self

    def hole(self, seconds: float, batches: int = 0) -> "TripLog":
        """Nothing of this time is told; so many batches are missing."""
        self.at += timedelta(seconds=seconds)
        self.sequence += batches
        return self

    def dropped(self, seconds: float, batches: int) -> "TripLog":
        """A stated loss."""
        first = self.sequence + 1
        self.sequence += batches
        end_at = self.at + timedelta(seconds=seconds)
        self.batches.append(
            Telemetry(
                vehicle_id=self.vehicle_id, journal=self.journal, sequence=self.sequence,
                kind="dropped", start_at=self.at, end_at=end_at, clock=self.clock,
                origin=self.origin,
                dropped=Dropped(first=first, last=self.sequence, reason="full"),
            )
        )  # fmt: skip
        self.at = end_at
        return self

    def drive(self, seconds: int = 120, speed_kmh: float = 60.0, each_s: int = 20) -> "TripLog":
        """On, so far at that speed, and off."""
        return self.on().seconds(seconds, speed_kmh, each_s).seconds(1).off()


class Kept:
    """Follows a log as the store does, and keeps what is said."""

    def __init__(self, settings: Sequence[str] = SETTINGS) -> None:
        self.state = State()
        self.settings = settings
        self.events: list[Event] = []
        self.details: dict[tuple[str, str, int], Detail] = {}
        self.ends: list[TripEnded] = []

    def read(self, batches: Sequence[Telemetry], gap_before: Sequence[int] = ()) -> "Kept":
        """Apply batches; `gap_before`: indices of those before which some are lost for good."""
        for index, batch in enumerate(batches):
            has_gap = index in gap_before
            kept = State.load(self.state.dump())
            self.state, events = advance(
                batch.vehicle_id, kept, batch, self.settings, has_gap=has_gap
            )
            self.take(batch.vehicle_id, events)
        return self

    def take(self, vehicle_id: str, events: Sequence[Event]) -> None:
        """Keep what happened."""
        self.events += events
        for event in events:
            if isinstance(event, Detail):
                self.details[event.run, event.kind, event.number] = event
            elif isinstance(event, Ended):
                of_run = [each for each in self.details.values() if each.run == event.trip.run]
                if event.trip.is_told:
                    self.ends.append(telling.ended(vehicle_id, event.trip, of_run))

    @property
    def starts(self) -> list[TripStarted]:
        """What was said to have started."""
        return [event for event in self.events if isinstance(event, TripStarted)]

    @property
    def trips(self) -> list[TripEnded]:
        """The last that was said of each trip, without what is none."""
        newest = {end.trip_id: end for end in self.ends}
        return [end for end in newest.values() if not end.is_dropped]

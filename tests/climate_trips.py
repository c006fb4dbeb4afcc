"""A driver whose trips are alike but for the weather, and who is asked about climate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from internetcar.contract.message import milliseconds
from internetcar.contract.trips import SettingChange, SettingValue, TripEnded
from services.recommendations.advising import Advice, Answered, Asked, Evidence, Standing
from services.recommendations.climate.adviser import ClimateAdviser
from services.recommendations.climate.leaves import FAN, HEATING, SET_POINT
from services.recommendations.destination.moment import day_of
from services.recommendations.destination.places import Places
from services.recommendations.journey import Journey

DAY_MS = 86_400_000
FIRST = datetime(2026, 1, 5, 8, tzinfo=UTC)
PATHS = {"t": SET_POINT.path, "f": FAN.path, "h": HEATING.path}
ADVISER = ClimateAdviser()


def changes(**told: Any) -> list[SettingChange]:
    """Settings by letter: a value at the start, or values by seconds after it."""
    return [
        SettingChange(path=PATHS[letter], offset_s=offset_s, value=value)
        for letter, values in told.items()
        for offset_s, value in (values if isinstance(values, dict) else {0: values}).items()
    ]


def ended(
    number: int, outside_c: float | None, settings: Sequence[SettingChange], minutes: float = 30
) -> TripEnded:
    """The trip of a day."""
    at = FIRST + timedelta(days=number)
    return TripEnded(
        vehicle_id="kona", trip_id=f"trip-{number}", revision=1, driver="anna", started_at=at,
        ended_at=at + timedelta(minutes=minutes), distance_m=9_000, outside_c=outside_c,
        settings=list(settings), why="power_off", origin="live", clock="synchronized",
    )  # fmt: skip


def evidence(number: int, body: Mapping[str, Any]) -> Evidence:
    """What was kept of the trip of a day."""
    at = FIRST + timedelta(days=number)
    return Evidence(f"trip-{number}", "anna", milliseconds(at), day_of(at), "", body)


@dataclass
class Driver:
    """Somebody who drives once a day, and is asked about climate."""

    kept: list[Evidence] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    journey: Journey | None = None
    trips: int | None = None

    @property
    def number(self) -> int:
        """Of the next trip: the day after the last."""
        return int(self.kept[-1].day - day_of(FIRST) + 1) if self.kept else 0

    def drove(
        self, times: int, outside_c: float | None, minutes: float = 30, **told: Any
    ) -> "Driver":
        """So many trips more."""
        for _ in range(times):
            number = self.number
            trip = ended(number, outside_c, changes(**told), minutes)
            body = ADVISER.kept(trip, 0.0, "")
            assert body is not None
            self.kept.append(evidence(number, body))
        return self

    def begin(self) -> Journey:
        """The next trip begins."""
        at = FIRST + timedelta(days=self.number)
        at_ms = milliseconds(at)
        self.journey = Journey(
            trip_id=f"trip-{self.number}", driver="anna", started_ms=at_ms, at_ms=at_ms,
            day=day_of(at),
        )  # fmt: skip
        return self.journey

    def ask(
        self,
        outside_c: float | None,
        minutes: float = 0.0,
        touched_min: float | None = None,
        **stands: SettingValue,
    ) -> Advice:
        """What is said so many minutes into the next trip; what is said last is noted."""
        journey = self.journey or self.begin()
        journey.at_ms = journey.started_ms + round(minutes * 60_000)
        touched_ms = 0
        if touched_min is not None:
            touched_ms = journey.started_ms + round(touched_min * 60_000)
        asked = Asked(
            vehicle_id="kona", journey=journey, origin="live",
            trips=len(self.kept) if self.trips is None else self.trips, forecast=None,
            places=Places(), labels={}, outside_c=outside_c, answered=self.answered,
            settings={PATHS[each]: Standing(value, touched_ms) for each, value in stands.items()},
        )  # fmt: skip
        found = ADVISER.advise(asked, ADVISER.learn(self.kept))
        if found.state is not None:
            journey.advised["climate"] = found.state.encode().decode()
        return found

    def answer(self, key: str, is_accepted: bool = False, days_ago: float = 3.0) -> "Driver":
        """An offer was answered, so long before the next trip."""
        at_ms = milliseconds(FIRST) + round((self.number - days_ago) * DAY_MS)
        self.answered.append(Answered(key, at_ms, is_accepted))
        return self

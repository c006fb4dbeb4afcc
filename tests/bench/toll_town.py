"""Vehicles whose tolls are paid while processes die: what they drive and what it must cost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from internetcar.contract.telemetry import Telemetry
from services.tolls.facts import Passage, Sample
from services.tolls.passages.detectors import Detectors, samples_of
from services.tolls.tariff.context import Context
from services.tolls.tariff.fees import fees
from services.tolls.tariff.vehicle import VehicleFacts
from tests.bench.toll_worlds import Ground
from tests.tolls_drive import Plan, drive

OWNER = "driver"
VEHICLES = tuple(f"car-{number}" for number in range(2_000))
FIRST_DAY = date(2026, 4, 6)
DAYS = 15
"""Of each vehicle: working days without a holiday, one passage a day."""
BATCH_S = 20
SINGAPORE_S = 8 * 3600
LEAVES: dict[str, Callable[[Sample], float | None]] = {
    "Vehicle.CurrentLocation.Latitude": lambda one: one.lat_deg,
    "Vehicle.CurrentLocation.Longitude": lambda one: one.lon_deg,
    "Vehicle.CurrentLocation.HorizontalAccuracy": lambda one: one.accuracy_m,
    "Vehicle.CurrentLocation.Heading": lambda one: one.heading_deg,
    "Vehicle.Speed": lambda one: (one.speed_mps or 0.0) * 3.6,
    "Vehicle.TraveledDistance": lambda one: one.odometer_m,
}
"""VSS, as a gateway says it."""


@dataclass(frozen=True)
class Driven:
    """A true passage and what it must cost, with the log that tells of it."""

    vehicle_id: str
    gate: str
    passed_at_ms: int
    fee_minor: int
    batches: tuple[Telemetry, ...]


class Town:
    """Drives past gates that cost something, each seen as clearly as can be."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.context: Context = ground.contexts["singapore"]
        self.detectors = Detectors()
        self.detectors.of(self.context)
        provable = {one.gate for one in ground.provability["singapore"] if one.is_provable}
        self.gates = [gate for gate in sorted(provable) if self._is_steady(gate)]
        self._odometer_m: dict[str, float] = {}
        self._journals: dict[str, tuple[str, int]] = {}

    def _fee(self, gate: str, at_ms: int) -> int:
        passage = Passage("p", gate, datetime.fromtimestamp(at_ms / 1000, UTC))
        return fees([passage], self.context, VehicleFacts())[0].amount_minor

    def _is_steady(self, gate: str) -> bool:
        """Whether it costs something, and the same for the whole drive."""
        prices = {self._fee(gate, _local_ms(FIRST_DAY, minute)) for minute in (487, 495, 503)}
        return len(prices) == 1 and prices != {0}

    def drives(self) -> Iterator[Driven]:
        """All that may be driven, day after day, ten vehicles side by side."""
        for first in range(0, len(VEHICLES), 10):
            for day in range(DAYS):
                for number in range(first, first + 10):
                    yield self._drive(number, day)

    def is_proven(self, one: Driven) -> bool:
        """Whether the detector proves the passage from its log alone, with nothing in between."""
        detector, reading, state = self.detectors.of(self.context), "", None
        found = []
        for batch in one.batches:
            reading, samples = samples_of(reading, batch)
            state, more = detector.advance(state, samples)
            found += more
        found += detector.finish(state or "")
        return any(each.gate == one.gate and each.verdict == "proven" for each in found)

    def _drive(self, number: int, day: int) -> Driven:
        random = np.random.default_rng((7, number, day))
        vehicle_id = VEHICLES[number]
        gate = self.gates[int(random.integers(len(self.gates)))]
        site = self._ground.sites["singapore"][gate]
        when = FIRST_DAY + timedelta(days=day // 5 * 7 + day % 5)
        plan = Plan(right_m=float(random.uniform(-2, 2)), speed_mps=float(random.uniform(12, 20)))
        driven = drive(site, site.centre, plan, random, _local_ms(when, 494))
        assert driven.passed_at_ms is not None
        samples = self._on(vehicle_id, driven.samples)
        before = self._journals.get(vehicle_id, (None, None))
        batches = tuple(_batches(vehicle_id, f"day-{day}", before, samples))
        self._journals[vehicle_id] = f"day-{day}", len(batches)
        return Driven(
            vehicle_id, gate, driven.passed_at_ms, self._fee(gate, driven.passed_at_ms),
            batches,
        )  # fmt: skip

    def _on(self, vehicle_id: str, samples: list[Sample]) -> list[Sample]:
        """The samples with the odometer going on where the last drive ended, and 3 km."""
        shift = self._odometer_m.get(vehicle_id, 0.0) + 3_000 - (samples[0].odometer_m or 0.0)
        self._odometer_m[vehicle_id] = (samples[-1].odometer_m or 0.0) + shift
        return [replace(one, odometer_m=(one.odometer_m or 0.0) + shift) for one in samples]


def _local_ms(day: date, minute: int) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp() - SINGAPORE_S + minute * 60) * 1000


def _batches(
    vehicle_id: str,
    journal: str,
    before: tuple[str | None, int | None],
    samples: list[Sample],
) -> Iterator[Telemetry]:
    """A journal that names the one before and that one's last."""
    for index, start in enumerate(range(0, len(samples), BATCH_S)):
        part = samples[start : start + BATCH_S]
        start_ms = part[0].at_ms
        yield Telemetry.model_validate(
            {
                "vehicle_id": vehicle_id,
                "journal": journal,
                "sequence": index + 1,
                "previous": before[0] if index == 0 else None,
                "previous_last": before[1] if index == 0 else None,
                "kind": "snapshot" if index == 0 else "changes",
                "start_at": datetime.fromtimestamp(start_ms / 1000, UTC),
                "end_at": datetime.fromtimestamp(part[-1].at_ms / 1000, UTC),
                "clock": "synchronized",
                "origin": "simulation",
                "samples": {
                    leaf: [
                        (one.at_ms - start_ms, value)
                        for one in part
                        if (value := value_of(one)) is not None
                    ]
                    for leaf, value_of in LEAVES.items()
                },
            }
        )

"""A trip to work with its sums, for tests of what it took."""

from datetime import UTC, datetime, timedelta
from typing import Any

from internetcar.contract.trips import Driving, TripEnded
from services.recommendations.eco.drive import Drive

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
USES = Drive(
    known_s=1_000.0, speed_m=12_000.0, speed2=220_000.0, speed3=4_500_000.0, faster=1_500.0,
    slower=1_500.0, idle_s=200.0, cold=0.5, outside_c=12.0, wh=None, ml=700.0,
)  # fmt: skip


def drive(**changed: Any) -> Drive:
    """That trip, changed."""
    return USES._replace(**changed)


def ended(
    how: Drive,
    trip_id: str = "trip-1",
    at: datetime = AT,
    *,
    is_cold_start: bool | None = None,
    **other: Any,
) -> TripEnded:
    """The end of a trip that was driven so."""
    values: dict[str, Any] = {
        "vehicle_id": "kona", "trip_id": trip_id, "driver": "anna", "revision": 1,
        "started_at": at, "ended_at": at + timedelta(seconds=how.known_s),
        "distance_m": how.speed_m, "energy_wh": how.wh, "fuel_ml": how.ml,
        "outside_c": how.outside_c, "why": "power_off", "origin": "live",
        "clock": "synchronized",
        "driving": Driving(
            known_s=how.known_s, speed_m=how.speed_m, speed2_m2_per_s=how.speed2,
            speed3_m3_per_s2=how.speed3, faster_m2_per_s2=how.faster,
            slower_m2_per_s2=how.slower, idle_s=how.idle_s, is_cold_start=is_cold_start,
        ),
    }  # fmt: skip
    return TripEnded.model_validate({**values, **other})

"""What a drone tells of itself: one class for the `data` of each event's method.

The receivers' side is open: unknown keys and methods may come, and `DroneEvent` takes them.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from internetcar.contract.drone import Interlock, Progress, State
from internetcar.contract.message import Part
from internetcar.contract.money import Words


class TaskProgress(Part):
    """How far a request has come."""

    status: Progress = Field(description="the last four are final")
    step: State
    reason: str | None = Field(default=None, max_length=64, description="one of `REASONS`")
    detail: Words | None = None


class WayPoint(Part):
    """A place of a way."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    height: float = Field(description="m above the take-off")


class ReturnHomeInfo(Part):
    """Where it flies back, and why."""

    planned_path_points: list[WayPoint]
    reason: Words


class InterlockTrip(Part):
    """What does not hold any more, and what it does about it."""

    interlocks: list[Interlock]
    then: Literal["none", "hold", "return", "alternate", "land", "canceled"] = Field(
        description="canceled: before the take-off"
    )


class RuleDecision(Part):
    """A rule of the car found a flight due."""

    rule: str
    outcome: Literal["launched", "blocked", "called_back"]
    because: Words
    interlocks: list[Interlock]


class DriverRequest(Part):
    """What the driver is asked for, so that the drone can come home."""

    ask: Literal["stop", "slow", "move"]
    detail: Words


class ScoutReport(Part):
    """What was flown."""

    points: list[WayPoint]
    length_m: float
    duration_s: float
    wind_mps: float | None = None
    pictures: int = 0


class HealthEntry(Part):
    """One thing that is well or not."""

    code: str = Field(max_length=40)
    level: int = Field(ge=0, le=2, description="0 well, 1 a warning, 2 an alarm")
    detail: Words


class HealthList(Part):
    """The service's own health, as DJI's health management system says it."""

    list: tuple[HealthEntry, ...]


EVENTS: Mapping[str, type[Part]] = {
    "flighttask_progress": TaskProgress,
    "takeoff_to_point_progress": TaskProgress,
    "fly_to_point_progress": TaskProgress,
    "return_home_progress": TaskProgress,
    "return_home_info": ReturnHomeInfo,
    "interlock_trip": InterlockTrip,
    "rule_decision": RuleDecision,
    "driver_request": DriverRequest,
    "scout_report": ScoutReport,
    "hms": HealthList,
}
"""Method → its data."""

"""What a requester may ask of a drone: one class for the `data` of each method.

Methods and keys are those of DJI's Cloud API where it has one; heights are metres above the place
of the take-off, speeds metres a second, places WGS 84 degrees.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from internetcar.contract.message import Part

Latitude = Annotated[float, Field(ge=-90, le=90, strict=True)]
Longitude = Annotated[float, Field(ge=-180, le=180, strict=True)]
Height = Annotated[float, Field(gt=0, le=500, strict=True, description="m above the take-off")]
Speed = Annotated[float, Field(gt=0, le=20, strict=True, description="m/s over the ground")]

Task = Literal["scout", "beacon", "hand_over", "follow", "inspect"]
"""What a flight can be for; each is also the name of the rule that starts it by itself."""


class MethodData(Part):
    """Unlike in other messages an unknown key is refused: a misspelt one must not fly a drone."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Point(MethodData):
    """A place to fly to."""

    latitude: Latitude
    longitude: Longitude
    height: Height | None = Field(default=None, description="none: the height of the settings")


class TakeoffToPoint(MethodData):
    """Take off, fly to a place (none: stay above the car) and hover there until it is recalled."""

    target_latitude: Latitude | None = None
    target_longitude: Longitude | None = None
    target_height: Height | None = None
    max_speed: Speed | None = None

    @model_validator(mode="after")
    def _is_a_whole_place(self) -> "TakeoffToPoint":
        if (self.target_latitude is None) != (self.target_longitude is None):
            raise ValueError("target_latitude and target_longitude: both, or none of them")
        return self


class FlyToPoint(MethodData):
    """While it flies: go there, through at most 50 points in their order."""

    points: tuple[Point, ...] = Field(min_length=1, max_length=50)
    max_speed: Speed | None = None


class FlightTask(MethodData):
    """Do a task: take off for it, or change to it in the air."""

    task: Task
    points: tuple[Point, ...] = Field(
        default=(),
        max_length=50,
        description="scout: the way ahead, none: straight on; hand_over: where to",
    )
    duration_s: float | None = Field(default=None, gt=0, le=1_800, strict=True)


class Nothing(MethodData):
    """A method without data."""


METHODS: Mapping[str, type[MethodData]] = {
    "takeoff_to_point": TakeoffToPoint,
    "fly_to_point": FlyToPoint,
    "flighttask_execute": FlightTask,
    "hand_over_confirm": Nothing,
    "return_home": Nothing,
    "return_home_cancel": Nothing,
    "drone_emergency_stop": Nothing,
}
"""Method → its data. `drone_emergency_stop` brakes and hovers: it never stops motors in the air."""

Right = Literal["launch", "follow", "return", "stop"]
"""What the service's settings may allow a requester; `stop` is open to all of them."""


def right_for(method: str, data: MethodData) -> Right:
    """Which right a request needs."""
    if isinstance(data, FlightTask) and data.task == "follow":
        return "follow"
    if method in ("return_home", "return_home_cancel"):
        return "return"
    return "stop" if method == "drone_emergency_stop" else "launch"

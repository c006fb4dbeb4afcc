"""How a flight is flown: heights, speeds, times and where else it may land (pure)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.drone.geodesy import Place

Metres = Annotated[float, Field(gt=0, le=500)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]
Moments = Annotated[float, Field(gt=0, le=10)]
"""What a drone flies on for without knowing something."""
Percent = Annotated[float, Field(ge=0, le=100)]


class Alternate(BaseModel):
    """A place where the drone may land when it cannot land on the car."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(max_length=60)
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.latitude, self.longitude)


class FlightSettings(BaseModel):
    """What an owner may set of every flight."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    height_m: Metres = Field(default=30.0, description="of a flight that names no height")
    return_height_m: Metres = Field(default=30.0, description="how high it flies back")
    rendezvous_height_m: Metres = Field(default=10.0, description="above a car not yet at rest")
    land_below_m: float = Field(
        default=1.5, gt=0, le=5, description="where the autopilot lands by itself"
    )
    preflight_s: Seconds = Field(default=60.0, description="from a launch to armed, at most")
    arm_again_s: Seconds = Field(default=2.0, description="between two tries to arm")
    climb_mps: float = Field(default=1.0, gt=0, le=10, description="the slowest take-off")
    rest_s: Moments = Field(default=3.0, description="how long the car rests before a landing")
    fix_fresh_s: Moments = Field(default=3.0, description="an older position of the car is stale")
    stale_hold_s: Seconds = Field(default=10.0, description="waits so long for a fresh position")
    broker_s: Moments = Field(default=10.0, description="flies on so long without the broker")
    hold_limit_s: Seconds = Field(default=60.0, description="a stop lasts so long, then it returns")
    wait_limit_s: Seconds = Field(default=120.0, description="waits for the driver so long")
    give_back_s: Seconds = Field(default=5.0, description="hovers so long before it takes over")
    link_gap_s: Seconds = Field(default=10.0, description="a shorter silence ends no task")
    trip_lasts_s: float = Field(
        default=5.0, ge=0, le=30, description="weather or link so long beyond its limit: returns"
    )
    home_every_m: Metres = Field(default=25.0, description="the car moved so far: so does home")
    home_every_s: Seconds = Field(default=10.0, description="home is told at least so often")
    rule_waits_s: Seconds = Field(default=300.0, description="a due rule waits to be allowed")
    divert_pct: Percent = Field(default=16.0, description="predicted at the car: then elsewhere")
    drone_at_car_m: Metres = Field(default=100.0, description="so near is the car at a launch")
    alternates: tuple[Alternate, ...] = Field(
        default=(), max_length=100, description="where it may land when it cannot land on the car"
    )

"""How the tasks are flown (pure)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Height = Annotated[float, Field(ge=3, le=120, description="m above the take-off")]
Speed = Annotated[float, Field(ge=0.5, le=15, description="m/s over the ground")]
Radius = Annotated[float, Field(ge=5, le=200, description="m")]
Duration = Annotated[float, Field(ge=5, le=1_800, description="s")]
Pictures = Annotated[int, Field(ge=0, le=36, description="in an orbit")]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ScoutSettings(_Settings):
    """Fly the way ahead, orbit at its end, report."""

    height_m: Height = 40.0
    speed_mps: Speed = 8.0
    ahead_m: float = Field(
        default=300.0, ge=20, le=3_000, description="how far straight on, without points"
    )
    every_m: float = Field(
        default=100.0, ge=20, le=1_000, description="a way point, straight on, and a picture"
    )
    radius_m: Radius = 20.0
    pictures: Pictures = 4
    duration_s: Duration = 600.0


class BeaconSettings(_Settings):
    """Hover behind the car, at the traffic that comes."""

    height_m: Height = 15.0
    behind_m: float = Field(default=30.0, ge=0, le=200, description="the car, along its heading")
    speed_mps: Speed = 6.0
    duration_s: Duration = 600.0
    hazard_off_s: float = Field(
        default=5.0, ge=1, le=120, description="the hazard lights are off for so long: it is over"
    )
    pushed_m: float = Field(
        default=3.0, ge=1, le=50, description="the car moved so far: go after it"
    )


class HandOverSettings(_Settings):
    """Fly to somebody, hover low, and wait until it is taken."""

    height_m: Height = 30.0
    hover_m: float = Field(default=2.5, ge=1.5, le=20, description="m above the take-off")
    speed_mps: Speed = 8.0
    wait_s: Duration = 180.0
    duration_s: Duration = 900.0


class FollowSettings(_Settings):
    """Film the car while it drives."""

    height_m: Height = 20.0
    behind_m: float = Field(default=0.0, ge=0, le=50, description="0: above it")
    duration_s: Duration = 300.0
    near_m: float = Field(default=6.0, ge=1, le=50, description="so near it is on task")


class InspectSettings(_Settings):
    """One orbit around the parked car."""

    height_m: Height = 12.0
    radius_m: Radius = 10.0
    speed_mps: Speed = 4.0
    pictures: Pictures = 8
    moved_m: float = Field(default=10.0, ge=2, le=100, description="the car left: it is over")
    duration_s: Duration = 300.0


class HoverSettings(_Settings):
    """Fly to a place and stay until it is recalled."""

    height_m: Height = 30.0
    speed_mps: Speed = 8.0
    duration_s: Duration = 1_200.0


class TaskSettings(_Settings):
    """One part for each task."""

    scout: ScoutSettings = ScoutSettings()
    beacon: BeaconSettings = BeaconSettings()
    hand_over: HandOverSettings = HandOverSettings()
    follow: FollowSettings = FollowSettings()
    inspect: InspectSettings = InspectSettings()
    hover: HoverSettings = HoverSettings()

"""What a flight is held to, what a setting may assume, and what the airframe can (pure)."""

from pydantic import ConfigDict, Field

from internetcar.contract.message import Part
from internetcar.contract.presence import Origin


class Setting(Part):
    """A misspelt key is refused: it must not open a limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Limits(Setting):
    """Where each interlock trips: beyond the number, not at it."""

    origin: Origin = Field(default="live", description="the only one for which it flies")
    at_rest_kmh: float = Field(default=1.0, ge=0, le=5, description="a car so slow is at rest")
    moving_launch_kmh: float = Field(
        default=0.0, ge=0, le=20, description="launch from a car up to so fast; 0: only at rest"
    )
    car_fix_s: float = Field(default=1.0, gt=0, le=3, description="age of the car's position")
    car_accuracy_m: float = Field(default=3.0, gt=0, le=20, description="as its receiver says it")
    car_jump_m: float = Field(
        default=5.0, gt=0, le=50, description="between two fixes, beyond what its speed explains"
    )
    car_clock_s: float = Field(
        default=0.5, ge=0, le=5, description="so far in the future may the car's position lie"
    )
    signal_s: float = Field(
        default=65.0,
        gt=0,
        le=600,
        description="age of a signal: an unchanged one is said again every 60 s",
    )
    weather_s: float = Field(default=600.0, gt=0, le=3600, description="age of a weather report")
    heartbeat_s: float = Field(
        default=3.0,
        gt=0,
        le=10,
        description="since the drone's last one, of one a second; a longer silence is a loss",
    )
    drone_fix_s: float = Field(
        default=1.5, gt=0, le=5, description="age of the drone's position; there are several a s"
    )
    drone_lost_s: float = Field(
        default=3.0, ge=0, le=30, description="so long the drone's position may be bad in the air"
    )
    loss_share: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="of the drone's packets in ten seconds; a fifth lost is read as 0.12 to 0.28,"
        " and 19 of 20 commands still get through in three tries",
    )
    good_for_s: float = Field(
        default=5.0, ge=0, le=60, description="so long the drone's position and pre-arm are good"
    )
    wind_mps: float = Field(default=8.0, ge=0, le=20, description="the mean, as measured")
    gust_mps: float = Field(default=11.0, ge=0, le=25, description="where a device says it")
    rain_pct: float = Field(default=5.0, ge=0, le=100, description="as VSS has its intensity")
    coldest_c: float = Field(default=-10.0, ge=-40, le=40, description="of the air outside")
    hottest_c: float = Field(default=40.0, ge=-40, le=60, description="of the air outside")
    sun_deg: float = Field(
        default=-6.0,
        ge=-90,
        le=10,
        description="lowest elevation of the sun: -6 the end of civil twilight, 0 sunset,"
        " -90 also at night",
    )
    ceiling_m: float = Field(
        default=120.0, gt=0, le=500, description="never higher above the take-off"
    )
    battery_left_pct: float = Field(
        default=20.0, ge=10, le=80, description="predicted at the landing"
    )


class Assumptions(Setting):
    """What is taken where nothing measures it. Each answer then says `assumed`."""

    wind_mps: float | None = Field(
        default=None, ge=0, le=30, description="where neither a device nor the autopilot says it"
    )
    rain_pct: float | None = Field(
        default=None, ge=0, le=100, description="where neither the car nor a device says it"
    )
    temperature_c: float | None = Field(
        default=None, ge=-40, le=60, description="where neither the car nor a device says it"
    )
    car_accuracy_m: float | None = Field(
        default=None, gt=0, le=20, description="for a receiver that does not say it"
    )
    clock_synchronized: bool = Field(
        default=False, description="car and service share a clock that runs free"
    )


class Airframe(Setting):
    """What the copter can. The defaults are on the safe side for a small one."""

    cruise_mps: float = Field(default=9.0, gt=0, le=30, description="over the ground")
    airspeed_mps: float = Field(default=15.0, gt=0, le=40, description="the most it can")
    climb_mps: float = Field(default=2.5, gt=0, le=10, description="upwards")
    descent_mps: float = Field(default=1.5, gt=0, le=10, description="down to the last metres")
    final_mps: float = Field(default=0.5, gt=0, le=3, description="the last metres down")
    final_m: float = Field(default=10.0, ge=0, le=30, description="how high those begin")
    hover_pct_per_s: float = Field(
        default=0.1, gt=0, le=2, description="burnt in hover; a measured burn only adds to it"
    )
    speed_factor: float = Field(
        default=0.4, ge=0, le=5, description="how much more is burnt at full airspeed"
    )
    climb_factor: float = Field(default=0.5, ge=0, le=5, description="how much more in a climb")
    leg_s: float = Field(default=6.0, ge=0, le=60, description="to speed up and brake, each leg")
    moving_wait_s: float = Field(
        default=40.0, ge=0, le=600, description="to approach and wait, where the car moves"
    )
    landing_wait_s: float = Field(
        default=15.0, ge=0, le=600, description="of hovering before each landing"
    )
    gust_factor: float = Field(default=1.25, ge=1, le=3, description="the wind may rise by it")
    margin: float = Field(default=1.15, ge=1, le=3, description="on all that is predicted")

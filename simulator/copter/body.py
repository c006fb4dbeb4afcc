"""How the copter moves: a point mass behind ArduCopter's position controller (pure).

Towards a place it flies as fast as half its acceleration can still stop it (square root, linear
close by), plus the velocity it is told. So a place alone is followed some 13 m behind at 20 km/h,
and a place with its velocity closely.
"""

import math

ACCELERATION_MPS2 = 2.5
"""ArduCopter's WPNAV_ACCEL."""
CLIMB_ACCELERATION_MPS2 = 1.0
JERK_MPS3 = 40.0
CLIMB_JERK_MPS3 = 10.0
POSITION_GAIN = 1.5
VELOCITY_GAIN = 6.0
"""Four times the gain of the position: critically damped. With the jerk they are set so that it
follows as the real one was seen to: 13 m behind a place alone, some 6 m off in a corner of 8 m."""
AIRSPEED_MOST_MPS = 16.0
"""What leaning 30° holds against; a stronger wind carries it away."""
YAW_RATE_DPS = 60.0
FALL_MPS2 = 9.81


def approach_speed(distance_m: float, gain: float, acceleration_mps2: float) -> float:
    """The speed from which one stops within a distance: linear close by, then a square root."""
    linear_m = acceleration_mps2 / (gain * gain)
    if distance_m <= linear_m:
        return distance_m * gain
    return math.sqrt(2.0 * acceleration_mps2 * (distance_m - linear_m / 2.0))


class Body:
    """Where it is, in metres on the plane and above the ground, and how it moves."""

    __slots__ = (
        "_accel_east", "_accel_north", "_accel_up", "east_m", "east_mps", "heading_deg", "north_m",
        "north_mps", "up_m", "up_mps",
    )  # fmt: skip

    def __init__(self) -> None:
        self.north_m = self.east_m = self.up_m = 0.0
        self.north_mps = self.east_mps = self.up_mps = 0.0
        self._accel_north = self._accel_east = self._accel_up = 0.0
        self.heading_deg = 0.0

    @property
    def ground_speed_mps(self) -> float:
        """Speed over ground."""
        return math.hypot(self.north_mps, self.east_mps)

    def rest(self) -> None:
        """Stand still where it is."""
        self.north_mps = self.east_mps = self.up_mps = 0.0
        self._accel_north = self._accel_east = self._accel_up = 0.0

    def stopping_point(self) -> tuple[float, float]:
        """North and east in metres: where it stops if it brakes now."""
        speed_mps = self.ground_speed_mps
        if speed_mps < 0.01:
            return self.north_m, self.east_m
        ahead_s = speed_mps / (2.0 * ACCELERATION_MPS2)
        return self.north_m + self.north_mps * ahead_s, self.east_m + self.east_mps * ahead_s

    def fly_to(
        self,
        dt_s: float,
        place: tuple[float, float],
        velocity: tuple[float, float],
        speed_mps: float,
    ) -> None:
        """One step towards a place (north, east) that itself moves with a velocity."""
        north_m = place[0] - self.north_m
        east_m = place[1] - self.east_m
        north_mps, east_mps = velocity
        distance_m = math.hypot(north_m, east_m)
        if distance_m > 1e-6:
            share = approach_speed(distance_m, POSITION_GAIN, ACCELERATION_MPS2 / 2.0) / distance_m
            north_mps += north_m * share
            east_mps += east_m * share
        wanted_mps = math.hypot(north_mps, east_mps)
        if wanted_mps > speed_mps:
            north_mps *= speed_mps / wanted_mps
            east_mps *= speed_mps / wanted_mps
        self.fly(dt_s, north_mps, east_mps)

    def fly(
        self,
        dt_s: float,
        north_mps: float,
        east_mps: float,
        acceleration_mps2: float = ACCELERATION_MPS2,
    ) -> None:
        """One step towards a velocity."""
        north = VELOCITY_GAIN * (north_mps - self.north_mps)
        east = VELOCITY_GAIN * (east_mps - self.east_mps)
        size = math.hypot(north, east)
        if size > acceleration_mps2:
            north *= acceleration_mps2 / size
            east *= acceleration_mps2 / size
        north -= self._accel_north
        east -= self._accel_east
        size = math.hypot(north, east)
        most = JERK_MPS3 * dt_s
        if size > most:
            north *= most / size
            east *= most / size
        self._accel_north += north
        self._accel_east += east
        self.north_mps += self._accel_north * dt_s
        self.east_mps += self._accel_east * dt_s
        self.north_m += self.north_mps * dt_s
        self.east_m += self.east_mps * dt_s

    def climb_to(
        self, dt_s: float, up_m: float, up_mps: float, most_up_mps: float, most_down_mps: float
    ) -> None:
        """One step towards a height that itself moves with a velocity."""
        way_m = up_m - self.up_m
        speed_mps = approach_speed(abs(way_m), 1.0, CLIMB_ACCELERATION_MPS2 / 2.0)
        wanted_mps = up_mps + math.copysign(speed_mps, way_m)
        self.climb(dt_s, max(-most_down_mps, min(most_up_mps, wanted_mps)))

    def climb(self, dt_s: float, up_mps: float) -> None:
        """One step towards a rate of climb; the ground stops it."""
        wanted = 4.0 * (up_mps - self.up_mps)
        wanted = max(-CLIMB_ACCELERATION_MPS2, min(CLIMB_ACCELERATION_MPS2, wanted))
        most = CLIMB_JERK_MPS3 * dt_s
        self._accel_up += max(-most, min(most, wanted - self._accel_up))
        self.up_mps += self._accel_up * dt_s
        self._rise(dt_s)

    def fall(self, dt_s: float) -> None:
        """One step without motors."""
        self.up_mps -= FALL_MPS2 * dt_s
        self._rise(dt_s)

    def _rise(self, dt_s: float) -> None:
        self.up_m += self.up_mps * dt_s
        if self.up_m <= 0.0:
            self.up_m = 0.0
            self.up_mps = max(0.0, self.up_mps)
            self._accel_up = max(0.0, self._accel_up)

    def blow(self, dt_s: float, wind_north_mps: float, wind_east_mps: float) -> None:
        """Be carried away by a wind that is stronger than it can lean against."""
        north_mps = self.north_mps - wind_north_mps
        east_mps = self.east_mps - wind_east_mps
        airspeed_mps = math.hypot(north_mps, east_mps)
        if airspeed_mps > AIRSPEED_MOST_MPS:
            change = AIRSPEED_MOST_MPS / airspeed_mps - 1.0
            self.north_mps += north_mps * change
            self.east_mps += east_mps * change
            self.north_m += north_mps * change * dt_s
            self.east_m += east_mps * change * dt_s

    def turn(self, dt_s: float, heading_deg: float) -> None:
        """One step towards a heading, the short way round."""
        way_deg = (heading_deg - self.heading_deg + 180.0) % 360.0 - 180.0
        most_deg = YAW_RATE_DPS * dt_s
        step_deg = max(-most_deg, min(most_deg, way_deg))
        self.heading_deg = (self.heading_deg + step_deg) % 360.0

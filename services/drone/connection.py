"""The autopilot behind a URL, its transport, and whose clock counts."""

from typing import Protocol

from services.drone.autopilot import Autopilot
from services.drone.mavlink.clock import RealClock
from services.drone.mavlink.copter import ArduCopter
from services.drone.mavlink.shipped import load_profile, read_key
from services.drone.mavlink.transports import Transport, genuine, open_transport
from services.drone.mavlink.vehicle_clock import VehicleClock
from services.drone.moment import Moment
from services.drone.settings import DroneSettings


class Clock(Protocol):
    """Both clocks of all decisions."""

    def hear(self, data: bytes) -> None:
        """Take what the autopilot sent, before anybody else does."""

    def now(self) -> Moment:
        """This moment."""


class RealTime:
    """The machine's own clocks; an autopilot does not tell the time."""

    def __init__(self) -> None:
        self._real = RealClock()

    def hear(self, data: bytes) -> None:
        """Nothing is learnt of it."""

    def now(self) -> Moment:
        """This moment."""
        return self._real.now()


class VehicleTime:
    """A simulated autopilot's own clock."""

    def __init__(self) -> None:
        self._real = RealClock()
        self._clock = VehicleClock(self._real.now())

    def hear(self, data: bytes) -> None:
        """Learn what time it is."""
        self._clock.hear(data, self._real.now())

    def now(self) -> Moment:
        """This moment."""
        return self._clock.now(self._real.now())


def open_autopilot(settings: DroneSettings) -> tuple[Transport, Autopilot, Clock]:
    """Open what the settings name.

    Raises:
        InputError: The URL or the key cannot be used; one line.
    """
    key = None if settings.signing_key is None else read_key(settings.signing_key)
    is_vehicle = settings.clock == "vehicle"
    autopilot = ArduCopter(load_profile(), settings.system_id, key=key, is_clock=is_vehicle)
    transport = open_transport(settings.url, genuine(key))
    return transport, autopilot, VehicleTime() if is_vehicle else RealTime()

"""The pilot, and where the drone is in the words of its topic (pure)."""

from datetime import timedelta

from internetcar.contract.drone import Battery, DroneOsd, DroneState
from internetcar.contract.message import EPOCH
from services.drone.autopilot import DronePosition, Mode
from services.drone.events import Effect, Event
from services.drone.flight.pilot import Pilot
from services.drone.geodesy import distance_m
from services.drone.moment import Moment

MODE_CODES = {
    "preflight": 1, "armed": 2, "takeoff": 4, "returning": 9, "rendezvous": 9, "landing": 10,
    "divert_landing": 11, "lost_link": 14, "offline": 14,
}  # fmt: skip
"""DJI's, by state; 5 is a flight on the way, 0 stands by."""
STANDBY, FLIGHT = 0, 5


class Crew:
    """A pilot that also tells the topic `osd`."""

    def __init__(self, pilot: Pilot, vehicle_id: str, drone_id: str) -> None:
        self._pilot = pilot
        self._vehicle_id, self._drone_id = vehicle_id, drone_id

    def handle(self, event: Event, now: Moment) -> list[Effect]:
        """What follows from an event."""
        return self._pilot.handle(event, now)

    def remembered(self) -> str:
        """All that must survive."""
        return self._pilot.remembered()

    def state(self) -> DroneState:
        """What the drone does."""
        return self._pilot.state()

    def osd(self, now: Moment) -> DroneOsd:
        """Where the drone is."""
        drone = self._pilot.view.drone
        state = self._pilot.state().state
        default = FLIGHT if drone.is_armed else STANDBY
        found = DroneOsd(
            vehicle_id=self._vehicle_id, drone_id=self._drone_id,
            at=EPOCH + timedelta(milliseconds=now.utc_ms),
            mode_code=MODE_CODES.get(state, default), mode=drone.mode_name or Mode.OTHER.value,
            armed=drone.is_armed, gps_number=drone.satellites,
            wind_speed=None if drone.wind is None else drone.wind.speed_mps,
            battery=Battery(
                capacity_percent=drone.battery_pct, voltage=drone.voltage_v,
                predicted_percent=self._pilot.predicted_pct,
            ),
        )  # fmt: skip
        return found if drone.position is None else self._placed(found, drone.position)

    def _placed(self, found: DroneOsd, at: DronePosition) -> DroneOsd:
        car = self._pilot.view.car
        return found.model_copy(
            update={
                "latitude": at.place.lat_deg,
                "longitude": at.place.lon_deg,
                "height": at.altitude_m,
                "elevation": at.height_m,
                "horizontal_speed": (at.north_mps**2 + at.east_mps**2) ** 0.5,
                "vertical_speed": at.up_mps,
                "attitude_head": at.heading_deg,
                "home_distance": None if car is None else distance_m(at.place, car.fix.place),
            }
        )

"""Where the drone is, as it is published twice a second (pure)."""

import math
from datetime import timedelta

from internetcar.contract.drone import Battery, DroneOsd
from internetcar.contract.message import EPOCH
from services.drone.flight.cockpit import Cockpit, line
from services.drone.flight.states import MODE_CODES
from services.drone.moment import Moment

LONGEST_MODE = 40


def osd(cockpit: Cockpit, now: Moment) -> DroneOsd:
    """What is known now; what is not known is left out."""
    drone, car = cockpit.drone, cockpit.view.car
    position, wind = drone.position, drone.wind
    common = DroneOsd(
        vehicle_id=cockpit.vehicle_id, drone_id=cockpit.drone_id,
        at=EPOCH + timedelta(milliseconds=now.utc_ms),
        mode_code=MODE_CODES[cockpit.memory.state], mode=line(drone.mode_name)[:LONGEST_MODE],
        armed=drone.is_armed, gps_number=drone.satellites,
        wind_speed=None if wind is None else wind.speed_mps,
        battery=Battery(
            capacity_percent=drone.battery_pct, voltage=drone.voltage_v,
            predicted_percent=cockpit.predicted_pct,
        ),
    )  # fmt: skip
    if position is None:
        return common
    return common.model_copy(
        update={
            "latitude": position.place.lat_deg,
            "longitude": position.place.lon_deg,
            "height": position.altitude_m,
            "elevation": position.height_m,
            "horizontal_speed": math.hypot(position.north_mps, position.east_mps),
            "vertical_speed": position.up_mps,
            "attitude_head": position.heading_deg,
            "home_distance": None if car is None else cockpit.apart_m(car.fix.place),
        }
    )

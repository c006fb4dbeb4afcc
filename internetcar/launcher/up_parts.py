"""The parts of `car up` beside broker, gateway and car: which there are, and how they start."""

import threading
import time
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from internetcar.contract.broker_url import BrokerUrl
from internetcar.launcher.show import Show
from internetcar.launcher.supervisor import Supervisor
from internetcar.launcher.up_drone import start_drone

ACCOUNT = "demo"
"""The wallet of the simulated car."""


class Part(StrEnum):
    """What `car up` can do without."""

    TOLLS = "tolls"
    """The toll service, the toll charger, and the wallet that pays."""
    DRONE = "drone"
    """The simulated copter and its service."""
    TRIPS = "trips"
    RECOMMENDATIONS = "recommendations"


class Past(NamedTuple):
    """The days before today, and who lives them."""

    vehicle_id: str
    folder: Path
    driver: str
    days: int
    rejections: int
    seed: int
    start_m: float


def start_parts(
    supervisor: Supervisor,
    broker: BrokerUrl,
    vehicle_id: str,
    folder: Path,
    who: Collection[str],
    seed: int,
    without: Collection[Part],
) -> bool:
    """Start the parts that are wanted; false where the drone is, and cannot be started.

    The gateway and the car may run already: what is said meanwhile is in the gateway's log, and a
    service asks for it.

    Args:
        supervisor: Keeps them running.
        broker: A broker of our own: on another, services like these may run already.
        vehicle_id: The simulated car's.
        folder: For settings and stores.
        who: Which requesters may ask for everything.
        seed: Of the copter's noise.
        without: The parts that are not wanted.
    """
    if {Part.TOLLS, Part.TRIPS, Part.RECOMMENDATIONS} - {*without}:
        # A database library comes with it: gateway and car need not wait for that.
        from internetcar.launcher import up_services

        if Part.TOLLS not in without:
            up_services.start_services(supervisor, broker, vehicle_id, folder)
        if Part.RECOMMENDATIONS not in without:  # before the trips that it is to hear
            up_services.start_recommendations(supervisor, broker, vehicle_id, folder, who)
        if Part.TRIPS not in without:
            up_services.start_trips(supervisor, broker, vehicle_id, folder)
    return Part.DRONE in without or start_drone(supervisor, broker, vehicle_id, folder, who, seed)


def live(
    past: Past,
    url: BrokerUrl,
    who: Collection[str],
    supervisor: Supervisor,
    show: Show,
    stop: threading.Event,
) -> None:
    """Live the days before today, before there is a gateway that could do anything to a car."""
    # A database library comes with it: who wants no past need not wait for that.
    from internetcar.launcher import up_days, up_services

    up_services.start_recommendations(supervisor, url, past.vehicle_id, past.folder, who)

    def turn() -> bool:
        supervisor.watch()
        show.refresh()
        return not stop.is_set()

    now_ms = time.time_ns() // 1_000_000
    scene = up_days.Scene(url, past.vehicle_id, past.folder, past.driver, now_ms, turn, show.tell)
    wish = up_days.Wish(past.days, past.rejections, past.seed, past.start_m)
    said = up_days.fill(scene, wish)
    if not stop.is_set():
        show.notify(said)
        show.recap()

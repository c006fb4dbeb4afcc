"""The process of simulated cars: its arguments, its clock, its end."""

import argparse
import logging
import math
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from internetcar.contract.message import InputError
from simulator.bus import BusChoice, BusError, Buses, parse_bus
from simulator.garage import (
    SINGAPORE,
    load_databases,
    load_route,
    reference_folder,
)
from simulator.simulation import Simulation

log = logging.getLogger("simulator")

TURN_S = 0.01
LATE_S = 2.0
"""Later than this the simulation gives up catching up: the machine slept or is too slow."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is simulated, and where it speaks.

    `{vehicle}` in a channel becomes the number of the vehicle, from 1. `seconds` are simulated
    ones, None runs until stopped. `speed_factor` is how much faster than real time it goes.
    """

    buses: tuple[BusChoice, ...]
    vehicles: int = 1
    seed: int = 1
    speed_factor: float = 1.0
    seconds: float | None = None
    start_m: float = 0.0
    vehicle_folder: Path | None = None
    route: Path = SINGAPORE
    transmit_on_real_bus: bool = False


def run(settings: Settings, stop: threading.Event, start_at_ms: int) -> None:
    """Simulate until the time is over or `stop` is set.

    Args:
        settings: What is simulated, and where it speaks.
        stop: Ends it within a hundredth of a second.
        start_at_ms: UTC of the start, in milliseconds since 1970: what the receivers tell.

    Raises:
        InputError: A wrong setting; the text names it and the fix.
    """
    databases = load_databases(settings.vehicle_folder or reference_folder())
    route = load_route(settings.route)
    unknown = {choice.name for choice in settings.buses} - databases.keys()
    if unknown:
        known = ", ".join(databases)
        raise BusError(f"bus {unknown.pop()}: this car has no such bus; it has {known}")
    chosen = {choice.name: databases[choice.name] for choice in settings.buses}
    is_fd = {name: any(m.is_fd for m in base.messages) for name, base in chosen.items()}
    spacing_m = route.length_m / settings.vehicles
    with ExitStack() as stack:
        cars = []
        for index in range(settings.vehicles):
            choices = [_numbered(choice, index + 1) for choice in settings.buses]
            buses = stack.enter_context(Buses(choices, is_fd, settings.transmit_on_real_bus))
            start_m = settings.start_m + index * spacing_m
            car = Simulation(chosen, route, settings.seed + index, start_m, start_at_ms)
            cars.append((car, buses))
        log.info("simulating %d vehicle(s) on %s", len(cars), ", ".join(chosen))
        _drive(cars, settings, stop)


def _numbered(choice: BusChoice, vehicle: int) -> BusChoice:
    channel = choice.channel.replace("{vehicle}", str(vehicle))
    return BusChoice(choice.name, choice.interface, channel)


def _drive(
    cars: Sequence[tuple[Simulation, Buses]], settings: Settings, stop: threading.Event
) -> None:
    last = time.monotonic()
    simulated_s = 0.0
    end_s = float("inf") if settings.seconds is None else settings.seconds
    while simulated_s < end_s and not stop.is_set():
        now = time.monotonic()
        passed_s = min(now - last, LATE_S)
        last = now
        simulated_s = min(end_s, simulated_s + passed_s * settings.speed_factor)
        for car, buses in cars:
            for frame in car.frames_until(simulated_s):
                buses.send(frame)
                if stop.is_set():
                    return
            for bus, can_id, payload in buses.received():
                car.receive(bus, can_id, payload)
        stop.wait(TURN_S)


def parse_arguments(arguments: Sequence[str]) -> Settings:
    """Settings from the command line."""
    parser = argparse.ArgumentParser("simulator", description="Simulated cars on CAN buses.")
    parser.add_argument(
        "--bus",
        action="append",
        required=True,
        metavar="NAME=INTERFACE:CHANNEL",
        help="a bus of the car and where it is; {vehicle} in the channel is the vehicle's number",
    )
    parser.add_argument("--vehicles", type=int, default=1, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same drive")
    parser.add_argument("--speed-factor", type=float, default=1.0, metavar="F")
    parser.add_argument("--seconds", type=float, metavar="N", help="end after N simulated seconds")
    parser.add_argument("--start-m", type=float, default=0.0, metavar="M", help="place on the road")
    parser.add_argument("--car", type=Path, metavar="FOLDER", help="folder with vehicle.toml")
    parser.add_argument("--route", type=Path, default=SINGAPORE, metavar="FILE")
    parser.add_argument("--transmit-on-real-bus", action="store_true")
    given = parser.parse_args(arguments)
    if given.vehicles < 1 or not 0 < given.speed_factor <= 1_000:
        parser.error("--vehicles is at least 1, --speed-factor between 0 and 1000")
    if not 0 <= given.start_m < math.inf:
        parser.error("--start-m is a distance from the start of the road, in metres")
    try:
        buses = tuple(parse_bus(text) for text in given.bus)
    except BusError as error:
        parser.error(str(error))
    return Settings(
        buses=buses,
        vehicles=given.vehicles,
        seed=given.seed,
        speed_factor=given.speed_factor,
        seconds=given.seconds,
        start_m=given.start_m,
        vehicle_folder=given.car,
        route=given.route,
        transmit_on_real_bus=given.transmit_on_real_bus,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point; exit code 2 says that a setting is wrong."""
    logging.basicConfig(format="%(name)s: %(message)s")
    log.setLevel(logging.INFO)
    settings = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(settings, stop, round(datetime.now(UTC).timestamp() * 1_000))
    except InputError as error:
        log.error("%s", error)  # noqa: TRY400 -- a wrong setting needs words, not a trace
        return 2
    return 0

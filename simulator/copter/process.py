"""The process of a simulated copter: its arguments, its clock, its end."""

import argparse
import logging
import math
import os
import random
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from internetcar.contract.broker_url import BrokerUrl, parse_broker_url
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.signals import Position
from simulator.copter.copter import Settings, SimCopter
from simulator.copter.endpoints import Endpoint, open_endpoint, wait
from simulator.copter.faults import Line
from simulator.copter.parameters import DEFAULTS
from simulator.copter.roof import CarAt, Roof

log = logging.getLogger("simulator.copter")

BROKER = "INTERNETCAR_BROKER"
"""Its URL may hold a password, which does not belong on a command line."""

TURN_S = 0.01
LATE_S = 2.0
"""Later than this the simulation gives up catching up: the machine slept or is too slow."""
_SPEED_MOST = 1_000.0


@dataclass(frozen=True, slots=True)
class Run:
    """What is simulated, where it speaks, and how fast its time goes."""

    url: str
    copter: Settings
    seed: int = 1
    speed_factor: float = 1.0
    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    car: tuple[BrokerUrl, str] | None = None
    """The broker and the vehicle on whose roof it starts."""
    awaits_car: bool = False
    """It has no place of its own: it is switched on when the car has told one."""


def run(settings: Run, stop: threading.Event, start_unix_s: float) -> None:
    """Simulate until `stop` is set.

    Raises:
        InputError: The address cannot be used.
    """
    chance = random.Random(settings.seed)
    copter = SimCopter(replace(settings.copter, start_unix_s=start_unix_s), chance)
    lines = [
        Line(chance, loss=settings.loss, delay_s=settings.delay_s, jitter_s=settings.jitter_s)
        for _ in range(2)
    ]
    seen: deque[CarAt] = deque(maxlen=1)
    link = _listen(settings.car, seen) if settings.car else None
    endpoint = open_endpoint(settings.url)
    try:
        while settings.awaits_car and not seen and not stop.is_set():
            stop.wait(TURN_S)
        log.info("flying at %s", settings.url)
        _fly(copter, endpoint, (lines[0], lines[1]), settings.speed_factor, seen, stop)
    finally:
        endpoint.close()
        if link is not None:
            link.stop()


def _listen(car: tuple[BrokerUrl, str], seen: deque[CarAt]) -> Link:
    broker, vehicle_id = car

    def on_position(position: Position) -> None:
        seen.append(CarAt(position.latitude, position.longitude, position.heading_deg))

    link = Link(broker, f"copter-{vehicle_id}")
    link.on(Position, on_position, vehicle_id=vehicle_id)
    link.start()
    return link


def _fly(
    copter: SimCopter,
    endpoint: Endpoint,
    lines: tuple[Line, Line],
    speed_factor: float,
    seen: Sequence[CarAt],
    stop: threading.Event,
) -> None:
    up, down = lines
    roof = Roof()
    last = time.monotonic()
    while not stop.is_set():
        wait(endpoint, TURN_S)
        for data in endpoint.receive():
            up.send(data, copter.now_s)
        now = time.monotonic()
        owed_s = min(now - last, LATE_S) * speed_factor
        last = now
        if seen:
            roof.carry(copter, seen[0])
        for data in up.arrived(copter.now_s):
            copter.receive(data)
        copter.advance(owed_s)
        for data in copter.outgoing():
            down.send(data, copter.now_s)
        endpoint.send(down.arrived(copter.now_s))


def _pair(text: str) -> tuple[float, float]:
    first, _, second = text.partition(",")
    try:
        pair = float(first), float(second)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: two numbers with a comma") from None
    if not all(math.isfinite(number) for number in pair):
        raise argparse.ArgumentTypeError(f"{text}: two numbers with a comma")
    return pair


def _parameter(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in DEFAULTS:
        raise argparse.ArgumentTypeError(f"{name}: no such parameter")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: NAME=NUMBER") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("simulator.copter", description="A copter behind MAVLink.")
    add = parser.add_argument
    add("--url", default="udpout:127.0.0.1:14550", help="udpout:, udpin: or tcp:HOST:PORT")
    add("--place", type=_pair, metavar="LAT,LON", help="where it stands, in degrees")
    add("--altitude", type=float, default=40.0, metavar="M", help="of the ground, above sea level")
    add("--heading", type=float, default=0.0, metavar="DEG")
    add("--speed-factor", type=float, default=1.0, metavar="N", help="faster than real time")
    add("--seed", type=int, default=1, metavar="N", help="same seed, same chance")
    add("--ready-after", type=float, default=43.0, metavar="S", help="arms so long after boot")
    add("--wind", type=_pair, default=(0.0, 0.0), metavar="FROM,SPEED", help="degrees and m/s")
    add("--gusts", type=float, default=0.0, metavar="SPEED", help="standard deviation, m/s")
    add("--battery", type=float, default=5_000.0, metavar="MAH")
    add("--system-id", type=int, default=1, metavar="N")
    add("--new-names", action="store_true", help="parameters as firmware 4.7 calls them")
    add("--parameter", type=_parameter, action="append", default=[], metavar="NAME=VALUE")
    add("--loss", type=float, default=0.0, metavar="SHARE", help="of the messages, each way")
    add("--delay", type=float, default=0.0, metavar="S", help="of each message, each way")
    add("--jitter", type=float, default=0.0, metavar="S")
    add(
        "--follow-car", nargs="?", const="", metavar="BROKER",
        help=f"stand on the roof of the car at this broker; without it {BROKER} names it",
    )  # fmt: skip
    add("--vehicle-id", default="", metavar="ID", help="of that car")
    return parser


def parse_arguments(arguments: Sequence[str]) -> Run:
    """Settings from the command line.

    Raises:
        InputError: The broker's address is none.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    lat_deg, lon_deg = given.place or (52.0, 13.0)
    if not 0 < given.speed_factor <= _SPEED_MOST or not given.battery > 0:
        parser.error("--speed-factor is between 0 and 1000, --battery above 0")
    if abs(lat_deg) > 90 or abs(lon_deg) > 180 or not 1 <= given.system_id <= 254:
        parser.error("--place is latitude,longitude in degrees, --system-id between 1 and 254")
    if (given.follow_car is not None) != bool(given.vehicle_id):
        parser.error("--follow-car and --vehicle-id go together")
    copter = Settings(
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        altitude_m=given.altitude,
        heading_deg=given.heading,
        ready_after_s=given.ready_after,
        battery_mah=given.battery,
        wind_from_deg=given.wind[0],
        wind_mps=given.wind[1],
        gusts_mps=given.gusts,
        system_id=given.system_id,
        new_names=given.new_names,
        parameters=dict(given.parameter),
    )
    car = None
    if given.follow_car is not None:
        car = parse_broker_url(given.follow_car or os.environ.get(BROKER, "")), given.vehicle_id
    return Run(
        given.url, copter, given.seed, given.speed_factor, given.loss, given.delay, given.jitter,
        car, awaits_car=car is not None and given.place is None,
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point; exit code 2 says that a setting is wrong."""
    logging.basicConfig(format="%(name)s: %(message)s")
    logging.getLogger("simulator").setLevel(logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = parse_arguments(sys.argv[1:] if arguments is None else arguments)
        run(settings, stop, datetime.now(UTC).timestamp())
    except InputError as error:
        log.error("%s", error)  # noqa: TRY400 -- a wrong setting needs words, not a trace
        return 2
    return 0

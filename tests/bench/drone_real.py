"""Kills of real processes: service, broker and both, with `kill -9`, in real time."""

import argparse
import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from internetcar.contract.drone import DroneReply, DroneRequest, DroneState
from internetcar.contract.link import Link
from internetcar.launcher.broker import BrokerError, RunningBroker
from services.drone.geodesy import distance_m, moved, towards
from tests.bench.drone_processes import CarTalk, Child, Eye, a_port, copter, service
from tests.bench.drone_runs import folder
from tests.bench.report import CannotMeasureError, Figure, progress
from tests.drone_car import START
from tests.drone_talk import ASKER, VEHICLE

KINDS = ("service", "service_for_good", "broker", "both")
NEAR_M = 5.0
AT_ONCE = 4


def measure(given: argparse.Namespace) -> list[Figure]:
    """Several at once: most of the time they wait."""
    count = given.real
    if count < 1:
        return []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(_one, range(given.seed, given.seed + count)))
    for seed, why in enumerate(found, start=given.seed):
        if why:
            progress(f"  real seed {seed} ({KINDS[seed % len(KINDS)]}): {why}")
    safe = sum(not why for why in found)
    words = f"of {count} real processes killed with -9, landed safely"
    return [Figure("real_landed_share", safe / count, words, "= 1", safe == count)]


def _one(seed: int) -> str:
    kind, chance = KINDS[seed % len(KINDS)], random.Random(f"real {seed}")
    with folder() as path, ExitStack() as stack:
        try:
            broker = stack.enter_context(RunningBroker("mosquitto", path / "broker"))
        except BrokerError as error:
            raise CannotMeasureError(str(error)) from error
        port = a_port()
        flies = copter(path, port, seed)
        stack.callback(flies.kill)
        eye = Eye(port)
        stack.callback(eye.close)
        serves = service(path, broker.url, port)
        stack.callback(serves.kill)
        car = CarTalk(broker.url)
        stack.callback(car.close)
        return _fly(kind, chance, broker, serves, eye, path)


def _fly(
    kind: str, chance: random.Random, broker: RunningBroker, serves: Child, eye: Eye, path: Path
) -> str:
    states: list[str] = []
    replies: list[DroneReply] = []
    link = Link(broker.url, "phone")
    link.on(DroneState, lambda told: states.append(told.state))
    link.on(DroneReply, replies.append)
    link.start(wait_s=30)
    try:
        if not _within(lambda: states[-1:] == ["docked"], 60.0):
            return f"not docked: {states} {_words(path)}"
        if not _launched(link, replies, chance):
            return f"no launch: {replies[-1].data.output if replies else 'no answer'}"
        time.sleep(chance.uniform(3.0, 45.0))
        if kind in ("service", "service_for_good", "both"):
            serves.kill()
        if kind in ("broker", "both"):
            assert broker.pid is not None
            os.kill(broker.pid, signal.SIGKILL)
        time.sleep(chance.uniform(0.2, 12.0))
        if kind in ("broker", "both"):
            broker.restart()
        if kind in ("service", "both"):
            serves.start()
        if kind in ("broker", "service", "both"):
            _within(lambda: eye.seen.landings, 45.0)
            _ask(link, "return_home", {})
        seen = eye.seen
        if not _within(lambda: seen.is_on_ground and not seen.is_armed, 240.0):
            return f"not down after 240 s, {seen.height_m:.0f} m high: {states}"
        time.sleep(4.0)
        return _judged(eye, states)
    finally:
        link.stop()


def _judged(eye: Eye, states: list[str]) -> str:
    seen, why = eye.seen, []
    if seen.is_armed or not seen.is_on_ground:
        why.append("flies again")
    if seen.take_offs > 1:
        why.append(f"{seen.take_offs} take-offs")
    if seen.fastest_down_mps > 1.0:
        why.append(f"came down at {seen.fastest_down_mps:.1f} m/s")
    if seen.landings and distance_m(seen.place, START) > NEAR_M:
        why.append(f"{distance_m(seen.place, START):.0f} m from the car")
    return f"{'; '.join(why)}: {states} {seen.texts[-5:]}" if why else ""


def _launched(link: Link, replies: list[DroneReply], chance: random.Random) -> bool:
    there = moved(START, towards(chance.uniform(0.0, 360.0), chance.uniform(30.0, 120.0)))
    data = {"target_latitude": there.lat_deg, "target_longitude": there.lon_deg}
    for _ in range(20):
        replies.clear()
        _ask(link, "takeoff_to_point", data)
        _within(lambda: replies, 5.0)
        if replies and replies[-1].data.result == 0:
            return True
        time.sleep(2.0)
    return False


def _ask(link: Link, method: str, data: dict[str, float]) -> None:
    now_ms = time.time_ns() // 1_000_000
    link.publish(DroneRequest(
        vehicle_id=VEHICLE, drone_id="drone1", requester=ASKER, tid=f"t{now_ms}",
        timestamp=now_ms, method=method, data=data,
    ))  # fmt: skip


def _within(done: Callable[[], object], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if done():
            return True
        time.sleep(0.1)
    return bool(done())


def _words(path: Path) -> str:
    return " | ".join((path / "drone1.log").read_text(errors="replace").splitlines()[-3:])

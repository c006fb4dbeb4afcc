"""How soon a command is answered while the telemetry of ten drones flows over one broker."""

import argparse
import queue
import time
from contextlib import ExitStack

from internetcar.contract.drone import DroneOsd, DroneReply, DroneRequest, DroneState
from internetcar.contract.link import Link
from internetcar.launcher.broker import BrokerError, RunningBroker
from tests.bench.drone_processes import CarTalk, a_port, copter, service
from tests.bench.drone_runs import folder, share
from tests.bench.report import CannotMeasureError, Figure
from tests.drone_talk import ASKER, VEHICLE

DRONES = 10
ECHO = "v1/vehicle/demo/bench/echo"
PATIENCE_S = 5.0


def measure(given: argparse.Namespace) -> list[Figure]:
    """Latencies of as many commands as there are runs."""
    with folder() as path, ExitStack() as stack:
        try:
            broker = stack.enter_context(RunningBroker("mosquitto", path / "broker"))
        except BrokerError as error:
            raise CannotMeasureError(str(error)) from error
        names = [f"drone{number}" for number in range(1, DRONES + 1)]
        for number, name in enumerate(names):
            port = a_port()
            stack.callback(copter(path, port, number).kill)
            stack.callback(service(path, broker.url, port, name).kill)
        car = CarTalk(broker.url, names)
        stack.callback(car.close)
        return _measured(broker, names, given.runs)


def _measured(broker: RunningBroker, names: list[str], count: int) -> list[Figure]:
    replies: queue.SimpleQueue[tuple[str | None, float]] = queue.SimpleQueue()
    echoes: queue.SimpleQueue[float] = queue.SimpleQueue()
    docked: set[str] = set()
    told = [0]
    link = Link(broker.url, "asker")
    link.on(DroneReply, lambda reply: replies.put((reply.tid, time.monotonic())))
    link.on(
        DroneState, lambda state: docked.add(state.drone_id) if state.state == "docked" else None
    )

    def count_osd(_: DroneOsd) -> None:
        told[0] += 1

    link.on(DroneOsd, count_osd)
    link.on_received(ECHO, lambda _: echoes.put(time.monotonic()), qos=1)
    link.start(wait_s=30)
    try:
        until = time.monotonic() + 120.0
        while len(docked) < len(names) and time.monotonic() < until:
            time.sleep(0.2)
        if len(docked) < len(names):
            raise CannotMeasureError(f"only {len(docked)} of {len(names)} drones are docked")
        time.sleep(8.0)
        began, told[0] = time.monotonic(), 0
        mine, bare = [], []
        for number in range(count):
            mine.append(_reply_ms(link, names[number % len(names)], number, replies))
            bare.append(_echo_ms(link, echoes))
            time.sleep(0.05)
        rate = told[0] / (time.monotonic() - began)
    finally:
        link.stop()
    p95 = share(mine, 0.95)
    words = f"ms, {count} commands while {len(names)} drones tell {rate:.0f} positions a second"
    return [
        Figure("reply_p95_ms", p95, words, "< 200", p95 < 200.0),
        Figure("reply_p50_ms", share(mine, 0.5), "ms, the same, median"),
        Figure("reply_most_ms", max(mine), "ms, the same, longest"),
        Figure("echo_p95_ms", share(bare, 0.95), "ms, peer: a bare echo of the broker, in between"),
        Figure("echo_p50_ms", share(bare, 0.5), "ms, the same, median"),
    ]


def _reply_ms(
    link: Link, name: str, number: int, replies: "queue.SimpleQueue[tuple[str | None, float]]"
) -> float:
    """A dry run with all interlocks, or a wish that is refused and kept on disk, by turns."""
    now_ms = time.time_ns() // 1_000_000
    is_dry = number // DRONES % 2 == 0
    request = DroneRequest(
        vehicle_id=VEHICLE, drone_id=name, requester=ASKER, tid=f"r{number}-{now_ms}",
        timestamp=now_ms, method="takeoff_to_point" if is_dry else "return_home", dry_run=is_dry,
    )  # fmt: skip
    began = time.monotonic()
    link.publish(request)
    while True:
        try:
            tid, at_s = replies.get(timeout=PATIENCE_S)
        except queue.Empty:
            return PATIENCE_S * 1e3
        if tid == request.tid:
            return (at_s - began) * 1e3


def _echo_ms(link: Link, echoes: "queue.SimpleQueue[float]") -> float:
    began = time.monotonic()
    link.publish_now([(ECHO, b"{}")], retain=False)
    return (echoes.get(timeout=PATIENCE_S) - began) * 1e3

"""The floor of the gateway benchmark: the same buses and broker, a fixed payload, no decoding.

`python -m tests.bench.passthrough EVERY` publishes each EVERY-th frame of each bus to
`floor/{bus}`; the broker's URL is in INTERNETCAR_BROKER.
"""

import os
import signal
import sys

from gateway.bus_spec import BusSpec
from gateway.frames import Buses
from internetcar.contract.broker_url import parse_broker_url
from internetcar.contract.link import Link
from tests.bench.traffic import BUSES, channel

PAYLOAD = b'{"value":12.5,"at":"2026-11-21T03:00:00.000Z","quality":"valid"}'


def main(every: int) -> None:
    """Run until SIGTERM."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    link = Link(parse_broker_url(os.environ["INTERNETCAR_BROKER"]), "floor")
    link.start(wait_s=10)
    buses = Buses([BusSpec(f"can{bus}", "loopback", channel(bus)) for bus in range(BUSES)])
    seen = [0] * BUSES
    due: list[tuple[str, bytes]] = []

    def sink(bus: int, _can_id: int, _payload: bytes, _at_ns: int) -> None:
        if seen[bus] % every == 0:
            due.append((f"floor/{bus}", PAYLOAD))
        seen[bus] += 1

    link.publish_now([("floor/ready", b"1")], retain=True)
    while not stopped:
        buses.wait(0.1)
        buses.drain(sink)
        if due:
            link.publish_now(due, retain=False)
            due.clear()
    buses.close()
    link.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""The sender of the gateway benchmark: phase-shifted copies of the Kona log on loopback buses.

`python -m tests.bench.traffic SPEED SECONDS RECORD` sends in a process of its own and writes when
each frame left, so that the receiver's side can be held against it.
"""

import struct
import sys
import time
from array import array
from bisect import bisect_right
from collections import defaultdict
from pathlib import Path

from internetcar.channel import LoopbackSocket
from internetcar.socketcan import pack
from tests.bench import kona

COPIES = 4
BUSES = 2 * COPIES
KONA_FRAMES_PER_S = 32_000 / 2.19 / COPIES
"""What the log has in real time; 2.19 times four copies are 32,000 frames/s."""
SLICE_S = 0.0005
LOOK_NS = 50_000_000
"""How often the sender looks for receivers that have come."""

_RECORD = struct.Struct("<qIB")


def channel(bus: int) -> str:
    """The loopback channel of a bus."""
    return f"bench-{bus}"


def plan(speed: float) -> tuple[list[tuple[int, int, int, bytes]], int]:
    """One pass of all copies in order of time, (ns, bus, canid_t, payload), and its length in ns.

    Copy k has buses 2k and 2k + 1 and begins k/COPIES of the log later, wrapping around.
    """
    recorded = kona.frames()
    length_ns = recorded[-1][3] + 1_000_000
    planned = []
    for copy in range(COPIES):
        shift_ns = length_ns * copy // COPIES
        for name, can_id, payload, at_ns in recorded:
            bus = 2 * copy + (name == "can1")
            at = (at_ns + shift_ns) % length_ns
            planned.append((int(at / speed), bus, can_id, payload))
    planned.sort(key=lambda frame: frame[0])
    return planned, int(length_ns / speed)


class Sent:
    """What left when: a sender's record, read back."""

    def __init__(self, path: Path) -> None:
        self.of_bus: dict[int, array[int]] = defaultdict(lambda: array("q"))
        self.of_message: dict[tuple[int, int], array[int]] = defaultdict(lambda: array("q"))
        for at_ns, can_id, bus in _RECORD.iter_unpack(path.read_bytes()):
            self.of_bus[bus].append(at_ns)
            self.of_message[bus, can_id].append(at_ns)

    @property
    def frames(self) -> int:
        """How many frames were sent."""
        return sum(len(times) for times in self.of_bus.values())

    def sent_ns(self, bus: int, can_id: int, at_ms: int) -> int | None:
        """When the frame left that the receiver's kernel saw within this millisecond."""
        times = self.of_message.get((bus, can_id))
        if not times:
            return None
        index = bisect_right(times, at_ms * 1_000_000 + 999_999) - 1
        if index < 0 or times[index] < (at_ms - 1) * 1_000_000:
            return None
        return times[index]


def send(speed: float, seconds: float, record: Path) -> float:
    """Send for so long; how many seconds it really took (more: this machine cannot send so fast).

    Args:
        speed: Times the log's own pace.
        seconds: How long.
        record: Where to write what left when.
    """
    planned, pass_ns = plan(speed)
    frames = [
        (at_ns, bus, can_id, pack(can_id, payload, is_fd=False))
        for at_ns, bus, can_id, payload in planned
    ]
    endpoints = [LoopbackSocket(channel(bus)) for bus in range(BUSES)]
    targets: list[list[tuple[str, int]]] = []
    senders = [endpoint.socket.sendto for endpoint in endpoints]
    times, ids, buses = array("q"), array("I"), array("B")
    clock = time.time_ns
    start_ns, end_ns = clock(), int(seconds * 1e9)
    base_ns = index = look_ns = 0
    while True:
        if clock() >= look_ns:
            look_ns = clock() + LOOK_NS
            targets = [_receivers(endpoint) for endpoint in endpoints]
        now_ns = min(clock() - start_ns, end_ns)
        while frames[index][0] + base_ns <= now_ns:
            _, bus, can_id, packet = frames[index]
            times.append(clock())
            for target in targets[bus]:
                senders[bus](packet, target)
            ids.append(can_id)
            buses.append(bus)
            index += 1
            if index == len(frames):
                index = 0
                base_ns += pass_ns
        if now_ns >= end_ns:
            break
        time.sleep(SLICE_S)
    took_s = (clock() - start_ns) / 1e9
    with record.open("wb") as file:
        for parts in zip(times, ids, buses, strict=True):
            file.write(_RECORD.pack(*parts))
    for endpoint in endpoints:
        endpoint.close()
    return took_s


def _receivers(endpoint: LoopbackSocket) -> list[tuple[str, int]]:
    endpoint.registry.look()
    return [("127.0.0.1", port) for port in endpoint.registry.present]


if __name__ == "__main__":
    print(send(float(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])))

"""A car of simulated controllers and the gateway's asking side, on one clock."""

from collections.abc import Callable, Sequence

from gateway.isotp import Begun, IsoTpReassembler, Pdu
from gateway.obd import ObdError, is_request
from gateway.obd_leaves import ObdLeaves, ObdValue
from gateway.obd_poller import Frame, ObdPoller
from internetcar.contract.message import Value
from simulator.ecu import Ecu, Facts

MS = 1_000_000
SECOND = 1_000 * MS
VIN = "WVWZZZ1JZXW000001"
PETROL = Facts(
    current={
        0x04: b"\x7f",
        0x05: b"\x7b",
        0x0C: b"\x1a\xf8",
        0x0D: b"\x32",
        0x2F: b"\x80",
        0x42: b"\x36\xb0",
        0x46: b"\x3c",
        0xA6: b"\x00\x01\xe2\x40",
    },
    stored=("P0301", "P0420", "U0100", "C0035"),
    pending=("P0171",),
    vin=VIN,
)
TEXTS = {"P0301": "Cylinder 1 misfires", "P0420": "Catalyst"}


def petrol(**current: bytes) -> Facts:
    """The petrol car with other bytes of its PIDs: `x0C=b"..."`."""
    changed = {int(name[1:], 16): data for name, data in current.items()}
    return Facts({**PETROL.current, **changed}, PETROL.stored, PETROL.pending, PETROL.vin)


class ObdCar:
    """Runs time in steps of 5 ms and notes every frame that the asking side sends."""

    def __init__(self, ecus: Sequence[Ecu], requests_per_second: float = 5.0) -> None:
        self.ecus = ecus
        self.now_ns = SECOND
        self.poller = ObdPoller(self.now_ns, requests_per_second)
        self.reassembler = IsoTpReassembler()
        self.leaves = ObdLeaves(TEXTS)
        self.sent: list[tuple[int, Frame]] = []
        self.said: dict[str, ObdValue] = {}
        self.traffic_frames = 0
        """The car's own frames in each step."""

    def run(self, seconds: float, each_step: Callable[[], None] = lambda: None) -> None:
        until_ns = self.now_ns + round(seconds * SECOND)
        while self.now_ns < until_ns:
            self.now_ns += 5 * MS
            each_step()
            self.poller.traffic(self.traffic_frames, self.now_ns)
            for frame in self.poller.take(self.now_ns):
                self.sent.append((self.now_ns, frame))
                for ecu in self.ecus:
                    ecu.feed(*frame, self.now_ns)
            for ecu in self.ecus:
                for can_id, payload in ecu.take(self.now_ns):
                    self.hear(can_id, payload)

    def hear(self, can_id: int, payload: bytes) -> None:
        if is_request(can_id):
            self.poller.other_tester(self.now_ns)
            return
        part = self.reassembler.feed(0, can_id, payload, self.now_ns)
        if part is None:
            return
        self.feed(part)

    def feed(self, part: Pdu | Begun) -> None:
        try:
            answer = self.poller.feed(part, self.now_ns)
        except ObdError:
            return
        if answer is not None:
            for value in self.leaves.say(answer, part.can_id, self.now_ns):
                self.said[value.path] = value

    def value(self, path: str) -> Value:
        return self.said[path].value

    def requests(self) -> list[tuple[int, Frame]]:
        """What was sent, without flow controls."""
        return [each for each in self.sent if each[1].payload[0] >> 4 == 0]

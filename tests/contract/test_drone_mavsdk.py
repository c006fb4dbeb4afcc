"""Our adapter and transport with a vehicle whose every byte is written by MAVSDK."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from services.drone.autopilot import (
    Arm,
    DroneStatus,
    FenceArea,
    Intent,
    Landed,
    Mode,
    Prepare,
    Result,
    SetMode,
    TakeOff,
)
from services.drone.geodesy import Place
from services.drone.mavlink.clock import RealClock
from services.drone.mavlink.copter import ArduCopter
from services.drone.mavlink.profile import Profile, parse_profile
from services.drone.mavlink.shipped import load_profile
from services.drone.mavlink.transports import open_transport
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent.parent
PROFILE = """
[autopilot]
name = "MAVSDK"
autopilot = 0
vehicle_types = [0]
parameters = "bytes"

[modes.mean]
guided = [4]

[modes.names]
0 = "NONE"

[[parameter]]
names = ["STATION", "OUR_STATION"]
wanted = "our_system_id"
why = "an integer is written and read back"

[[parameter]]
names = ["CEILING"]
max = "ceiling_m"
why = "a float is written and read back"
"""


class Peer:
    """Both ends: the vehicle's process, and our side of the link in this one."""

    def __init__(self, profile: Profile) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        self.transport = open_transport(f"udpin://{address}")
        self.copter = ArduCopter(profile)
        self.clock = RealClock()
        self.results: list[Result] = []
        self.said: list[str] = []
        self.sent: list[bytes] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.mavsdk_vehicle", f"udpout://{address}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd=ROOT,
        )  # fmt: skip
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,))
        self._reader.start()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            self.said.append(line.strip())

    def turn(self) -> DroneStatus:
        now = self.clock.now()
        for data in self.transport.read():
            self.copter.receive(data, now)
        self.copter.turn(now)
        packets = list(self.copter.outgoing())
        self.sent += packets
        self.transport.write(packets)
        self.results += self.copter.results()
        return self.copter.status(now)

    def answer(self, intent_id: int, intent: Intent) -> Result:
        self.copter.perform(intent_id, intent, self.clock.now())
        eventually(lambda: self.turn() and self.results)
        return self.results.pop()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.transport.close()


@pytest.fixture
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    made = Peer(getattr(request, "param", None) or parse_profile(PROFILE))
    yield made
    made.close()


def test_its_telemetry_and_our_heartbeats_arrive(peer: Peer) -> None:
    eventually(lambda: peer.turn().complaints and "station" in peer.said)
    eventually(lambda: peer.turn().has_fix and peer.turn().home)
    status = peer.turn()
    assert status.position is not None
    assert status.home is not None
    assert status.position.place == Place(47.25, 8.5)
    assert (status.position.height_m, status.position.up_mps) == (12.5, 3.0)
    assert (status.position.north_mps, status.position.heading_deg) == (1.0, 90.0)
    assert status.home.place == Place(47.125, 8.5)
    assert (status.satellites, status.landed) == (12, Landed.ON_GROUND)
    assert status.complaints[-1] == "made by others"
    assert status.refusal == ""


def test_it_acknowledges_arm_and_take_off(peer: Peer) -> None:
    eventually(lambda: peer.turn().position)
    assert peer.answer(1, Arm()) == Result(1, "accepted")
    eventually(lambda: "arm True" in peer.said)
    assert peer.answer(2, TakeOff(10.0)) == Result(2, "accepted")
    eventually(lambda: "take-off" in peer.said)
    assert peer.said.count("take-off") == 1


def test_a_mode_that_it_does_not_know_is_not_accepted(peer: Peer) -> None:
    eventually(lambda: peer.turn().position)
    assert peer.answer(3, SetMode(Mode.GUIDED)).outcome in ("denied", "failed", "unsupported")


def test_its_parameters_and_fence_are_written_and_read_again(peer: Peer) -> None:
    eventually(lambda: peer.turn().position)
    fence = FenceArea((Place(47.0, 8.0), Place(47.1, 8.0), Place(47.1, 8.1)))
    peer.copter.perform(5, Prepare((fence,), 80.0, 30.0), peer.clock.now())

    def is_done() -> bool:
        preparation = peer.turn().preparation
        return preparation is not None and preparation.is_done

    eventually(is_done)
    preparation = peer.turn().preparation
    assert preparation is not None
    assert preparation.problems == ()
    assert preparation.written == ("OUR_STATION 255 → 247", "CEILING 400 → 80")
    eventually(lambda: "OUR_STATION 247" in peer.said and "CEILING 80.0" in peer.said)
    assert "items 3" in peer.said


@pytest.mark.parametrize("peer", [load_profile()], indirect=True, ids=["shipped"])
def test_under_the_shipped_profile_it_is_refused_by_name(peer: Peer) -> None:
    eventually(lambda: "GENERIC is not flown" in peer.turn().refusal)
    eventually(lambda: peer.turn() and len(peer.sent) > 1)
    assert {packet[7] for packet in peer.sent} == {0}
    assert peer.turn().position is None

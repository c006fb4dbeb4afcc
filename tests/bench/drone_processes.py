"""Real processes around a real broker: copters, services, a car that talks, and who looks on."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.drone import DroneWeather
from internetcar.contract.link import Link
from internetcar.contract.presence import Presence
from internetcar.contract.signals import Position, Signal
from internetcar.launcher.broker import free_port
from services.drone.geodesy import Place
from services.drone.mavlink.codec import Codec, mavlink
from services.drone.moment import Moment
from tests.drone_car import START
from tests.drone_talk import ASKER, RAIN, SPEED, TEMPERATURE, VEHICLE

READY_S = 5.0
RECEIVES = 65_536


class Child:
    """One process; its words go to a file."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command, self._log = [sys.executable, *command], log
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Begin, or begin anew."""
        with self._log.open("ab") as words:
            environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
            self.process = subprocess.Popen(self._command, stdout=words, stderr=words, env=environ)

    def kill(self) -> None:
        """As `kill -9`."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


def copter(folder: Path, port: int, seed: int, place: Place = START) -> Child:
    """A simulated copter that listens."""
    return Child(
        [
            "-m", "simulator.copter", "--url", f"tcp:127.0.0.1:{port}", "--seed", str(seed),
            "--place", f"{place.lat_deg},{place.lon_deg}", "--ready-after", str(READY_S),
        ],
        folder / f"copter-{port}.log",
    )  # fmt: skip


def service(folder: Path, broker: BrokerUrl, port: int, drone_id: str = "drone1") -> Child:
    """The drone service on that copter."""
    folder.mkdir(exist_ok=True)
    config = folder / f"{drone_id}.toml"
    config.write_text(
        f'broker = "{broker.secret}"\nvehicle_id = "{VEHICLE}"\ndrone_id = "{drone_id}"\n'
        f'url = "tcp://127.0.0.1:{port}"\nstate = "{folder / drone_id}"\n'
        f'[allow]\n{ASKER} = ["launch", "return"]\n[limits]\nsun_deg = -90.0\n'
    )
    config.chmod(0o600)
    return Child(["-m", "services", "drone", str(config)], folder / f"{drone_id}.log")


class CarTalk:
    """A parked car that says where it is ten times a second, while there is a broker."""

    def __init__(self, broker: BrokerUrl, drones: Sequence[str] = ("drone1",)) -> None:
        self.link = Link(broker, "the-car")
        self.link.start()
        self._drones, self._stop = drones, threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self) -> None:
        tick = 0
        while not self._stop.wait(0.1):
            if self.link.is_connected:
                self._say(tick)
            tick += 1

    def _say(self, tick: int) -> None:
        at, link = datetime.now(UTC), self.link
        link.publish(Position(
            vehicle_id=VEHICLE, latitude=START.lat_deg, longitude=START.lon_deg,
            accuracy_m=1.0, heading_deg=0.0, speed_kmh=0.0, at=at,
        ))  # fmt: skip
        if tick % 10 == 0:
            for path, value in ((SPEED, 0.0), (RAIN, 0.0), (TEMPERATURE, 15.0)):
                link.publish(Signal(vehicle_id=VEHICLE, path=path, value=value, at=at))
        if tick % 50 == 0:
            link.publish(Presence(
                vehicle_id=VEHICLE, online=True, journal="j", since=at, clock="synchronized",
                origin="live", software="bench",
            ))  # fmt: skip
            for drone in self._drones:
                link.publish(DroneWeather(
                    vehicle_id=VEHICLE, drone_id=drone, at=at, wind_speed=2.0, wind_from=270.0
                ))  # fmt: skip

    def close(self) -> None:
        """Fall silent."""
        self._stop.set()
        self._thread.join()
        self.link.stop()


@dataclass
class Seen:
    """What the copter said last, and what became of it."""

    is_armed: bool = False
    is_on_ground: bool = True
    height_m: float = 0.0
    up_mps: float = 0.0
    place: Place = START
    take_offs: int = 0
    landings: int = 0
    fastest_down_mps: float = 0.0
    """In the last metre."""
    texts: list[str] = field(default_factory=list)


class Eye:
    """Looks on: hears what the copter says to everybody, and says nothing."""

    def __init__(self, port: int) -> None:
        self.seen, self._codec = Seen(), Codec(0)
        self._stop = threading.Event()
        self._socket = _connected(port)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        self._socket.settimeout(0.2)
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                data = self._socket.recv(RECEIVES)
                for message in self._codec.decode(data, Moment(0.0, 0)):
                    self._hear(message)
                if not data:
                    return

    def _hear(self, message: object) -> None:
        seen, kind = self.seen, message.get_type()  # type: ignore[attr-defined]  # pymavlink's
        if kind == "HEARTBEAT" and message.type == mavlink.MAV_TYPE_QUADROTOR:  # type: ignore[attr-defined]
            seen.is_armed = bool(message.base_mode & mavlink.MAV_MODE_FLAG_SAFETY_ARMED)  # type: ignore[attr-defined]
        elif kind == "EXTENDED_SYS_STATE":
            is_on_ground = message.landed_state == mavlink.MAV_LANDED_STATE_ON_GROUND  # type: ignore[attr-defined]
            seen.take_offs += seen.is_on_ground and not is_on_ground
            seen.landings += is_on_ground and not seen.is_on_ground
            seen.is_on_ground = is_on_ground
        elif kind == "GLOBAL_POSITION_INT":
            seen.height_m, seen.up_mps = message.relative_alt / 1e3, -message.vz / 1e2  # type: ignore[attr-defined]
            seen.place = Place(message.lat / 1e7, message.lon / 1e7)  # type: ignore[attr-defined]
            if not seen.is_on_ground and seen.height_m < 1.0:
                seen.fastest_down_mps = max(seen.fastest_down_mps, -seen.up_mps)
        elif kind == "STATUSTEXT":
            seen.texts.append(str(message.text))  # type: ignore[attr-defined]

    def close(self) -> None:
        """Look away."""
        self._stop.set()
        self._thread.join()
        self._socket.close()


def _connected(port: int) -> socket.socket:
    until = time.monotonic() + 60.0
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 5.0)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def a_port() -> int:
    """A free one."""
    return free_port()

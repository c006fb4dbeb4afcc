"""A simulated copter and the ground station that flies it, in lockstep."""

import random
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.copter.copter import Settings, SimCopter
from simulator.copter.plane import Plane
from simulator.copter.state import Landed, Mode, Result

PLACE = (52.0, 13.0)
PLANE = Plane(*PLACE)
POSITION_ONLY, POSITION_VELOCITY, VELOCITY_ONLY = 0xDF8, 0xDC0, 0xDC7


class _Nowhere:
    def write(self, data: bytes) -> None:
        """What is encoded is taken from the return value."""


class Pilot:
    """Speaks MAVLink as system 255; hears everything since it last listened."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        system_id: int = 255,
        key: bytes | None = None,
        **parameters: float,
    ) -> None:
        settings = settings or Settings(*PLACE, ready_after_s=0.0, parameters=parameters)
        self.copter = SimCopter(settings, random.Random(7))
        self.codec = dialect.MAVLink(_Nowhere(), system_id, 190)
        self.codec.robust_parsing = True
        self.heard: list[Any] = []
        self.beats = True
        self._next_beat_s = 0.0
        if key is not None:
            self.codec.signing.secret_key = key
            self.codec.signing.sign_outgoing = True
            self.codec.signing.timestamp = 35 * 10**12
        self.fly(0.5)

    def pack(self, message: Any) -> bytes:
        data: bytes = message.pack(self.codec)
        self.codec.seq = (self.codec.seq + 1) % 256
        return data

    def send(self, message: Any) -> None:
        self.copter.receive(self.pack(message))
        self.listen()

    def listen(self) -> None:
        for data in self.copter.outgoing():
            self.heard.extend(self.codec.parse_buffer(data) or ())

    def fly(self, seconds: float, step_s: float = 0.1) -> None:
        end_s = self.copter.now_s + seconds
        while self.copter.now_s < end_s - 1e-6:
            if self.beats and self.copter.now_s >= self._next_beat_s:
                self._next_beat_s = self.copter.now_s + 1.0
                self.send(dialect.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3))
            self.copter.advance(step_s)
            self.listen()

    def fly_until_landed(self, most_s: float = 300.0) -> None:
        end_s = self.copter.now_s + most_s
        while not self.copter.truth.is_on_ground or self.copter.truth.is_armed:
            self.fly(0.5)
            assert self.copter.now_s < end_s, "it did not land"

    def last(self, name: str) -> Any:
        found = [message for message in self.heard if message.get_type() == name]
        assert found, f"no {name}"
        return found[-1]

    def all(self, name: str) -> list[Any]:
        return [message for message in self.heard if message.get_type() == name]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.all("STATUSTEXT")]

    def command(self, number: int, *parameters: float) -> Result:
        """COMMAND_LONG, and the answer."""
        seven = (*parameters, *([0.0] * (7 - len(parameters))))
        self.send(dialect.MAVLink_command_long_message(1, 1, number, 0, *seven))
        ack = self.last("COMMAND_ACK")
        assert ack.command == number
        return Result(ack.result)

    def command_at(
        self, number: int, place: tuple[float, float], height_m: float, *parameters: float
    ) -> Result:
        """COMMAND_INT with a place and a height above home, and the answer."""
        four = (*parameters, *([0.0] * (4 - len(parameters))))
        lat_e7, lon_e7 = round(place[0] * 1e7), round(place[1] * 1e7)
        self.send(
            dialect.MAVLink_command_int_message(
                1, 1, 6, number, 0, 0, *four, lat_e7, lon_e7, height_m
            )
        )
        return Result(self.last("COMMAND_ACK").result)

    def mode(self, mode: Mode) -> Result:
        return self.command(176, 1, mode)

    def arm(self) -> Result:
        return self.command(400, 1)

    def go_to(self, north_m: float, east_m: float, height_m: float = 30.0) -> Result:
        return self.command_at(192, PLANE.place(north_m, east_m), height_m, -1)

    def set_home(self, north_m: float, east_m: float) -> Result:
        return self.command_at(179, PLANE.place(north_m, east_m), 0.0)

    def take_off(self, height_m: float = 30.0) -> None:
        """Up, and hovering at a height."""
        assert self.mode(Mode.GUIDED) is Result.ACCEPTED
        assert self.arm() is Result.ACCEPTED
        assert self.command(22, 0, 0, 0, 0, 0, 0, height_m) is Result.ACCEPTED
        self.fly(6.0 + height_m / 2.0)
        assert abs(self.copter.truth.height_m - height_m) < 1.0

    def target(
        self,
        place: tuple[float, float],
        velocity: tuple[float, float] = (0.0, 0.0),
        *,
        height_m: float = 30.0,
        mask: int = POSITION_VELOCITY,
        frame: int = 6,
    ) -> None:
        """SET_POSITION_TARGET_GLOBAL_INT, metres from where it began."""
        lat_deg, lon_deg = PLANE.place(*place)
        self.send(
            dialect.MAVLink_set_position_target_global_int_message(
                0, 1, 1, frame, mask, round(lat_deg * 1e7), round(lon_deg * 1e7), height_m,
                *velocity, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            )
        )  # fmt: skip

    def upload(self, list_type: int, items: list[tuple[int, float, float, float, float]]) -> int:
        """Write a list (command, first parameter, north, east, height); the MAV_MISSION_RESULT."""
        self.heard.clear()
        self.send(dialect.MAVLink_mission_count_message(1, 1, len(items), list_type))
        while not self.all("MISSION_ACK"):
            number = self.last("MISSION_REQUEST").seq
            self.send(self.item(list_type, number, items[number]))
        return int(self.last("MISSION_ACK").type)

    def item(
        self, list_type: int, number: int, item: tuple[int, float, float, float, float]
    ) -> Any:
        command, first, north_m, east_m, height_m = item
        lat_deg, lon_deg = PLANE.place(north_m, east_m)
        return dialect.MAVLink_mission_item_int_message(
            1, 1, number, 3, command, 0, 1, first, 0.0, 0.0, 0.0,
            round(lat_deg * 1e7), round(lon_deg * 1e7), height_m, list_type,
        )  # fmt: skip

    def flies_in(self, mode: Mode) -> bool:
        """Whether it truly is in a mode."""
        return self.copter.truth.mode is mode

    def is_now(self, landed: Landed) -> bool:
        """Whether it would say so of the ground."""
        return self.copter.truth.landed is landed

    @property
    def north_east(self) -> tuple[float, float]:
        """Where it truly is, in metres from where it began."""
        truth = self.copter.truth
        return PLANE.north_east(truth.lat_deg, truth.lon_deg)


def square(
    north_m: float, east_m: float, half_m: float, command: int = 5002
) -> list[tuple[int, float, float, float, float]]:
    """Fence items of a square zone."""
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [(command, 4.0, north_m + n * half_m, east_m + e * half_m, 0.0) for n, e in corners]

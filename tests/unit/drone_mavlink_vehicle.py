"""A small vehicle on the other end of the link, made of pymavlink and nothing of ours."""

from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega

from services.drone.autopilot import DroneStatus, Intent, Result
from services.drone.mavlink.copter import ArduCopter
from services.drone.mavlink.shipped import load_profile
from services.drone.moment import Moment

mav: Any = ardupilotmega
UTC_MS = 1_790_000_000_000
PARAMETERS = {
    "SYSID_MYGCS": 255.0, "FS_GCS_ENABLE": 0.0, "FS_GCS_TIMEOUT": 5.0, "FENCE_ENABLE": 0.0,
    "FENCE_TYPE": 7.0, "FENCE_ACTION": 1.0, "FENCE_ALT_MAX": 100.0, "BATT_CAPACITY": 5000.0,
    "BATT_LOW_MAH": 0.0, "BATT_FS_LOW_ACT": 0.0, "BATT_CRT_MAH": 0.0, "BATT_FS_CRT_ACT": 0.0,
    "RTL_ALT": 1500.0, "GUID_TIMEOUT": 3.0, "FS_OPTIONS": 18.0,
}  # fmt: skip


FLOATS = ("FENCE_ALT_MAX", "RTL_ALT_M", "FS_GCS_TIMEOUT", "GUID_TIMEOUT")


class Vehicle:
    """Answers as an ArduCopter does; what it shall do otherwise is set from outside."""

    def __init__(
        self,
        system: int = 1,
        component: int = 1,
        autopilot: int = mav.MAV_AUTOPILOT_ARDUPILOTMEGA,
        kind: int = mav.MAV_TYPE_QUADROTOR,
        key: bytes | None = None,
    ) -> None:
        self.link: Any = mav.MAVLink(None, srcSystem=system, srcComponent=component)
        self.link.robust_parsing = True
        if key is not None:
            self.link.signing.secret_key = key
            self.link.signing.sign_outgoing = True
            self.link.signing.timestamp = (UTC_MS - 1_420_070_400_000) * 100
        self.make = (kind, autopilot)
        self.parameters = dict(PARAMETERS)
        self.read_only: set[str] = set()
        self.stored: list[Any] = []
        self.mangle: Callable[[Any], None] | None = None
        self.results: dict[int, list[int]] = {}
        """By command: what is answered, one after the other, the last for ever; none: silence."""
        self.heard: list[Any] = []
        self.out: list[bytes] = []
        self.loses: Callable[[Any], bool] = lambda _message: False
        self._fence: list[Any] = []
        self._count = 0

    def say(self, message: Any) -> bytes:
        packet: bytes = message.pack(self.link)
        self.link.seq = (self.link.seq + 1) % 256
        if not self.loses(message):
            self.out.append(packet)
        return packet

    def heartbeat(self, mode: int = 0, armed: bool = False, state: int = 3) -> None:
        flags = 1 + (128 if armed else 0)
        self.say(mav.MAVLink_heartbeat_message(*self.make, flags, mode, state, 3))

    def text(self, words: str, severity: int = 4, number: int = 0, chunk: int = 0) -> None:
        self.say(mav.MAVLink_statustext_message(severity, words.encode(), number, chunk))

    def tick(self) -> None:
        """A second is over: it asks again for an item that did not come."""
        if len(self._fence) < self._count:
            self._ask(mav.MAV_MISSION_TYPE_FENCE)

    def take(self, packet: bytes) -> None:
        for message in self.link.parse_buffer(packet) or []:
            if message.get_type() == "BAD_DATA" or self.loses(message):
                continue
            self.heard.append(message)
            answer = getattr(self, "on_" + message.get_type().lower(), None)
            if answer is not None:
                answer(message)

    def of(self, name: str, command: int | None = None) -> list[Any]:
        return [
            message for message in self.heard
            if message.get_type() == name and command in (None, getattr(message, "command", None))
        ]  # fmt: skip

    def on_command_long(self, message: Any) -> None:
        results = self.results.get(message.command, [0])
        if not results:
            return
        result = results.pop(0) if len(results) > 1 else results[0]
        us = (message.get_srcSystem(), message.get_srcComponent())
        self.say(mav.MAVLink_command_ack_message(message.command, result, 0, 0, *us))

    on_command_int = on_command_long

    def on_param_request_read(self, message: Any) -> None:
        if message.param_id in self.parameters:
            value = self.parameters[message.param_id]
            is_float = message.param_id in FLOATS
            kind = mav.MAV_PARAM_TYPE_REAL32 if is_float else mav.MAV_PARAM_TYPE_INT32
            name = message.param_id.encode()
            self.say(mav.MAVLink_param_value_message(name, value, kind, 1, 0))

    def on_param_set(self, message: Any) -> None:
        if message.param_id not in self.read_only:
            self.parameters[message.param_id] = message.param_value
        self.on_param_request_read(message)

    def on_mission_clear_all(self, message: Any) -> None:
        self.stored = []
        self._ack(0, message.mission_type)

    def on_mission_count(self, message: Any) -> None:
        self._fence, self._count = [], message.count
        self._ask(message.mission_type)

    def on_mission_item_int(self, message: Any) -> None:
        if message.seq != len(self._fence):
            self._ack(mav.MAV_MISSION_INVALID_SEQUENCE, message.mission_type)
            return
        self._fence.append(message)
        if len(self._fence) < self._count:
            self._ask(message.mission_type)
            return
        if self.mangle is not None:
            self.mangle(self._fence[-1])
        self.stored = list(self._fence)
        self._ack(0, message.mission_type)

    def on_mission_request_list(self, message: Any) -> None:
        kind = message.mission_type
        self.say(mav.MAVLink_mission_count_message(247, 190, len(self.stored), kind))

    def on_mission_request_int(self, message: Any) -> None:
        item = self.stored[message.seq]
        self.say(mav.MAVLink_mission_item_int_message(
            247, 190, message.seq, 0, item.command, 0, 1, item.param1, 0.0, 0.0, 0.0,
            item.x, item.y, 0.0, message.mission_type,
        ))  # fmt: skip

    def _ask(self, kind: int) -> None:
        self.say(mav.MAVLink_mission_request_message(247, 190, len(self._fence), kind))

    def _ack(self, result: int, kind: int) -> None:
        self.say(mav.MAVLink_mission_ack_message(247, 190, result, kind))


class Link:
    """Our adapter, the vehicle, and a clock that moves when it is told to."""

    def __init__(self, vehicle: Vehicle | None = None, **settings: Any) -> None:
        self.vehicle = vehicle or Vehicle()
        self.copter = ArduCopter(load_profile(), **settings)
        self.now = Moment(1000.0, UTC_MS)
        self.results: list[Result] = []

    def step(self, seconds: float = 0.1, beat: bool = True) -> None:
        """Let time pass in tenths, with the vehicle's heartbeats at every whole second."""
        for _ in range(max(1, round(seconds * 10))):
            self.now = Moment(round(self.now.s + 0.1, 3), self.now.utc_ms + 100)
            self.copter.turn(self.now)
            if beat and self.now.s % 1.0 == 0:
                self.vehicle.heartbeat()
                self.vehicle.tick()
            self.exchange()

    def exchange(self) -> None:
        for _ in range(400):
            packets = self.copter.outgoing()
            for packet in packets:
                self.vehicle.take(packet)
            out, self.vehicle.out = self.vehicle.out, []
            for packet in out:
                self.copter.receive(packet, self.now)
            self.results += self.copter.results()
            if not packets and not out:
                return
        raise AssertionError("they never stop talking")

    def perform(self, intent_id: int, intent: Intent) -> None:
        self.copter.perform(intent_id, intent, self.now)
        self.exchange()

    def meet(self) -> "Link":
        """A first heartbeat and what follows from it; then the vehicle forgets what it heard."""
        self.vehicle.heartbeat()
        self.exchange()
        self.step(4.0)
        self.vehicle.heard.clear()
        return self

    @property
    def status(self) -> DroneStatus:
        return self.copter.status(self.now)

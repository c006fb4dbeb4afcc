"""MAVLink in and out: who may speak, what a message does, what goes back (pure)."""

import math
from collections import deque
from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.copter import commands, targets
from simulator.copter.commands import Request
from simulator.copter.items import Item
from simulator.copter.lists import Lists, Peer, Reply
from simulator.copter.state import INFO, Result, State
from simulator.copter.telemetry import Telemetry

_SIGNING_EPOCH_S = 1_420_070_400
"""2015-01-01, from which a signature counts, in 10 µs."""
_COMPONENT = 1
_STREAMS = {
    dialect.MAV_DATA_STREAM_EXTENDED_STATUS: (
        dialect.MAVLINK_MSG_ID_SYS_STATUS,
        dialect.MAVLINK_MSG_ID_GPS_RAW_INT,
        dialect.MAVLINK_MSG_ID_MISSION_CURRENT,
        dialect.MAVLINK_MSG_ID_FENCE_STATUS,
    ),
    dialect.MAV_DATA_STREAM_POSITION: (dialect.MAVLINK_MSG_ID_GLOBAL_POSITION_INT,),
    dialect.MAV_DATA_STREAM_EXTRA1: (dialect.MAVLINK_MSG_ID_ATTITUDE,),
    dialect.MAV_DATA_STREAM_EXTRA2: (dialect.MAVLINK_MSG_ID_VFR_HUD,),
    dialect.MAV_DATA_STREAM_EXTRA3: (
        dialect.MAVLINK_MSG_ID_SYSTEM_TIME,
        dialect.MAVLINK_MSG_ID_BATTERY_STATUS,
        dialect.MAVLINK_MSG_ID_WIND,
        dialect.MAVLINK_MSG_ID_EKF_STATUS_REPORT,
    ),
}
"""What REQUEST_DATA_STREAM switches on, of the messages there are."""
_STREAMS[dialect.MAV_DATA_STREAM_ALL] = tuple(
    number for numbers in _STREAMS.values() for number in numbers
)
_PARAMETERS_A_TURN = 5


class _Nowhere:
    def write(self, data: bytes) -> None:
        """The codec wants a file; what it encodes is taken from its return value."""


def _is_of_the_radio(_codec: Any, message_id: int) -> bool:
    """A radio itself never signs."""
    return bool(message_id == dialect.MAVLINK_MSG_ID_RADIO_STATUS)


class Protocol:
    """One link: bytes come, bytes go."""

    def __init__(
        self, state: State, telemetry: Telemetry, system_id: int, key: bytes | None
    ) -> None:
        self._state = state
        self._telemetry = telemetry
        self._lists = Lists(state)
        self._system_id = system_id
        self._codec = dialect.MAVLink(_Nowhere(), system_id, _COMPONENT)
        self._codec.robust_parsing = True
        self._out: list[bytes] = []
        self._waiting: deque[str] = deque()
        self.junk = 0
        """Messages that were none, or not signed as they must be."""
        if key is not None:
            signing = self._codec.signing
            signing.secret_key = key
            signing.sign_outgoing = True
            signing.allow_unsigned_callback = _is_of_the_radio
        self._handlers: dict[str, Callable[[Any, Peer], None]] = {
            "COMMAND_INT": self._on_command_int,
            "COMMAND_LONG": self._on_command_long,
            "HEARTBEAT": self._on_heartbeat,
            "MISSION_CLEAR_ALL": lambda m, p: self._lists.on_clear(p, m.mission_type),
            "MISSION_COUNT": lambda m, p: self._lists.on_count(p, m.mission_type, m.count),
            "MISSION_ITEM_INT": self._on_item,
            "MISSION_REQUEST": self._on_request,
            "MISSION_REQUEST_INT": self._on_request,
            "MISSION_REQUEST_LIST": lambda m, p: self._lists.on_request_list(p, m.mission_type),
            "MISSION_SET_CURRENT": self._on_set_current,
            "OPEN_DRONE_ID_SYSTEM_UPDATE": self._on_operator,
            "PARAM_REQUEST_LIST": lambda m, p: self._waiting.extend(self._state.parameters.names),
            "PARAM_REQUEST_READ": self._on_parameter_read,
            "PARAM_SET": self._on_parameter_set,
            "REQUEST_DATA_STREAM": self._on_stream,
            "SET_MODE": self._on_set_mode,
            "TIMESYNC": self._on_time_sync,
            "SET_POSITION_TARGET_GLOBAL_INT": lambda m, p: targets.on_global(state, m),
            "SET_POSITION_TARGET_LOCAL_NED": lambda m, p: targets.on_local(state, m),
        }

    def receive(self, data: bytes) -> None:
        """Take what came; junk is counted, never raised."""
        if self._codec.signing.secret_key is not None:
            self._codec.signing.timestamp = max(self._codec.signing.timestamp, self._signing_now())
        for message in self._codec.parse_buffer(data) or ():
            name = message.get_type()
            if name == "BAD_DATA":
                self.junk += 1
                continue
            handler = self._handlers.get(name)
            if handler is not None and self._is_for_us(message):
                handler(message, Peer(message.get_srcSystem(), message.get_srcComponent()))
                self._flush()

    def turn(self) -> None:
        """Send what is due now."""
        self._lists.turn()
        if self._waiting:
            for _ in range(min(_PARAMETERS_A_TURN, len(self._waiting))):
                self._tell_parameter(self._waiting.popleft(), is_listed=True)
        for message in self._telemetry.due():
            self.send(message)
        self._flush()

    def take(self) -> list[bytes]:
        """What goes out, one item a message; each is given once."""
        out, self._out = self._out, []
        return out

    def send(self, message: Any) -> None:
        """Encode a message for the way out."""
        codec = self._codec
        if codec.signing.sign_outgoing:
            codec.signing.timestamp = max(codec.signing.timestamp, self._signing_now())
        self._out.append(message.pack(codec))
        codec.seq = (codec.seq + 1) % 256

    def _signing_now(self) -> int:
        return (self._telemetry.unix_us - _SIGNING_EPOCH_S * 1_000_000) // 10

    def _is_for_us(self, message: Any) -> bool:
        system_id = getattr(message, "target_system", 0)
        component_id = getattr(message, "target_component", 0)
        return system_id in (0, self._system_id) and component_id in (0, _COMPONENT)

    def _flush(self) -> None:
        state = self._state
        if state.is_home_news:
            state.is_home_news = False
            self.send(self._telemetry.make(dialect.MAVLINK_MSG_ID_HOME_POSITION))
        if state.said:
            for severity, text in state.said:
                self.send(dialect.MAVLink_statustext_message(severity, text.encode()[:50]))
            state.said.clear()
        if state.reached:
            for index in state.reached:
                self.send(dialect.MAVLink_mission_item_reached_message(index))
            state.reached.clear()
        if self._lists.replies:
            for reply in self._lists.replies:
                self.send(_list_message(reply))
            self._lists.replies.clear()

    def _on_heartbeat(self, message: Any, peer: Peer) -> None:
        """Only the ground station whose number SYSID_MYGCS holds counts."""
        if peer.system_id == int(self._state.parameters["SYSID_MYGCS"]):
            self._state.gcs_heard_s = self._state.now_s

    def _on_command_int(self, m: Any, peer: Peer) -> None:
        request = Request(m.command, m.frame, m.param1, m.param2, m.param3, m.param4, m.x, m.y, m.z)
        self._answer(request, peer)

    def _on_command_long(self, m: Any, peer: Peer) -> None:
        frame = commands.FRAMES_OF_LONG.get(m.command, 0)
        scale = 1e7 if m.command in commands.PLACED else 1.0
        x, y = whole(m.param5 * scale), whole(m.param6 * scale)
        request = Request(m.command, frame, m.param1, m.param2, m.param3, m.param4, x, y, m.param7)
        self._answer(request, peer)

    def _answer(self, request: Request, peer: Peer) -> None:
        handler = {
            dialect.MAV_CMD_GET_HOME_POSITION: lambda: self._request_message(
                dialect.MAVLINK_MSG_ID_HOME_POSITION
            ),
            dialect.MAV_CMD_GET_MESSAGE_INTERVAL: lambda: self._tell_interval(request.p1),
            dialect.MAV_CMD_SET_MESSAGE_INTERVAL: lambda: self._set_interval(
                request.p1, request.p2
            ),
            dialect.MAV_CMD_REQUEST_MESSAGE: lambda: self._request_message(request.p1),
            dialect.MAV_CMD_REQUEST_AUTOPILOT_CAPABILITIES: lambda: self._request_message(
                dialect.MAVLINK_MSG_ID_AUTOPILOT_VERSION
            ),
        }.get(request.command)
        result = handler() if handler else commands.perform(self._state, request)
        self.send(dialect.MAVLink_command_ack_message(request.command, int(result), 0, 0, *peer))

    def _set_interval(self, number: float, interval_us: float) -> Result:
        if not self._telemetry.knows(whole(number)) or not math.isfinite(interval_us):
            self._state.say(INFO, f"No ap_message for mavlink id ({whole(number)})")
            return Result.DENIED
        self._telemetry.set_interval(whole(number), interval_us)
        return Result.ACCEPTED

    def _tell_interval(self, number: float) -> Result:
        message_id = max(0, min(65_535, whole(number)))
        interval_us = self._telemetry.interval_us(message_id)
        self.send(dialect.MAVLink_message_interval_message(message_id, interval_us))
        return Result.ACCEPTED if interval_us else Result.FAILED

    def _request_message(self, number: float) -> Result:
        if not self._telemetry.knows(whole(number)):
            return Result.FAILED
        message = self._telemetry.make(whole(number))
        if message is None:
            return Result.FAILED
        self.send(message)
        return Result.ACCEPTED

    def _on_set_mode(self, m: Any, peer: Peer) -> None:
        result = commands.set_mode(self._state, m.base_mode, m.custom_mode)
        self.send(dialect.MAVLink_command_ack_message(11, int(result), 0, 0, *peer))

    def _on_stream(self, m: Any, peer: Peer) -> None:
        rate_hz = m.req_message_rate if m.start_stop else 0
        for message_id in _STREAMS.get(m.req_stream_id, ()):
            self._telemetry.set_interval(message_id, 1e6 / rate_hz if rate_hz else -1.0)

    def _on_item(self, m: Any, peer: Peer) -> None:
        parameters = (m.param1, m.param2, m.param3, m.param4)
        item = Item(m.frame, m.command, parameters, m.x, m.y, m.z)
        self._lists.on_item(peer, m.mission_type, m.seq, item)

    def _on_request(self, m: Any, peer: Peer) -> None:
        self._lists.on_request(peer, m.mission_type, m.seq)

    def _on_set_current(self, m: Any, peer: Peer) -> None:
        if m.seq < len(self._state.mission):
            commands.set_current(self._state, m.seq)
            self.send(self._telemetry.make(42))

    def _on_operator(self, m: Any, peer: Peer) -> None:
        self._state.operator = (
            m.operator_latitude * 1e-7, m.operator_longitude * 1e-7, m.operator_altitude_geo
        )  # fmt: skip

    def _on_time_sync(self, m: Any, peer: Peer) -> None:
        if m.tc1 == 0:
            now_ns = round(self._state.now_s * 1e9)
            self.send(dialect.MAVLink_timesync_message(now_ns, m.ts1))

    def _on_parameter_read(self, m: Any, peer: Peer) -> None:
        names = self._state.parameters.names
        if m.param_index >= 0:
            if m.param_index < len(names):
                self._tell_parameter(names[m.param_index], is_listed=True)
        elif self._state.parameters.knows(str(m.param_id)):
            self._tell_parameter(str(m.param_id), is_listed=True)

    def _on_parameter_set(self, m: Any, peer: Peer) -> None:
        if self._state.parameters.set_from_wire(str(m.param_id), m.param_value):
            self._tell_parameter(str(m.param_id), is_listed=False)

    def _tell_parameter(self, name: str, *, is_listed: bool) -> None:
        parameters = self._state.parameters
        value, kind = parameters.wire_value(name)
        index = parameters.names.index(name) if is_listed else 65_535
        self.send(
            dialect.MAVLink_param_value_message(
                name.encode(), value, kind, len(parameters.names), index
            )
        )


def whole(value: float) -> int:
    """A number of the wire as a whole one; what is none becomes -1."""
    return int(max(-(2.0**31), min(2.0**31 - 1, value))) if math.isfinite(value) else -1


def _list_message(reply: Reply) -> Any:
    """A reply of the mission protocol; ArduPilot asks for items by MISSION_REQUEST."""
    peer, number, list_type = reply.peer, reply.number, reply.list_type
    if reply.kind == "request":
        return dialect.MAVLink_mission_request_message(*peer, number, list_type)
    if reply.kind == "count":
        return dialect.MAVLink_mission_count_message(*peer, number, list_type)
    if reply.item is None:
        return dialect.MAVLink_mission_ack_message(*peer, number, list_type)
    item = reply.item
    return dialect.MAVLink_mission_item_int_message(
        *peer, number, item.frame, item.command, 0, 1, *item.parameters,
        item.lat_e7, item.lon_e7, item.altitude_m, list_type,
    )  # fmt: skip

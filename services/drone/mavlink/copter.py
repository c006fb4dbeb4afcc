"""The adapter for ArduPilot's copters: the `Autopilot` protocol over MAVLink (pure)."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from services.drone.autopilot import (
    Counts,
    DroneStatus,
    Intent,
    OperatorAt,
    Preparation,
    Prepare,
    Result,
    Track,
)  # fmt: skip
from services.drone.mavlink.codec import Codec, mavlink
from services.drone.mavlink.commands import Command, Commands, Outcome
from services.drone.mavlink.intents import Target, long_command, operator_at, track
from services.drone.mavlink.losses import Losses
from services.drone.mavlink.orders import Orders
from services.drone.mavlink.parameters import Parameters
from services.drone.mavlink.peer import Peer
from services.drone.mavlink.preparation import Preparing
from services.drone.mavlink.profile import Profile
from services.drone.mavlink.streams import Streams
from services.drone.mavlink.telemetry import Telemetry
from services.drone.mavlink.texts import Texts
from services.drone.moment import Moment

SYSTEM_ID = 247
"""Ours, unless a setting says otherwise. Not 255 (Mission Planner, QGroundControl, MAVProxy), nor
245 (MAVSDK): with a shared id their heartbeats would hide from the autopilot that ours stopped."""
HEARTBEAT_S = 0.5
"""Twice a second: a link that loses a fifth would else miss five in a row on a long flight."""
VERSION_S, VERSION_ASKS = 10.0, 5
UNSENT = 1000
"""Packets kept for a transport that does not take them; the oldest go first."""
RELEASES = {0: "-dev", 64: "-alpha", 128: "-beta", 192: "-rc"}
MISSION = ("MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK", "MISSION_COUNT",
           "MISSION_ITEM_INT")  # fmt: skip


class ArduCopter:
    """One copter behind one transport."""

    def __init__(
        self,
        profile: Profile,
        system_id: int = SYSTEM_ID,
        key: bytes | None = None,
        is_clock: bool = False,
    ) -> None:
        self._profile = profile
        self._system_id = system_id
        self._codec = Codec(system_id, key)
        self._now = Moment(0.0, 0)
        self._heartbeat_s: float | None = None
        self._out: deque[bytes] = deque(maxlen=UNSENT)
        self._peer = Peer(profile)
        self._telemetry = Telemetry()
        self._texts = Texts()
        self._losses = Losses()
        self._commands = Commands(system_id, self._send)
        self._parameters = Parameters(self._send, profile.encoding)
        self._streams = Streams(is_clock)
        self._orders = Orders(profile, self._commands, self._texts)
        self._preparing: Preparing | None = None
        self._preparation: Preparation | None = None
        self._firmware = ""
        self._version_asks, self._version_asked_s = 0, -VERSION_S
        self._capacity_mah: float | None = None
        self._capacity_name = next(
            (name for row in profile.rows if row.stands_for == "battery_capacity_mah"
             for name in row.names), None,
        )  # fmt: skip

    @property
    def counts(self) -> Counts:
        """What came in, since the start."""
        return self._codec.counts

    def receive(self, data: bytes, now: Moment) -> None:
        """Take what the transport brought; junk is counted, never raised."""
        self._at(now)
        for message in self._codec.decode(data, now):
            self._heard(message, now.s)

    def turn(self, now: Moment) -> None:
        """Let time pass; the only place where a heartbeat is sent."""
        self._at(now)
        if self._heartbeat_s is None or now.s - self._heartbeat_s >= HEARTBEAT_S:
            on_time = self._heartbeat_s is not None and now.s - self._heartbeat_s < 2 * HEARTBEAT_S
            self._heartbeat_s = (self._heartbeat_s or 0.0) + HEARTBEAT_S if on_time else now.s
            self._send(mavlink.MAVLink_heartbeat_message(
                mavlink.MAV_TYPE_GCS, mavlink.MAV_AUTOPILOT_INVALID, 0, 0,
                mavlink.MAV_STATE_ACTIVE, 3,
            ))  # fmt: skip
        self._texts.turn(now.s)
        self._orders.turn(now.s)
        target = self._flown()
        if target is None:
            return
        self._commands.turn(now.s)
        self._parameters.turn(now.s)
        self._ask_version(target, now.s)
        self._streams.turn(self._telemetry, self._commands, target, now.s)
        if self._preparing is not None:
            self._preparing.turn(now.s)
            self._preparation = self._preparing.result
            if self._preparation.is_done:
                self._preparing = None

    def perform(self, intent_id: int, intent: Intent, now: Moment) -> None:
        """Begin to do it; the answer comes by `results`, of a `Prepare` by `status`."""
        self._at(now)
        target = self._flown()
        if isinstance(intent, Prepare):
            self._prepare(intent_id, intent, now.s)
        elif isinstance(intent, Track):
            if target is not None:
                self._send(track(target, intent, round(now.s * 1000)))
        elif isinstance(intent, OperatorAt):
            if target is not None:
                self._send(operator_at(target, intent, now.utc_ms))
        elif target is None:
            self._orders.refuse(intent_id, self._why_not())
        else:
            self._orders.give(intent_id, intent, target, self._telemetry.home, now.s)

    def outgoing(self) -> Sequence[bytes]:
        """What to send now, one item a datagram; each is given once."""
        packets = list(self._out)
        self._out.clear()
        return packets

    def results(self) -> Sequence[Result]:
        """Answers that came since the last call."""
        return self._orders.take()

    def status(self, now: Moment) -> DroneStatus:
        """All it last said; what was not said for long is not known."""
        peer, telemetry = self._peer, self._telemetry
        battery = telemetry.battery(self._capacity_mah, now.s)
        return DroneStatus(
            heard_s=peer.heard_s,
            refusal=peer.refusal,
            firmware=self._firmware,
            mode=peer.mode,
            mode_name=peer.mode_name,
            is_armed=peer.is_armed,
            landed=telemetry.landed(now.s),
            landed_s=telemetry.landed_s,
            is_failsafe=peer.is_failsafe,
            position=telemetry.position,
            home=telemetry.home,
            satellites=telemetry.satellites(now.s),
            has_fix=telemetry.has_fix(now.s),
            is_position_good=telemetry.is_position_good(now.s),
            is_prearm_good=telemetry.is_prearm_good(now.s),
            battery_pct=battery.pct,
            voltage_v=battery.voltage_v,
            burn_pct_per_s=battery.burn_pct_per_s,
            wind=telemetry.wind(now.s),
            loss_share=self._losses.share(now.s),
            preparation=self._preparation,
            complaints=self._texts.last(now.s),
        )

    def _at(self, now: Moment) -> None:
        self._now = now
        self._orders.at(now.s)

    def _send(self, message: Any) -> None:
        self._out.append(self._codec.encode(message, self._now))

    def _flown(self) -> tuple[int, int] | None:
        """The target, where there is one that is flown."""
        return None if self._peer.refusal else self._peer.target

    def _why_not(self) -> str:
        return self._peer.refusal or "no autopilot has been heard yet"

    def _heard(self, message: Any, now_s: float) -> None:
        name = message.get_type()
        if name == "HEARTBEAT":
            was = self._peer.target
            if not self._peer.on_heartbeat(message, now_s):
                self.counts.foreign += 1
                return
            if was is None:
                self._begin(now_s)
        elif not self._peer.is_from(message):
            self.counts.foreign += 1
            return
        self._losses.heard(message.get_seq(), now_s)
        if self._peer.has_restarted(message, now_s):
            self._restart(now_s)
        if self._flown() is not None:
            self._dispatch(name, message, now_s)

    def _dispatch(self, name: str, message: Any, now_s: float) -> None:
        self._telemetry.heard(message, now_s)
        if name == "COMMAND_ACK":
            self._commands.heard(message, now_s)
        elif name == "PARAM_VALUE":
            self._parameters.heard(message, now_s)
            value = self._parameters.values.get(self._capacity_name or "")
            self._capacity_mah = value or self._capacity_mah
        elif name == "PARAM_ERROR":
            self._parameters.refused(message.param_id, now_s)
        elif name == "STATUSTEXT":
            self._texts.heard(message, now_s)
        elif name == "AUTOPILOT_VERSION":
            self._firmware = f"{self._profile.name} {_version(message.flight_sw_version)}"
        elif name in MISSION and self._preparing is not None:
            self._preparing.heard_mission(message, now_s)

    def _begin(self, now_s: float) -> None:
        """The autopilot is there, for the first time or anew."""
        target = self._flown()
        self._firmware = "" if target is None else self._profile.name
        if target is None:
            return
        self._parameters.aim(*target)
        if self._capacity_name:
            self._parameters.read([self._capacity_name], now_s)
        self._version_asks, self._version_asked_s = 0, now_s - VERSION_S
        self._ask_version(target, now_s)

    def _ask_version(self, target: Target, now_s: float) -> None:
        """An acknowledged request whose answer is lost is made again, a few times."""
        is_known = self._firmware != self._profile.name
        is_early = now_s - self._version_asked_s < VERSION_S
        if is_known or is_early or self._version_asks >= VERSION_ASKS:
            return
        self._version_asks, self._version_asked_s = self._version_asks + 1, now_s
        command = mavlink.MAV_CMD_REQUEST_MESSAGE
        ask = long_command(target, command, float(mavlink.MAVLINK_MSG_ID_AUTOPILOT_VERSION))
        self._commands.ask(Command(command, ask, _unheard), now_s)

    def _restart(self, now_s: float) -> None:
        self._telemetry.forget()
        self._peer.forget()
        self._losses.restart()
        self._streams.restart()
        self._capacity_mah = None
        self._preparation = None
        if self._preparing is not None:
            self._preparing.stop("the autopilot was started anew meanwhile")
            self._preparation, self._preparing = self._preparing.result, None
        self._commands.drop(now_s)
        self._begin(now_s)

    def _prepare(self, intent_id: int, intent: Prepare, now_s: float) -> None:
        target = self._flown()
        why = "it is armed: its settings are changed on the ground only"
        if target is None or self._peer.is_armed:
            why = self._why_not() if target is None else why
            self._preparing, self._preparation = None, Preparation(intent_id, True, (why,))
            return
        self._preparing = Preparing(
            intent_id, intent, self._profile, self._parameters, target, self._send, self._system_id
        )
        self._preparing.start(now_s)
        self._preparation = self._preparing.result


def _version(number: int) -> str:
    major, minor, patch, kind = number.to_bytes(4, "big")
    return f"{major}.{minor}.{patch}{RELEASES.get(kind, '')}"


def _unheard(_outcome: Outcome, _first_s: float) -> None:
    return None

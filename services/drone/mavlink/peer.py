"""Which autopilot is at the other end, whether it is flown, and what its heartbeat says (pure)."""

from typing import Any

from services.drone.autopilot import Mode
from services.drone.mavlink.codec import mavlink
from services.drone.mavlink.profile import Profile

RESTART_MS = 2_000
"""Its time since boot may come out of order by less."""
TWIN_RESTARTS = 3
TWIN_S = 10.0
"""So many restarts within so long are two autopilots that say the same ids."""
FAILSAFE = (mavlink.MAV_STATE_CRITICAL, mavlink.MAV_STATE_EMERGENCY)


class Peer:
    """The first autopilot that was heard; all others are ignored."""

    def __init__(self, profile: Profile) -> None:
        self.target: tuple[int, int] | None = None
        self.heard_s: float | None = None
        self.mode = Mode.OTHER
        self.mode_name = ""
        self.is_armed = False
        self.is_failsafe = False
        self._profile = profile
        self._refusal = ""
        self._make: tuple[int, int] | None = None
        self._boot_ms: int | None = None
        self._restarts: list[float] = []
        self._now_s = 0.0

    @property
    def refusal(self) -> str:
        """Why it is not flown; empty: it is, or none was heard."""
        if self._refusal or not self._restarts:
            return self._refusal
        recent = [at_s for at_s in self._restarts if self._now_s - at_s <= TWIN_S]
        if len(recent) >= TWIN_RESTARTS and not self.is_armed and self.target:
            return f"two autopilots say that they are system {self.target[0]}: give each its own"
        return ""

    def is_from(self, message: Any) -> bool:
        """It comes from the target."""
        source = (message.get_srcSystem(), message.get_srcComponent())
        return self.target is not None and source == self.target

    def on_heartbeat(self, message: Any, now_s: float) -> bool:
        """Take a heartbeat; true when it is the target's."""
        self._now_s = now_s
        make = (message.autopilot, message.type)
        if self.target is None and self._is_autopilot(message):
            self.target = (message.get_srcSystem(), message.get_srcComponent())
            self._make = make
            self._refusal = self._refuse(message)
        if not self.is_from(message) or make != self._make:
            return False
        self.heard_s = now_s
        self.is_armed = bool(message.base_mode & mavlink.MAV_MODE_FLAG_SAFETY_ARMED)
        self.is_failsafe = message.system_status in FAILSAFE
        number = message.custom_mode
        self.mode = self._profile.meanings.get(number, Mode.OTHER)
        self.mode_name = self._profile.mode_names.get(number, f"mode {number}")
        return True

    def has_restarted(self, message: Any, now_s: float) -> bool:
        """Its time since boot went back."""
        self._now_s = now_s
        boot_ms = getattr(message, "time_boot_ms", None)
        if boot_ms is None:
            return False
        last, self._boot_ms = self._boot_ms, boot_ms
        if last is None or boot_ms >= last:
            return False
        if boot_ms > last - RESTART_MS:
            self._boot_ms = last
            return False
        self._restarts = [*self._restarts[1 - TWIN_RESTARTS :], now_s]
        return True

    def forget(self) -> None:
        """Until its next heartbeat nothing is known of a restarted one."""
        self.mode, self.mode_name = Mode.OTHER, ""
        self.is_armed = self.is_failsafe = False
        self.heard_s = None

    def _is_autopilot(self, message: Any) -> bool:
        return bool(
            message.get_srcComponent() == mavlink.MAV_COMP_ID_AUTOPILOT1
            and message.autopilot != mavlink.MAV_AUTOPILOT_INVALID
            and message.type != mavlink.MAV_TYPE_GCS
        )

    def _refuse(self, message: Any) -> str:
        name = self._profile.name
        if message.autopilot != self._profile.autopilot:
            make = _words("MAV_AUTOPILOT", message.autopilot)
            return f"{make} is not flown: only {name} has a safety profile here"
        if message.type not in self._profile.vehicle_types:
            kind = _words("MAV_TYPE", message.type)
            return f"a vehicle of type {kind} is not flown: only the copters of {name} are"
        return ""


def _words(enum: str, number: int) -> str:
    """An enumeration's value in words, such as PX4."""
    entry = mavlink.enums[enum].get(number)
    return str(entry.name).removeprefix(f"{enum}_") if entry else f"{enum} {number}"

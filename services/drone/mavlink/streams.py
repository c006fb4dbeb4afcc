"""Which messages the autopilot is asked to send, how often, and when to ask again (pure)."""

from collections.abc import Callable

from services.drone.mavlink.codec import mavlink
from services.drone.mavlink.commands import Command, Commands, Outcome
from services.drone.mavlink.intents import Target, long_command
from services.drone.mavlink.telemetry import Telemetry

# Heartbeats twice a second: of one a second a link that loses a fifth misses three in a row often.
RATES_HZ = {
    "HEARTBEAT": 2.0,
    "GLOBAL_POSITION_INT": 10.0,
    "SYS_STATUS": 2.0,
    "GPS_RAW_INT": 2.0,
    "EXTENDED_SYS_STATE": 2.0,
    "EKF_STATUS_REPORT": 2.0,
    "HOME_POSITION": 1.0,
    "BATTERY_STATUS": 1.0,
    "WIND": 1.0,
}
CLOCK_HZ = 10.0
"""Of SYSTEM_TIME, where the autopilot's clock is ours."""
SILENT = 5
"""A message that did not come so many times is asked for again."""
AGAIN_S = 10.0
INTERVAL = mavlink.MAV_CMD_SET_MESSAGE_INTERVAL


class Streams:
    """The requests for messages; kept up while the autopilot is heard."""

    def __init__(self, is_clock: bool) -> None:
        self._rates = {**RATES_HZ, **({"SYSTEM_TIME": CLOCK_HZ} if is_clock else {})}
        self._asked_s: dict[str, float] = {}
        self._refused: set[str] = set()

    def restart(self) -> None:
        """Another autopilot, or another start of it: all has to be asked for again."""
        self._asked_s.clear()
        self._refused.clear()

    def turn(self, telemetry: Telemetry, commands: Commands, target: Target, now_s: float) -> None:
        """Ask for what does not come."""
        for name, rate_hz in self._rates.items():
            if name in self._refused or not self._is_due(name, rate_hz, telemetry, now_s):
                continue
            number = getattr(mavlink, f"MAVLINK_MSG_ID_{name}")
            message = long_command(target, INTERVAL, number, 1e6 / rate_hz)
            commands.ask(Command(INTERVAL, message, self._done(name)), now_s)
            self._asked_s[name] = now_s

    def _is_due(self, name: str, rate_hz: float, telemetry: Telemetry, now_s: float) -> bool:
        asked_s = self._asked_s.get(name)
        if asked_s is None:
            return True
        return now_s - asked_s >= AGAIN_S and telemetry.age_s(name, now_s) > SILENT / rate_hz

    def _done(self, name: str) -> Callable[[Outcome, float], None]:
        def done(outcome: Outcome, _first_s: float) -> None:
            if outcome not in ("accepted", "timeout"):
                self._refused.add(name)

        return done

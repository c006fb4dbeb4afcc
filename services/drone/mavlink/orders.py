"""Intents that are acknowledged, on their way to their result (pure)."""

from collections.abc import Callable
from typing import Any

from services.drone.autopilot import (
    Arm,
    Disarm,
    GoTo,
    Home,
    HomeHere,
    MoveHome,
    Result,
    SetMode,
    TakeOff,
    TakePicture,
)  # fmt: skip
from services.drone.mavlink.codec import mavlink
from services.drone.mavlink.commands import TRIES, Command, Commands, Outcome
from services.drone.mavlink.intents import Target, go_to, long_command, place_command
from services.drone.mavlink.profile import Profile
from services.drone.mavlink.texts import Texts

Order = SetMode | Arm | Disarm | TakeOff | GoTo | MoveHome | HomeHere | TakePicture
WORDS_S = 0.25
"""A refusal waits so long for the words that explain it: they may come after it."""
GROUND_SPEED = 1.0
UNCHANGED = -1.0
CURRENT_PLACE = 1.0


class Orders:
    """What was asked, by its intent's id, and what came of it."""

    def __init__(self, profile: Profile, commands: Commands, texts: Texts) -> None:
        self._modes = profile.modes
        self._commands = commands
        self._texts = texts
        self._results: list[Result] = []
        self._late: list[tuple[float, float, int, Outcome]] = []
        self._pictures = 0
        self._now_s = 0.0

    def refuse(self, intent_id: int, why: str) -> None:
        """It is not even sent."""
        self._results.append(Result(intent_id, "failed", why))

    def take(self) -> list[Result]:
        """Results that came since the last call."""
        results, self._results = self._results, []
        return results

    def turn(self, now_s: float) -> None:
        """Give out the refusals whose words had their time."""
        self._now_s = now_s
        due = [late for late in self._late if now_s >= late[0]]
        self._late = [late for late in self._late if now_s < late[0]]
        for _, first_s, intent_id, outcome in due:
            self._results.append(Result(intent_id, outcome, self._texts.since(first_s)))

    def give(
        self, intent_id: int, order: Order, target: Target, home: Home | None, now_s: float
    ) -> None:
        """Send it; its result comes under the id."""
        self._now_s = now_s
        done = self._done(intent_id)
        match order:
            case SetMode(mode=mode):
                if mode not in self._modes:
                    self.refuse(intent_id, f"the mode {mode} is not one that can be asked for")
                    return
                flag = float(mavlink.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED)
                params: tuple[float, ...] = (flag, float(self._modes[mode]))
                self._long(target, mavlink.MAV_CMD_DO_SET_MODE, params, done)
            case Arm() | Disarm():
                params = (1.0 if isinstance(order, Arm) else 0.0,)
                self._long(target, mavlink.MAV_CMD_COMPONENT_ARM_DISARM, params, done)
            case TakeOff(height_m=height_m, again=again):
                command = mavlink.MAV_CMD_NAV_TAKEOFF
                message = long_command(target, command, *(0.0,) * 6, height_m)
                self._commands.ask(
                    Command(command, lambda sent: message(again + sent), done, tries=1), now_s
                )
            case GoTo():
                self._go(order, target, done)
            case MoveHome(place=place):
                if home is None:
                    self.refuse(intent_id, "its home is not known, so neither is its altitude")
                    return
                command = mavlink.MAV_CMD_DO_SET_HOME
                frame, zero = mavlink.MAV_FRAME_GLOBAL, 0.0
                message = place_command(
                    target, command, frame, place, home.altitude_m, zero, zero, zero, zero
                )
                self._commands.ask(Command(command, message, done), now_s)
            case HomeHere():
                self._long(target, mavlink.MAV_CMD_DO_SET_HOME, (CURRENT_PLACE,), done)
            case _:  # a picture: its number lets the camera know a repetition
                self._pictures += 1
                params = (0.0, 0.0, 1.0, float(self._pictures))
                self._long(target, mavlink.MAV_CMD_IMAGE_START_CAPTURE, params, done)

    def _long(
        self,
        target: Target,
        command: int,
        params: tuple[float, ...],
        done: Callable[[Outcome, float], None],
        tries: int = TRIES,
    ) -> None:
        message = long_command(target, command, *params)
        self._commands.ask(Command(command, message, done, tries), self._now_s)

    def _go(self, order: GoTo, target: Target, done: Callable[[Outcome, float], None]) -> None:
        """The speed follows the destination: ArduCopter takes it from DO_REPOSITION nowhere."""

        def gone(outcome: Outcome, first_s: float) -> None:
            done(outcome, first_s)
            if outcome == "accepted" and order.speed_mps is not None:
                params = (GROUND_SPEED, order.speed_mps, UNCHANGED)
                self._long(target, mavlink.MAV_CMD_DO_CHANGE_SPEED, params, _nothing)

        message = go_to(target, order.place, order.height_m)
        self._commands.ask(
            Command(mavlink.MAV_CMD_DO_REPOSITION, message, gone), self._now_s
        )  # fmt: skip

    def _done(self, intent_id: int) -> Callable[[Outcome, float], None]:
        def done(outcome: Outcome, first_s: float) -> None:
            if outcome in ("denied", "failed"):
                self._late.append((self._now_s + WORDS_S, first_s, intent_id, outcome))
            else:
                words = "" if outcome == "accepted" else self._texts.since(first_s)
                self._results.append(Result(intent_id, outcome, words))

        return done

    def at(self, now_s: float) -> None:
        """What is heard next is heard now."""
        self._now_s = now_s


def _nothing(_outcome: Outcome, _first_s: float) -> Any:
    return None

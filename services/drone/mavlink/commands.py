"""Commands and their acknowledgements: 1 s, three tries, one outstanding a command id (pure)."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from services.drone.mavlink.codec import COMPONENT_ID, mavlink

ANSWER_S = 1.0
TRIES = 3
IN_PROGRESS_S = 10.0
"""How much longer a command may take each time that it says it is under way."""
LATE_S = 2.0
"""Answers to earlier tries may come so late; they must not pass for those of the next command."""
WAITING = 16
"""Commands of one id that may wait for the one before them."""

Outcome = Literal["accepted", "denied", "failed", "unsupported", "timeout"]

MAV_RESULT_CANCELLED, MAV_RESULT_COMMAND_UNSUPPORTED_MAV_FRAME = 6, 9
"""Of MAVLink's common set; the dialect lacks them."""

OUTCOMES: dict[int, Outcome] = {
    mavlink.MAV_RESULT_ACCEPTED: "accepted",
    mavlink.MAV_RESULT_TEMPORARILY_REJECTED: "denied",
    mavlink.MAV_RESULT_DENIED: "denied",
    mavlink.MAV_RESULT_UNSUPPORTED: "unsupported",
    mavlink.MAV_RESULT_FAILED: "failed",
    MAV_RESULT_CANCELLED: "failed",
    mavlink.MAV_RESULT_COMMAND_LONG_ONLY: "unsupported",
    mavlink.MAV_RESULT_COMMAND_INT_ONLY: "unsupported",
    MAV_RESULT_COMMAND_UNSUPPORTED_MAV_FRAME: "unsupported",
}

Done = Callable[[Outcome, float], None]
"""Told the outcome, and when the command was first sent."""


@dataclass(slots=True)
class Command:
    """One command on its way."""

    command: int
    message: Callable[[int], Any]
    """The message of a try; 0 is the first: a COMMAND_LONG carries it as `confirmation`."""
    done: Done
    tries: int = TRIES
    """1: sent once and never repeated."""


@dataclass(slots=True)
class _Outstanding:
    command: Command
    first_s: float
    due_s: float
    sent: int = 1
    is_in_progress: bool = False


@dataclass(slots=True)
class _Lane:
    outstanding: _Outstanding | None = None
    waiting: deque[Command] = field(default_factory=deque)
    late: int = 0
    """How many answers to the command before may still come, until `late_s`."""
    late_s: float = 0.0


class Commands:
    """All commands to one autopilot."""

    def __init__(self, system_id: int, send: Callable[[Any], None]) -> None:
        self._system_id = system_id
        self._send = send
        self._lanes: dict[int, _Lane] = {}

    def ask(self, command: Command, now_s: float) -> None:
        """Send it now, or after those of its id that came before it."""
        lane = self._lanes.setdefault(command.command, _Lane())
        if len(lane.waiting) >= WAITING:
            command.done("failed", now_s)
            return
        lane.waiting.append(command)
        self._next(lane, now_s)

    def heard(self, ack: Any, now_s: float) -> None:
        """A COMMAND_ACK of the target; one that is for somebody else changes nothing.

        One that may answer an earlier command of the id is passed over: if it was ours after all,
        the repetition is answered.
        """
        if ack.target_system not in (0, self._system_id):
            return
        if ack.target_system and ack.target_component not in (0, COMPONENT_ID):
            return
        lane = self._lanes.get(ack.command)
        if lane is None:
            return
        if lane.outstanding is None:
            lane.late = max(0, lane.late - 1)
            return
        if lane.late and now_s < lane.late_s and lane.outstanding.command.tries > 1:
            lane.late -= 1
            return
        if ack.result == mavlink.MAV_RESULT_IN_PROGRESS:
            lane.outstanding.is_in_progress = True
            lane.outstanding.due_s = now_s + IN_PROGRESS_S
            return
        lane.late, lane.late_s = lane.outstanding.sent - 1, now_s + LATE_S
        self._finish(lane, lane.outstanding, OUTCOMES.get(ack.result, "failed"), now_s)

    def turn(self, now_s: float) -> None:
        """Repeat what has no answer, or give it up."""
        for lane in list(self._lanes.values()):
            out = lane.outstanding
            if out is None or now_s < out.due_s:
                continue
            if out.is_in_progress or out.sent >= out.command.tries:
                lane.late, lane.late_s = out.sent, now_s + LATE_S
                self._finish(lane, out, "timeout", now_s)
                continue
            self._send(out.command.message(out.sent))
            out.sent += 1
            out.due_s = now_s + ANSWER_S

    def drop(self, now_s: float) -> None:
        """The autopilot started anew: what was asked of it before is not repeated."""
        for lane in list(self._lanes.values()):
            waiting = list(lane.waiting)
            lane.waiting.clear()
            if lane.outstanding is not None:
                self._finish(lane, lane.outstanding, "timeout", now_s)
            for command in waiting:
                command.done("timeout", now_s)

    def _next(self, lane: _Lane, now_s: float) -> None:
        if lane.outstanding is None and lane.waiting:
            command = lane.waiting.popleft()
            lane.outstanding = _Outstanding(command, now_s, now_s + ANSWER_S)
            self._send(command.message(0))

    def _finish(self, lane: _Lane, out: _Outstanding, outcome: Outcome, now_s: float) -> None:
        lane.outstanding = None
        out.command.done(outcome, out.first_s)
        self._next(lane, now_s)

"""What becomes of a crossing that seems to be one: when it is weighed, said, and forgotten."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.tolls.detection.alternatives import Alternative
from services.tolls.detection.evidence import MOST_LOG_RATIO, Assessment, assess
from services.tolls.detection.network import GateFrame
from services.tolls.detection.position import Spot
from services.tolls.detection.state import Pending, State
from services.tolls.facts import Evidence, Finding, Verdict

BACK = "the vehicle went back over the line"
_REVERSED_M = 15.0
_BACK_SIGMAS = 3.0
"""Further beside the line's end than this the way back was beside it,"""
_WELL_BACK_SIGMAS = 2.0
"""and this far within its end it was over it."""
_LEFT_SHARE = 0.5
"""Of the re-arm distance: a way back to the gate that is longer leads so far from it."""


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """How long the detector waits.

    Attributes:
        run_out_m: Way behind a gate before the evidence is weighed.
        again_m: Further way until an unresolved crossing is weighed again.
        again_ms: Or time, in a jam.
        say_m: Way behind a gate after which an unresolved crossing is said to be so.
        say_ms: Or time.
        forget_m: Way behind a gate after which an unresolved crossing stays so.
        forget_ms: Or time.
        rearm_m: Way after a passage before the same gate can be passed again.
        rearm_ms: Without wheels: within this time, and with no other gate between, it is the same
            passage; and as long as the vehicle has not left the gate.
    """

    run_out_m: float = 300.0
    again_m: float = 150.0
    again_ms: int = 30_000
    say_m: float = 900.0
    say_ms: int = 120_000
    forget_m: float = 3_000.0
    forget_ms: int = 43_200_000
    rearm_m: float = 300.0
    rearm_ms: int = 600_000


class Decision:
    """Decides crossings; knows the gates and nothing of any vehicle.

    Args:
        frames: The gates.
        known: For each, the ways that the context knows near it.
        options: How long to wait.
    """

    def __init__(
        self,
        frames: Sequence[GateFrame],
        known: Sequence[Sequence[Alternative]],
        options: DetectionOptions,
    ) -> None:
        self._gates = {
            frame.gate.id: (frame, others) for frame, others in zip(frames, known, strict=True)
        }
        self._names = [frame.gate.id for frame in frames]
        self._options = options

    def open(self, state: State, index: int, net_m: float, spot: Spot) -> None:
        """A line was crossed, so it seems: wait for the run-out, unless it is the same again."""
        gate = self._names[index]
        if any(pending.gate == gate for pending in state.pending):
            return
        driven = spot.driven_m - abs(spot.net_m - net_m)
        backed = state.backed.pop(gate, None)
        if backed is not None and driven - backed < self._options.rearm_m:
            return
        if self._is_same(state, gate, driven, spot.at_ms):
            return
        next_m = spot.driven_m + self._options.run_out_m
        next_ms = spot.at_ms + 2 * self._options.again_ms
        state.pending.append(
            Pending(gate, net_m, driven, spot.at_ms, spot.driven_m, next_m, next_ms)
        )

    def turn_back(self, state: State, index: int, aside_m: float, spot: Spot) -> None:
        """The line was crossed against its direction: that takes a crossing back, or the next.

        Only net crossings within the re-arm distance count. Where the vehicle went back near the
        line's end nobody can say whether it did: then nothing is proven.

        Args:
            state: Of the vehicle; changed.
            index: Of the gate.
            aside_m: How far from the middle of the line.
            spot: Where the vehicle is now.
        """
        frame, _ = self._gates[self._names[index]]
        if aside_m > frame.half_width_m + _BACK_SIGMAS * spot.sigma_m:
            return
        pending = next((one for one in state.pending if one.gate == frame.gate.id), None)
        if pending is None:
            state.backed[frame.gate.id] = spot.driven_m
        elif aside_m <= frame.half_width_m - _WELL_BACK_SIGMAS * spot.sigma_m:
            pending.is_back = True
        else:
            pending.is_doubtful = True

    def follow(self, state: State, spot: Spot, found: list[Finding]) -> list[Finding]:
        """Weigh the crossings whose time has come; forget one that was taken back."""
        for pending in list(state.pending):
            is_reversed = spot.net_m < pending.net_m - _REVERSED_M
            if is_reversed or pending.is_back:
                state.pending.remove(pending)
                found = _taken_back(pending, found)
            elif spot.driven_m >= pending.next_m or spot.at_ms >= pending.next_ms:
                found = self._weigh(state, pending, found)
        return found

    def close(self, state: State, found: list[Finding]) -> list[Finding]:
        """Say of every crossing what can be said now."""
        for pending in list(state.pending):
            found = self._weigh(state, pending, found, is_last=True)
        state.pending.clear()
        return found

    def leave(self, state: State, spot: Spot) -> None:
        """See which of the gates passed without wheels the vehicle has left since."""
        lat, lon = spot.lat_deg or 0.0, spot.lon_deg or 0.0
        left_m = _LEFT_SHARE * self._options.rearm_m
        state.staying = [
            gate
            for gate in state.staying
            if math.hypot(*self._gates[gate][0].straight(lat, lon)) < left_m
        ]

    def _is_same(self, state: State, gate: str, driven_m: float, at_ms: int) -> bool:
        """Whether the gate was passed so shortly before that it is the same passage."""
        passed = state.passed.get(gate)
        if passed is None:
            return False
        if state.motion.has_wheels:
            return driven_m - passed[0] < self._options.rearm_m
        is_soon = at_ms - passed[1] < self._options.rearm_ms
        return (is_soon and state.newest == gate) or gate in state.staying

    def _weigh(
        self, state: State, pending: Pending, found: list[Finding], *, is_last: bool = False
    ) -> list[Finding]:
        """Let the evidence decide; what it cannot is weighed again later."""
        options, newest = self._options, state.motion.spots[-1]
        gone, waited = newest.driven_m - pending.noticed_m, newest.at_ms - pending.at_ms
        is_over = is_last or gone > options.forget_m or waited > options.forget_ms
        is_time = is_over or gone >= options.say_m or waited >= options.say_ms
        pending.next_m = newest.driven_m + max(options.again_m, gone / 2.0)
        pending.next_ms = newest.at_ms + max(options.again_ms, waited // 2)
        frame, others = self._gates[pending.gate]
        found_now = assess(frame, others, tuple(state.motion.spots), pending.net_m)
        verdict: Verdict = "unresolved" if found_now is None else found_now.verdict
        if verdict == "proven" and pending.is_doubtful:
            verdict = "unresolved"
        if verdict == "rejected" and not is_time:
            return found
        if is_over or verdict != "unresolved":
            state.pending.remove(pending)
        if found_now is None or (verdict == "unresolved" and (pending.is_said or not is_time)):
            return found
        instant = found_now.instant
        if verdict == "proven":
            state.passed[pending.gate] = (instant.driven_m, instant.at_ms)
            state.newest = pending.gate
            if not state.motion.has_wheels and pending.gate not in state.staying:
                state.staying.append(pending.gate)
        travelled = instant.driven_m if state.motion.odometer_m is not None else None
        pending.is_said, pending.crossed_ms, pending.travelled_m = True, instant.at_ms, travelled
        return [*found, _finding(pending, found_now, verdict)]


def _finding(pending: Pending, found: Assessment, verdict: Verdict) -> Finding:
    return Finding(
        pending.gate, pending.crossed_ms, found.instant.uncertainty_ms, pending.travelled_m,
        verdict, found.evidence,
    )  # fmt: skip


def _taken_back(pending: Pending, found: list[Finding]) -> list[Finding]:
    """What was said of a crossing is no more; nothing if nothing was."""
    if not pending.is_said:
        return found
    evidence = Evidence(-MOST_LOG_RATIO, "", 0.0, 0.0, (), (BACK,))
    finding = Finding(
        pending.gate, pending.crossed_ms, 0, pending.travelled_m, "rejected", evidence
    )
    return [*found, finding]

"""From a vehicle's samples to findings: which gates it passed, when, and how sure that is.

Far from any gate a fix costs a few comparisons. Near one it is seen on which side of the line the
vehicle is; once it was before and is behind it, the crossing is pending until there is enough of a
run-out, and then the evidence decides. What stays unresolved is looked at again for a while.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.tolls.alternatives import alternatives
from services.tolls.detection_state import Pending, Side, State, dump, load
from services.tolls.evidence import MOST_LOG_RATIO, assess
from services.tolls.facts import Evidence, Finding, Sample
from services.tolls.network import NEAR_M, Network
from services.tolls.objects import Gate, Road
from services.tolls.plane import Plane
from services.tolls.position import Spot, is_due, is_stepped, move, wait

__all__ = ["DetectionOptions", "Detector", "State", "dump", "load"]

_NOTHING: list[Finding] = []
_BEHIND_M = 10.0
"""So far behind the line a fix says that it was passed, rightly or not: evidence decides."""
_ASIDE_M = 90.0
"""Passing a line's end further off than this is not worth a look."""
_ASIDE_SHARE = 0.15
_MOST_ASIDE_M = 400.0
_BACK_M = 15.0
_LONG_CHORD_M = 200.0
_GLIDE_MPS = 80.0
"""No vehicle on a toll road is faster."""
_SLACK_M = 150.0
_SLACK_DEG = 0.0009
"""Less than `_SLACK_M` on either axis."""


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
        rearm_ms: Without wheels: time, and another gate between.
    """

    run_out_m: float = 300.0
    again_m: float = 150.0
    again_ms: int = 30_000
    say_m: float = 900.0
    say_ms: int = 120_000
    forget_m: float = 3_000.0
    forget_ms: int = 1_800_000
    rearm_m: float = 300.0
    rearm_ms: int = 600_000


class Detector:
    """Finds passages of gates; knows the roads, and nothing of any vehicle.

    Args:
        gates: Of the context; one without a bearing is never found.
        roads: Free ways near them.
        options: How long to wait.
    """

    def __init__(
        self,
        gates: Sequence[Gate],
        roads: Sequence[Road] = (),
        options: DetectionOptions | None = None,
    ) -> None:
        self._network = Network(gates)
        self._options = options or DetectionOptions()
        self._known = alternatives(self._network.frames, gates, roads)
        self._index = {frame.gate.id: i for i, frame in enumerate(self._network.frames)}

    def begin(self) -> State:
        """The state of a vehicle of which nothing is known."""
        return State()

    def advance(self, state: State, sample: Sample) -> list[Finding]:
        """Take the next sample as it came, early, late or twice.

        Args:
            state: Of this vehicle; changed.
            sample: What it said.

        Returns:
            What is now known of crossings, mostly nothing. The list is not to be changed.
        """
        motion = state.motion
        if is_stepped(motion, sample):
            found = self.finish(state)
            state.set_clock()
            wait(motion, sample)
            return found
        wait(motion, sample)
        if not is_due(motion):
            return _NOTHING
        found = _NOTHING
        while is_due(motion):
            spot = move(motion, motion.waiting.pop(0))
            if spot is not None:
                found = self._see(state, spot, found)
        return found

    def finish(self, state: State) -> list[Finding]:
        """Say what can be said: there will be no more samples, at least for a long while."""
        found = _NOTHING
        for sample in state.motion.waiting:
            spot = move(state.motion, sample)
            if spot is not None:
                found = self._see(state, spot, found)
        state.motion.waiting.clear()
        for pending in list(state.pending):
            found = self._weigh(state, pending, found, is_last=True)
        state.pending.clear()
        return found

    def _see(self, state: State, spot: Spot, found: list[Finding]) -> list[Finding]:
        """Hold a new place against the gates near it."""
        lat, lon = spot.lat_deg or 0.0, spot.lon_deg or 0.0
        last, state.last = state.last, spot
        is_still_far = (
            abs(lat - state.box_lat_deg) < state.box_half_lat_deg
            and abs(lon - state.box_lon_deg) < state.box_half_lon_deg
        )
        if is_still_far and not state.near and not state.pending:
            return found
        if last is not None and not _is_driven(last, spot, state.motion.has_wheels):
            found = self._break(state, spot, found)
            last = None
        near = state.near
        if not is_still_far:
            near = self._look_around(state, last, lat, lon)
        for index in near:
            self._side(state, index, last, spot)
        for pending in list(state.pending):
            found = self._follow(state, pending, spot, found)
        return found

    def _look_around(self, state: State, last: Spot | None, lat: float, lon: float) -> list[int]:
        """Find the gates near a place, and those that the way to it may have passed."""
        near, free_m = self._network.near(lat, lon)
        plane = Plane.at(lat, lon)
        half_m = free_m / math.sqrt(2.0)
        state.box_lat_deg, state.box_lon_deg = lat, lon
        state.box_half_lat_deg = half_m / plane.north_m_per_deg
        state.box_half_lon_deg = half_m / max(1.0, plane.east_m_per_deg)
        state.near = near
        state.sides = {index: side for index, side in state.sides.items() if index in near}
        if last is None or last.lat_deg is None or last.lon_deg is None:
            return near
        if math.hypot(*plane.metres(last.lat_deg, last.lon_deg)) < _LONG_CHORD_M:
            return near
        passed = self._network.along((last.lat_deg, last.lon_deg), (lat, lon), NEAR_M)
        return sorted({*near, *passed})

    def _side(self, state: State, index: int, last: Spot | None, spot: Spot) -> None:
        """See on which side of a gate's line the vehicle is, and whether that changed."""
        frame = self._network.frames[index]
        along, right = frame.place(spot.lat_deg or 0.0, spot.lon_deg or 0.0)
        if along < 0.0:
            state.sides[index] = Side(along, right, spot.net_m)
            return
        side = state.sides.get(index)
        if side is None and last is not None and last.lat_deg is not None:
            before = frame.place(last.lat_deg, last.lon_deg or 0.0)
            side = Side(*before, last.net_m) if before[0] < 0.0 else None
            if side is not None:
                state.sides[index] = side
        if side is None or along < _BEHIND_M:
            return
        del state.sides[index]
        gap = along - side.along_m
        part = -side.along_m / gap
        aside = abs(side.right_m + part * (right - side.right_m))
        reach = min(_MOST_ASIDE_M, _ASIDE_M + _ASIDE_SHARE * gap)
        if aside <= frame.half_width_m + reach:
            net = side.net_m + part * (spot.net_m - side.net_m)
            self._cross(state, index, net, spot)

    def _cross(self, state: State, index: int, net_m: float, spot: Spot) -> None:
        """A line was crossed, so it seems: wait for the run-out, unless it is the same again."""
        gate = self._network.frames[index].gate.id
        if any(pending.gate == gate for pending in state.pending):
            return
        driven = spot.driven_m - abs(spot.net_m - net_m)
        if self._is_same(state, gate, driven, spot.at_ms):
            return
        state.pending.append(
            Pending(gate, net_m, driven, spot.at_ms, driven + self._options.run_out_m,
                    spot.at_ms + 2 * self._options.again_ms)
        )  # fmt: skip

    def _is_same(self, state: State, gate: str, driven_m: float, at_ms: int) -> bool:
        """Whether the gate was passed so shortly before that it is the same passage."""
        passed = state.passed.get(gate)
        if passed is None:
            return False
        if state.motion.has_wheels:
            return driven_m - passed[0] < self._options.rearm_m
        return at_ms - passed[1] < self._options.rearm_ms or state.newest == gate

    def _follow(
        self, state: State, pending: Pending, spot: Spot, found: list[Finding]
    ) -> list[Finding]:
        """Weigh a pending crossing when it is time to; forget one that was taken back."""
        if spot.net_m < pending.net_m - _BACK_M:
            state.pending.remove(pending)
            return self._take_back(pending, found)
        if spot.driven_m < pending.next_m and spot.at_ms < pending.next_ms:
            return found
        return self._weigh(state, pending, found)

    def _weigh(
        self, state: State, pending: Pending, found: list[Finding], *, is_last: bool = False
    ) -> list[Finding]:
        """Let the evidence decide; what it cannot is weighed again later."""
        options, motion = self._options, state.motion
        index = self._index.get(pending.gate)
        frame = self._network.frames[index] if index is not None else None
        assessment = None
        if frame is not None and index is not None:
            assessment = assess(frame, self._known[index], tuple(motion.spots), pending.net_m)
        newest = motion.spots[-1]
        gone, waited = newest.driven_m - pending.driven_m, newest.at_ms - pending.at_ms
        is_over = is_last or gone > options.forget_m or waited > options.forget_ms
        if assessment is None:
            pending.next_m = newest.driven_m + options.again_m
            if is_over and pending in state.pending:
                state.pending.remove(pending)
            return found
        pending.next_m = newest.driven_m + options.again_m
        pending.next_ms = newest.at_ms + options.again_ms
        verdict, instant = assessment.verdict, assessment.instant
        is_time = gone >= options.say_m or waited >= options.say_ms or is_over
        if verdict == "rejected" and not is_time:
            return found
        if verdict != "unresolved" or is_over:
            state.pending.remove(pending)
        if verdict == "unresolved":
            if pending.is_said or not is_time:
                return found
            pending.is_said = True
        if verdict == "proven":
            state.passed[pending.gate] = (instant.driven_m, instant.at_ms)
            state.newest = pending.gate
        travelled = instant.driven_m if motion.odometer_m is not None else None
        finding = Finding(
            pending.gate, instant.at_ms, instant.uncertainty_ms, travelled, verdict,
            assessment.evidence,
        )  # fmt: skip
        pending.crossed_ms, pending.travelled_m = instant.at_ms, travelled
        return [*found, finding]

    def _take_back(self, pending: Pending, found: list[Finding]) -> list[Finding]:
        """The vehicle went back over the line in reverse: what was said of it is no more."""
        if not pending.is_said:
            return found
        evidence = Evidence(
            -MOST_LOG_RATIO, "", 0.0, 0.0, (), ("the vehicle went back over the line in reverse",)
        )
        finding = Finding(
            pending.gate, pending.crossed_ms, 0, pending.travelled_m, "rejected", evidence
        )
        return [*found, finding]

    def _break(self, state: State, spot: Spot, found: list[Finding]) -> list[Finding]:
        """The vehicle was carried, or GNSS is wrong: what was before has nothing to do with it."""
        motion = state.motion
        motion.spots.pop()
        for pending in list(state.pending):
            found = self._weigh(state, pending, found, is_last=True)
        state.pending.clear()
        state.sides.clear()
        motion.spots.clear()
        motion.spots.append(spot)
        return found


def _is_driven(last: Spot, spot: Spot, has_wheels: bool) -> bool:
    """Whether the vehicle can have come from one place to the next on its own wheels."""
    if (
        abs((spot.lat_deg or 0.0) - (last.lat_deg or 0.0)) < _SLACK_DEG
        and abs((spot.lon_deg or 0.0) - (last.lon_deg or 0.0)) < _SLACK_DEG
    ):
        return True
    east, north = Plane.at(last.lat_deg or 0.0, last.lon_deg or 0.0).metres(
        spot.lat_deg or 0.0, spot.lon_deg or 0.0
    )
    step = math.hypot(east, north)
    slack = _SLACK_M + 5.0 * max(last.sigma_m, spot.sigma_m)
    if step > _GLIDE_MPS * (spot.at_ms - last.at_ms) / 1000.0 + slack:
        return False
    return not has_wheels or step <= 1.1 * (spot.driven_m - last.driven_m) + slack

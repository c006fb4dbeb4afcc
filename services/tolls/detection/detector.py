"""From a vehicle's samples to findings: which gates it passed, when, and how sure that is.

Far from any gate a fix costs a few comparisons. Near one it is seen on which side of the line the
vehicle is; once it was before and is behind it, the crossing is pending until there is enough of a
run-out, and then the evidence decides. What stays unresolved is looked at again for a while.
"""

import hashlib
import math
from collections.abc import Sequence

from services.tolls.detection.alternatives import alternatives
from services.tolls.detection.decision import Decision, DetectionOptions
from services.tolls.detection.network import NEAR_M, Network
from services.tolls.detection.plane import Plane
from services.tolls.detection.position import HOLD_MS, Spot, is_stepped, move, wait
from services.tolls.detection.state import Side, State, dump, load
from services.tolls.facts import Finding, Sample
from services.tolls.objects import Gate, Road

__all__ = ["DetectionOptions", "Detector", "State", "dump", "load"]

_NOTHING: list[Finding] = []
_BEHIND_M = 10.0
"""So far behind the line a fix says that it was passed, rightly or not: evidence decides."""
_MOVED_SHARE = 0.5
"""Of a way back over a line the wheels have gone so much, or only GNSS wandered."""
_ASIDE_M = 90.0
"""Passing a line's end further off than this is not worth a look."""
_ASIDE_SHARE = 0.15
_MOST_ASIDE_M = 400.0
_LONG_CHORD_M = 200.0
_GLIDE_MPS = 80.0
"""No vehicle on a toll road is faster."""
_SLACK_M = 150.0
_SLACK_DEG = 0.0009
"""Less than `_SLACK_M` on either axis."""


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
        frames = self._network.frames
        places = "\n".join(f"{frame.gate.id} {frame.gate.line}" for frame in frames)
        self._gates = hashlib.sha256(places.encode()).hexdigest()[:16]
        known = alternatives(frames, gates, roads)
        self._decision = Decision(frames, known, options or DetectionOptions())

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
        waiting, found = motion.waiting, _NOTHING
        while waiting and waiting[-1].at_ms - waiting[0].at_ms > HOLD_MS:
            spot = move(motion, waiting.pop(0))
            if spot is not None:
                found = self._see(state, spot, found)
        return found

    def finish(self, state: State) -> list[Finding]:
        """Say what can be said: there will be no more samples, at least for a long while."""
        self._adopt(state)
        found = _NOTHING
        for sample in state.motion.waiting:
            spot = move(state.motion, sample)
            if spot is not None:
                found = self._see(state, spot, found)
        state.motion.waiting.clear()
        return self._decision.close(state, found)

    def _adopt(self, state: State) -> None:
        """Go on with a state of another version of the context."""
        if state.gates != self._gates:
            state.set_gates(self._gates, [frame.gate.id for frame in self._network.frames])

    def _see(self, state: State, spot: Spot, found: list[Finding]) -> list[Finding]:
        """Hold a new place against the gates near it."""
        lat, lon = spot.lat_deg or 0.0, spot.lon_deg or 0.0
        last, state.last = state.last, spot
        self._adopt(state)
        if state.staying:
            self._decision.leave(state, spot)
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
        if state.pending:
            found = self._decision.follow(state, spot, found)
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
        passed: list[int] = []
        if last is not None and last.lat_deg is not None and last.lon_deg is not None:
            step_m = math.hypot(*plane.metres(last.lat_deg, last.lon_deg))
            if step_m >= _LONG_CHORD_M:
                passed = self._network.along((last.lat_deg, last.lon_deg), (lat, lon), NEAR_M)
        found = sorted({*near, *passed})
        state.sides = {index: side for index, side in state.sides.items() if index in found}
        state.beyond = {index: side for index, side in state.beyond.items() if index in found}
        return found

    def _side(self, state: State, index: int, last: Spot | None, spot: Spot) -> None:
        """See on which side of a gate's line the vehicle is, and whether that changed."""
        frame = self._network.frames[index]
        along, right = frame.place(spot.lat_deg or 0.0, spot.lon_deg or 0.0)
        if along < 0.0:
            if along < -_BEHIND_M and index in state.beyond:
                beyond = state.beyond.pop(index)
                part = beyond.along_m / (beyond.along_m - along)
                aside = abs(beyond.right_m + part * (right - beyond.right_m))
                if abs(spot.net_m - beyond.net_m) >= _MOVED_SHARE * (beyond.along_m - along):
                    self._decision.turn_back(state, index, aside, spot)
            state.sides[index] = Side(along, right, spot.net_m)
            return
        if along >= _BEHIND_M:
            state.beyond[index] = Side(along, right, spot.net_m)
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
            self._decision.open(state, index, net, spot)

    def _break(self, state: State, spot: Spot, found: list[Finding]) -> list[Finding]:
        """The vehicle was carried, or GNSS is wrong: what was before has nothing to do with it."""
        motion = state.motion
        motion.spots.pop()
        found = self._decision.close(state, found)
        state.sides.clear()
        state.beyond.clear()
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

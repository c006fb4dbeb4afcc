"""The safety profile read back, written where it differs, read again; then the fence (pure)."""

from collections.abc import Callable, Mapping
from typing import Any

from services.drone.autopilot import Preparation, Prepare
from services.drone.mavlink.codec import mavlink
from services.drone.mavlink.intents import Target, fence_items
from services.drone.mavlink.mission import MissionTransfer
from services.drone.mavlink.parameters import Parameters, is_same
from services.drone.mavlink.profile import Profile, Row

FEWEST_CORNERS = 3


class Preparing:
    """One `Prepare` on its way."""

    def __init__(
        self,
        intent_id: int,
        intent: Prepare,
        profile: Profile,
        parameters: Parameters,
        target: Target,
        send: Callable[[Any], None],
        our_system_id: int,
    ) -> None:
        self._id = intent_id
        self._rows = profile.rows
        self._parameters = parameters
        self._known: dict[str, float] = {
            "our_system_id": float(our_system_id),
            "ceiling_m": intent.ceiling_m,
            "return_height_m": intent.return_height_m,
        }
        self._areas = intent.fence
        self._fence = MissionTransfer(
            target, fence_items(intent.fence), mavlink.MAV_MISSION_TYPE_FENCE, send, our_system_id
        )
        self._before: dict[str, float] = {}
        self._problems: list[str] = []
        self._next: Callable[[float], None] | None = self._judge

    @property
    def result(self) -> Preparation:
        """What has come of it so far."""
        written = tuple(
            f"{name} {value:g} → {self._parameters.values.get(name, float('nan')):g}"
            for name, value in self._before.items()
        )
        return Preparation(self._id, self._next is None, tuple(self._problems), written)

    def start(self, now_s: float) -> None:
        """Ask for every parameter of the profile."""
        if any(len(area.corners) < FEWEST_CORNERS for area in self._areas):
            self._problems.append("fence: an area has fewer than three corners")
            self._next = None
            return
        self._parameters.read([name for row in self._rows for name in row.names], now_s)

    def heard_mission(self, message: Any, now_s: float) -> None:
        """A message of the mission protocol."""
        self._fence.heard(message, now_s)

    def stop(self, why: str) -> None:
        """It cannot be finished."""
        self._problems.append(why)
        self._next = None

    def turn(self, now_s: float) -> None:
        """Go on as soon as what was asked is answered or given up."""
        self._fence.turn(now_s)
        if self._next is not None and not self._parameters.is_busy and self._fence.is_done:
            self._next(now_s)

    def _judge(self, now_s: float) -> None:
        wanted: dict[str, float] = {}
        for row in self._rows:
            name, value = self._held(row)
            if name is None:
                continue
            should = self._should(row, name, value)
            if should is None or is_same(should, value):
                continue
            if row.may_write:
                wanted[name] = should
                self._before[name] = value
            else:
                self._problems.append(_mismatch(name, value, should, row))
        self._parameters.write(wanted, now_s)
        self._next = self._written

    def _held(self, row: Row) -> tuple[str | None, float]:
        for name in row.names:
            value = self._parameters.values.get(name)
            if value is not None:
                if row.stands_for:
                    self._known[row.stands_for] = value / row.scale.get(name, 1.0)
                return name, value
        if not row.is_optional:
            names = " or ".join(row.names)
            self._problems.append(f"{names} cannot be read; {row.why}")
        return None, 0.0

    def _should(self, row: Row, name: str, value: float) -> float | None:
        try:
            return self._parameters.fits(name, row.allowed(name, value, self._known))
        except (KeyError, ZeroDivisionError) as error:
            self._problems.append(f"{name} cannot be checked: {error!r} is not known; {row.why}")
            return None

    def _written(self, now_s: float) -> None:
        self._parameters.read(list(self._before), now_s)
        self._next = self._reread

    def _reread(self, now_s: float) -> None:
        values: Mapping[str, float] = self._parameters.values
        for row in self._rows:
            for name in row.names:
                if name not in self._before:
                    continue
                value = values.get(name)
                if value is None:
                    self._problems.append(f"{name} cannot be read again; {row.why}")
                    continue
                should = self._should(row, name, value)
                if should is not None and not is_same(should, value):
                    self._problems.append(_mismatch(name, value, should, row))
        self._fence.start(now_s)
        self._next = self._fenced

    def _fenced(self, _now_s: float) -> None:
        if self._fence.problem:
            self._problems.append(f"fence: {self._fence.problem}")
        self._next = None


def _mismatch(name: str, value: float, should: float, row: Row) -> str:
    return f"{name} is {value:g}, not {should:g}: {row.why}"

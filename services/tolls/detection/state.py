"""What the detector remembers of a vehicle, and its bytes."""

from collections import deque
from collections.abc import Collection
from dataclasses import astuple, dataclass, field

import orjson

from services.tolls.detection.position import KEPT, Motion, Spot
from services.tolls.facts import Sample

_FORMAT = 2
_PLAIN = (
    "newest_ms", "passed_ms", "at_ms", "net_m", "driven_m", "speed_mps", "odometer_m", "base_m",
    "is_reverse", "moved_ms",
)  # fmt: skip
"""What of a `Motion` is a number."""


@dataclass(slots=True)
class Side:
    """The last place before a gate's line.

    Attributes:
        along_m: Along the gate's way, below 0.
        right_m: To its right.
        net_m: By the wheels.
    """

    along_m: float
    right_m: float
    net_m: float


@dataclass(slots=True)
class Pending:
    """A crossing that evidence is still gathered for.

    Attributes:
        gate: Its id.
        net_m: Where about it was crossed, by the wheels.
        driven_m: The same, always counted up.
        at_ms: When it was noticed,
        noticed_m: and at which way driven.
        next_m: Way driven at which it is weighed next,
        next_ms: or time.
        is_said: Whether it was said to be unresolved,
        crossed_ms: with this instant,
        travelled_m: and this distance.
        is_back: Whether the vehicle went back over the line,
        is_doubtful: or may have.
    """

    gate: str
    net_m: float
    driven_m: float
    at_ms: int
    noticed_m: float
    next_m: float
    next_ms: int
    is_said: bool = False
    crossed_ms: int = 0
    travelled_m: float | None = None
    is_back: bool = False
    is_doubtful: bool = False


@dataclass(slots=True)
class State:
    """All that is remembered of one vehicle.

    Attributes:
        motion: Its way.
        gates: The detector's, in short: with others `near` means nothing.
        last: Its last place.
        near: The gates near it, as places in the detector's list.
        sides: Those it is or was before.
        beyond: Those it is or was behind, and where.
        backed: Gates passed against their direction, and at which way driven.
        pending: Crossings that are not decided.
        passed: The last proven passage of each gate: way driven and instant.
        newest: The gate passed last.
        staying: Gates passed without wheels that it has not left since.
        box_lat_deg: Middle of the box in which `near` does not change.
        box_lon_deg: The same.
        box_half_lat_deg: Half its height.
        box_half_lon_deg: Half its width.
    """

    motion: Motion = field(default_factory=Motion)
    gates: str = ""
    last: Spot | None = None
    near: list[int] = field(default_factory=list)
    sides: dict[int, Side] = field(default_factory=dict)
    beyond: dict[int, Side] = field(default_factory=dict)
    backed: dict[str, float] = field(default_factory=dict)
    pending: list[Pending] = field(default_factory=list)
    passed: dict[str, tuple[float, int]] = field(default_factory=dict)
    newest: str | None = None
    staying: list[str] = field(default_factory=list)
    box_lat_deg: float = 0.0
    box_lon_deg: float = 0.0
    box_half_lat_deg: float = -1.0
    box_half_lon_deg: float = -1.0

    def set_clock(self) -> None:
        """Forget what compares instants: the clock was set back."""
        motion = self.motion
        motion.newest_ms = motion.passed_ms = motion.at_ms = None
        motion.spots.clear()
        self.last = None
        self.set_gates(self.gates, ())

    def set_gates(self, gates: str, names: Collection[str]) -> None:
        """Forget what is said by a gate's place in the detector's list, and gates that are gone.

        Args:
            gates: The detector's, in short.
            names: Their ids.
        """
        self.gates = gates
        self.pending = [pending for pending in self.pending if pending.gate in names]
        self.staying = [gate for gate in self.staying if gate in names]
        self.near, self.sides, self.beyond = [], {}, {}
        self.box_half_lat_deg = -1.0


def dump(state: State) -> bytes:
    """A state as bytes, exact: what goes on from them finds the same."""
    motion = state.motion
    return orjson.dumps(
        {
            "format": _FORMAT,
            "waiting": [astuple(sample) for sample in motion.waiting],
            "motion": {name: getattr(motion, name) for name in _PLAIN},
            "anchor": motion.anchor,
            "spots": [tuple(spot) for spot in motion.spots],
            "gates": state.gates,
            "last": None if state.last is None else tuple(state.last),
            "near": state.near,
            "sides": [[index, *astuple(side)] for index, side in state.sides.items()],
            "beyond": [[index, *astuple(side)] for index, side in state.beyond.items()],
            "backed": state.backed,
            "pending": [astuple(pending) for pending in state.pending],
            "passed": state.passed,
            "newest": state.newest,
            "staying": state.staying,
            "box": [
                state.box_lat_deg, state.box_lon_deg, state.box_half_lat_deg,
                state.box_half_lon_deg,
            ],
        }
    )  # fmt: skip


def load(kept: bytes) -> State:
    """The state that `dump` wrote.

    Raises:
        ValueError: The bytes are of another format; begin anew.
    """
    found = orjson.loads(kept)
    written = found.get("format") if isinstance(found, dict) else None
    if written != _FORMAT:
        raise ValueError(f"a detector's state of format {written}: begin anew")
    motion = Motion(
        waiting=[Sample(*sample) for sample in found["waiting"]],
        anchor=tuple(found["anchor"]) if found["anchor"] else None,
        spots=deque((Spot(*spot) for spot in found["spots"]), maxlen=KEPT),
        **found["motion"],
    )
    return State(
        motion,
        found["gates"],
        Spot(*found["last"]) if found["last"] else None,
        found["near"],
        {index: Side(*side) for index, *side in found["sides"]},
        {index: Side(*side) for index, *side in found["beyond"]},
        found["backed"],
        [Pending(*pending) for pending in found["pending"]],
        {gate: (driven, at_ms) for gate, (driven, at_ms) in found["passed"].items()},
        found["newest"],
        found["staying"],
        *found["box"],
    )

"""Two services for one drone: which of them stays (pure)."""

from enum import Enum, auto

from internetcar.contract.drone import DronePresence, State
from internetcar.contract.message import milliseconds
from services.drone.broker.telling import Identity

ON_GROUND: frozenset[State] = frozenset({"offline", "docked", "preflight", "fault"})


class Verdict(Enum):
    """What a presence heard on our own topic means to us."""

    OURS = auto()
    """Our own words came back."""
    FALSE = auto()
    """It hides that we are here: an old will, or a service that came after us. Say it again."""
    LATER = auto()
    """Another was there before us, and nothing of ours is in the air: we go."""
    BOTH = auto()
    """Another was there before us, and both fly: a person has to choose, neither is ended."""


def judge(heard: DronePresence, own: Identity, state: State) -> Verdict:
    """What a presence that was said just now means to the service that does `state`."""
    if not heard.online:
        return Verdict.FALSE
    if heard.instance == own.instance:
        return Verdict.OURS
    theirs, ours = milliseconds(heard.since), own.since_utc_ms
    if (theirs, heard.instance) > (ours, own.instance):
        return Verdict.FALSE
    return Verdict.LATER if state in ON_GROUND else Verdict.BOTH


def words(of: Identity, since: str) -> str:
    """Why a service ends, for a person."""
    return (
        f"another service flies {of.drone_id} of {of.vehicle_id} on this broker{since};"
        " end that one first, or give this drone a drone_id of its own"
    )

"""One trip out of what a car told from on to off, as if its log had been heard (pure)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from internetcar.contract.presence import Clock, Origin
from internetcar.contract.trips import TripEnded, TripProgress, TripStarted
from services.trips import telling
from services.trips.domain import Ended, Follower
from services.trips.observing import Detail
from services.trips.reading import Known
from services.trips.state import State


@dataclass
class Followed:
    """What is said of a trip, in this order, and the reading it comes from."""

    started: TripStarted
    ended: TripEnded
    run: str
    progress: list[TripProgress] = field(default_factory=list)


def follow(
    vehicle_id: str,
    moments: Iterable[tuple[int, dict[str, Known]]],
    settings: Collection[str],
    origin: Origin,
    clock: Clock,
) -> Followed | None:
    """Follow a car through one trip; `None` where it is none.

    Args:
        vehicle_id: Whose.
        moments: What was told when, UTC ms, in the order of time; the first that it is on.
        settings: Leaves that count as settings.
        origin: Of what is told.
        clock: Of it.
    """
    follower = Follower(vehicle_id, State(journal="told", origin=origin, clock=clock), settings)
    for at_ms, told in moments:
        if not follower.state.end_ms:
            follower.connect(at_ms, at_ms, clock, origin, is_next=False)
        follower.state.reading.at_ms.update(dict.fromkeys(told, at_ms))
        follower.on_moment(at_ms, told)
        follower.on_time(at_ms)
    follower.finish()
    return _found(follower)


def _found(follower: Follower) -> Followed | None:
    """The first whole trip among what happened."""
    started: TripStarted | None = None
    progress: list[TripProgress] = []
    details: list[Detail] = []
    for event in follower.events:
        if isinstance(event, TripStarted):
            started = started or event
        elif isinstance(event, TripProgress):
            progress.append(event)
        elif isinstance(event, Ended):
            ended = telling.ended(follower.vehicle_id, event.trip, details)
            if started is None or ended.is_dropped:
                return None
            return Followed(started, ended, event.trip.run, progress)
        else:
            details.append(event)
    return None

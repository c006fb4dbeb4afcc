"""What could not be taken in: counted, and said while it goes on (pure)."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from internetcar.contract.drone_health import DroneHealth
from internetcar.contract.message import Message, instant
from services.drone.broker import telling
from services.drone.broker.telling import Identity
from services.drone.moment import Moment

EVERY_S = 1.0
LASTS_S = 60.0
"""So long after it was last seen a problem is one."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was not taken in since the start; named as in `DroneHealth`."""

    requests_dropped: int = 0
    states_dropped: int = 0
    unreadable: int = 0
    strangers: int = 0
    foreign: int = 0
    unsigned: int = 0
    junk_bytes: int = 0


_WORDS = {
    "requests_dropped": "requests are dropped: they come faster than they are answered",
    "states_dropped": "states of car and weather are dropped: too many topics, or too long",
    "unreadable": "messages come that break the contract",
    "strangers": "strangers send to the autopilot's port",
    "unsigned": "MAVLink packets come without a right signature",
}
"""What a person should look at. Other systems on a shared MAVLink line are usual, as is noise."""


class HealthKeeper:
    """Says the health when it changes, at most once a second, and each problem's coming and going.

    Args:
        identity: Which drone.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._last = Tally()
        self._said: tuple[Tally, tuple[str, ...]] | None = None
        self._said_s = 0.0
        self._rose_s: dict[str, float] = {}

    def greet(self) -> None:
        """A broker may have forgotten: say it again."""
        self._said = None

    def look(self, tally: Tally, now: Moment, *, twin: bool = False) -> Iterator[Message]:
        """What is to be said.

        Args:
            tally: As of now.
            now: When.
            twin: Whether another service speaks for this drone, too.
        """
        rising = {name for name in _WORDS if getattr(tally, name) > getattr(self._last, name)}
        self._last = tally
        for name in [*sorted(rising), *(["twin"] if twin else [])]:
            if name not in self._rose_s:
                yield telling.health(self._identity, now, name, 1, _words(name))
            self._rose_s[name] = now.s
        for name in [name for name, at_s in self._rose_s.items() if now.s - at_s > LASTS_S]:
            del self._rose_s[name]
            yield telling.health(self._identity, now, name, 0, f"no more: {_words(name)}")
        says = tally, tuple(self._rose_s)
        if says != self._said and not (self._said and 0 <= now.s - self._said_s < EVERY_S):
            self._said, self._said_s = says, now.s
            yield self._health(tally, now)

    def _health(self, tally: Tally, now: Moment) -> DroneHealth:
        return DroneHealth(
            vehicle_id=self._identity.vehicle_id,
            drone_id=self._identity.drone_id,
            at=instant(now.utc_ms),
            problems=[_words(name) for name in self._rose_s],
            **asdict(tally),
        )


def _words(name: str) -> str:
    return _WORDS.get(name, "another service speaks for this drone too: end one of them")

"""Other services that speak for our drone: heard and answered, ended never (pure).

Anybody who may write the topic can say that he is one, so it ends nothing: a person chooses.
"""

from collections.abc import Iterable, Iterator

from internetcar.contract.drone import DroneOsd, DronePresence, DroneReply, DroneState, State
from internetcar.contract.message import Message
from services.drone.broker.telling import Identity

EVERY_S = 2.0
"""How often we answer: two that answer each other know so long that they are two."""
LASTS_S = 10.0
"""So long after it was last heard another one is there; its will is heard before."""
_MOST = 10


class Twins:
    """Who else speaks for a drone.

    Args:
        own: We.
    """

    def __init__(self, own: Identity) -> None:
        self._own = own
        self._heard_s: dict[str, float] = {}
        self._is_owed = False
        self._answered_s: float | None = None

    def hear(self, heard: DronePresence, now_s: float) -> None:
        """Take what was said just now on our own topic."""
        if not heard.online:  # an old will of ours, or another's: it hides that we are here
            self._heard_s.pop(heard.instance, None)
            self._is_owed = True
        elif heard.instance != self._own.instance:
            if heard.instance in self._heard_s or len(self._heard_s) < _MOST:
                self._heard_s[heard.instance] = now_s
            self._is_owed = True

    def are_heard(self, now_s: float) -> bool:
        """Whether another one is there."""
        self._heard_s = {
            name: at_s for name, at_s in self._heard_s.items() if now_s - at_s <= LASTS_S
        }
        return bool(self._heard_s)

    def is_answer_due(self, now_s: float) -> bool:
        """Whether to say again that we are here; then it counts as said."""
        since_s = None if self._answered_s is None else now_s - self._answered_s
        if not self._is_owed or (since_s is not None and since_s < EVERY_S):
            return False
        self._is_owed, self._answered_s = False, now_s
        return True


def ours(messages: Iterable[Message], state: State) -> Iterator[Message]:
    """What we say beside another service: who does not hear the drone leaves it to who may."""
    for message in messages:
        is_no = isinstance(message, DroneReply) and message.data.result != 0
        is_left = is_no or isinstance(message, DroneState | DroneOsd)
        if state != "offline" or not is_left:
            yield message

"""The mission protocol: lists go up and down, item by item, for three kinds of list (pure)."""

from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.copter.items import (
    FENCE_CIRCLE_EXCLUSION,
    FENCE_RETURN_POINT,
    GLOBAL_FRAMES,
    RALLY_POINT,
    FenceItemsError,
    Item,
    zones,
)
from simulator.copter.state import State

MISSION, FENCE, RALLY, ALL = 0, 1, 2, 255
"""MAV_MISSION_TYPE."""
ACCEPTED, ERROR, UNSUPPORTED_FRAME, UNSUPPORTED, NO_SPACE = 0, 1, 2, 3, 4
INVALID_PARAMETER, INVALID_SEQUENCE, DENIED, CANCELLED = 5, 13, 14, 15
"""MAV_MISSION_RESULT."""
MOST_ITEMS = 700
RETRY_S = 1.0
GIVE_UP_S = 8.0
_NEEDS_PLACE = frozenset({5000, 5001, 5002, 5003, 5004, 5100})


class Peer(NamedTuple):
    """Who speaks to us."""

    system_id: int
    component_id: int


class Reply(NamedTuple):
    """What to send back: `request` an item, `ack`, `count` or an `item`."""

    kind: str
    peer: Peer
    number: int
    list_type: int
    item: Item | None = None


@dataclass(slots=True)
class _Upload:
    peer: Peer
    list_type: int
    count: int
    items: list[Item] = field(default_factory=list)
    heard_s: float = 0.0
    asked_s: float = 0.0


def stored(state: State, list_type: int) -> tuple[Item, ...] | None:
    """A list as it is kept; `None`: there is no such list."""
    if list_type == MISSION:
        return state.mission
    if list_type == FENCE:
        return state.fence_items
    return state.rally if list_type == RALLY else None


def store(state: State, list_type: int, items: tuple[Item, ...]) -> int:
    """Keep a list that is complete; the MAV_MISSION_RESULT."""
    if list_type == FENCE:
        try:
            state.fence = zones(items, state.plane)
        except FenceItemsError:
            return ERROR
        state.fence_items = items
        state.parameters["FENCE_TOTAL"] = len(items)
    elif list_type == RALLY:
        state.rally = items
        state.parameters["RALLY_TOTAL"] = len(items)
    else:
        state.mission = items
        state.parameters["MIS_TOTAL"] = max(0, len(items))
        state.auto.index = min(state.auto.index, max(1, len(items) - 1))
        state.auto.is_entered = False
    return ACCEPTED


class Lists:
    """One upload at a time, and as many downloads as are asked for."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._upload: _Upload | None = None
        self.replies: list[Reply] = []
        """What to send; whoever sends it empties it."""

    def on_count(self, peer: Peer, list_type: int, count: int) -> None:
        """MISSION_COUNT: somebody wants to write a list."""
        upload = self._upload
        if stored(self._state, list_type) is None:
            self._ack(peer, UNSUPPORTED, list_type)
        elif count > MOST_ITEMS:
            self._ack(peer, NO_SPACE, list_type)
        elif upload and (upload.peer, upload.list_type) != (peer, list_type):
            self._ack(peer, DENIED, list_type)
        elif count == 0:
            self._ack(peer, store(self._state, list_type, ()), list_type)
        else:
            self._upload = _Upload(peer, list_type, count, heard_s=self._state.now_s)
            self._ask(self._upload)

    def on_item(self, peer: Peer, list_type: int, sequence: int, item: Item) -> None:
        """MISSION_ITEM_INT: one item of the list that is written."""
        upload = self._upload
        if upload is None or upload.list_type != list_type:
            self._ack(peer, ERROR, list_type)
        elif upload.peer != peer:
            self._ack(peer, DENIED, list_type)
        elif sequence != len(upload.items):
            self._ack(peer, INVALID_SEQUENCE, list_type)
        else:
            wrong = _fault(list_type, item)
            if wrong:
                self._upload = None
                self._ack(peer, wrong, list_type)
                return
            upload.items.append(item)
            upload.heard_s = self._state.now_s
            if len(upload.items) < upload.count:
                self._ask(upload)
            else:
                self._upload = None
                self._ack(peer, store(self._state, list_type, tuple(upload.items)), list_type)

    def on_request_list(self, peer: Peer, list_type: int) -> None:
        """MISSION_REQUEST_LIST: somebody wants to read a list."""
        items = stored(self._state, list_type)
        if items is None:
            self._ack(peer, UNSUPPORTED, list_type)
        else:
            self.replies.append(Reply("count", peer, len(items), list_type))

    def on_request(self, peer: Peer, list_type: int, sequence: int) -> None:
        """MISSION_REQUEST_INT (or MISSION_REQUEST): one item of it."""
        items = stored(self._state, list_type)
        if items is None or not 0 <= sequence < len(items):
            self._ack(peer, UNSUPPORTED if items is None else INVALID_SEQUENCE, list_type)
        else:
            self.replies.append(Reply("item", peer, sequence, list_type, items[sequence]))

    def on_clear(self, peer: Peer, list_type: int) -> None:
        """MISSION_CLEAR_ALL."""
        if self._upload is not None:
            self._ack(peer, ERROR, list_type)
            return
        kinds = (MISSION, FENCE, RALLY) if list_type == ALL else (list_type,)
        if any(stored(self._state, kind) is None for kind in kinds):
            self._ack(peer, UNSUPPORTED, list_type)
            return
        for kind in kinds:
            store(self._state, kind, ())
        self._ack(peer, ACCEPTED, list_type)

    def turn(self) -> None:
        """Ask again for an item that does not come; give up in the end."""
        upload = self._upload
        if upload is None:
            return
        if self._state.now_s - upload.heard_s > GIVE_UP_S:
            self._upload = None
            self._ack(upload.peer, CANCELLED, upload.list_type)
        elif self._state.now_s - upload.asked_s > RETRY_S:
            self._ask(upload)

    def _ask(self, upload: _Upload) -> None:
        upload.asked_s = self._state.now_s
        self.replies.append(Reply("request", upload.peer, len(upload.items), upload.list_type))

    def _ack(self, peer: Peer, result: int, list_type: int) -> None:
        self.replies.append(Reply("ack", peer, result, list_type))


def _fault(list_type: int, item: Item) -> int:
    """The MAV_MISSION_RESULT that refuses an item; 0: it is taken."""
    is_fence = FENCE_RETURN_POINT <= item.command <= FENCE_CIRCLE_EXCLUSION
    if is_fence != (list_type == FENCE) or (item.command == RALLY_POINT) != (list_type == RALLY):
        return UNSUPPORTED
    if item.frame not in GLOBAL_FRAMES and item.command in _NEEDS_PLACE:
        return UNSUPPORTED_FRAME
    return ACCEPTED if item.is_sane else INVALID_PARAMETER

"""Lists of items up and down: missions, and fences, by the mission protocol (pure)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from services.drone.mavlink.codec import COMPONENT_ID, mavlink

ANSWER_S = 0.7
LAST_S = 1.5
"""After the last item: an autopilot that lacks it asks for it again every second."""
TRIES = 10
STARTS = 5
"""How often an upload may begin anew."""
REPEATS = 120
"""In all, of one transfer."""
MAX_ITEMS = 255
"""ArduPilot counts the items of a fence in a byte."""


@dataclass(frozen=True, slots=True)
class MissionItem:
    """One item with a place; latitude and longitude in 1e-7 degrees."""

    command: int
    param1: float
    x: int
    y: int


class _Step(Enum):
    COUNT = "count"
    ITEMS = "items"
    CLEAR = "clear"
    LIST = "list"
    FETCH = "fetch"
    DONE = "done"


class MissionTransfer:
    """Upload a list, then download it and compare: only what came back counts as there."""

    def __init__(
        self,
        target: tuple[int, int],
        items: Sequence[MissionItem],
        mission_type: int,
        send: Callable[[Any], None],
        system_id: int,
    ) -> None:
        self.problem = ""
        """Why it failed, once it is done."""
        self._target = target
        self._items = tuple(items)
        self._type = mission_type
        self._send = send
        self._system_id = system_id
        self._step = _Step.DONE
        self._sent = 0
        self._due_s = 0.0
        self._last: Any = None
        self._stored: list[MissionItem] = []
        self._stored_count = 0
        self._starts = 0
        self._repeats = 0
        self._last_seq = -1
        self._is_acknowledged = False

    @property
    def is_done(self) -> bool:
        """Verified, or given up."""
        return self._step is _Step.DONE

    def start(self, now_s: float) -> None:
        """Announce the list; an empty one clears what is there."""
        if len(self._items) > MAX_ITEMS:
            self._give_up(f"{len(self._items)} items are more than the {MAX_ITEMS} that can be")
            return
        self._starts += 1
        self._is_acknowledged = False
        self._last_seq = -1
        if self._items:
            count = mavlink.MAVLink_mission_count_message(
                *self._target, len(self._items), self._type
            )
            self._say(_Step.COUNT, count, now_s)
        else:
            clear = mavlink.MAVLink_mission_clear_all_message(*self._target, self._type)
            self._say(_Step.CLEAR, clear, now_s)

    def heard(self, message: Any, now_s: float) -> None:
        """A message of the mission protocol from the target."""
        if message.mission_type != self._type or message.target_system not in (0, self._system_id):
            return
        if message.target_component not in (0, COMPONENT_ID):
            return
        match message.get_type():
            case "MISSION_REQUEST" | "MISSION_REQUEST_INT":
                self._asked(message.seq, now_s)
            case "MISSION_ACK":
                self._acknowledged(message.type, now_s)
            case "MISSION_COUNT" if self._step is _Step.LIST:
                self._counted(message.count, now_s)
            case "MISSION_ITEM_INT" if self._step is _Step.FETCH:
                self._fetched(message, now_s)

    def turn(self, now_s: float) -> None:
        """Say the last thing again, or give up.

        The last item is not: an autopilot that has it is not receiving any more, and its answer
        was lost. What it has stored is looked at instead; one that lacks the item asks again.
        """
        if self.is_done or now_s < self._due_s:
            return
        self._repeats += 1
        if self._sent >= TRIES or self._repeats > REPEATS:
            self._give_up(f"no answer while at {self._step.value}")
            return
        if self._step is _Step.ITEMS and self._last_seq == len(self._items) - 1:
            self._list(now_s)
            return
        self._send(self._last)
        self._sent += 1
        self._due_s = now_s + ANSWER_S

    def _say(self, step: _Step, message: Any, now_s: float) -> None:
        self._step, self._last = step, message
        self._send(message)
        self._sent = 1
        self._due_s = now_s + ANSWER_S

    def _asked(self, seq: int, now_s: float) -> None:
        if self._step not in (_Step.COUNT, _Step.ITEMS, _Step.LIST) or seq >= len(self._items):
            return
        self._last_seq = seq
        item = self._items[seq]
        self._say(_Step.ITEMS, self._message(seq, item), now_s)
        if seq == len(self._items) - 1:
            self._due_s = now_s + LAST_S

    def _message(self, seq: int, item: MissionItem) -> Any:
        frame, zero = mavlink.MAV_FRAME_GLOBAL, 0.0
        return mavlink.MAVLink_mission_item_int_message(
            *self._target, seq, frame, item.command, 0, 1, item.param1, zero, zero, zero,
            item.x, item.y, zero, self._type,
        )  # fmt: skip

    def _acknowledged(self, result: int, now_s: float) -> None:
        if self._step in (_Step.DONE, _Step.LIST, _Step.FETCH):
            return
        if result == mavlink.MAV_MISSION_ACCEPTED:
            if self._step is _Step.CLEAR or self._last_seq == len(self._items) - 1:
                self._is_acknowledged = True
                self._list(now_s)
            return
        if result == mavlink.MAV_MISSION_INVALID_SEQUENCE:
            return
        if result == mavlink.MAV_MISSION_OPERATION_CANCELLED and self._starts < STARTS:
            self.start(now_s)
            return
        entry = mavlink.enums["MAV_MISSION_RESULT"].get(result)
        self._give_up(f"refused: {entry.name if entry else result}")

    def _list(self, now_s: float) -> None:
        self._stored = []
        ask = mavlink.MAVLink_mission_request_list_message(*self._target, self._type)
        self._say(_Step.LIST, ask, now_s)

    def _counted(self, count: int, now_s: float) -> None:
        if count != len(self._items):
            self._differ(f"{count} items are stored, not {len(self._items)}", now_s)
            return
        self._stored_count = count
        self._fetch(now_s)

    def _fetch(self, now_s: float) -> None:
        seq = len(self._stored)
        if seq == self._stored_count:
            ack = mavlink.MAVLink_mission_ack_message(
                *self._target, mavlink.MAV_MISSION_ACCEPTED, self._type
            )
            self._send(ack)
            self._step = _Step.DONE
            return
        ask = mavlink.MAVLink_mission_request_int_message(*self._target, seq, self._type)
        self._say(_Step.FETCH, ask, now_s)

    def _fetched(self, message: Any, now_s: float) -> None:
        seq = len(self._stored)
        if message.seq != seq:
            return
        item = MissionItem(message.command, message.param1, message.x, message.y)
        if item != self._items[seq]:
            self._differ(f"item {seq} is stored as {item}, not {self._items[seq]}", now_s)
            return
        self._stored.append(item)
        self._fetch(now_s)

    def _differ(self, problem: str, now_s: float) -> None:
        """What is stored is not what was sent; if nobody said that it was, it is sent again."""
        if self._is_acknowledged or self._starts >= STARTS:
            self._give_up(problem)
        else:
            self.start(now_s)

    def _give_up(self, problem: str) -> None:
        self.problem = problem
        self._step = _Step.DONE

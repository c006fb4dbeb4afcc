"""A bus that speaks J1939: its messages by parameter group, long ones put together (pure)."""

from gateway.drain import FrameSink
from gateway.j1939 import J1939Message, J1939Reassembler, parse_id
from gateway.j1939_leaves import identity
from gateway.pipeline import Pipeline
from internetcar.socketcan import EXTENDED

MAX_IDS = 4_096
"""Ids whose message is remembered; a hostile sender has half a billion."""


class J1939Bus:
    """Hands frames on under the id that the databases know them by.

    A database has each parameter group under one id, with one priority and one source address;
    a frame with others means the same. Where several sources say one group, the one that the
    database names counts, else the first that was heard: no leaf jumps between two controllers.

    Args:
        onward: Takes the frames, of whatever length.
    """

    def __init__(self, bus: int, pipeline: Pipeline, onward: FrameSink) -> None:
        self._bus = bus
        self._pipeline = pipeline
        self._onward = onward
        self._reassembler = J1939Reassembler()
        self._known = pipeline.decoder.messages[bus]
        self._as: dict[int, int] = {}
        self._groups: dict[int, int] = {}
        for can_id in self._known:
            if can_id & EXTENDED:
                self._groups.setdefault(parse_id(can_id).pgn, can_id)
        self._sources: dict[int, int] = {}

    def feed(self, bus: int, can_id: int, payload: bytes, at_ns: int) -> None:
        """Take one frame, as the sink of a drain."""
        self._onward(bus, self._find(can_id), payload, at_ns)
        message = self._reassembler.feed(bus, can_id, payload, at_ns)
        if message is not None:
            self._tell(message)

    def _tell(self, message: J1939Message) -> None:
        """Take a message that is longer than a frame, to the database if it is known there."""
        for path, value in identity(message).items():
            self._pipeline.tell(path, value, "valid", message.at_ns)
        can_id = self._find(message.can_id)
        if can_id in self._known:
            self._onward(message.bus, can_id, message.payload, message.at_ns)

    def _find(self, can_id: int) -> int:
        """The id a database knows a frame by; else its own."""
        if (known := self._as.get(can_id)) is not None:
            return known
        found, source = can_id, parse_id(can_id).source
        if can_id in self._known:
            if self._sources.get(can_id, source) != source:  # it was another's until now
                self._as = {each: meant for each, meant in self._as.items() if meant != can_id}
            self._sources[can_id] = source
        elif can_id & EXTENDED:
            group = self._groups.get(parse_id(can_id).pgn)
            if group is not None and self._sources.setdefault(group, source) == source:
                found = group
        if len(self._as) < MAX_IDS:
            self._as[can_id] = found
        return found

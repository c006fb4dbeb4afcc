"""One message of one bus: what has come of it, and what decodes it."""

import struct
from collections.abc import Callable, Collection, Sequence
from typing import Any

from gateway.checks import Check, CheckRule
from gateway.codegen import generate
from gateway.databases import MessageDefinition
from gateway.definitions import Number
from gateway.layout import Group

Changes = Sequence[tuple[int, Number]]
Steps = dict[bytes, Any]
"""Next payload → (what it changes, the steps from there, its word)."""

MAX_NODES = 32
"""Payloads remembered per message: two rounds of a counter of four bits."""
MAX_STEPS = 2
"""Payloads remembered as followers of one payload."""
MIN_RECURRENCE = 4
"""Frames per new payload below which remembering costs more than it saves."""
PAUSE_FRAMES = 1024
"""How long a message whose payloads did not recur is not remembered."""
FOR_EVER = 1 << 62


class MessageState:
    """One message of one bus: its definition, and what has come of it.

    Attributes:
        indices: of its signals in `Decoder.signals`.
        frames: how many came, repeated ones included.
        last_at_ns: when the newest came, repeated or not; 0 before the first.
        short: changed frames too short for some wanted signal.
        unknown_selectors: changed frames whose multiplexer has a value the database does not know.
        previous: the newest payload.
        steps: next payload → what it changes, the steps from there, and its word.
        decode: the generated code; it takes a payload that is neither the previous nor remembered.
        word: the newest bits of all signals, if they fit in one.
        ready: the length of payload that contains all signals, once all have come; else -1.
        pause: number of frames up to which steps are not remembered.
        rejected: frames with a wrong counter or checksum; they change nothing.
        failing: whether the newest frame was rejected.
        accepted: of a protected message, the newest payload that passed its check.
    """

    __slots__ = (
        "accepted", "bus", "decode", "definition", "failing", "frames", "indices", "last_at_ns",
        "pause", "previous", "ready", "rejected", "short", "steps", "unknown_selectors", "word",
    )  # fmt: skip

    def __init__(self, bus: int, definition: MessageDefinition, first_index: int) -> None:
        self.bus = bus
        self.definition = definition
        self.indices = range(first_index, first_index + len(definition.signals))
        self.frames = self.last_at_ns = self.short = self.unknown_selectors = 0
        self.previous: bytes | None = None
        self.steps: Steps = _NOWHERE
        self.decode: Callable[[bytes], Changes] = _nothing
        self.word = self.pause = 0
        self.ready = -1
        self.rejected = 0
        self.failing = False
        self.accepted: bytes | None = None

    def build(self, wanted: Collection[int] | None) -> None:
        """Compiles the decoder of this message."""
        program = generate(self.definition.signals, self.indices.start, wanted)
        if not program.groups:
            return
        space: dict[str, Any] = {"__builtins__": {"len": len}}
        exec(compile(program.source, f"<decoder {self.definition.can_id:#x}>", "exec"), space)
        self.decode = space["bind"](
            self,
            int.from_bytes,
            _Merge(self, program.groups),
            _Memory(self).remember,
            _NOWHERE,
            _half,
            _single,
            _double,
            self._count_unknown,
        )

    @property
    def newest(self) -> bytes | None:
        """The newest payload, of a protected message the newest that passed its check."""
        return self.accepted or self.previous

    def keep(self) -> None:
        """Keeps the newest payload of a message of which nothing is decoded."""
        if self.decode is _nothing:
            self.decode = self._keep

    def _keep(self, payload: bytes) -> Changes:
        self.previous = payload
        return ()

    def protect(self, rule: CheckRule, on_check: "OnCheck") -> None:
        """Lets only frames that pass the check reach the decoder.

        The check comes before the comparison with the previous payload: a payload that repeats is
        a counter that stands still. Only an accepted frame becomes the previous one.
        """
        accept = Check(rule, self.definition.signals).accept
        decode = self.decode
        self.pause = FOR_EVER

        def checked(payload: bytes) -> Changes:
            is_good = accept(payload)
            if is_good == self.failing:
                self.failing = not is_good
                on_check(self)
            if not is_good:
                self.rejected += 1
                return ()
            if payload == self.accepted:
                return ()
            self.accepted = payload
            changes = decode(payload)
            self.previous = None
            return changes

        self.decode = checked

    def _count_unknown(self) -> None:
        self.unknown_selectors += 1


_NOWHERE: Steps = {}
"""The steps from a payload that is not remembered; always empty."""


OnCheck = Callable[[MessageState], None]


class _Merge:
    """What generated code calls for a group's first frame and for unusual lengths.

    It lets bits that did not come keep what they were, so that one state serves all lengths.
    """

    def __init__(self, state: MessageState, groups: Sequence[Group]) -> None:
        self._state = state
        self._groups = groups
        self._unseen = [group.mask for group in groups]

    def __call__(self, number: int, new: int, word: int, size: int) -> tuple[int, int, int]:
        """The bits to look at, the word to keep, and the length that needs no further call."""
        there = missing = 0
        for field in self._groups[number].fields:
            if field.end <= size:
                there |= field.mask
            else:
                missing += 1
        if missing:
            self._state.short += 1
        diff = ((new ^ word) | self._unseen[number]) & there
        self._unseen[number] &= ~there
        usual = -1 if missing or self._unseen[number] else size
        return diff, (new & there) | (word & ~there), usual


class _Memory:
    """What one message's payloads are known to be followed by: a counter's rounds recur.

    Only payloads that came before are worth it; a measured value hardly ever comes back.
    """

    def __init__(self, state: MessageState) -> None:
        self._state = state
        self._nodes: dict[bytes, Steps] = {}
        self._candidates: set[bytes] = set()
        self._since = 0

    def remember(self, payload: bytes, word: int, changes: Changes) -> None:
        """Takes the step to a payload; `changes` may still be empty and is filled by the caller."""
        state = self._state
        node = self._nodes.get(payload)
        if node is None:
            if payload not in self._candidates:
                self._propose(payload)
                state.steps = _NOWHERE
                return
            node = self._admit(payload)
        steps = state.steps
        if steps is not _NOWHERE:
            if len(steps) >= MAX_STEPS:
                steps.clear()
            steps[payload] = changes, node, word
        state.steps = node

    def _propose(self, payload: bytes) -> None:
        if len(self._candidates) >= MAX_NODES:
            self._candidates.clear()
            frames = self._state.frames
            if frames - self._since < MIN_RECURRENCE * MAX_NODES:
                self._state.pause = frames + PAUSE_FRAMES
            self._since = frames
        self._candidates.add(payload)

    def _admit(self, payload: bytes) -> Steps:
        """The node of a payload that came before."""
        if len(self._nodes) >= MAX_NODES:
            for node in self._nodes.values():
                node.clear()
            self._nodes.clear()
        self._nodes[payload] = {}
        return self._nodes[payload]


def _nothing(payload: bytes) -> Changes:
    return ()


def _half(raw: int) -> float:
    return struct.unpack("<e", raw.to_bytes(2, "little"))[0]  # type: ignore[no-any-return]


def _single(raw: int) -> float:
    return struct.unpack("<f", raw.to_bytes(4, "little"))[0]  # type: ignore[no-any-return]


def _double(raw: int) -> float:
    return struct.unpack("<d", raw.to_bytes(8, "little"))[0]  # type: ignore[no-any-return]

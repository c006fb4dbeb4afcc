"""Turns frames into the signals that changed.

A payload is compared with the previous one of its identifier; only signals whose bits changed are
computed. Every frame, repeated or not, is counted and dated.
"""

import struct
from collections.abc import Collection, Mapping, Sequence

from gateway.checks import CheckRule
from gateway.databases import Database
from gateway.definitions import SignalDefinition, define_signal
from gateway.message_state import Changes, MessageState, OnCheck

__all__ = ["Changes", "Decoder", "MessageState", "SignalDefinition", "signal_definitions"]

NOT_DATA = 0x6000_0000
"""Remote frames and error frames carry no signals."""
MAX_UNKNOWN_IDS = 4096
"""Unknown identifiers counted one by one, per bus; a hostile sender has half a billion."""


class Decoder:
    """Decodes the frames of several buses.

    Attributes:
        signals: every signal by its index, wanted or not.
        messages: per bus, the state of each message by `can_id`.
        errors: per bus, frames whose decoding failed.
        unknown: per bus, frames that no database knows, by `can_id`; at most `MAX_UNKNOWN_IDS`.
        unknown_frames: per bus, how many frames no database knows.
    """

    def __init__(
        self,
        buses: Sequence[Sequence[Database]],
        wanted: Collection[int] | None = None,
        checked: Mapping[tuple[int, int], CheckRule] | None = None,
        on_check: OnCheck = lambda state: None,
    ) -> None:
        """Compiles the decoders.

        Args:
            buses: per bus its databases; where two know the same identifier, the first counts.
            wanted: indices of signals to report, as `signal_definitions` has them; `None`: all.
            checked: (bus, `can_id`) → how that message is protected.
            on_check: called when a protected message begins or ceases to fail its check.

        Raises:
            CheckRuleError: a rule does not fit its message.
        """
        self.signals, self.messages = _states(buses)
        keep = None if wanted is None else frozenset(wanted)
        for states in self.messages:
            for state in states.values():
                state.build(keep)
        for (bus, can_id), rule in (checked or {}).items():
            if protected := self.state(bus, can_id):
                protected.protect(rule, on_check)
        self.errors = [0] * len(buses)
        self.unknown: list[dict[int, int]] = [{} for _ in buses]
        self.unknown_frames = [0] * len(buses)

    def decode(self, bus: int, can_id: int, payload: bytes, at_ns: int) -> Changes:
        """The signals that changed with this frame: (index, physical number) each.

        The first frame of an identifier reports all its signals.
        """
        try:
            state = self.messages[bus][can_id]
        except KeyError:
            return self._count_unknown(bus, can_id)
        state.frames += 1
        state.last_at_ns = at_ns
        if state.previous == payload:
            return ()
        step = state.steps.get(payload)
        if step is not None:
            state.previous = payload
            changes, state.steps, state.word = step
            return changes  # type: ignore[no-any-return]  # a recursive type cannot be said
        try:
            return state.decode(payload)
        except (ArithmeticError, ValueError, struct.error):
            self.errors[bus] += 1
            return ()

    def state(self, bus: int, can_id: int) -> MessageState | None:
        """What has come of a message; `None` if no database of the bus knows it."""
        return self.messages[bus].get(can_id)

    def _count_unknown(self, bus: int, can_id: int) -> Changes:
        if not can_id & NOT_DATA:
            self.unknown_frames[bus] += 1
            unknown = self.unknown[bus]
            if can_id in unknown or len(unknown) < MAX_UNKNOWN_IDS:
                unknown[can_id] = unknown.get(can_id, 0) + 1
        return ()


def signal_definitions(buses: Sequence[Sequence[Database]]) -> list[SignalDefinition]:
    """Every signal of every bus, numbered as a `Decoder` for the same databases numbers them."""
    return _states(buses)[0]


def _states(
    buses: Sequence[Sequence[Database]],
) -> tuple[list[SignalDefinition], list[dict[int, MessageState]]]:
    signals: list[SignalDefinition] = []
    messages: list[dict[int, MessageState]] = []
    for bus, databases in enumerate(buses):
        states: dict[int, MessageState] = {}
        for database in databases:
            for definition in database.messages:
                if definition.can_id in states:
                    continue
                states[definition.can_id] = MessageState(bus, definition, len(signals))
                for signal in definition.signals:
                    signals.append(define_signal(len(signals), bus, definition, signal))
        messages.append(states)
    return signals, messages

"""Frames in, paced samples out: decode, map and pace as one step (pure)."""

from collections.abc import Sequence

from cantools.database.can import Signal

from gateway.checks import reader
from gateway.decode import Decoder, MessageState
from gateway.freshness import Freshness
from gateway.layout import field_mask
from gateway.mapping import UNMAPPABLE, BoundLeaf
from gateway.pacing import Pace, Pacer, Sample
from internetcar.contract.message import Value
from internetcar.contract.signals import Quality

FRESHNESS_INTERVAL_NS = 100_000_000


class Pipeline:
    """The way of a frame to the samples it causes.

    `now_ns` is the monotonic clock (in a replay the recording's own time); whoever feeds frames
    sets it before each drain. `feed` is the sink of a drain.

    Beside the leaves that are signals of frames there may be told ones, whose values come whole
    (`tell`): they are only paced. Their indices follow those of the others.
    """

    def __init__(
        self,
        decoder: Decoder,
        leaves: Sequence[BoundLeaf],
        paces: Sequence[Pace],
        judged: list[MessageState] | None = None,
        told: Sequence[str] = (),
    ) -> None:
        """Prepare.

        Args:
            decoder: Of the leaves' signals.
            leaves: What is said.
            paces: How often, for each leaf; then for each told one.
            judged: Where the decoder puts a message that begins or ceases to fail its check.
            told: Paths of leaves that come whole.
        """
        self.decoder = decoder
        self._judged = [] if judged is None else judged
        self.leaves = leaves
        self.newly_told: list[str] = []
        """Told leaves that had their first value; whoever says the catalog empties it."""
        self._told = {path: len(leaves) + index for index, path in enumerate(told)}
        self.pacer = Pacer(paces, self.is_current)
        self.unmappable = [0] * len(leaves)
        self._is_said = [True] * len(leaves)
        self.now_ns = 0
        self.messages = [state for states in decoder.messages for state in states.values()]
        self.freshness = Freshness(
            self.messages,
            [state.definition.cycle_time_ms for state in self.messages],
            len(decoder.messages),
        )
        self._next_check_ns = 0
        self._decode = decoder.decode
        self._numbers: list[int | float | None] = [None] * len(decoder.signals)
        self._routes = _routes(leaves, len(decoder.signals))
        self._message_of = [self._find_message(bound) for bound in leaves]
        self._bytes = [self._find_bytes(leaf) for leaf in range(len(leaves))]
        self._leaves_of = _leaves_of(self._message_of)

    def succeed(self, former: "Pipeline") -> None:
        """Take the place of another on the same databases: its time and its counts go on.

        The last frame of each message is fed again, since it may not come a second time; what it
        says is in `state`.
        """
        self.now_ns = former.now_ns
        for state, known in zip(self.messages, former.messages, strict=True):
            if (payload := known.newest) is not None:
                self.feed(state.bus, state.definition.can_id, payload, known.last_at_ns)
            state.frames, state.last_at_ns = known.frames, known.last_at_ns
        self.freshness.succeed(former.freshness)
        for index, state in enumerate(self.messages):
            if self.freshness.is_stale(index):
                self._fall_stale(state)
        self.decoder.unknown_frames[:] = former.decoder.unknown_frames
        self.decoder.errors[:] = former.decoder.errors
        counted = {bound.path: former.unmappable[leaf] for leaf, bound in enumerate(former.leaves)}
        self.unmappable = [counted.get(bound.path, 0) for bound in self.leaves]
        self.succeed_told(former)

    def succeed_told(self, former: "Pipeline") -> None:
        """Take over what another was told, as said already: it is in `state`."""
        for path, leaf in former._told.items():
            value, quality, at_ns = former.pacer.known(leaf)
            if quality is not None:
                self.tell(path, value, quality, at_ns)
        self.pacer.flush(self.now_ns)

    def feed(self, bus: int, can_id: int, payload: bytes, at_ns: int) -> None:
        """Take one frame: its changed signals become values of leaves, for pacing to judge."""
        changes = self._decode(bus, can_id, payload, at_ns)
        if changes:
            numbers = self._numbers
            for signal, number in changes:
                numbers[signal] = number
            for signal, _ in changes:
                for leaf in self._routes[signal]:
                    self._offer(leaf, at_ns)
        if self._judged:
            self._judge(at_ns)

    def tell(self, path: str, value: Value, quality: Quality, at_ns: int) -> None:
        """Take the value of a told leaf; a path that is none here is passed over."""
        leaf = self._told.get(path)
        if leaf is None:
            return
        if self.pacer.newest(leaf)[1] is None:
            self.newly_told.append(path)
        self.pacer.offer(leaf, value, quality, at_ns, self.now_ns)
        self.pacer.confirm(leaf, at_ns)

    def doubt(self, path: str) -> None:
        """Mark a told leaf as stale: its value was expected again, and did not come."""
        leaf = self._told.get(path)
        if leaf is not None and self.pacer.newest(leaf)[1] == "valid":
            self.pacer.requalify(leaf, "stale", self.now_ns)

    def take(self) -> list[Sample]:
        """The samples due at `now_ns`."""
        now_ns = self.now_ns
        if now_ns >= self._next_check_ns:
            self._next_check_ns = now_ns + FRESHNESS_INTERVAL_NS
            return self._check(now_ns) + self.pacer.take(now_ns)
        return self.pacer.take(now_ns)

    def state(self) -> list[Sample]:
        """Every leaf seen so far as it is now, its instant that of the last frame that said it."""
        for leaf, bound in enumerate(self.leaves):
            self._confirm(leaf, bound)
        return self.pacer.state()

    def _offer(self, leaf: int, at_ns: int) -> None:
        bound = self.leaves[leaf]
        number = self._numbers[bound.signal_index]
        if number is None:
            return
        for selector, wanted in bound.selectors:
            if self._numbers[selector] != wanted:
                return
        value = bound.translate(number)
        self._is_said[leaf] = value is not UNMAPPABLE
        if value is UNMAPPABLE:
            self.unmappable[leaf] += 1
        elif value is None:
            self.pacer.offer(leaf, None, "not_available", at_ns, self.now_ns)
        elif isinstance(value, int | float) and not bound.low <= value <= bound.high:
            self.pacer.offer(leaf, value, "out_of_range", at_ns, self.now_ns)
        else:
            self.pacer.offer(leaf, value, "valid", at_ns, self.now_ns)

    def _judge(self, at_ns: int) -> None:
        """Mark the leaves of messages that fail their counter or checksum; unmark what is well."""
        for message in self._judged:
            for leaf in self._leaves_of.get(message, ()):
                if message.failing:
                    self.pacer.requalify(leaf, "error", self.now_ns)
                else:
                    self._offer(leaf, at_ns)
        self._judged.clear()

    def _check(self, now_ns: int) -> list[Sample]:
        changes = self.freshness.check(now_ns)
        for message in changes.gone:
            self._fall_stale(self.messages[message])
        for message in changes.back:
            state = self.messages[message]
            for leaf in () if state.failing else self._leaves_of.get(state, ()):
                self._offer(leaf, state.last_at_ns)
        silent = self.pacer.silent(now_ns)
        for leaf in silent:
            if leaf < len(self.leaves):
                self._confirm(leaf, self.leaves[leaf])
        return self.pacer.repeat(silent, now_ns) if silent else []

    def _fall_stale(self, message: MessageState) -> None:
        for leaf in self._leaves_of.get(message, ()):
            if self.pacer.newest(leaf)[1] == "valid":  # what was no good value grows no better
                self.pacer.requalify(leaf, "stale", self.now_ns)

    def messages_of_bus(self, bus: int) -> set[MessageState]:
        """The CAN messages of a bus that some leaf needs."""
        return {message for message in self._message_of if message.bus == bus}

    def message_of(self, leaf: int) -> MessageState:
        """The CAN message a leaf comes from."""
        return self._message_of[leaf]

    def number_of(self, leaf: int) -> int | float | None:
        """The newest number of a leaf's signal; `None` before its first frame."""
        return self._numbers[self.leaves[leaf].signal_index]

    def is_current(self, leaf: int) -> bool:
        """Whether the newest frame of its message said a leaf, as far as a frame shows it.

        False for one that fails its check, that is too short, that means another leaf or that the
        rule has no value for.
        """
        message = self._message_of[leaf]
        payload = message.newest
        return (
            self._is_said[leaf]
            and not message.failing
            and (payload is None or len(payload) >= self._bytes[leaf])
            and all(
                self._numbers[signal] == wanted for signal, wanted in self.leaves[leaf].selectors
            )
        )

    def says(self, leaf: int) -> bool:
        """Whether the newest frame of its message said a leaf, of a multiplexed one its page."""
        payload = self._message_of[leaf].newest
        if payload is None or not self.is_current(leaf):
            return False
        signal = self._signal_of(leaf)
        by_name = {each.name: each for each in self._message_of[leaf].definition.signals}
        while (multiplexer := by_name.get(signal.multiplexer_signal or "")) is not None:
            if reader(multiplexer)(payload) not in (signal.multiplexer_ids or ()):
                return False
            signal = multiplexer
        return True

    def period_ns(self, leaf: int) -> int | None:
        """How far apart the frames of a leaf's message are; `None` while it is not known."""
        return self.freshness.period_ns(self.messages.index(self._message_of[leaf]))

    def _confirm(self, leaf: int, bound: BoundLeaf) -> None:
        """Date a leaf with its message's newest frame, if that frame said it."""
        is_paged = bound.selectors or self._signal_of(leaf).multiplexer_ids
        if not is_paged and self.is_current(leaf):
            self.pacer.confirm(leaf, self._message_of[leaf].last_at_ns)

    def _find_bytes(self, leaf: int) -> int:
        """How long a payload must be to contain the leaf's signal."""
        return (field_mask(self._signal_of(leaf)).bit_length() + 7) // 8

    def _signal_of(self, leaf: int) -> Signal:
        message = self._message_of[leaf]
        return message.definition.signals[self.leaves[leaf].signal_index - message.indices.start]

    def _find_message(self, bound: BoundLeaf) -> MessageState:
        signal = self.decoder.signals[bound.signal_index]
        return self.decoder.messages[signal.bus][signal.can_id]


def _routes(leaves: Sequence[BoundLeaf], signal_count: int) -> list[tuple[int, ...]]:
    """For each signal the leaves that must be looked at when it changes."""
    routes: list[list[int]] = [[] for _ in range(signal_count)]
    for leaf, bound in enumerate(leaves):
        for signal in {bound.signal_index, *(selector for selector, _ in bound.selectors)}:
            routes[signal].append(leaf)
    return [tuple(route) for route in routes]


def _leaves_of(message_of: Sequence[MessageState]) -> dict[MessageState, tuple[int, ...]]:
    found: dict[MessageState, list[int]] = {}
    for leaf, message in enumerate(message_of):
        found.setdefault(message, []).append(leaf)
    return {message: tuple(leaves) for message, leaves in found.items()}

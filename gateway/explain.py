"""Why a leaf is said, or not: from its frame to what was published (pure).

A recording is followed frame by frame (`Trace`); of a running gateway is told what it says itself.
"""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from gateway.assembly import Assembly
from gateway.mapping import BoundLeaf
from gateway.pacing import Pace, Sample
from gateway.traffic import id_text
from internetcar.contract.message import InputError, Value
from internetcar.contract.presence import Health, Presence
from internetcar.contract.signals import CatalogLeaf, Signal

STEP_NS = 1_000_000


class Step(NamedTuple):
    """One step on the way from the bus to the broker."""

    title: str
    """`frame`, `signal`, `leaf` or `published`."""
    text: str


class NoSuchLeafError(InputError):
    """The leaf is not one of those that can be said; names the nearest."""


def no_such_leaf(path: str, known: Iterable[str]) -> NoSuchLeafError:
    """The error for a path that is none of the known ones."""
    names = list(known)
    near = difflib.get_close_matches(path, names, n=4, cutoff=0.6)
    last = path.rpartition(".")[2].lower()
    if len(last) > 2:
        near += [name for name in names if last in name.lower() and name not in near]
    hint = f"near it: {', '.join(near[:6])}" if near else f"there are {len(names)} others"
    return NoSuchLeafError(f"{path}: no such leaf here; {hint}")


class Trace:
    """Follows one leaf while a recording goes through a pipeline.

    Args:
        assembly: Whose pipeline has had no frame yet.
        path: The leaf.
        bus_names: The buses' names.
        default_pace: For a leaf whose mapping says nothing of pacing.

    Raises:
        NoSuchLeafError: The assembly has no such leaf.
    """

    def __init__(
        self, assembly: Assembly, path: str, bus_names: Sequence[str], default_pace: Pace
    ) -> None:
        if path not in assembly.paths:
            raise no_such_leaf(path, assembly.paths)
        if path in assembly.told:
            source = assembly.told[path].source
            raise NoSuchLeafError(f"{path}: told by {source}, not by a signal; leave out --log")
        self._pipeline = assembly.pipeline
        self._leaf = assembly.paths.index(path)
        self._bus_names = bus_names
        self._bound = self._pipeline.leaves[self._leaf]
        self._default_pace = default_pace
        self._message = self._pipeline.message_of(self._leaf)
        self._signal = self._pipeline.decoder.signals[self._bound.signal_index]
        self._sent: list[Sample] = []
        self._bus_frames = 0
        self._next_ns = 0

    def feed(self, bus: int, can_id: int, payload: bytes, at_ns: int) -> None:
        """Take one frame of the recording, in its order."""
        pipeline = self._pipeline
        pipeline.now_ns = max(pipeline.now_ns, at_ns)
        pipeline.feed(bus, can_id, payload, at_ns)
        if bus == self._signal.bus:
            self._bus_frames += 1
        if at_ns >= self._next_ns:
            self._next_ns = at_ns + STEP_NS
            self._note(pipeline.take())

    def steps(self) -> list[Step]:
        """The way of the leaf, after the last frame."""
        self._note(self._pipeline.pacer.flush(self._pipeline.now_ns))
        return [
            Step("frame", self._frame()),
            Step("signal", self._signal_text()),
            Step("leaf", f"{_rule(self._bound)}; {self._value()}"),
            Step("published", self._published()),
        ]

    @property
    def is_published(self) -> bool:
        """Whether the leaf was said at least once."""
        return bool(self._sent)

    def _note(self, samples: Sequence[Sample]) -> None:
        self._sent += [sample for sample in samples if sample.leaf == self._leaf]

    def _age(self, at_ns: int) -> str:
        return f"{(self._pipeline.now_ns - at_ns) / 1e9:.3f} s before the end"

    def _frame(self) -> str:
        state, bus = self._message, self._bus_names[self._signal.bus]
        name = f"{bus} {id_text(self._signal.can_id)} {self._signal.message}"
        if not state.frames:
            return f"{name}: none came, of {self._bus_frames} frames of {bus}"
        period_ns = self._pipeline.freshness.period_ns(self._pipeline.messages.index(state))
        period = f", every {period_ns / 1e6:.0f} ms" if period_ns else ""
        return f"{name}: {state.frames} times{period}, last {self._age(state.last_at_ns)}"

    def _signal_text(self) -> str:
        signal, number = self._signal, self._number
        where = f"{signal.signal}, {signal.bits} bits"
        if number is None:
            return f"{where}: never carried by a frame"
        raw = (
            number
            if signal.is_float or not signal.scale
            else round((number - signal.offset) / signal.scale)
        )
        name = signal.choices.get(int(raw)) if math.isfinite(raw) else None
        named = f" ({name})" if name else ""
        return f"{where}: raw {raw} is {_text(number)} {signal.unit}".rstrip() + named

    @property
    def _number(self) -> int | float | None:
        return self._pipeline.number_of(self._leaf)

    def _value(self) -> str:
        value, quality = self._pipeline.pacer.newest(self._leaf)
        refused = self._pipeline.unmappable[self._leaf]
        unmappable = f"; {refused} changes have no value in its rule" if refused else ""
        if quality is None:
            return f"no value{unmappable}"
        return f"{_text(value)}, {quality}{unmappable}"

    def _published(self) -> str:
        if self._sent:
            last = self._sent[-1]
            return (
                f"{len(self._sent)} times, last {_text(last.value)} ({last.quality}),"
                f" {self._age(last.at_ns)}; {self._pace()}"
            )
        return f"no: {self._reason()}"

    def _reason(self) -> str:
        if not self._message.frames:
            return "its frame did not come; `car identify` says whether this is the right database"
        if self._number is None:
            return "its frame came, but too short or with another multiplexer value"
        if self._pipeline.unmappable[self._leaf]:
            return "its rule has no value for any number that came; `car mapping lint` says more"
        return "the multiplexer never had the value its rule wants"

    def _pace(self) -> str:
        pace = self._bound.rule.pace(self._default_pace)
        least_ms = pace.interval_ns / 1e6
        interval = f"on change, {least_ms:.0f} ms apart at least" if least_ms else "each change"
        deadband = f", if it moved by {pace.deadband:g}" if pace.deadband else ""
        repeat_s = pace.max_interval_ns / 1e9
        again = f", unchanged every {repeat_s:g} s" if repeat_s else ""
        return f"{interval}{deadband}{again}"


def _rule(bound: BoundLeaf) -> str:
    rule = bound.rule
    kind = f"{rule.datatype} {rule.unit or ''}".strip()
    transform = rule.source.transform if rule.source else None
    if transform is None:
        return f"{kind}, the number as it is"
    if transform.math is not None:
        return f"{kind}, math {transform.math}"
    return f"{kind}, a table of {len(transform.mapping or ())} values"


def _text(value: Value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@dataclass
class Heard:
    """What a running gateway says about itself and one leaf."""

    presence: Presence | None = None
    health: Health | None = None
    signal: Signal | None = None
    leaves: dict[str, CatalogLeaf] = field(default_factory=dict)


def explain_heard(path: str, heard: Heard, now: datetime) -> list[Step]:
    """The way of a leaf in a running gateway, as far as the broker knows it.

    Raises:
        NoSuchLeafError: The gateway's catalog has no such leaf.
    """
    leaf = heard.leaves.get(path)
    if leaf is None:
        raise no_such_leaf(path, heard.leaves)
    bus, _, source = leaf.source.partition("/")
    return [
        Step("gateway", _gateway(heard.presence, now)),
        Step("frame", _bus(bus, source.partition(".")[0], heard)),
        Step("signal", source.partition(".")[2] or "not said in the catalog"),
        Step("leaf", _leaf(path, leaf, heard.health)),
        Step("published", _heard_signal(path, heard, now)),
    ]


def _gateway(presence: Presence | None, now: datetime) -> str:
    if presence is None:
        return "never heard on this broker"
    state = "online" if presence.online else "offline: what follows is what it said before"
    asleep = ", asleep: every bus is silent, the last values hold" if presence.asleep else ""
    since_s = (now - presence.since).total_seconds()
    return f"{presence.vehicle_id} {state}{asleep}; started {since_s:.0f} s ago, {presence.origin}"


def _bus(bus: str, message: str, heard: Heard) -> str:
    state = heard.presence.buses.get(bus) if heard.presence else None
    health = heard.health.buses.get(bus) if heard.health else None
    place = f" ({state.interface}) is {state.state}" if state else ""
    counts = (
        f", {health.frames} frames, {health.frames_per_s:.0f} a second, {health.unknown_ids} of"
        " unknown identifiers"
        if health
        else ", its health was not heard"
    )
    return f"{message} on {bus}{place}{counts}"


def _leaf(path: str, leaf: CatalogLeaf, health: Health | None) -> str:
    refused = health.unmappable.get(path, 0) if health else 0
    unmappable = f"; {refused} changes have no value in its rule" if refused else ""
    again = f", unchanged every {leaf.max_interval_ms / 1e3:g} s" if leaf.max_interval_ms else ""
    return f"{leaf.datatype} {leaf.unit or ''}".strip() + f", said on change{again}{unmappable}"


def _heard_signal(path: str, heard: Heard, now: datetime) -> str:
    signal, health = heard.signal, heard.health
    if signal is not None:
        age_s = (now - signal.at).total_seconds()
        stale = {
            "stale": ": its frame stopped coming while its bus talks on",
            "out_of_range": ": beyond the limits of its leaf or signal",
            "not_available": ": the car says that it has none",
            "error": ": its counter or checksum is wrong",
        }.get(signal.quality, "")
        return f"{_text(signal.value)}, {signal.quality}{stale}; its frame is {age_s:.1f} s old"
    if health and health.unmappable.get(path):
        return "no: its rule has no value for any number that came; `car mapping lint` says more"
    if heard.presence and not heard.presence.online:
        return "no: the gateway is offline"
    return "no: its frame has not come since the gateway started; `car dbc coverage` on a recording"


def unsaid(path: str, warnings: Iterable[str], settable: Mapping[str, bool]) -> str | None:
    """Why a mapping's leaf is not one that can be said here; `None` where the mapping has it not.

    Args:
        path: The leaf.
        warnings: Of the assembly.
        settable: The mapping's leaves → whether they can only be set.
    """
    if path not in settable:
        return None
    if settable[path]:
        return f"{path}: its mapping only sets it (vss2dbc); nothing says how to read it (dbc2vss)"
    return next((text for text in warnings if text.startswith(f"{path}: ")), None)

"""Decoding and change filter beside cantools and opendbc: `python -m tests.bench.decode`.

One core, both buses of the Kona's drive, start-up outside the clock. Each side finds the same
changes, which is proved frame by frame before anything is timed.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from cantools.database.can import Database as CanDatabase

from gateway.databases import Database, load_database
from gateway.decode import Decoder, signal_definitions
from tests.bench import kona
from tests.bench.report import CannotMeasureError, Figure, main, progress
from tests.kona import PROTECTED

Frame = tuple[int, int, bytes, int]
Wanted = Mapping[tuple[int, int], frozenset[str]]
Change = tuple[str, int | float]

ROUNDS = 9
BATCH_NS = 10_000_000
"""How much of the bus opendbc's parser gets at once; openpilot's loop runs at 100 Hz."""
UNWANTED = ("check", "chk", "crc", "cnt", "count", "alive")
"""In the names of counters and checksums."""


def by_decoder(frames: Sequence[Frame], decoder: Decoder) -> Iterator[list[Change]]:
    """The changes of each frame, by name."""
    names = [definition.signal for definition in decoder.signals]
    for frame in frames:
        yield [(names[index], value) for index, value in decoder.decode(*frame)]


def run_decoder(frames: Sequence[Frame], decoder: Decoder) -> None:
    decode = decoder.decode
    for bus, can_id, payload, at_ns in frames:
        decode(bus, can_id, payload, at_ns)


def run_cantools(frames: Sequence[Frame], databases: Sequence[CanDatabase]) -> None:
    for bus, can_id, payload, _ in frames:
        databases[bus].decode_message(can_id, payload, decode_choices=False, allow_truncated=True)


def by_cantools(
    frames: Sequence[Frame], databases: Sequence[CanDatabase], wanted: Wanted | None
) -> Iterator[list[Change]]:
    """The changes of each frame: decode everything and compare with what was before."""
    last: dict[tuple[int, int], Any] = {}
    for bus, can_id, payload, _ in frames:
        values: Any = databases[bus].decode_message(
            can_id, payload, decode_choices=False, allow_truncated=True
        )
        key = (bus, can_id)
        before = last.get(key, {})
        if wanted is None:
            yield [(name, now) for name, now in values.items() if before.get(name) != now]
        else:
            names = wanted[key]
            yield [
                (name, now)
                for name, now in values.items()
                if name in names and before.get(name) != now
            ]
        last[key] = values


Batch = tuple[int, list[tuple[int, bytes, int]]]


def batches(frames: Sequence[Frame]) -> list[Batch]:
    """The frames as opendbc's parser takes them."""
    found = []
    for _, run in groupby(frames, key=lambda frame: frame[3] // BATCH_NS):
        some = list(run)
        found.append((some[-1][3], [(can_id, payload, bus) for bus, can_id, payload, _ in some]))
    return found


def by_opendbc(batched: Sequence[Batch], parsers: Sequence[Any]) -> Iterator[Change]:
    """The changes of all frames: every value the parser saw, compared with the one before."""
    last: dict[tuple[int, int, str], float] = {}
    for batch in batched:
        for bus, parser in enumerate(parsers):
            for can_id in parser.update([batch]):
                for name, values in parser.vl_all[can_id].items():
                    key = (bus, can_id, name)
                    for value in values:
                        if last.get(key) != value:
                            last[key] = value
                            yield name, value


def opendbc_parsers(databases: Sequence[Database]) -> list[Any]:
    """One parser a bus, for every message."""
    from opendbc.can.parser import CANParser  # slow to import, and only here

    sources = [str(kona.FOLDER / "pcan.fixed.dbc"), "hyundai_kia_generic"]
    return [
        CANParser(source, [(message.can_id, 0) for message in database.messages], bus)
        for bus, (source, database) in enumerate(zip(sources, databases, strict=True))
    ]


def exhaust(changes: Iterable[object]) -> None:
    for _ in changes:
        pass


class Contest:
    """The drive, and every side's way of decoding it."""

    def __init__(self) -> None:
        self.databases = [load_database(source) for source in kona.DATABASES.values()]
        self.buses = [[database] for database in self.databases]
        known = [{message.can_id for message in database.messages} for database in self.databases]
        channels = list(kona.DATABASES)
        frames = [
            (channels.index(name), can_id, data, at) for name, can_id, data, at in kona.frames()
        ]
        self.frames = [frame for frame in frames if frame[1] in known[frame[0]]]
        self.batches = batches(self.frames)
        self.peers = [
            CanDatabase([message.source for message in database.messages], strict=False)
            for database in self.databases
        ]
        definitions = signal_definitions(self.buses)
        kept = [d for d in definitions if not any(word in d.signal.lower() for word in UNWANTED)]
        self.wanted_indices = {definition.index for definition in kept}
        wanted = {(d.bus, d.can_id, d.signal) for d in kept}
        self.wanted = {
            (bus, message.can_id): frozenset(
                signal.name
                for signal in message.signals
                if (bus, message.can_id, signal.name) in wanted
            )
            for bus, database in enumerate(self.databases)
            for message in database.messages
        }

    def plain(self) -> Decoder:
        return Decoder(self.buses)

    def masked(self) -> Decoder:
        return Decoder(self.buses, wanted=self.wanted_indices)

    def checked(self) -> Decoder:
        return Decoder(self.buses, checked=PROTECTED)

    def verify(self) -> None:
        """Proves that all sides find the same changes.

        Raises:
            CannotMeasureError: they do not; a ratio would mean nothing.
        """
        contestants = {"plain": self.plain(), "checked": self.checked(), "masked": self.masked()}
        for name, decoder in contestants.items():
            wanted = self.wanted if name == "masked" else None
            theirs = by_cantools(self.frames, self.peers, wanted)
            for ours, peers in zip(by_decoder(self.frames, decoder), theirs, strict=True):
                if sorted(ours) != sorted(peers):
                    raise CannotMeasureError(f"{name}: {ours} is not what cantools finds: {peers}")
        parsed = Counter(by_opendbc(self.batches, opendbc_parsers(self.databases)))
        ours_all = by_decoder(self.frames, self.plain())
        if parsed != Counter(change for changes in ours_all for change in changes):
            raise CannotMeasureError("opendbc's parser does not find the same changes")

    def runs(self) -> Mapping[str, Callable[[], Callable[[], None]]]:
        """What is timed: each prepares (outside the clock) and returns what to run."""
        frames, peers, wanted = self.frames, self.peers, self.wanted

        def ours(make: Callable[[], Decoder]) -> Callable[[], Callable[[], None]]:
            def prepare() -> Callable[[], None]:
                decoder = make()
                return lambda: run_decoder(frames, decoder)

            return prepare

        def opendbc() -> Callable[[], None]:
            parsers = opendbc_parsers(self.databases)
            return lambda: exhaust(by_opendbc(self.batches, parsers))

        return {
            "plain": ours(self.plain),
            "masked": ours(self.masked),
            "checked": ours(self.checked),
            "cantools": lambda: lambda: run_cantools(frames, peers),
            "cantools filter": lambda: lambda: exhaust(by_cantools(frames, peers, None)),
            "cantools masked": lambda: lambda: exhaust(by_cantools(frames, peers, wanted)),
            "opendbc": opendbc,
        }


def fastest(runs: Mapping[str, Callable[[], Callable[[], None]]]) -> dict[str, float]:
    """The best of several rounds in seconds of processor time; all sides take turns."""
    best = dict.fromkeys(runs, float("inf"))
    for number in range(ROUNDS):
        progress(f"round {number + 1} of {ROUNDS}")
        for name, prepare in runs.items():
            run = prepare()
            began = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - began)
    return best


def measure() -> list[Figure]:
    try:
        contest = Contest()
    except ValueError as error:
        raise CannotMeasureError(str(error)) from error
    contest.verify()
    best = fastest(contest.runs())
    for name, seconds in best.items():
        progress(f"{name}: {seconds / len(contest.frames) * 1e6:.2f} µs a frame")

    def ratio(name: str, peer: str, ours: str, bar: float = 0) -> Figure:
        value = best[peer] / best[ours]
        meaning = f"times as fast as {peer}"
        if not bar:
            return Figure(name, value, meaning)
        return Figure(name, value, meaning, f"at least {bar:g}", value >= bar)

    return [
        ratio("decode_vs_cantools", "cantools", "plain"),
        ratio("filter_vs_cantools_filter", "cantools filter", "plain", 8),
        ratio("filter_masked_vs_cantools_filter", "cantools masked", "masked"),
        ratio("filter_checked_vs_cantools_filter", "cantools filter", "checked"),
        ratio("filter_vs_opendbc", "opendbc", "plain", 15),
    ]


if __name__ == "__main__":
    main(measure, "Decoding and filtering both buses of the Kona, one core")

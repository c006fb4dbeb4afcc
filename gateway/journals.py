"""The journals on disk: batches the broker has not got yet, and those it has, kept as history.

A row is one batch, in the order of sending. Its number runs on over all journals, so a journal's
sequence is the number less the journal's `base`. What the broker has acknowledged rides in the
newest row (`behind`: how many numbers it is back), so it costs no write of its own.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gateway.dictionaries import Dictionaries
from gateway.outbox import DamagedError, Limits, OutboxError, OutboxFile, StorageError
from gateway.telemetry import Batch, Previous, not_kept, parse_own, state_loss
from internetcar.contract.telemetry import Telemetry

log = logging.getLogger(__name__)

_MARK_S = 600
_SLACK_BYTES = 1 << 20
_NUMBERS_REMEMBERED = 1 << 20
_FORGET_JOURNALS = """
DELETE FROM journals WHERE number < (SELECT max(number) FROM journals WHERE base <= ?)"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A committed batch, by its number in the outbox."""

    number: int
    payload: bytes


class _Span(NamedTuple):
    """A journal's numbers: beyond `base`, up to `end`."""

    journal: str
    base: int
    end: int


class Journals:
    """All the journals of one vehicle that are still on disk.

    Attributes:
        previous: The journal that was written last when it was opened; `None` for a fresh one.
        newest: The newest number committed.
        acknowledged: The number up to which the broker has everything.
        unsent_bytes: Stored size of what is beyond `acknowledged`.
        history_bytes: Stored size of what is not.
        given_up: Batches that have become a stated loss here since it was opened.
    """

    def __init__(self, path: Path, vehicle_id: str, limits: Limits) -> None:
        self.file = OutboxFile(path, vehicle_id, limits.reserve_bytes)
        self._dictionaries = Dictionaries(self.file)
        self._limits = limits
        self._vehicle_id = vehicle_id
        self._journal: str | None = None
        self._base = 0
        self.given_up = 0
        self.newest = self.acknowledged = self.unsent_bytes = self.history_bytes = 0
        self._ran_before_s = self._marked_s = 0
        try:
            self._read()
            spans = self._spans()
        except BaseException:
            self.file.abandon()
            raise
        self._written = {span.journal for span in spans}
        last = next((span for span in reversed(spans) if span.end > span.base), None)
        self.previous = Previous(last.journal, last.end - last.base) if last else None

    def _read(self) -> None:
        rows = self.file.rows("SELECT number, behind FROM batches ORDER BY number DESC LIMIT 1")
        self.newest, behind = rows[0] if rows else (0, 0)
        self.acknowledged = self.newest - behind
        self.history_bytes = self.file.stored_bytes(0, self.acknowledged)
        self.unsent_bytes = self.file.stored_bytes(self.acknowledged, self.newest)
        self.file.rows("SELECT 1 FROM journals WHERE name = ''")  # a damaged index shows here
        [(ran_s,)] = self.file.rows("SELECT max(running_s) FROM marks")
        self._ran_before_s = self._marked_s = ran_s or 0

    def begin(self, journal: str) -> None:
        """Start a journal; it is on disk with its first batch.

        Raises:
            OutboxError: This journal was written before.
        """
        if journal in self._written:
            raise OutboxError(
                f"journal {journal} is already in {self.file.path}: use --fresh or another id"
            )
        self._journal = journal
        self._base = self.newest

    def continue_from(self, damaged: "Journals", *, before: Batch | None) -> int:
        """Go on with the journal of a file that was set aside; gives the journal's base.

        Args:
            damaged: What that file held.
            before: The oldest batch that is to be written (again); `None` if there is none.
        """
        self._journal, self._base = damaged._journal, damaged._base
        self.given_up = damaged.given_up
        self.newest = damaged.newest
        if before is not None:
            self.newest = self._base + (before.first or before.sequence) - 1
        self.acknowledged = self.newest - 1  # a stated loss may come in at `newest`
        return self._base

    def write(self, batches: Sequence[Batch], acknowledged: int) -> None:
        """Commit batches, in the order of their sequence, and what was acknowledged by now.

        Raises:
            StorageError: Nothing was written.
        """
        if self._journal is None:
            raise OutboxError("begin() names the journal before its first batch")
        acknowledged = min(max(acknowledged, self.acknowledged), self.newest)
        newest, size = self.newest, 0
        with self._dictionaries.transaction():
            self.file.rows(
                "INSERT OR IGNORE INTO journals (name, base) VALUES (?, ?)",
                self._journal,
                self._base,
            )
            for batch in batches:
                newest = self._base + batch.sequence
                stored = self._dictionaries.deflate(newest, batch.payload)
                size += len(stored)
                row = (newest, batch.first, newest - acknowledged, stored)
                self.file.rows("INSERT INTO batches VALUES (?, ?, ?, ?)", *row)
                if batch.is_snapshot:
                    self._dictionaries.add(newest, batch.payload)
        self.acknowledge(acknowledged)
        self.newest = newest
        self.unsent_bytes += size

    def acknowledge(self, through: int) -> None:
        """The broker has everything up to this number; on disk with the next write or `close`."""
        through = min(max(through, self.acknowledged), self.newest)
        moved = self.file.stored_bytes(self.acknowledged, through)
        self.acknowledged = through
        self.unsent_bytes -= moved
        self.history_bytes += moved

    def unsent(self, after: int, count: int) -> list[Stored]:
        """The oldest unsent batches beyond a number, in the order of sending."""
        return [
            Stored(number, self._dictionaries.inflate(number, payload))
            for number, payload in self.file.rows(
                "SELECT number, payload FROM batches WHERE number > ? ORDER BY number LIMIT ?",
                max(after, self.acknowledged),
                count,
            )
        ]

    def batches(self, journal: str, first: int, last: int) -> list[bytes]:
        """What was written for these sequences, byte for byte; what is gone is said to be gone.

        Empty for a journal that is not known here.
        """
        answer: list[bytes] = []
        for span in [span for span in self._spans() if span.journal == journal and first <= last]:
            for number, begin, payload in self.file.rows(
                "SELECT number, first, payload FROM batches WHERE number >= ? ORDER BY number"
                " LIMIT ?",
                span.base + first,
                last - first + 2,
            ):
                gone = span.end - span.base + 1
                begin = begin or number - span.base if number <= span.end else gone
                if begin > first:
                    kept = self._parse(number, payload)
                    answer.append(
                        not_kept(journal, first, begin - 1, kept, "no longer kept").payload
                    )
                if begin > last or number > span.end:
                    break
                answer.append(self._dictionaries.inflate(number, payload))
                first = number - span.base + 1
        return answer

    def trim(self, handed: int, *, running_s: int) -> None:
        """Keep the bounds: old history goes, and so, as a stated loss, do the oldest unsent.

        Args:
            handed: What is up to this number may be on its way and is not given up.
            running_s: Seconds this writer has run since it opened the outbox.
        """
        running_s += self._ran_before_s
        if running_s - self._marked_s >= _MARK_S:
            self._mark(running_s)
        excess = self.history_bytes - self._limits.history_bytes
        if excess > 0:
            self._forget(excess + min(self._limits.history_bytes // 8, _SLACK_BYTES))
        excess = self.unsent_bytes - self._limits.unsent_bytes
        if excess > 0:
            slack = min(self._limits.unsent_bytes // 32, _SLACK_BYTES)
            self._give_up(handed, excess + slack, "outbox full")
        self.file.keep_log_short()

    def make_room(self, handed: int) -> None:
        """The disk is full: live on in what the file has, at the cost of history, then of more.

        Raises:
            StorageError: Not even the reserve was enough.
        """
        self.file.tighten()
        self._forget(self.history_bytes)
        if not self.file.has_room:
            self._give_up(handed, self.unsent_bytes // 8 + 1, "disk full")
        self.file.checkpoint()

    def close(self, acknowledged: int = 0) -> None:
        """Write down the last acknowledgements and let go of the file."""
        try:
            self.acknowledge(acknowledged)
            behind = self.newest - self.acknowledged
            with suppress(StorageError):  # a full disk: they are sent again, which does no harm
                self.file.rows(
                    "UPDATE batches SET behind = ? WHERE number = ?", behind, self.newest
                )
            self.file.close()
        except DamagedError as error:
            self.file.abandon()
            log.warning("%s; the next start sets it aside", error)

    def _spans(self) -> list[_Span]:
        journals = self.file.rows("SELECT name, base FROM journals ORDER BY number")
        ends = [*(base for _, base in journals), self.newest][1:]
        return [_Span(name, base, end) for (name, base), end in zip(journals, ends, strict=True)]

    def _parse(self, number: int, stored: bytes) -> Telemetry:
        return parse_own(self._vehicle_id, self._dictionaries.inflate(number, stored))

    def _mark(self, running_s: int) -> None:
        """Note how far the journals are by now, and forget what is older than the history."""
        self._marked_s = running_s
        [(old,)] = self.file.rows(
            "SELECT max(number) FROM marks WHERE running_s <= ?",
            running_s - self._limits.history_s,
        )
        self.file.rows("INSERT OR REPLACE INTO marks VALUES (?, ?)", self.newest, running_s)
        if old is not None:
            self._forget(self.history_bytes, through=old)

    def _forget(self, wanted_bytes: int, through: int | None = None) -> None:
        """Remove the oldest history, at least `wanted_bytes` of it, but never the newest row."""
        end = min(self.acknowledged, self.newest - 1)
        end = end if through is None else min(end, through)
        while wanted_bytes > 0 and (cut := self.file.cut(0, end, wanted_bytes)):
            freed = self.file.stored_bytes(0, cut)
            with self.file.transaction():
                self.file.rows("DELETE FROM batches WHERE number <= ?", cut)
                self._dictionaries.forget(cut)
                self.file.rows("DELETE FROM marks WHERE number < ?", cut)
                self.file.rows(_FORGET_JOURNALS, cut - _NUMBERS_REMEMBERED)
            self.history_bytes -= freed
            wanted_bytes -= freed

    def _give_up(self, handed: int, wanted_bytes: int, reason: str) -> None:
        """Put a stated loss in the place of the oldest unsent."""
        after = max(handed, self.acknowledged)
        cut = self.file.cut(after, self.newest - 1, wanted_bytes)
        before, given_up = self.file.stored_bytes(after, cut), 0
        with self.file.transaction():
            for span in self._spans():
                begin, end = max(span.base, after), min(span.end, cut)
                if begin < end:
                    given_up += self._lose(span.base, begin, end, reason)
        self.given_up += given_up
        self.unsent_bytes -= before - self.file.stored_bytes(after, cut)

    def _lose(self, base: int, after: int, through: int, reason: str) -> int:
        """Replace the rows of one journal between two numbers by one; how many batches it cost."""
        rows = self.file.rows(
            "SELECT number, first FROM batches WHERE number > ? AND number <= ? ORDER BY number",
            after,
            through,
        )
        (begin, first), (end, _) = rows[0], rows[-1]
        if first is None:
            log.warning("%s: unsent telemetry is given up: %s", self.file.path, reason)
        ends = self.file.rows(
            "SELECT number, payload FROM batches WHERE number IN (?, ?) ORDER BY number", begin, end
        )
        loss = state_loss(self._parse(*ends[0]), self._parse(*ends[-1]), reason)
        self.file.rows("DELETE FROM batches WHERE number > ? AND number < ?", after, end)
        row = (first or begin - base, self._dictionaries.deflate(end, loss.payload), end)
        self.file.rows("UPDATE batches SET first = ?, payload = ? WHERE number = ?", *row)
        self._dictionaries.forget(end - 1, beyond=after)
        return sum(begun is None for _, begun in rows)

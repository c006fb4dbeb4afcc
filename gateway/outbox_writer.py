"""The outbox at work: a thread of its own commits each batch before the broker may see it."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from gateway.journals import Journals, Stored
from gateway.outbox import DamagedError, Limits, StorageError, set_aside
from gateway.telemetry import Batch, Previous, not_kept, parse_own, state_loss
from internetcar.contract.wire import telemetry_topic

log = logging.getLogger(__name__)

_WINDOW = 40
_RETRY_S = 1.0


def _open(path: Path, vehicle_id: str, limits: Limits) -> Journals:
    try:
        return Journals(path, vehicle_id, limits)
    except DamagedError as error:
        return _open_anew(path, vehicle_id, limits, error)


def _open_anew(path: Path, vehicle_id: str, limits: Limits, error: DamagedError) -> Journals:
    """Set the damaged file, which nobody holds, aside."""
    log.error("%s; set aside as %s, beginning anew", error, set_aside(path))
    return Journals(path, vehicle_id, limits)


class Outbox:
    """Takes batches at once, commits them in a thread of its own, and hands out what is unsent.

    Every method returns at once but `start` and `close`. If the disk is full or slow, batches wait
    in memory, and the oldest of too many become a stated loss; so does what the bounds force out.
    An error that ends the thread is raised wherever batches are given, sent or asked for.

    Args:
        path: The database file; its folder is made.
        vehicle_id: Whose batches it holds.
        limits: What it may use.
        on_committed: Called in the writer thread when there is something new to send.
        monotonic: Seconds of a clock that never steps.

    Raises:
        OutboxError: Another process holds the file, it is another vehicle's, or no disk.
    """

    def __init__(
        self,
        path: Path,
        vehicle_id: str,
        limits: Limits,
        *,
        on_committed: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._vehicle_id = vehicle_id
        self._limits = limits
        self._on_committed = on_committed
        self._monotonic = monotonic
        self._began_s = monotonic()
        self._topic = telemetry_topic(vehicle_id)
        self._journals = _open(path, vehicle_id, limits)
        self._newest = self._journals.newest
        self._acknowledged = self._journals.acknowledged
        self._handed = self._acknowledged
        self._journal = ""
        self._lost: tuple[int, int] | None = None
        self._failing = False
        self._error: BaseException | None = None
        self._closing = False
        self._writing = 0
        self._given_up = 0
        self._waiting: deque[Batch] = deque()
        self._window: deque[Stored] = deque()
        self._questions: deque[tuple[str, int, int, Future[list[bytes]]]] = deque()
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    @property
    def previous(self) -> Previous | None:
        """The journal that was written last, or `None` for a fresh outbox. Before `start`."""
        return self._journals.previous

    @property
    def topic(self) -> str:
        """Where its batches go."""
        return self._topic

    @property
    def unsent_batches(self) -> int:
        """How many batches the broker has not got; those in a stated loss count each."""
        with self._wake:
            return self._newest - self._acknowledged + self._writing + len(self._waiting)

    @property
    def uncommitted(self) -> int:
        """How many batches wait in memory for the disk."""
        self._raise_error()
        with self._wake:
            return self._writing + len(self._waiting)

    @property
    def unsent_bytes(self) -> int:
        """What they take on disk."""
        return self._journals.unsent_bytes

    @property
    def given_up(self) -> int:
        """How many batches became a stated loss in this run: in memory, on disk, or damaged."""
        return self._given_up + self._journals.given_up

    @property
    def is_failing(self) -> bool:
        """Whether nothing can be written now."""
        return self._failing

    def start(self, journal: str) -> None:
        """Begin a journal and the thread.

        Raises:
            OutboxError: This journal was written before.
        """
        self._journals.begin(journal)
        self._journal = journal
        self._thread.start()

    def append(self, batch: Batch) -> None:
        """Take the next batch of the journal; it is committed as soon as the disk allows."""
        self._raise_error()
        with self._wake:
            self._waiting.append(batch)
            self._shrink()
            self._wake.notify()

    def next_unsent(self) -> Stored | None:
        """The next committed batch to send, oldest first, each once; `None`: none now."""
        self._raise_error()
        with self._wake:
            found = self._window.popleft() if self._window else None
            if len(self._window) < _WINDOW // 2 and self._handed < self._newest:
                self._wake.notify()
            return found

    def acknowledge(self, through: int) -> None:
        """The broker has everything up to this number."""
        self._acknowledged = max(self._acknowledged, through)

    def batches(self, journal: str, first: int, last: int) -> "Future[list[bytes]]":
        """Ask for what was written, byte for byte; the answer comes when the thread gets to it."""
        self._raise_error()
        answer: Future[list[bytes]] = Future()
        with self._wake:
            self._questions.append((journal, first, last, answer))
            self._wake.notify()
        return answer

    def close(self) -> int:
        """Commit what waits and end the thread; how many batches could not be written."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join()
        self._journals.close(self._acknowledged)
        return len(self._waiting)

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # raised again where the outbox is used
            with self._wake:
                self._error = error
                questions = list(self._questions)
                self._questions.clear()
            for *_, answer in questions:
                answer.set_exception(error)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(self._has_work, _RETRY_S if self._failing else None)
                batches = list(self._waiting)
                self._waiting.clear()
                self._writing = len(batches)
                questions = list(self._questions)
                self._questions.clear()
                closing = self._closing
            try:
                self._turn(batches, questions)
            except DamagedError as error:
                self._begin_anew(error, batches)
                for *_, answer in questions:
                    if not answer.done():
                        answer.set_result([])
            if closing:
                return

    def _has_work(self) -> bool:
        needs_window = len(self._window) < _WINDOW // 2 and self._handed < self._newest
        waiting = self._waiting and not self._failing
        return bool(waiting or self._questions or self._closing or needs_window)

    def _turn(
        self, batches: list[Batch], questions: list[tuple[str, int, int, Future[list[bytes]]]]
    ) -> None:
        if batches:
            self._commit(batches)
        self._fill_window()
        for journal, first, last, answer in questions:
            try:
                answer.set_result(self._journals.batches(journal, first, last))
            except StorageError as error:
                answer.set_exception(error)

    def _commit(self, batches: list[Batch]) -> None:
        journals = self._journals
        newest = journals.newest
        try:
            journals.file.relax()
            try:
                self._write(batches)
            except StorageError:
                journals.acknowledge(self._acknowledged)
                journals.make_room(self._handed)
                self._write(batches)
            journals.trim(self._handed, running_s=int(self._monotonic() - self._began_s))
        except StorageError as error:
            if not self._failing:
                log.warning("%s; telemetry waits in memory", error)
            self._failing = True
            if journals.newest == newest:
                self._put_back(batches)
        else:
            if self._failing:
                log.info("%s can be written again", self._path)
            self._failing = False
        with self._wake:
            self._newest = journals.newest
            self._writing = 0

    def _write(self, batches: list[Batch]) -> None:
        if self._lost is not None:
            first, last = self._lost
            kept = parse_own(self._vehicle_id, batches[0].payload)
            batches = [not_kept(self._journal, first, last, kept, "outbox damaged"), *batches]
        self._journals.write(batches, self._acknowledged)
        self._lost = None

    def _put_back(self, batches: list[Batch]) -> None:
        with self._wake:
            self._waiting.extendleft(reversed(batches))
            self._shrink()

    def _shrink(self) -> None:
        """Keep as many batches in memory as are allowed: the oldest become one stated loss."""
        while len(self._waiting) > self._limits.waiting_batches:
            pair = [self._waiting.popleft() for _ in range(2)]
            reason = "disk full" if self._failing else "disk too slow"
            first, last = (parse_own(self._vehicle_id, batch.payload) for batch in pair)
            self._waiting.appendleft(state_loss(first, last, reason))
            self._given_up += sum(batch.first is None for batch in pair)

    def _fill_window(self) -> None:
        try:
            found = self._journals.unsent(self._handed, _WINDOW - len(self._window))
        except StorageError as error:
            log.warning("%s; nothing more can be sent", error)
            return
        if found:
            with self._wake:
                self._handed = found[-1].number
                self._window.extend(found)
            self._on_committed()

    def _begin_anew(self, error: DamagedError, batches: list[Batch]) -> None:
        """Set the damaged file aside; what it held beyond what is on its way is a stated loss."""
        old = self._journals
        old.file.abandon()
        self._journals = _open_anew(self._path, self._vehicle_id, self._limits, error)
        base = self._journals.continue_from(old, before=batches[0] if batches else None)
        written = self._journals.newest
        with self._wake:
            if self._handed < written and base < written:
                self._lost = (max(self._handed - base, 0) + 1, written - base)
                self._given_up += self._lost[1] - self._lost[0] + 1
            self._newest = self._handed = max(self._handed, written - bool(self._lost))
            self._writing = 0
            self._put_back(batches)

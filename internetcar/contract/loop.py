"""One loop: in the thread that asks for it or in its own, and what becomes of its errors."""

import contextlib
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable

from internetcar.contract.retry import LinkError

log = logging.getLogger(__name__)

_PATIENCE_S = 5.0
_LONGEST_WAIT_S = 1.0


def end_process(error: BaseException) -> None:
    """Log the error, with its trace if it is a bug, and end the process with code 70.

    Whoever supervises starts it again, and the broker sends again what was not acknowledged.
    """
    if isinstance(error, LinkError):
        log.critical("%s", error)
    else:
        log.critical("a handler failed", exc_info=error)
    logging.shutdown()
    os._exit(70)


class Loop:
    """Turns until it is stopped; any thread may wake it."""

    def __init__(
        self,
        name: str,
        turn: Callable[[], None],
        finish: Callable[[bool], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """Prepare, without turning.

        Args:
            name: Of the thread.
            turn: Called again and again; waits in `wait` or on `wake_fd`, and its errors end all.
            finish: Called once after the last turn; with whether it ended without an error.
            on_failure: Gets an error that ended the loop while it had its own thread.
        """
        self._name = name
        self._turn = turn
        self._finish = finish
        self._on_failure = on_failure
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._on_turn: list[Callable[[], object]] = []

    @property
    def wake_fd(self) -> int:
        """Readable after `wake`, until `woken` is called; for the thread that turns."""
        assert self._ends is not None
        return self._ends[1].fileno()

    @property
    def is_stopping(self) -> bool:
        """Whether the present turn is the last."""
        return self._is_stopping

    def on_turn(self, callback: Callable[[], object]) -> None:
        """Call back after every turn, in its thread, and once a second while one is in `wait`.

        An error of it ends the loop, as one of a turn does.
        """
        self._on_turn.append(callback)

    def run(self) -> None:
        """Turn in this thread until `stop`; an error of a turn is raised here."""
        self._ends = socket.socketpair()
        for end in self._ends:
            end.setblocking(False)
        is_clean = False
        try:
            while not self._is_stopping:
                self._turn()
                self._call_back()
            is_clean = True
        finally:
            self._finish(is_clean)
            for end in self._ends:
                end.close()

    def start(self) -> None:
        """Turn in a thread of its own."""
        self._thread = threading.Thread(target=self._run_alone, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Make this turn the last, and wait for the thread where there is one."""
        self._is_stopping = True
        self.wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE_S)  # it may be looking up a name, which nothing ends
            self._thread = None

    def wake(self) -> None:
        """End the present wait; from any thread or signal handler."""
        if self._ends is not None:
            with contextlib.suppress(OSError):  # full: it is awake; closed: it is over
                self._ends[0].send(b"\0")

    def woken(self) -> None:
        """Take note of `wake`."""
        assert self._ends is not None
        with contextlib.suppress(BlockingIOError):
            self._ends[1].recv(4096)

    def wait(self, timeout_s: float) -> None:
        """Sleep until `timeout_s` has passed or somebody stops the loop."""
        deadline_s = time.monotonic() + timeout_s
        while not self._is_stopping and (left_s := deadline_s - time.monotonic()) > 0:
            select.select([self.wake_fd], [], [], min(left_s, _LONGEST_WAIT_S))
            self.woken()
            self._call_back()

    def _call_back(self) -> None:
        for callback in self._on_turn:
            callback()

    def _run_alone(self) -> None:
        try:
            self.run()
        except BaseException as error:  # whatever it is, a dead thread must not go unnoticed
            self._on_failure(error)

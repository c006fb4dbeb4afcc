"""A simulated ELM327 or STN adapter at the other end of a line."""

import os
import select
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from simulator.elm327 import SimulatedElm


class Adapter:
    """The adapter's end of a line, in a thread of its own."""

    def __init__(self, chip: SimulatedElm, descriptor: int) -> None:
        self.chip = chip
        self._descriptor = descriptor
        self._ends, self._end = os.pipe()
        self._lock = threading.Lock()
        self._is_plugged = True
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def hear(self, can_id: int, payload: bytes) -> None:
        """A frame on the bus."""
        with self._lock:
            os.write(self._descriptor, self.chip.hear(can_id, payload))

    def says(self, text: bytes) -> None:
        os.write(self._descriptor, text)

    def unplug(self) -> None:
        if not self._is_plugged:
            return
        self._is_plugged = False
        os.write(self._end, b"x")
        self._thread.join()
        for each in (self._descriptor, self._ends, self._end):
            os.close(each)

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._descriptor, self._ends], [], [])
            if self._ends in ready:
                return
            try:  # the gateway may have hung up
                text = os.read(self._descriptor, 1_000)
                if not text:  # a socket says so, for ever
                    return
                with self._lock:
                    os.write(self._descriptor, self.chip.feed(text))
            except OSError:
                return


@contextmanager
def serial_adapter(chip: SimulatedElm) -> Iterator[tuple[Adapter, str]]:
    """A chip on a pseudo terminal, and the terminal's name."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    adapter = Adapter(chip, ours)
    try:
        yield adapter, os.ttyname(theirs)
    finally:
        adapter.unplug()
        os.close(theirs)

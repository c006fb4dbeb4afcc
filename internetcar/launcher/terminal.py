"""Output that never holds the program up, whether somebody reads it or not."""

import contextlib
import os
import queue
import threading
from io import TextIOBase
from typing import TextIO

_WAITING = 1000
_PATIENCE_S = 1.0


class PatientOutput(TextIOBase):
    """A stream whose writing is done by a thread; what a reader does not take is dropped.

    A pipe nobody reads, or a terminal stopped with Ctrl-S, would otherwise hold up the program,
    and with it the answer to Ctrl-C. It writes to the descriptor: a thread that is held up in the
    stream's own buffer would hold up, or crash, the end of the interpreter.
    """

    def __init__(self, stream: TextIO) -> None:
        stream.flush()
        self._stream = stream
        self._waiting: queue.Queue[str | None] = queue.Queue(_WAITING)
        self.is_broken = False
        """Whether the reader has gone."""
        self._thread = threading.Thread(target=self._write_all, name="output", daemon=True)
        self._thread.start()

    @property
    def encoding(self) -> str:  # type: ignore[override] # read-only here, as in the stream itself
        """The encoding of the stream."""
        return self._stream.encoding

    def write(self, text: str) -> int:
        """Hand over; what does not fit in the queue is dropped."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(text)
        return len(text)

    def flush(self) -> None:
        """Nothing to do: the thread flushes what it writes."""

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The stream's descriptor."""
        return self._stream.fileno()

    def finish(self) -> bool:
        """Give the reader a second to take the rest; whether it did."""
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=_PATIENCE_S)
        self._thread.join(_PATIENCE_S)
        return not self._thread.is_alive()

    def _write_all(self) -> None:
        while (text := self._waiting.get()) is not None:
            if self.is_broken:
                continue
            try:
                self._write(text.encode(self.encoding, "replace"))
            except (OSError, ValueError):
                self.is_broken = True

    def _write(self, payload: bytes) -> None:
        while payload:
            payload = payload[os.write(self.fileno(), payload) :]

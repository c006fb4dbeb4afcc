"""How another thread ends the wait for frames."""

import os


class Waker:
    """A file descriptor that becomes readable; it lives as long as the process."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """Readable after `wake`, until `clear`."""
        return self._descriptor

    def wake(self) -> None:
        """End the present wait, or the next; from any thread."""
        os.eventfd_write(self._descriptor, 1)

    def clear(self) -> None:
        """Take note of it; only while it is readable."""
        os.eventfd_read(self._descriptor)

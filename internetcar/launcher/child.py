"""A child process that ends when we do."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal a process gets when the thread that made it ends."""


def dying_with_us(sent: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """What to pass as `preexec_fn`: the child gets `sent` when the thread that starts it ends.

    Start such children from the main thread. `None` where the system is not Linux.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, int(sent))
        if os.getppid() != parent:  # it died in between
            os.kill(os.getpid(), sent)

    return prepare


def end_child(child: "subprocess.Popen[bytes]", patience_s: float = 3.0) -> int:
    """Ask a child to end, and kill it when it does not; its exit code."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(patience_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
    return child.returncode

"""Waiting for what happens elsewhere, instead of for seconds."""

import time
from collections.abc import Callable

PATIENCE_S = 60.0
TURN_S, LONGEST_TURN_S = 0.005, 0.25
IDLE = 9
"""A look that took CPU is followed by so many times that: the CPU is for those who are awaited."""


def eventually(
    happened: Callable[[], object], timeout_s: float = PATIENCE_S, *, turn_s: float = TURN_S
) -> None:
    """Return as soon as `happened` is true; fail when it is not within `timeout_s`.

    Looks that start a process take a longer `turn_s`: what they cost is not seen here.
    """
    deadline_s = time.monotonic() + timeout_s
    begun_s = time.thread_time()
    while not happened():
        assert time.monotonic() < deadline_s, "it did not happen"
        idle_s = IDLE * (time.thread_time() - begun_s)
        time.sleep(max(turn_s, min(idle_s, LONGEST_TURN_S)))
        begun_s = time.thread_time()

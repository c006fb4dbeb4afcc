"""Waiting for what happens elsewhere, instead of for seconds."""

import time
from collections.abc import Callable

PATIENCE_S = 60.0


def eventually(happened: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Return as soon as `happened` is true; fail when it is not within `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.005)

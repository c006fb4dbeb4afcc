"""The named points between which a crash must change nothing; a crash test stops at them."""

from collections.abc import Callable

BEFORE_COMMIT = "before commit"
AFTER_COMMIT = "after commit"
BEFORE_PUBLISH = "before publish"
AFTER_PUBLISH = "after publish"
BEFORE_ACKNOWLEDGE = "before acknowledge"
POINTS = (BEFORE_COMMIT, AFTER_COMMIT, BEFORE_PUBLISH, AFTER_PUBLISH, BEFORE_ACKNOWLEDGE)
"""Where every service comes past."""

BEFORE_NOTE = "before the note in hand"
AFTER_NOTE = "after the note in hand"
BEFORE_CLEAR = "before the note is cleared"
AFTER_READ = "after the note is read"
NOTE_POINTS = (BEFORE_NOTE, AFTER_NOTE, BEFORE_CLEAR)
"""Of the message in hand; `AFTER_READ` only where a process died before."""

BEFORE_SETTLE = "before settle"
BEFORE_KEY = "before the key is there"
AFTER_KEY = "after the key is there"
KEY_POINTS = (BEFORE_KEY, AFTER_KEY)

Hook = Callable[[str], None]

_hook: Hook | None = None


def reach(point: str) -> None:
    """Say that a point is reached; nothing happens unless a test has installed a hook."""
    if _hook is not None:
        _hook(point)


def install(hook: Hook | None) -> None:
    """Call this at every point from now on, for tests only; it may raise or end the process.

    Args:
        hook: Gets the point's name; `None` takes the present one away.
    """
    global _hook  # so that no service hands a test's hook through its layers
    _hook = hook

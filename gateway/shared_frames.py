"""Leaves that are set in the same frame, where setting one undoes another (pure)."""

from collections.abc import Iterable

from cantools.database.can import Signal

from gateway.encoding import initial_number


def shared_frames(settable: Iterable[tuple[str, str, Signal]]) -> list[str]:
    """What to warn of: a frame says all its signals, those too that nobody asked for.

    Args:
        settable: Message, path and signal of each leaf that can be set.
    """
    messages: dict[str, dict[str, Signal]] = {}
    for message, path, signal in settable:
        messages.setdefault(message, {})[path] = signal
    return [
        f"{', '.join(ordinary)}: each other leaf of {message} that is set sends its initial value"
        for message, signals in messages.items()
        if len({signal.name for signal in signals.values()}) > 1
        and (ordinary := [path for path, signal in signals.items() if _is_ordinary(signal)])
    ]


def _is_ordinary(signal: Signal) -> bool:
    """Whether a signal's initial value is one, and not a name for `nothing wanted`."""
    raw = initial_number(signal)
    names = {int(known) for known in signal.choices or {}}
    return raw is not None and raw not in names

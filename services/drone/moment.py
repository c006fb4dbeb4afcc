"""The two clocks that every decision gets as an argument (pure)."""

from typing import NamedTuple


class Moment(NamedTuple):
    """Now: `s` for ages and durations, never set back; `utc_ms` for expiry, daylight and words.

    With a simulated autopilot that runs faster than time both are the simulator's.
    """

    s: float
    utc_ms: int

"""This machine's clock: what it says, and whether it can be trusted."""

import ctypes
import time

from internetcar.contract.presence import Clock

_STA_UNSYNC = 0x40
"""linux/timex.h: nothing disciplines the clock."""


def wall_ms() -> int:
    """UTC milliseconds since 1970, as this machine has it."""
    return time.time_ns() // 1_000_000


class SystemClock:
    """Both clocks of a machine."""

    def monotonic_ns(self) -> int:
        """Nanoseconds of a clock that only goes forward."""
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        """UTC nanoseconds since 1970."""
        return time.time_ns()

    def wall_ms(self) -> int:
        """UTC milliseconds since 1970."""
        return self.wall_ns() // 1_000_000


SYSTEM = SystemClock()
"""This machine's."""


class _Timex(ctypes.Structure):
    """The head of `struct timex` (adjtimex(2)) up to what is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maximum_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def read_clock() -> Clock:
    """`synchronized` where a time source sets the clock, else `free`; changes nothing."""
    timex = _Timex()
    answered: int = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    return "free" if answered < 0 or timex.status & _STA_UNSYNC else "synchronized"

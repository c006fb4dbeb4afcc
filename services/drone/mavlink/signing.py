"""MAVLink 2 signatures: who does not hold the key is not heard (pure)."""

import hashlib
import hmac
from typing import Any

SIGNATURE_BYTES = 13
"""Link id, 48 bits of time, 48 bits of SHA-256."""
KEY_BYTES = 32
EPOCH_MS = 1_420_070_400_000
"""Signing time counts tens of microseconds since 2015-01-01 UTC."""
TICKS_PER_MS = 100
WINDOW_TICKS = 60_000 * TICKS_PER_MS
"""The first packet of a stream may be a minute behind our own time."""


def ticks(utc_ms: int) -> int:
    """UTC as signing time.

    Derived from UTC at every packet, so nothing has to be kept across restarts: a later run is
    later. Before 2015, as on a machine whose clock was never set, it is 0.
    """
    return max(0, utc_ms - EPOCH_MS) * TICKS_PER_MS


class Signing:
    """Key, own time and the last time of every stream."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._newest = 0
        self._streams: dict[tuple[int, int, int], int] = {}

    def prepare(self, signing: Any, utc_ms: int) -> None:
        """Let pymavlink sign the next packet with a time that was never used."""
        self._newest = max(self._newest + 1, ticks(utc_ms))
        signing.secret_key = self._key
        signing.sign_outgoing = True
        signing.timestamp = self._newest

    def is_good(self, frame: bytes, utc_ms: int) -> bool:
        """Signed with the key, and later than all that came on its stream.

        The stream's time moves only after the signature was right: a forger cannot push it ahead.
        """
        if frame[0] != 0xFD or not frame[2] & 1:
            return False
        signature = hashlib.sha256(self._key + frame[:-6]).digest()[:6]
        if not hmac.compare_digest(signature, frame[-6:]):
            return False
        at = int.from_bytes(frame[-12:-6], "little")
        stream = (frame[-SIGNATURE_BYTES], frame[5], frame[6])
        last = self._streams.get(stream)
        if last is None:
            is_late = at + WINDOW_TICKS < max(self._newest, ticks(utc_ms))
        else:
            is_late = at <= last
        if is_late:
            return False
        self._streams[stream] = at
        self._newest = max(self._newest, at)
        return True

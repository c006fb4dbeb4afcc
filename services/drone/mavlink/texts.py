"""What the autopilot says in words: chunks put together, bounded, printable (pure)."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from services.drone.mavlink.codec import mavlink
from services.drone.words import printable

KEPT = 10
KEPT_S = 60.0
LONGEST = 200
"""Characters of one text that are kept."""
CHUNK_BYTES = 50
CHUNKS = 6
PARTS_S = 2.0
"""How long the rest of a text is waited for."""
DETAIL = 300


@dataclass(slots=True)
class _Parts:
    first_s: float
    chunks: dict[int, str] = field(default_factory=dict)
    last: int | None = None

    @property
    def is_whole(self) -> bool:
        return self.last is not None and all(seq in self.chunks for seq in range(self.last + 1))


class Texts:
    """The last warnings and worse."""

    def __init__(self) -> None:
        self._said: deque[tuple[float, str]] = deque(maxlen=KEPT)
        self._parts: dict[int, _Parts] = {}

    def heard(self, message: Any, now_s: float) -> None:
        """A STATUSTEXT, whole or a part of one."""
        if message.severity > mavlink.MAV_SEVERITY_WARNING:
            return
        if not message.id:
            self._say(message.text, now_s)
            return
        if message.id not in self._parts and len(self._parts) >= KEPT:
            self._finish(next(iter(self._parts)), now_s)
        parts = self._parts.setdefault(message.id, _Parts(now_s))
        if message.chunk_seq < CHUNKS:
            parts.chunks[message.chunk_seq] = message.text
        if len(message.text) < CHUNK_BYTES or message.chunk_seq >= CHUNKS - 1:
            parts.last = min(message.chunk_seq, CHUNKS - 1)
        if parts.is_whole:
            self._finish(message.id, now_s)

    def turn(self, now_s: float) -> None:
        """A text whose rest did not come is kept as far as it did."""
        for number, parts in list(self._parts.items()):
            if now_s - parts.first_s > PARTS_S:
                self._finish(number, now_s)

    def since(self, start_s: float) -> str:
        """All that was said since then, bounded."""
        return "; ".join(text for at_s, text in self._said if at_s >= start_s)[:DETAIL]

    def last(self, now_s: float) -> tuple[str, ...]:
        """The last ten, newest last, none older than a minute."""
        return tuple(text for at_s, text in self._said if now_s - at_s <= KEPT_S)

    def _finish(self, number: int, now_s: float) -> None:
        parts = self._parts.pop(number)
        self._say("".join(text for _, text in sorted(parts.chunks.items())), now_s)

    def _say(self, text: str, now_s: float) -> None:
        clean = printable(text).strip()[:LONGEST]
        if clean:
            self._said.append((now_s, clean))

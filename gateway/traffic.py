"""What came over a bus, identifier by identifier (pure)."""

from collections import Counter
from dataclasses import dataclass, field

KEPT_PAYLOADS = 256
"""Of each identifier so many payloads in a row are remembered: sixteen rounds of a counter."""
MAX_IDS = 8192
"""Identifiers counted one by one; a J1939 bus has a few hundred."""


@dataclass(slots=True)
class Heard:
    """What came under one identifier."""

    frames: int = 0
    lengths: Counter[int] = field(default_factory=Counter)
    """Bytes of payload → frames."""
    payloads: list[bytes] = field(default_factory=list)
    """The first `KEPT_PAYLOADS`."""


@dataclass(slots=True)
class Traffic:
    """Everything heard on one bus or one channel of a recording."""

    frames: int = 0
    ids: dict[int, Heard] = field(default_factory=dict)
    """By `can_id`, with bit 31 set for 29 bits."""

    def add(self, can_id: int, payload: bytes) -> None:
        """Take one frame."""
        self.frames += 1
        heard = self.ids.get(can_id)
        if heard is None:
            if len(self.ids) >= MAX_IDS:
                return
            heard = self.ids[can_id] = Heard()
        heard.frames += 1
        heard.lengths[len(payload)] += 1
        if len(heard.payloads) < KEPT_PAYLOADS:
            heard.payloads.append(payload)


def id_text(can_id: int) -> str:
    """An identifier as people write it: `0x386`, with eight digits where it has 29 bits."""
    return f"0x{can_id & 0x1FFF_FFFF:08X}" if can_id & 0x8000_0000 else f"0x{can_id:03X}"

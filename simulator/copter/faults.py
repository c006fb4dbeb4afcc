"""A way for bytes that loses, delays and mixes them, by seed (pure)."""

import heapq

from simulator.chance import Chance


class Line:
    """One direction of a radio; whole messages get lost, or come late.

    What is in the air when the line is cut still arrives.
    """

    def __init__(
        self, chance: Chance, *, loss: float = 0.0, delay_s: float = 0.0, jitter_s: float = 0.0
    ) -> None:
        self.loss = loss
        """Share of the messages that never arrive, 0…1."""
        self.delay_s = delay_s
        self.jitter_s = jitter_s
        """Each takes up to so much longer, and may overtake another."""
        self.is_cut = False
        self.lost = 0
        self._chance = chance
        self._number = 0
        self._air: list[tuple[float, int, bytes]] = []

    def send(self, data: bytes, now_s: float) -> None:
        """Put one message into the air."""
        if self.is_cut or (self.loss > 0.0 and self._chance.random() < self.loss):
            self.lost += 1
            return
        late_s = self._chance.uniform(0.0, self.jitter_s) if self.jitter_s > 0.0 else 0.0
        self._number += 1
        heapq.heappush(self._air, (now_s + self.delay_s + late_s, self._number, data))

    def arrived(self, now_s: float) -> list[bytes]:
        """What has come by now, in the order of its arrival."""
        out = []
        while self._air and self._air[0][0] <= now_s:
            out.append(heapq.heappop(self._air)[2])
        return out

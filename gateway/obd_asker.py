"""Carries the questions of OBD-II to their buses, and says when a car is left alone."""

import logging
from collections.abc import Callable, Sequence

from gateway.bus_spec import FrameError
from gateway.frames import Buses
from gateway.obd_bus import ObdBus

log = logging.getLogger(__name__)


class ObdAsker:
    """Belongs to the loop; `turn` follows each drain.

    Args:
        listening: The buses that speak OBD-II.
        buses: The present ones.
    """

    def __init__(self, listening: Sequence[ObdBus], buses: Callable[[], Buses]) -> None:
        self._listening = listening
        self._buses = buses
        self._pauses: dict[int, str | None] = {}

    def turn(self, now_ns: int) -> None:
        """Send what is due; a frame that the bus does not take is as one that nobody answers."""
        for obd in self._listening:
            buses = self._buses()
            is_up = buses.counters(obd.bus).state == "up"
            for can_id, payload in obd.turn(now_ns, buses.volts(obd.bus), is_up=is_up):
                try:
                    buses.send(obd.bus, can_id, payload)
                except FrameError as error:
                    log.debug("%s", error)
            self._note(obd.bus, obd.pause)

    @property
    def next_due_ns(self) -> int | None:
        """When `turn` has something to do of itself."""
        due = [due_ns for obd in self._listening if (due_ns := obd.next_due_ns) is not None]
        return min(due, default=None)

    def problems(self) -> list[str]:
        """Why cars are not asked now."""
        return [
            f"bus {self._name(bus)} is not asked over OBD-II: {pause}"
            for bus, pause in self._pauses.items()
            if pause
        ]

    def _note(self, bus: int, pause: str | None) -> None:
        if pause == self._pauses.get(bus):
            return
        self._pauses[bus] = pause
        if pause:
            log.info("bus %s: no more questions over OBD-II: %s", self._name(bus), pause)
        else:
            log.info("bus %s: asks over OBD-II again", self._name(bus))

    def _name(self, bus: int) -> str:
        return self._buses().specs[bus].name

"""What hears more of a bus than its databases say: OBD-II and J1939."""

from gateway.assembly import Assembly
from gateway.drain import FrameSink
from gateway.j1939_bus import J1939Bus
from gateway.obd_bus import ObdBus
from gateway.settings import GatewaySettings
from gateway.trouble_code_file import load_texts


class Listeners:
    """The sinks of the buses that have one of their own; the others cost nothing.

    Args:
        settings: Which buses those are.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        self.sinks: dict[int, FrameSink] = {}
        self._j1939 = [bus for bus, its in enumerate(settings.buses) if its.j1939]
        budget = settings.obd.requests_per_second
        asking = [(bus, its.obd) for bus, its in enumerate(settings.buses) if its.obd]
        texts = load_texts() if asking else {}
        self._obd = [ObdBus(bus, texts, budget if obd is True else None) for bus, obd in asking]

    @property
    def obd(self) -> list[ObdBus]:
        """The buses on which somebody is asked over OBD-II."""
        return self._obd

    def use(self, assembly: Assembly, onward: FrameSink) -> None:
        """Tell this assembly's pipeline from here on; `onward` takes every other bus's frames."""
        pipeline = assembly.pipeline
        self.sinks.clear()
        for bus in self._j1939:
            self.sinks[bus] = J1939Bus(bus, pipeline, onward).feed
        for obd in self._obd:
            obd.use(pipeline, self.sinks.get(obd.bus, onward))
            self.sinks[obd.bus] = obd.feed

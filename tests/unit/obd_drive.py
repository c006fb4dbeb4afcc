"""A car, the asking side and the pipeline it tells, on one clock."""

from collections.abc import Callable

from gateway.assembly import Assembly, assemble
from gateway.bus_settings import BusSettings
from gateway.databases import parse_database
from gateway.mapping import parse_mapping
from gateway.obd_bus import ObdBus
from gateway.obd_leaves import (
    CODE_LIST,
)
from gateway.pacing import Pace
from gateway.told import told_leaves
from internetcar.contract.message import Value
from simulator.ecu import Ecu
from tests.unit.obd_car import MS, SECOND, TEXTS

STEP_NS = 20 * MS
UTC_NS = 1_700_000_000 * SECOND
DBC = """\
VERSION ""
NS_ :
BS_:
BU_: Car
BO_ 256 Motion: 2 Car
 SG_ Speed : 0|16@1+ (0.1,0) [0|300] "km/h" Car
BO_ 2024 Answer: 8 Car
 SG_ Length : 0|8@1+ (1,0) [0|255] "" Car
"""
MAPPING = """{"Vehicle.Speed": {"type": "sensor", "datatype": "float",
 "dbc2vss": {"signal": "Speed"}}}"""
SPEED, ENGINE = "Vehicle.Speed", "Vehicle.Powertrain.CombustionEngine.Speed"
VIN_PATH = "Vehicle.VehicleIdentification.VIN"
CODES = CODE_LIST


def assembly_of(obd: bool | str = True, *, has_dbc: bool = False) -> Assembly:
    bus = BusSettings.model_validate({"transmit": obd is True, "obd": obd})
    databases = [[parse_database(DBC, "car.dbc", "dbc")] if has_dbc else []]
    mapping = parse_mapping(MAPPING, "m.json") if has_dbc else None
    told = told_leaves([bus], 60_000)
    return assemble(databases, ["can0"], mapping, Pace(interval_ns=0), told=told)


class Drive:
    """An `ObdBus`, its pipeline and a car, in steps."""

    def __init__(
        self, assembly: Assembly, ecu: Ecu | None = None, per_second: float | None = 5.0
    ) -> None:
        self.assembly, self.ecu = assembly, ecu
        self.bus = ObdBus(0, TEXTS, per_second)
        self.bus.use(assembly.pipeline, assembly.pipeline.feed)
        self.now_ns = SECOND
        self.sent: list[tuple[int, int, bytes]] = []
        self.said: dict[str, tuple[Value, str]] = {}
        self.volts: float | None = None
        self.is_up = True

    def hear(self, can_id: int, payload: bytes) -> None:
        self.assembly.pipeline.now_ns = self.now_ns
        self.bus.feed(0, can_id, payload, UTC_NS + self.now_ns)

    def run(self, seconds: float, each: Callable[[], None] = lambda: None) -> None:
        until_ns = self.now_ns + round(seconds * SECOND)
        pipeline = self.assembly.pipeline
        while self.now_ns < until_ns:
            self.now_ns += STEP_NS
            pipeline.now_ns = self.now_ns
            each()
            if self.ecu:
                for can_id, payload in self.ecu.take(self.now_ns):
                    self.hear(can_id, payload)
            for can_id, payload in self.bus.turn(self.now_ns, self.volts, is_up=self.is_up):
                self.sent.append((self.now_ns, can_id, payload))
                if self.ecu:
                    self.ecu.feed(can_id, payload, self.now_ns)
            for leaf, value, quality, _ in pipeline.take():
                self.said[self.assembly.paths[leaf]] = (value, quality)

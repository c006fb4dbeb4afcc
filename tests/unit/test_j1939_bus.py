"""A J1939 bus: messages by parameter group, long ones whole, and the VIN of a real truck."""

import pytest

from gateway.assembly import Assembly, assemble
from gateway.bus_settings import BusSettings
from gateway.databases import parse_database
from gateway.j1939 import J1939Message
from gateway.j1939_bus import MAX_IDS, J1939Bus
from gateway.j1939_leaves import identity
from gateway.pacing import Pace
from gateway.recordings import open_recording
from gateway.told import told_leaves
from internetcar.contract.message import Value
from internetcar.socketcan import EXTENDED
from tests.data import data_path

ENGINE = 0x0CF00400  # EEC1, PGN 61444, as the databases have it: from source 00
DBC = f"""\
VERSION ""
NS_ :
BS_:
BU_: Car
BO_ {ENGINE | EXTENDED} EEC1: 8 Car
 SG_ EngineSpeed : 24|16@1+ (0.125,0) [0|8031.875] "rpm" Car
BO_ {0x18FEE3FE | EXTENDED} EC1: 40 Car
 SG_ SpeedAtPoint5 : 96|16@1+ (0.125,0) [0|8031.875] "rpm" Car
BO_ 256 Short: 1 Car
 SG_ Byte : 0|8@1+ (1,0) [0|255] "" Car
"""
VIN_PATH = "Vehicle.VehicleIdentification.VIN"


class Truck:
    def __init__(self) -> None:
        bus = BusSettings(j1939=True)
        database = parse_database(DBC, "truck.dbc", "dbc")
        self.assembly: Assembly = assemble(
            [[database]], ["can0"], None, Pace(interval_ns=0), told=told_leaves([bus], 60_000)
        )
        self.pipeline = self.assembly.pipeline
        self.bus = J1939Bus(0, self.pipeline, self.pipeline.feed)

    def hear(self, can_id: int, payload: bytes, at_ns: int = 1) -> dict[str, Value]:
        self.pipeline.now_ns = at_ns
        self.bus.feed(0, can_id, payload, at_ns)
        return {self.assembly.paths[leaf]: value for leaf, value, _, _ in self.pipeline.take()}


def speed(rpm: float) -> bytes:
    return b"\xff\xff\xff" + round(rpm * 8).to_bytes(2, "little") + b"\xff\xff\xff"


def test_another_priority_and_source_mean_the_same_group() -> None:
    truck = Truck()
    assert truck.hear(0x18F00421 | EXTENDED, speed(800)) == {"EEC1.EngineSpeed": 800}
    assert truck.hear(0x18F00421 | EXTENDED, speed(900)) == {"EEC1.EngineSpeed": 900}
    assert truck.hear(0x100, b"\x05") == {"Short.Byte": 5}


def test_the_first_source_of_a_group_is_the_one() -> None:
    truck = Truck()
    assert truck.hear(0x18F00421 | EXTENDED, speed(800)) == {"EEC1.EngineSpeed": 800}
    assert truck.hear(0x18F00422 | EXTENDED, speed(1_000)) == {}
    assert truck.pipeline.decoder.unknown_frames == [1]
    assert truck.hear(0x0CF00421 | EXTENDED, speed(850)) == {"EEC1.EngineSpeed": 850}


def test_the_source_that_the_database_names_counts_once_it_speaks() -> None:
    truck = Truck()
    assert truck.hear(0x18F00421 | EXTENDED, speed(800)) == {"EEC1.EngineSpeed": 800}
    assert truck.hear(ENGINE | EXTENDED, speed(700)) == {"EEC1.EngineSpeed": 700}
    assert truck.hear(0x18F00421 | EXTENDED, speed(800)) == {}
    assert truck.hear(0x18F00400 | EXTENDED, speed(710)) == {"EEC1.EngineSpeed": 710}
    assert truck.hear(ENGINE | EXTENDED, speed(720)) == {"EEC1.EngineSpeed": 720}


def test_eleven_bits_and_foreign_groups_stay_as_they_are() -> None:
    truck = Truck()
    assert truck.hear(0x101, b"\x05") == {}
    assert truck.hear(0x18FEF100 | EXTENDED, bytes(8)) == {}
    assert truck.pipeline.decoder.unknown == [{0x101: 1, 0x18FEF100 | EXTENDED: 1}]


def test_memory_is_bounded() -> None:
    truck = Truck()
    for number in range(MAX_IDS + 50):
        truck.hear(0x18000000 + number | EXTENDED, b"")
    assert len(truck.bus._as) == MAX_IDS
    assert truck.hear(0x18F00421 | EXTENDED, speed(800)) == {"EEC1.EngineSpeed": 800}


def test_a_real_trucks_vin_and_long_message_are_said() -> None:
    truck = Truck()
    heard: dict[str, Value] = {}
    for _, can_id, payload, at_ns in open_recording(data_path("can/j1939/truck-bam.log")):
        heard |= truck.hear(can_id, payload, at_ns)
    assert heard[VIN_PATH] == "1L06130RELP969468"
    assert heard["Vehicle.VehicleIdentification.WMI"] == "1L0"
    assert heard["EC1.SpeedAtPoint5"] == 1_566.5
    assert heard["EEC1.EngineSpeed"] == 0  # it stands, with the ignition on
    assert truck.pipeline.decoder.errors == [0]


@pytest.mark.parametrize(
    ("pgn", "payload", "number"),
    [
        (0xFEEC, b"WVWZZZ1JZXW000001*", "WVWZZZ1JZXW000001"),
        (0xFEEC, b"WVWZZZ1JZXW000001 and more*", "WVWZZZ1JZXW000001"),
        (0xFEEC, b"short*", None),
        (0xFEEC, b"\xff" * 17, None),
        (0xFEE3, b"WVWZZZ1JZXW000001*", None),
    ],
)
def test_a_vin_is_what_iso_3779_lets_it_be(pgn: int, payload: bytes, number: str | None) -> None:
    said = identity(J1939Message(0, pgn, 0, 255, payload, 1))
    assert said.get(VIN_PATH) == number

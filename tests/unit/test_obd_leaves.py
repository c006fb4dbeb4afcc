"""OBD-II answers as leaves: real VSS paths, right numbers, honest quality."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.isotp import IsoTpReassembler, Pdu
from gateway.obd import ObdError
from gateway.obd_leaves import CATALOG, INDEX, OWNER_NS, PATHS, ObdLeaves, ObdValue
from gateway.obd_pids import BY_PID, LEAVES, LENGTHS
from gateway.recordings import open_recording
from gateway.vss import integer_range, parse_vss
from internetcar.contract.message import Value
from internetcar.contract.signals import Catalog, Signal
from tests.data import data_path

ENGINE, GEARBOX = 0x7E8, 0x7E9
TEXTS = {"P0301": "Cylinder 1 misfires"}


def say(
    payload: str | bytes, leaves: ObdLeaves | None = None, can_id: int = ENGINE, at_ns: int = 5
) -> list[ObdValue]:
    content = bytes.fromhex(payload) if isinstance(payload, str) else payload
    return (leaves or ObdLeaves(TEXTS)).feed(Pdu(0, can_id, content, at_ns))


def values(payload: str | bytes, leaves: ObdLeaves | None = None) -> dict[str, Value]:
    return {each.path: each.value for each in say(payload, leaves)}


def test_leaves_are_those_of_vss_where_it_has_them() -> None:
    path = data_path("vss/vss_release_6.0.json")
    vss = parse_vss(path.read_text(encoding="utf-8"), path.name)
    private = [leaf for leaf in CATALOG.values() if leaf.path not in vss]
    ours = ("Vehicle.OBD.", "Vehicle.Diagnostics.")
    assert all(leaf.path.startswith(ours) for leaf in private)
    for leaf in CATALOG.values():
        known = vss.get(leaf.path)
        if known is not None:
            assert (leaf.datatype, leaf.unit) == (known.datatype, known.unit), leaf.path
            assert known.min is None or (leaf.min is not None and leaf.min >= known.min), leaf.path
            assert known.max is None or (leaf.max is not None and leaf.max <= known.max), leaf.path
    assert len(CATALOG) - len(private) == 20


@pytest.mark.parametrize(
    ("payload", "path", "value"),
    [
        ("410c1af8", "Vehicle.Powertrain.CombustionEngine.Speed", 1_726.0),
        ("410c0000", "Vehicle.Powertrain.CombustionEngine.IsRunning", False),
        ("410d78", "Vehicle.Speed", 120.0),
        ("410d78", "Vehicle.IsMoving", True),
        ("410500", "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature", -40.0),
        ("412fff", "Vehicle.Powertrain.FuelSystem.RelativeLevel", 100),
        ("413280 00", "Vehicle.OBD.EVAPVaporPressure", -8_192.0),
        ("4114b4ff", "Vehicle.OBD.O2.Sensor1.Voltage", 0.9),
        ("4114b4ff", "Vehicle.OBD.O2.Sensor1.ShortTermFuelTrim", None),
        ("4114b480", "Vehicle.OBD.O2.Sensor1.ShortTermFuelTrim", 0.0),
        ("412b80004000", "Vehicle.OBD.O2WR.Sensor8.Voltage", 2.0),
        ("412b80004000", "Vehicle.OBD.O2WR.Sensor8.Lambda", 1.0),
        ("413b80008000", "Vehicle.OBD.O2WR.Sensor8.Current", 0.0),
        ("410302 00", "Vehicle.OBD.FuelStatus", "CLOSED_LOOP"),
        ("41030300", "Vehicle.OBD.FuelStatus", None),
        ("4101000 80000", "Vehicle.OBD.Status.IgnitionType", "COMPRESSION"),
        ("410100000000", "Vehicle.OBD.Status.IgnitionType", "SPARK"),
        ("413d1130", "Vehicle.OBD.Catalyst.Bank2.Temperature1", 400.0),
        ("41a60001e240", "Vehicle.TraveledDistance", 12_345_600),
        ("4142362c", "Vehicle.LowVoltageBattery.CurrentVoltage", 13.868),
    ],
)
def test_numbers_are_those_of_the_standard(payload: str, path: str, value: Value) -> None:
    assert values(payload.replace(" ", ""))[path] == value


@given(st.binary(min_size=4, max_size=4))
def test_every_number_lies_where_the_catalog_says(content: bytes) -> None:
    for leaf in LEAVES:
        value = leaf.read(content[: leaf.length])
        assert leaf.length == LENGTHS[leaf.pid] <= 4
        if leaf.min is not None and leaf.max is not None and value is not None:
            assert isinstance(value, int | float)
            assert leaf.min - 1 <= value <= leaf.max + 1
        if limits := integer_range(leaf.datatype):
            assert isinstance(value, int)
            assert value >= limits[0]


def test_an_odometer_beyond_the_leaf_is_out_of_range() -> None:
    (said,) = say("41a6ffffffff")
    assert said.quality == "out_of_range"


def test_what_a_sensor_does_not_say_is_not_available() -> None:
    said = {each.path: each.quality for each in say("4114b4ff")}
    assert said["Vehicle.OBD.O2.Sensor1.Voltage"] == "valid"
    assert said["Vehicle.OBD.O2.Sensor1.ShortTermFuelTrim"] == "not_available"


def test_codes_come_with_their_text_and_count() -> None:
    assert values("43020301c100") == {
        "Vehicle.Diagnostics.DTCList": ["P0301", "U0100"],
        "Vehicle.Diagnostics.DTCText": [
            "P0301: Cylinder 1 misfires",
            "U0100: Fault in the network between the control units",
        ],
        "Vehicle.Diagnostics.DTCCount": 2,
    }
    assert values("47010171")["Vehicle.Diagnostics.PendingDTCList"] == ["P0171"]


def test_codes_are_those_of_all_controllers_and_go_when_they_are_cleared() -> None:
    leaves = ObdLeaves(TEXTS)
    say("43010301", leaves, ENGINE)
    both = say("43010730", leaves, GEARBOX)
    assert both[0].value == ["P0301", "P0730"]
    assert say("4300", leaves, ENGINE)[0].value == ["P0730"]


def test_a_controller_that_is_gone_takes_its_codes_and_its_light_along() -> None:
    leaves = ObdLeaves(TEXTS)
    say("43010730", leaves, GEARBOX)
    say("410181000000", leaves, GEARBOX)
    lists = [say("43010301", leaves, ENGINE)[0].value for _ in range(4)]
    assert lists == [["P0301", "P0730"]] * 2 + [["P0301"]] * 2
    lights = [say("410100000000", leaves, ENGINE)[0].value for _ in range(4)]
    assert lights == [True, True, False, False]


def test_a_controller_that_answers_each_second_time_stays() -> None:
    leaves = ObdLeaves(TEXTS)
    for turn in range(10):
        if turn % 2 == 0:
            say("43010730", leaves, GEARBOX)
        assert say("43010301", leaves, ENGINE)[0].value == ["P0301", "P0730"]


def test_a_flood_of_codes_stays_within_its_count() -> None:
    leaves = ObdLeaves({})
    for number in range(8):
        body = b"".join((0x100 * number + each).to_bytes(2, "big") for each in range(1, 101))
        said = say(b"\x43\x64" + body, leaves, ENGINE + number)
    assert said[2] == ObdValue("Vehicle.Diagnostics.DTCCount", 255, "valid", 5)
    assert isinstance(said[0].value, list)
    assert len(said[0].value) == 255


def test_the_warning_light_is_lit_while_any_controller_lights_it() -> None:
    leaves = ObdLeaves({})
    say("410181000000", leaves, ENGINE)
    said = {each.path: each for each in say("410102000000", leaves, GEARBOX)}
    assert said["Vehicle.OBD.Status.IsMILOn"].value is True
    assert said["Vehicle.OBD.Status.DTCCount"].value == 3
    assert said["Vehicle.Service.IsServiceDue"].value is True
    said = {each.path: each for each in say("410100000000", leaves, ENGINE)}
    assert said["Vehicle.OBD.Status.IsMILOn"].value is False
    due = said["Vehicle.Service.IsServiceDue"]
    assert (due.value, due.quality) == (None, "not_available")


def test_of_two_controllers_the_first_says_a_value_until_it_falls_silent() -> None:
    leaves = ObdLeaves({})
    assert say("410d32", leaves, GEARBOX, 0)
    assert say("410d33", leaves, ENGINE, 1)
    assert say("410d32", leaves, GEARBOX, OWNER_NS) == []
    assert say("410d32", leaves, GEARBOX, OWNER_NS + 1)


def test_the_vehicle_is_identified_or_not_available() -> None:
    said = say(b"\x49\x02\x01WVWZZZ1JZXW000001")
    assert [each.value for each in said] == ["WVWZZZ1JZXW000001", "WVW"]
    assert [each.quality for each in say(b"\x49\x02\x01" + bytes(17))] == ["not_available"] * 2
    leaves = ObdLeaves({})
    assert say(b"\x49\x02\x01WVWZZZ1JZXW000001", leaves)
    assert say(b"\x49\x02\x01" + b"OSEV__ BMS".ljust(17), leaves, GEARBOX) == []


@pytest.mark.parametrize("payload", ["4904014f", "7f0112", "41c301", "4100ffffffff"])
def test_what_is_no_leaf_says_nothing(payload: str) -> None:
    assert say(payload) == []


def test_what_is_no_answer_to_a_tester_says_nothing() -> None:
    assert say("410d32", can_id=0x123) == []


def test_every_leaf_fits_the_contract() -> None:
    assert [PATHS[index] for index in INDEX.values()] == list(PATHS)
    leaves = {path: leaf.catalog_leaf("can0", 60_000) for path, leaf in CATALOG.items()}
    catalog = Catalog(vehicle_id="car", group="Vehicle.OBD", leaves=leaves)
    assert Catalog.decode(catalog.topic, catalog.encode()) == catalog
    assert leaves["Vehicle.Speed"].source == "can0/OBD.01.0D"
    assert sorted(BY_PID) == sorted(LENGTHS)


@given(st.binary(max_size=30))
def test_any_answer_is_said_within_the_contract_or_refused(payload: bytes) -> None:
    try:
        said = say(payload)
    except ObdError:
        return
    for each in said:
        assert each.path in INDEX
        at = "2026-01-01T00:00:00Z"
        Signal.model_validate(
            {"vehicle_id": "car", "path": each.path, "value": each.value, "at": at}
        )


def test_the_recorded_diagnosis_says_what_its_car_knows() -> None:
    leaves, reassembler, said = ObdLeaves({}), IsoTpReassembler(), dict[str, ObdValue]()
    path = data_path("can/kona-ev/car-scanner.obd-uds.candump.log")
    for _, can_id, payload, at_ns in open_recording(path):
        part = reassembler.feed(0, can_id, payload, at_ns)
        if isinstance(part, Pdu):
            try:
                said |= {each.path: each for each in leaves.feed(part)}
            except ObdError:
                continue  # of UDS, on the same ids
    assert {path: each.value for path, each in said.items()} == {
        "Vehicle.Diagnostics.DTCCount": 0,
        "Vehicle.Diagnostics.DTCList": [],
        "Vehicle.Diagnostics.DTCText": [],
        "Vehicle.Diagnostics.PendingDTCList": [],
        "Vehicle.Diagnostics.PendingDTCText": [],
        "Vehicle.VehicleIdentification.VIN": None,  # it answers with a control unit's name
        "Vehicle.VehicleIdentification.WMI": None,
    }

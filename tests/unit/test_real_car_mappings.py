import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gateway.databases import Database, DatabaseError, load_database
from gateway.decode import Decoder
from gateway.kuksa import compare
from gateway.mapping import UNMAPPABLE, Binding, Mapping, bind, parse_mapping
from gateway.vehicles import load_vehicle, vehicle_names
from gateway.vss import VssLeaf, parse_vss
from internetcar.contract.message import Value
from tests.data import data_path

BROUGHT = {"pcan.dbc": "can/kona-ev/pcan.dbc"}
REAL_CARS = [name for name in vehicle_names() if name != "reference"]
KONA_LOG = "can/kona-ev/power-off-on-ready-off.pcan0.ccan1.candump.log"


@cache
def release_6() -> dict[str, VssLeaf]:
    path = data_path("vss/vss_release_6.0.json")
    return parse_vss(path.read_text(encoding="utf-8"), path.name)


def rules_of(name: str) -> Mapping:
    return parse_mapping(Path(load_vehicle(name).mapping).read_text(encoding="utf-8"), name)


@cache
def databases_of(name: str) -> list[list[Database]]:
    """What explains each bus of the line."""
    buses = []
    for bus in load_vehicle(name).buses.values():
        sources = bus.databases or (str(data_path(BROUGHT[bus.bring or ""])),)
        try:
            buses.append([load_database(source) for source in sources])
        except DatabaseError as error:
            if "install" in str(error):
                pytest.skip(str(error))
            raise
    return buses


@cache
def connected(name: str) -> tuple[Decoder, Binding]:
    """The line's mapping on all its buses, as on a car."""
    decoder = Decoder(databases_of(name))
    return decoder, bind(rules_of(name), decoder.signals, list(load_vehicle(name).buses))


@pytest.mark.parametrize("name", REAL_CARS)
def test_every_leaf_finds_its_signal_and_every_table_its_values(name: str) -> None:
    _, binding = connected(name)

    assert binding.errors == []
    assert [text for text in binding.warnings if "add `bus`" not in text] == []
    assert len(binding.leaves) == len(rules_of(name).leaves) >= 25


@pytest.mark.parametrize("name", REAL_CARS)
def test_every_leaf_is_one_of_vss_6_with_its_datatype_and_unit(name: str) -> None:
    for path, rule in rules_of(name).leaves.items():
        leaf = release_6()[path]
        assert (rule.kind, rule.datatype, rule.unit) == (leaf.kind, leaf.datatype, leaf.unit), path
        assert rule.allowed == leaf.allowed, path


@pytest.mark.parametrize("name", REAL_CARS)
def test_every_value_of_a_table_is_allowed_and_within_the_datatype(name: str) -> None:
    _, binding = connected(name)

    for leaf in binding.leaves:
        transform = leaf.rule.source.transform if leaf.rule.source else None
        for entry in (transform and transform.mapping) or ():
            assert leaf.rule.allowed is None or entry.to in leaf.rule.allowed, leaf.path
            if isinstance(entry.to, int):
                assert leaf.low <= entry.to <= leaf.high, leaf.path


def kona_frames() -> Iterator[tuple[int, int, bytes, int]]:
    """The log's frames: can0 is the P-CAN, can1 the C-CAN."""
    order = {"pcan": "can0", "ccan": "can1"}
    buses = {order[name]: index for index, name in enumerate(load_vehicle(REAL_KONA).buses)}
    for line in data_path(KONA_LOG).read_text(encoding="ascii").splitlines():
        match = re.fullmatch(r"\((\d+)\.(\d{6})\) (\w+) ([0-9A-F]+)#([0-9A-F]*)", line)
        assert match is not None
        at_ns = int(match[1] + match[2]) * 1000
        yield buses[match[3]], int(match[4], 16), bytes.fromhex(match[5]), at_ns


REAL_KONA = "hyundai_kona_ev"


@cache
def kona_values() -> dict[str, list[Value]]:
    """Every value each leaf takes on the log, out of range left out."""
    decoder, binding = connected(REAL_KONA)
    values: dict[str, list[Value]] = {leaf.path: [] for leaf in binding.leaves}
    leaves = {
        index: [leaf for leaf in binding.leaves if leaf.signal_index == index]
        for index in binding.signal_indices
    }
    for bus, can_id, payload, at_ns in kona_frames():
        for index, number in decoder.decode(bus, can_id, payload, at_ns):
            for leaf in leaves.get(index, ()):
                value = leaf.translate(number)
                assert value is not UNMAPPABLE, (leaf.path, number)
                if isinstance(value, int | float) and not leaf.low <= value <= leaf.high:
                    continue
                values[leaf.path].append(value)
    return values


def test_the_kona_says_each_of_its_leaves_on_the_log() -> None:
    values = kona_values()

    assert len(values) == 69
    assert [path for path, taken in values.items() if not taken] == []


@pytest.mark.parametrize(
    ("path", "low", "high"),
    [
        ("Vehicle.Speed", 0, 0),
        ("Vehicle.TraveledDistance", 26_716_500, 26_716_500),
        ("Vehicle.Powertrain.Range", 0, 205_000),
        ("Vehicle.Powertrain.TractionBattery.StateOfCharge.Displayed", 36.5, 36.5),
        ("Vehicle.Powertrain.TractionBattery.StateOfCharge.Current", 35.5, 35.5),
        ("Vehicle.Powertrain.TractionBattery.CurrentVoltage", 350, 360),
        ("Vehicle.Powertrain.TractionBattery.CurrentCurrent", -5, 0),
        ("Vehicle.Powertrain.TractionBattery.Temperature.Min", 22, 22),
        ("Vehicle.Powertrain.TractionBattery.Temperature.Max", 23, 23),
        ("Vehicle.LowVoltageBattery.CurrentVoltage", 11, 14),
        ("Vehicle.LowVoltageBattery.CurrentCurrent", -40, 20),
        ("Vehicle.Chassis.SteeringWheel.Angle", 39, 41),
        ("Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature", 22, 22),
        ("Vehicle.Cabin.HVAC.AmbientAirTemperature", 30, 32),
        ("Vehicle.Acceleration.Longitudinal", -1, 2),
        ("Vehicle.AngularVelocity.Yaw", -2, 2),
        ("Vehicle.Powertrain.ElectricMotor.Speed", -2, 2),
    ],
)
def test_the_konas_numbers_are_plausible(path: str, low: float, high: float) -> None:
    numbers = [value for value in kona_values()[path] if isinstance(value, int | float)]

    assert low <= min(numbers)
    assert max(numbers) <= high


def test_the_konas_states_are_what_was_done_with_it() -> None:
    values = kona_values()

    assert values["Vehicle.LowVoltageSystemState"] == ["OFF", "START", "ON", "OFF"]
    assert values["Vehicle.Powertrain.Transmission.SelectedGear"] == [126]
    assert values["Vehicle.Powertrain.Transmission.IsParkLockEngaged"] == [True]
    assert values["Vehicle.Cabin.Door.Row1.DriverSide.IsOpen"] == [False]
    assert values["Vehicle.IsMoving"] == [False]
    assert set(values["Vehicle.Cabin.HVAC.IsAirConditioningActive"]) == {False, True}


def test_on_the_konas_log_kuksas_rules_end_with_an_old_value() -> None:
    buses = list(load_vehicle(REAL_KONA).buses)

    found = compare(rules_of(REAL_KONA), databases_of(REAL_KONA), buses, kona_frames())

    compressor = {difference.path: difference for difference in found}[
        "Vehicle.Cabin.HVAC.IsAirConditioningActive"
    ]
    assert compressor.kuksa[-1][1] is True
    assert compressor.ours[-1][1] is False
    assert "KUKSA ends with True, the car with False" in compressor.reasons

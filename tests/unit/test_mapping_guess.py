import json

from gateway.databases import load_database
from gateway.decode import signal_definitions
from gateway.mapping import bind, parse_mapping
from gateway.mapping_guess import guess, skeleton
from gateway.vss import VssLeaf, parse_vss
from tests.data import data_path
from tests.unit.signals import FakeSignal

SPEED = VssLeaf("Vehicle.Speed", "sensor", "float", "km/h")
DOOR = VssLeaf("Vehicle.Cabin.Door.Row1.DriverSide.IsOpen", "actuator", "boolean")
WHEEL = VssLeaf("Vehicle.Chassis.Axle.Row1.Wheel.Left.Speed", "sensor", "float", "km/h")
RANGE = VssLeaf("Vehicle.Powertrain.Range", "sensor", "uint32", "m", min=0)
LENGTH = VssLeaf("Vehicle.Length", "attribute", "uint16", "mm")
VSS = {leaf.path: leaf for leaf in (SPEED, DOOR, WHEEL, RANGE, LENGTH)}


def test_a_signal_becomes_the_leaf_that_its_name_says() -> None:
    signals = [
        FakeSignal("VehSpd", unit="km/h"),
        FakeSignal("WHEEL_SPEED_FL", "WHEEL_SPEEDS", unit="kph"),
        FakeSignal("DOOR_OPEN_FL", "BODY"),
        FakeSignal("CHECKSUM", "BODY"),
        FakeSignal("Length"),
    ]

    guesses = {found.leaf: found.signal_index for found in guess(signals, VSS)}

    assert guesses == {SPEED: 0, WHEEL: 1, DOOR: 2}


def test_a_unit_of_another_kind_is_no_match() -> None:
    assert guess([FakeSignal("Speed", unit="V")], {SPEED.path: SPEED}) == []


def test_the_skeleton_is_a_mapping_whose_leaves_say_they_are_guesses() -> None:
    signals = [
        FakeSignal("Range", unit="km"),
        FakeSignal("DOOR_OPEN_FL", "BODY", choices={0: "Closed", 1: "Open", 3: "Unknown"}),
    ]

    nodes = skeleton(guess(signals, VSS), signals)
    rules = parse_mapping(json.dumps(nodes), "new.json")
    binding = bind(rules, signals, ["can0"])

    assert list(nodes) == [DOOR.path, RANGE.path]
    assert all(node["comment"].startswith("A guess, ") for node in nodes.values())
    assert (rules.warnings, binding.errors, binding.warnings) == ((), [], [])
    door, distance = binding.leaves
    assert [door.translate(0), door.translate(1)] == [False, True]
    assert distance.translate(3) == 3000


def test_most_of_a_real_car_is_found_again() -> None:
    release = data_path("vss/vss_release_6.0.json")
    vss = parse_vss(release.read_text(encoding="utf-8"), release.name)
    car = load_database(str(data_path("can/opendbc/hyundai_kia_generic.dbc")))
    signals = signal_definitions([[car]])

    guesses = {found.leaf.path: signals[found.signal_index].signal for found in guess(signals, vss)}

    assert guesses["Vehicle.Chassis.Axle.Row2.Wheel.Left.Speed"] == "WHL_SPD_RL"
    assert guesses["Vehicle.AngularVelocity.Yaw"] == "YAW_RATE"
    nodes = skeleton(guess(signals, vss), signals)
    assert bind(parse_mapping(json.dumps(nodes), "n"), signals, ["can0"]).errors == []

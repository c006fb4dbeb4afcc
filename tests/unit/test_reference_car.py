"""The reference car's databases and its mapping agree with each other and with VSS."""

import json
from collections.abc import Iterator
from typing import Any

import cantools
import pytest
from cantools.database.can import Database, Message
from cantools.database.can.signal import Signal

from simulator.encode import protection
from simulator.garage import load_databases, reference_folder
from tests.data import data_path

Leaf = dict[str, Any]
NUMBERS = {"float", "double", "int8", "int16", "uint8", "uint16", "uint32"}


def walk(node: Leaf, path: str) -> Iterator[tuple[str, Leaf]]:
    for name, child in node.items():
        below = f"{path}.{name}" if path else name
        if "children" in child:
            yield from walk(child["children"], below)
        else:
            yield below, child


def leaves() -> dict[str, Leaf]:
    return dict(walk(json.loads((reference_folder() / "mapping.json").read_text()), ""))


LEAVES = leaves()
SETTABLE = {path: leaf for path, leaf in LEAVES.items() if "vss2dbc" in leaf}


@pytest.fixture(scope="module")
def databases() -> dict[str, Database]:
    return load_databases(reference_folder())


def located(databases: dict[str, Database], rule: Leaf) -> tuple[Message, Signal]:
    message = databases[rule["bus"]].get_message_by_name(rule["message"])
    return message, message.get_signal_by_name(rule["signal"])


@pytest.mark.parametrize("name", ["powertrain", "comfort", "telematics"])
def test_each_database_loads_strictly(name: str) -> None:
    database = cantools.database.load_file(reference_folder() / f"{name}.dbc", strict=True)
    assert isinstance(database, Database)
    assert database.messages


def test_the_databases_show_what_a_real_car_has(databases: dict[str, Database]) -> None:
    messages = [message for database in databases.values() for message in database.messages]
    signals = [signal for message in messages for signal in message.signals]
    assert {signal.byte_order for signal in signals} == {"little_endian", "big_endian"}
    assert any(message.is_multiplexed() for message in messages)
    assert {message.is_extended_frame for message in messages} == {True, False}
    assert all(message.is_fd for message in databases["telematics"].messages)
    assert not any(message.is_fd for message in databases["powertrain"].messages)
    assert any(signal.choices for signal in signals)
    assert any(signal.is_signed for signal in signals)
    rates = {n: d.dbc.attributes["Baudrate"].value for n, d in databases.items() if d.dbc}
    assert rates == {"powertrain": 500_000, "comfort": 250_000, "telematics": 500_000}


def test_every_message_has_a_cycle_or_is_a_command(databases: dict[str, Database]) -> None:
    for database in databases.values():
        for message in database.messages:
            assert bool(message.cycle_time) != message.name.endswith("_Command"), message.name


def test_the_load_of_one_car_stays_small(databases: dict[str, Database]) -> None:
    cycles = [m.cycle_time for d in databases.values() for m in d.messages if m.cycle_time]
    assert sum(1_000 / cycle for cycle in cycles) <= 250


def test_names_are_unique_over_the_buses(databases: dict[str, Database]) -> None:
    messages = [message for database in databases.values() for message in database.messages]
    signals = [signal.name for message in messages for signal in message.signals]
    assert len({message.name for message in messages}) == len(messages)
    assert len(set(signals)) == len(signals)


def test_there_are_sixty_to_eighty_leaves() -> None:
    assert 60 <= len(LEAVES) <= 80


def test_every_leaf_is_as_in_vss() -> None:
    tree = json.loads(data_path("vss/vss_release_6.0.json").read_text())
    release = dict(walk(tree, ""))
    for path, leaf in LEAVES.items():
        official = release[path]
        for key in ("type", "datatype", "unit", "min", "max", "allowed"):
            assert leaf.get(key) == official.get(key), (path, key)


@pytest.mark.parametrize("path", LEAVES)
def test_every_leaf_comes_from_a_signal(path: str, databases: dict[str, Database]) -> None:
    leaf = LEAVES[path]
    rule = leaf["dbc2vss"]
    message, signal = located(databases, rule)
    assert message.cycle_time
    table = rule.get("transform", {}).get("mapping")
    if table is None:
        assert leaf["datatype"] in NUMBERS
        return
    assert [entry["from"] for entry in table] == [str(n) for n in (signal.choices or {}).values()]
    for entry in table:
        assert entry["to"] in leaf.get("allowed", [entry["to"]])


@pytest.mark.parametrize("path", SETTABLE)
def test_what_is_settable_has_a_command_and_a_feedback(
    path: str, databases: dict[str, Database]
) -> None:
    command = SETTABLE[path]["vss2dbc"]
    message, signal = located(databases, command)
    feedback, _ = located(databases, SETTABLE[path]["dbc2vss"])
    assert SETTABLE[path]["type"] == "actuator"
    assert message.name.endswith("_Command")
    assert message.senders == ["GW"]
    assert feedback.name != message.name
    assert command["allow"] is True
    assert command["timeout_ms"] >= 2 * (feedback.cycle_time or 0)
    assert str(signal.initial) == "NO_REQUEST"
    for entry in command.get("transform", {}).get("mapping", ()):
        assert entry["to"] in {str(name) for name in (signal.choices or {}).values()}


def test_counters_and_checksums_stand_in_the_mapping_as_in_the_database(
    databases: dict[str, Database],
) -> None:
    protected = set()
    for path, leaf in LEAVES.items():
        for rule in (leaf["dbc2vss"], leaf.get("vss2dbc")):
            if rule is None:
                continue
            message, _ = located(databases, rule)
            guard = protection(message)
            if guard is None:
                assert "counter" not in rule, path
                assert "checksum" not in rule, path
            else:
                attribute = message.dbc.attributes["ChecksumRule"] if message.dbc else None
                assert attribute is not None
                assert rule["counter"] == guard.counter
                assert rule["checksum"] == {"signal": guard.checksum, "rule": attribute.value}
                protected.add(message.name)
    assert {"Vehicle_Motion", "Pedal_Status", "Door_Command", "Steering_Status"} <= protected


def test_the_position_comes_from_one_frame() -> None:
    rules = [
        leaf["dbc2vss"]
        for path, leaf in LEAVES.items()
        if path.startswith("Vehicle.CurrentLocation.") and not path.endswith("FixType")
    ]
    assert len(rules) == 5
    assert {(rule["message"], rule["group"]) for rule in rules} == {
        ("GNSS_Position", "Vehicle.CurrentLocation")
    }

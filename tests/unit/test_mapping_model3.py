"""KUKSA's own mapping of a Tesla Model 3, both forms, on KUKSA's own database."""

from functools import cache

import pytest

from gateway.databases import load_database
from gateway.decode import SignalDefinition, signal_definitions
from gateway.mapping import LeafRule, Mapping, bind, parse_mapping
from tests.data import data_path


@cache
def model_3(name: str) -> Mapping:
    path = data_path(f"can/kuksa/{name}")
    return parse_mapping(path.read_text(encoding="utf-8"), name)


@cache
def model_3_signals() -> list[SignalDefinition]:
    return signal_definitions([[load_database(str(data_path("can/kuksa/Model3CAN.dbc")))]])


def essence(rule: LeafRule) -> tuple[object, ...]:
    return rule.kind, rule.datatype, rule.source, rule.command


def test_kuksas_model_3_is_the_same_as_a_tree_and_as_an_overlay() -> None:
    tree, overlay = model_3("vss_4.0_dbc.json"), model_3("vss_4.0_dbc_overlay.vspec")

    assert {path: essence(rule) for path, rule in tree.leaves.items()} == {
        path: essence(rule) for path, rule in overlay.leaves.items()
    }
    assert tree.warnings == overlay.warnings == ()
    assert len(tree.leaves) == 32


def test_kuksas_model_3_binds_but_for_the_leaf_that_is_ambiguous() -> None:
    rules = model_3("vss_4.0_dbc.json")

    binding = bind(rules, model_3_signals(), ["can0"])

    assert len(binding.leaves) == len(rules.leaves) - 1
    [error] = binding.errors
    assert "Charging.IsCharging: CP_hvChargeStatus is ambiguous: it is in" in error


@pytest.mark.parametrize(
    ("path", "number", "expected"),
    [
        ("Vehicle.Powertrain.Transmission.CurrentGear", 4, 1),
        ("Vehicle.Powertrain.Transmission.CurrentGear", 2, -1),
        ("Vehicle.Powertrain.Transmission.IsParkLockEngaged", 1, True),
        ("Vehicle.Chassis.SteeringWheel.Angle", -12.5, -12),
        ("Vehicle.Body.Mirrors.DriverSide.Pan", 2, -20),
        ("Vehicle.OBD.EngineLoad", -12.4, 2.0),
        ("Vehicle.Speed", 88, 88.0),
        ("Vehicle.Body.Trunk.Rear.IsOpen", 1, True),
    ],
)
def test_kuksas_model_3_means_the_same_to_us(path: str, number: float, expected: object) -> None:
    binding = bind(model_3("vss_4.0_dbc.json"), model_3_signals(), ["can0"])

    [leaf] = [leaf for leaf in binding.leaves if leaf.path == path]
    value = leaf.translate(number)

    assert (value, type(value)) == (expected, type(expected))

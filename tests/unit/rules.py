"""Rules and bindings of one leaf, `Vehicle.X`, written short."""

import json
from typing import Any

from gateway.mapping import Binding, Mapping, bind, parse_mapping
from tests.unit.signals import FakeSignal

GEARS = {0: "P", 5: "D", 6: "N", 7: "R"}


def mapping(source: dict[str, Any], path: str = "Vehicle.X", **leaf: Any) -> Mapping:
    node = {"type": "sensor", "datatype": "float", "dbc2vss": source, **leaf}
    return parse_mapping(json.dumps({path: node}), "test.json")


def table(*entries: tuple[Any, Any]) -> dict[str, Any]:
    return {"mapping": [{"from": key, "to": value} for key, value in entries]}


def bound(rules: Mapping, *signals: FakeSignal) -> Binding:
    return bind(rules, signals, ["can0", "can1"])

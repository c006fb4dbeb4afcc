import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapping import MappingError, bind, inherit, parse_mapping
from gateway.pacing import Pace
from gateway.vss import VssLeaf
from tests.unit.rules import mapping, table
from tests.unit.signals import FakeSignal


def pace(**source: Any) -> Pace:
    return mapping({"signal": "S", **source}).leaves["Vehicle.X"].pace(Pace())


def test_a_tree_and_an_overlay_give_the_same_rules() -> None:
    tree = """{"Vehicle": {"type": "branch", "children": {"Speed": {"type": "sensor",
        "datatype": "float", "unit": "km/h", "dbc2vss": {"signal": "V", "interval_ms": 100}},
        "Width": {"type": "attribute", "datatype": "uint16"}}}}"""
    flat = """
Vehicle.Speed:
  type: sensor
  datatype: float
  unit: km/h
  dbc2vss:
    signal: V
    interval_ms: 100
"""

    rules = parse_mapping(tree, "a.json").leaves

    assert rules == parse_mapping(flat, "a.vspec").leaves
    assert list(rules) == ["Vehicle.Speed"]


def test_the_older_key_dbc_means_dbc2vss() -> None:
    old = parse_mapping('{"A": {"type":"sensor","datatype":"int8","dbc":{"signal":"S"}}}', "o")
    new = parse_mapping('{"A": {"type":"sensor","datatype":"int8","dbc2vss":{"signal":"S"}}}', "n")

    assert old.leaves == new.leaves


def test_what_a_file_leaves_open_is_the_default() -> None:
    assert pace() == Pace()
    assert pace(interval_ms=20, deadband=0.5, max_interval_ms=0, group="g") == Pace(
        20_000_000, 0.5, 0, "g"
    )


def test_on_change_alone_means_every_change() -> None:
    assert pace(on_change=True) == Pace(interval_ns=0)
    assert pace(on_change=True, interval_ms=50).interval_ns == 50_000_000


def test_without_on_change_an_unchanged_value_is_repeated_every_interval() -> None:
    assert pace(on_change=False, interval_ms=500).max_interval_ns == 500_000_000
    assert pace(on_change=False).max_interval_ns == Pace().interval_ns


def test_a_position_is_one_group_unless_it_says_otherwise() -> None:
    path = "Vehicle.CurrentLocation.Latitude"

    def group(**source: Any) -> str | None:
        return mapping({"signal": "S", **source}, path).leaves[path].pace(Pace()).group

    assert group() == "Vehicle.CurrentLocation"
    assert group(group="mine") == "mine"
    assert group(group="") is None


def test_keys_nobody_reads_are_warned_of() -> None:
    rules = mapping({"signal": "S", "intervall_ms": 3}, deadband=2, comment="fine")

    assert rules.warnings == (
        "test.json: Vehicle.X: dbc2vss: nobody reads intervall_ms",
        "test.json: Vehicle.X: deadband belong inside `dbc2vss` or `vss2dbc`",
    )


@pytest.mark.parametrize(
    ("leaf", "names"),
    [
        ({"dbc2vss": {}}, "Vehicle.X: dbc2vss.signal: Field required"),
        ({"dbc2vss": "S"}, "Vehicle.X: dbc2vss: Input should be"),
        ({"dbc2vss": {"signal": ""}}, "dbc2vss.signal"),
        ({"dbc2vss": {"signal": "S", "interval_ms": "10"}}, "dbc2vss.interval_ms"),
        ({"dbc2vss": {"signal": "S", "interval_ms": -1}}, "dbc2vss.interval_ms"),
        ({"dbc2vss": {"signal": "S", "on_change": 1}}, "dbc2vss.on_change"),
        ({"dbc2vss": {"signal": "S", "transform": {}}}, "either `mapping` or `math`"),
        (
            {"dbc2vss": {"signal": "S", "transform": {"math": "x", "mapping": []}}},
            "either `mapping` or `math`",
        ),
        ({"dbc2vss": {"signal": "S", "transform": {"math": "y"}}}, "unknown name 'y'"),
        ({"dbc2vss": {"signal": "S", "transform": {"math": "9" * 501}}}, "characters"),
        ({"dbc2vss": {"signal": "S", "transform": {"mapping": [{"from": 1}]}}}, "mapping.0.to"),
        ({"dbc2vss": {"signal": "S", "transform": table((1, "x"))}}, "'x' is not a float"),
        ({"dbc2vss": {"signal": "S"}, "dbc": {"signal": "S"}}, "both `dbc` and `dbc2vss`"),
        ({"dbc2vss": {"signal": "S"}, "datatype": "int9"}, "unknown datatype 'int9'"),
        ({"dbc2vss": {"signal": "S"}, "datatype": None}, "Vehicle.X.datatype"),
        ({"dbc2vss": {"signal": "S"}, "type": "leaf"}, "needs `type: sensor`"),
        ({"vss2dbc": {"signal": "S"}}, "`vss2dbc` is for an actuator"),
        ({"vss2dbc": {"signal": "S", "hold_s": 601}, "type": "actuator"}, "vss2dbc.hold_s"),
    ],
)
def test_a_rule_that_contradicts_itself_is_one_error_that_names_it(
    leaf: dict[str, Any], names: str
) -> None:
    node = {"type": "sensor", "datatype": "float", **leaf}

    with pytest.raises(MappingError) as caught:
        parse_mapping(json.dumps({"Vehicle.X": node}), "test.json")

    assert str(caught.value).startswith("test.json: ")
    assert names in str(caught.value)


@pytest.mark.parametrize("path", ["Vehicle/Speed", "Vehicle.+", "Vehicle.Größe", "V" * 201, ""])
def test_a_path_that_cannot_be_a_topic_is_an_error(path: str) -> None:
    with pytest.raises(MappingError, match="a leaf's path has only"):
        mapping({"signal": "S"}, path)


def test_a_path_written_twice_is_an_error() -> None:
    node = '{"type": "sensor", "datatype": "int8", "dbc2vss": {"signal": "S"}}'

    with pytest.raises(MappingError, match="written twice"):
        parse_mapping(f'{{"A": {node}, "A": {node}}}', "a")


KEYS = [
    "A",
    "type",
    "datatype",
    "children",
    "dbc2vss",
    "vss2dbc",
    "signal",
    "transform",
    "mapping",
    "math",
    "from",
    "to",
    "interval_ms",
    "multiplexer",
    "min",
    "counter",
]
NODES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner | st.sampled_from(["sensor", "actuator", "branch", "int8", "x"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.one_of(st.text(max_size=80), NODES.map(json.dumps)))
def test_any_text_is_a_mapping_or_one_error(text: str) -> None:
    try:
        rules = parse_mapping(text, "any")
    except MappingError as error:
        assert "\n" not in str(error)
        return
    bind(rules, [FakeSignal("x")], ["can0"])


def test_an_overlay_inherits_from_its_release_what_it_does_not_say() -> None:
    node = {"type": "sensor", "datatype": "float", "max": 5, "dbc2vss": {"signal": "S"}}
    rules = parse_mapping(json.dumps({"A": node, "B": node}), "a")
    release = {"A": VssLeaf("A", "sensor", "float", "km", 0, 9, (1, 2), "Of A")}

    whole = inherit(rules, release).leaves

    assert whole["B"] == rules.leaves["B"]
    leaf = whole["A"]
    assert (leaf.unit, leaf.min, leaf.max, leaf.allowed) == ("km", 0, 5, (1, 2))
    assert (leaf.description, leaf.source) == ("Of A", rules.leaves["A"].source)

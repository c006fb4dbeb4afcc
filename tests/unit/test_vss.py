import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.vss import (
    VssError,
    VssLeaf,
    convert,
    converter,
    integer_range,
    parse_vss,
)
from tests.data import data_path

TREE = {
    "Vehicle": {
        "type": "branch",
        "description": "Everything",
        "children": {
            "Speed": {"type": "sensor", "datatype": "float", "unit": "km/h"},
            "Cabin": {
                "type": "branch",
                "children": {
                    "Fan": {"type": "actuator", "datatype": "uint8", "min": 0, "max": 100},
                },
            },
        },
    }
}
FLAT = """
Vehicle:
  type: branch
Vehicle.Speed:
  type: sensor
  datatype: float
  unit: km/h
Vehicle.Cabin.Fan: {type: actuator, datatype: uint8, min: 0, max: 100}
"""
LEAVES = {
    "Vehicle.Speed": VssLeaf("Vehicle.Speed", "sensor", "float", "km/h"),
    "Vehicle.Cabin.Fan": VssLeaf("Vehicle.Cabin.Fan", "actuator", "uint8", None, 0, 100),
}


def test_a_tree_and_a_flat_overlay_give_the_same_leaves() -> None:
    assert parse_vss(json.dumps(TREE), "tree.json") == LEAVES
    assert parse_vss(FLAT, "flat.vspec") == LEAVES
    assert list(parse_vss(FLAT, "flat.vspec")) == list(LEAVES)


def test_the_release_6_has_its_leaves() -> None:
    path = data_path("vss/vss_release_6.0.json")

    leaves = parse_vss(path.read_text(encoding="utf-8"), path.name)

    kinds = [leaf.kind for leaf in leaves.values()]
    assert (kinds.count("sensor"), kinds.count("actuator"), kinds.count("attribute")) == (
        490,
        643,
        130,
    )
    latitude = leaves["Vehicle.CurrentLocation.Latitude"]
    assert (latitude.datatype, latitude.unit, latitude.min) == ("double", "degrees", -90)
    for leaf in leaves.values():
        converter(leaf.datatype)


def nested_aliases(levels: int) -> str:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "expected VSS paths"),
        ("[1]", "expected VSS paths"),
        ("{", "line 1"),
        ('{"a": 1, "a": 2}', "'a' is written twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": ' + "9" * 5000 + "}", "digits"),
        ('{"a":' * 5000, "nested too deeply"),
        ("[" * 5000, "nested too deeply"),
        ("a: 1\na: 2", "'a' is written twice"),
        ("a: &a {b: 1}\nc: {<<: *a}", "merging"),
        ("1: 2", "quote it"),
        ("? [1, 2]\n: 3", "key"),
        ("a: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("a: !!int ''", "some.file"),
        ("a: !!bool x", "some.file"),
        ("a: !!timestamp x", "some.file"),
        ("a: &a [*a]", "more than"),
        (nested_aliases(9), "more than"),
        ("a: " + "x" * (1 << 20), "characters, at most"),
        ('{"Vehicle": {"dbc2vss": {"signal": "X"}}}', "Vehicle needs `type"),
        ('{"X": {"type": "sensor", "datatype": 3}}', "X has no datatype"),
        (
            '{"A": {"X": {"type": "sensor", "datatype": "int8"}}, '
            '"X": {"type": "sensor", "datatype": "int8"}}',
            "X is written twice",
        ),
    ],
)
def test_what_is_not_a_tree_is_one_error_that_names_it(text: str, names: str) -> None:
    with pytest.raises(VssError) as caught:
        parse_vss(text, "some.file")

    assert names in str(caught.value)
    assert str(caught.value).startswith("some.file: ")


@given(st.text(max_size=200))
def test_any_text_is_a_tree_or_one_error(text: str) -> None:
    try:
        parse_vss(text, "any")
    except VssError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("datatype", "value", "expected"),
    [
        ("int8", 12.9, 12),
        ("int8", -12.9, -12),
        ("uint8", "3", 3),
        ("boolean", 2, True),
        ("boolean", 0.0, False),
        ("boolean", "false", False),
        ("boolean", "on", True),
        ("float", 3, 3.0),
        ("double", True, 1.0),
        ("string", 3, "3"),
        ("string", True, "true"),
        ("string[]", "a", ["a"]),
        ("uint8[]", [1, 2.5], [1, 2]),
        ("int8", None, None),
    ],
)
def test_a_value_becomes_one_of_the_leafs_datatype(
    datatype: str, value: bool | float | str | None, expected: object
) -> None:
    converted = convert(datatype, value)

    assert (converted, type(converted)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("datatype", "value"),
    [("int8", "fast"), ("int8", float("inf")), ("float", "x"), ("float", [1]), ("uint64", 1 << 64)],
)
def test_a_value_that_cannot_be_one_is_refused(datatype: str, value: float | str | None) -> None:
    with pytest.raises(VssError, match=f"is not a {datatype}"):
        convert(datatype, value)


def test_an_unknown_datatype_is_refused() -> None:
    with pytest.raises(VssError, match="unknown datatype 'int7'"):
        converter("int7")


def test_integers_have_their_range() -> None:
    assert integer_range("int8") == (-128, 127)
    assert integer_range("uint64") == (0, 2**64 - 1)
    assert integer_range("float") is None

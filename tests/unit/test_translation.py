import json
import math
from typing import Any

import orjson
import pytest

from gateway.mapping import UNMAPPABLE, bind, unmapped_binding
from tests.unit.rules import GEARS, mapping, table
from tests.unit.signals import FakeSignal

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
DATATYPES = [*INTEGERS, "boolean", "float", "double", "string"]


def translated(
    signal: FakeSignal, number: float, transform: dict[str, Any] | None = None, **leaf: Any
) -> object:
    source = {"signal": signal.signal} | ({"transform": transform} if transform else {})
    binding = bind(mapping(source, **leaf), [signal], ["can0"])
    assert binding.errors == []
    return binding.leaves[0].translate(number)


def test_a_value_is_taken_as_it_is_in_the_leafs_datatype() -> None:
    signal = FakeSignal("S", scale=0.5)

    assert translated(signal, 3.5) == 3.5
    assert translated(signal, 3.5, datatype="uint8") == 3
    assert translated(signal, -3.5, datatype="int8") == -3
    assert translated(signal, 2, datatype="boolean") is True
    assert translated(signal, 2, datatype="string") == "2"
    assert translated(signal, 2, datatype="uint8[]") == [2]


def test_a_text_leaf_without_a_transform_says_the_name() -> None:
    signal = FakeSignal("S", choices=GEARS)

    assert translated(signal, 5, datatype="string") == "D"
    assert translated(signal, 3, datatype="string") == "3"
    assert translated(signal, 5, datatype="int8") == 5


def test_a_table_matches_by_name_through_the_value_table() -> None:
    signal = FakeSignal("S", choices=GEARS)
    transform = table(("D", 1), ("P", 0), ("R", -1))

    assert translated(signal, 5, transform, datatype="int8") == 1
    assert translated(signal, 7, transform, datatype="int8") == -1
    assert translated(signal, 6, transform, datatype="int8") is UNMAPPABLE


def test_a_numeric_from_matches_a_value_that_also_has_a_name() -> None:
    signal = FakeSignal("S", choices=GEARS)

    assert translated(signal, 5, table((5, True)), datatype="boolean") is True


def test_the_first_of_equal_entries_holds() -> None:
    signal = FakeSignal("S", choices=GEARS)

    assert translated(signal, 5, table((5, 1), ("D", 2)), datatype="int8") == 1


def test_a_name_that_several_numbers_have_matches_them_all() -> None:
    signal = FakeSignal("S", choices={1: "on", 2: "on", 0: "off"})
    transform = table(("on", True), ("off", False))

    assert [translated(signal, n, transform, datatype="boolean") for n in (0, 1, 2)] == [
        False,
        True,
        True,
    ]


def test_a_from_matches_the_number_the_scale_makes_of_it() -> None:
    signal = FakeSignal("S", scale=0.1)

    assert 3 * 0.1 != 0.3
    assert translated(signal, 3 * 0.1, table((0.3, 7)), datatype="int8") == 7


def test_an_absurd_from_matches_nothing_and_breaks_nothing() -> None:
    signal = FakeSignal("S", scale=1e-300)

    assert translated(signal, 1.0, table((1e300, 1), (10**400, 2))) is UNMAPPABLE
    for scale in (0, math.nan, math.inf):
        assert translated(FakeSignal("S", scale=scale), 2, table((1, 1), (2, 2))) == 2


def test_the_values_of_a_table_are_of_the_leafs_datatype() -> None:
    assert translated(FakeSignal("S"), 1, table((1, 3.9)), datatype="uint8") == 3
    assert translated(FakeSignal("S"), 1, table((1, "false")), datatype="boolean") is False
    assert translated(FakeSignal("S"), 1, table((1, ["a"])), datatype="string[]") == ["a"]


def test_math_is_calculated_and_converted() -> None:
    signal = FakeSignal("S", scale=0.02)

    assert translated(signal, 2.0, {"math": "floor((x*40)-100)"}, datatype="int8") == -20
    assert translated(signal, 2.5, {"math": "x*2"}, datatype="float[]") == [5.0]


@pytest.mark.parametrize(
    ("formula", "number"),
    [("1/x", 0), ("sqrt(x)", -1), ("x*1e300*1e300", 1), ("exp(x)", 1e6), ("floor(x)*9^20", 1e18)],
)
def test_math_without_a_result_is_unmappable(formula: str, number: float) -> None:
    assert translated(FakeSignal("S"), number, {"math": formula}, datatype="int64") is UNMAPPABLE


def test_a_number_that_is_not_finite_is_no_value() -> None:
    signal = FakeSignal("S", is_float=True)

    assert translated(signal, math.nan) is None
    assert translated(signal, math.inf, datatype="string") is None
    assert translated(signal, math.nan, datatype="float[]") is None
    assert translated(signal, math.nan, {"math": "x+1"}) is UNMAPPABLE
    assert translated(signal, 1.5) == 1.5


def test_an_integer_longer_than_json_takes_loses_its_last_digits() -> None:
    signal = FakeSignal("S", bits=512)
    unmapped = unmapped_binding([signal], ["can0"]).leaves[0]

    assert translated(signal, 2**64 - 1, datatype="uint64") == 2**64 - 1
    assert translated(signal, 2**80, datatype="uint64") == 2.0**80
    assert [unmapped.translate(n) for n in (5, 2**64, -(2**70))] == [5, 2.0**64, -(2.0**70)]
    assert unmapped.translate(10**400) is None


@pytest.mark.parametrize("datatype", [*DATATYPES, *(f"{name}[]" for name in DATATYPES)])
@pytest.mark.parametrize(
    "signal",
    [
        FakeSignal("S", bits=64),
        FakeSignal("S", bits=64, is_float=True),
        FakeSignal("S", bits=64, scale=10**300),
        FakeSignal("S", bits=512, scale=1e300),
    ],
)
def test_no_number_makes_a_value_that_json_cannot_take(signal: FakeSignal, datatype: str) -> None:
    for number in (5, -(2**63), 2**64 - 1, (2**64 - 1) * 10, 10**320, 10**5000, 1e300, math.inf):
        if signal.is_float:
            number = float(number) if abs(number) < 1e301 else -math.inf
        value = translated(signal, number, datatype=datatype)
        assert json.loads(orjson.dumps(value)) == value


def test_a_number_beyond_every_float_has_no_name_and_no_text() -> None:
    signal = FakeSignal("S", bits=512, scale=1e300, choices={1: "on", 10**400: "off"})

    assert translated(signal, 10**5000, datatype="string") is None
    assert translated(signal, 1e300, datatype="string") == "on"

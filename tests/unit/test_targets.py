"""What somebody wants, as a value of the leaf and as the raw number of its signal."""

from typing import Any

import pytest
from cantools.database.can import Signal
from hypothesis import given
from hypothesis import strategies as st

from gateway.encoding import Refusal, fits
from gateway.expression import ExpressionError, compile_formula
from gateway.mapping_rules import Command, LeafRule, MappingError
from gateway.targets import conversion, leaf_value, slope
from internetcar.contract.message import Scalar, Value
from tests.unit.rules import table
from tests.unit.test_encoding import signal

INF = float("inf")
NAMES = 'VAL_ 1 S 0 "OFF" 1 "ON" 7 "OFF" 15 "FAR" 16 "BEYOND" -1 "BELOW" ;\n'


def rule(datatype: str, **more: Any) -> LeafRule:
    return LeafRule(path="Vehicle.X", kind="actuator", datatype=datatype, **more)


def raw_of(
    datatype: str, value: Scalar, transform: dict[str, Any] | None, own: Signal | None = None
) -> int:
    command = Command.model_validate({"signal": "S", "transform": transform})
    return conversion(rule(datatype), command, own or nibble())[0](value)


def step_of(datatype: str, transform: dict[str, Any] | None, own: Signal) -> float | None:
    command = Command.model_validate({"signal": "S", "transform": transform})
    return conversion(rule(datatype), command, own)[1]


def nibble(unit: str = "") -> Signal:
    return signal(f'0|4@1+ (1,0) [0|0] "{unit}" A', NAMES)


def scaled(scale: str = "0.5", offset: str = "0") -> Signal:
    return signal(f'0|8@1+ ({scale},{offset}) [0|0] "" A')


def reason(call: Any, *arguments: Any) -> str:
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    return caught.value.reason


@pytest.mark.parametrize(
    ("datatype", "value", "expected"),
    [
        ("boolean", True, True),
        ("string", "\N{SNOWMAN}", "\N{SNOWMAN}"),
        ("float", 21, 21),
        ("double", 21.5, 21.5),
        ("uint8", 21, 21),
        ("int64", -0.0, 0),
        ("uint16", 21.0, 21),
    ],
)
def test_a_value_of_the_datatype_is_taken(datatype: str, value: Value, expected: Scalar) -> None:
    taken = leaf_value(rule(datatype), value, -INF, INF)
    assert (type(taken), taken) == (type(expected), expected)


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("boolean", 1),
        ("boolean", "true"),
        ("string", 1),
        ("string", False),
        ("float", "21"),
        ("float", True),
        ("float", [21.0]),
        ("float", [[21.0]]),
        ("uint8", False),
        ("uint8", 21.5),
        ("uint8", "21"),
        ("uint8", None),
        ("uint8[]", 21),
        ("uint8[]", [21]),
    ],
)
def test_a_value_of_another_datatype_is_refused(datatype: str, value: Value) -> None:
    assert reason(leaf_value, rule(datatype), value, -INF, INF) == "datatype"


@pytest.mark.parametrize(
    ("low", "high", "value", "words"),
    [
        (0, 100, 101, "101 percent is not in 0…100"),
        (0, 100, -1, "-1 percent is not in 0…100"),
        (-INF, 100, 100.5, "100.5 percent is more than 100"),
        (0, INF, -0.5, "-0.5 percent is less than 0"),
    ],
)
def test_a_value_beyond_the_limits_is_refused_in_words(
    low: float, high: float, value: float, words: str
) -> None:
    with pytest.raises(Refusal) as caught:
        leaf_value(rule("float", unit="percent"), value, low, high)
    assert (caught.value.reason, caught.value.detail) == ("out_of_range", words)


def test_a_value_that_is_not_allowed_is_refused_with_those_that_are() -> None:
    with pytest.raises(Refusal) as caught:
        leaf_value(rule("string", allowed=("OFF", "ON")), "off", -INF, INF)
    assert caught.value.detail == "'off' is none of OFF, ON"
    with pytest.raises(Refusal) as caught:
        leaf_value(rule("boolean", allowed=(True,)), False, -INF, INF)
    assert caught.value.detail == "false is none of True"


def test_words_and_booleans_have_no_limits() -> None:
    assert leaf_value(rule("string"), "x", 5, 6) == "x"
    assert leaf_value(rule("boolean"), False, 5, 6) is False


def test_a_number_is_scaled_as_its_signal_says() -> None:
    assert raw_of("float", 21.6, None, scaled()) == 43
    assert raw_of("uint8", 21, None, scaled("4")) == 5
    assert raw_of("boolean", True, None, scaled("1")) == 1
    assert step_of("float", None, scaled()) == 0.5
    assert step_of("uint8", None, scaled("-4")) == 4
    assert step_of("uint8", None, scaled()) == 1
    assert step_of("boolean", None, scaled()) is None


def test_a_float_has_no_step() -> None:
    own = signal('0|32@1- (1,0) [0|0] "" A', "SIG_VALTYPE_ 1 S : 1;\n")
    assert step_of("float", None, own) is None
    assert step_of("float", {"math": "x*2"}, own) is None


def test_a_number_that_stands_for_a_name_is_refused_where_there_is_a_unit() -> None:
    assert reason(raw_of, "uint8", 15, None, nibble("km")) == "reserved"
    assert reason(raw_of, "uint8", 15, {"math": "x"}, nibble("km")) == "reserved"
    assert raw_of("uint8", 15, None, nibble()) == 15
    assert raw_of("uint8", 14, None, nibble("km")) == 14


def test_a_word_is_the_signals_name_of_it() -> None:
    assert raw_of("string", "ON", None) == 1
    assert raw_of("string", "OFF", None) == 0  # the first of two of that name
    assert reason(raw_of, "string", "off", None) == "transform"


@pytest.mark.parametrize("name", ["BEYOND", "BELOW"])
def test_a_name_of_a_number_that_the_bits_cannot_say_is_none(name: str) -> None:
    """Cut to its bits it would be another number, and so another name."""
    assert reason(raw_of, "string", name, None) == "transform"
    with pytest.raises(MappingError, match=f"`to: {name}` is not in S; it has OFF, ON, FAR"):
        raw_of("string", "x", table(("x", name)))


def test_a_negative_number_of_a_signed_signal_has_its_name() -> None:
    own = signal('0|4@1- (1,0) [0|0] "" A', NAMES)
    assert raw_of("string", "BELOW", None, own) == -1
    assert reason(raw_of, "string", "FAR", None, own) == "transform"


def test_a_word_needs_names() -> None:
    with pytest.raises(MappingError, match="S has no names, and the leaf is a string"):
        raw_of("string", "ON", None, scaled())


def test_a_table_gives_names_and_numbers() -> None:
    assert raw_of("boolean", True, table((True, "ON"), (False, "OFF"))) == 1
    assert raw_of("uint8", 3, table((3, 21.5)), scaled()) == 43
    assert raw_of("uint8", 3, table((3.0, True))) == 1
    assert reason(raw_of, "uint8", 4, table((3, 1))) == "transform"
    assert step_of("uint8", table((3, 1)), scaled()) is None


def test_of_equal_entries_the_first_holds() -> None:
    assert raw_of("uint8", 3, table((3, 1), (3.0, 2), (3, 4))) == 1


def test_in_a_table_true_is_not_one() -> None:
    both = table((1, 4), (True, 5))
    assert (raw_of("uint8", 1, both), raw_of("boolean", True, both)) == (4, 5)
    assert reason(raw_of, "boolean", True, table((1, 4))) == "transform"


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("MAYBE", "`to: MAYBE` is not in S; it has OFF, ON"),
        (None, "is neither a name nor a number"),
        ([1], "is neither a name nor a number"),
        (16, "16 does not fit S"),
    ],
)
def test_a_table_that_gives_what_the_signal_has_not_is_an_error(to: Value, words: str) -> None:
    with pytest.raises(MappingError, match=words):
        raw_of("uint8", 1, table((1, to)))


def test_a_table_names_a_signal_without_names() -> None:
    with pytest.raises(MappingError, match="it has no names"):
        raw_of("uint8", 1, table((1, "ON")), scaled())


def test_a_formula_is_calculated() -> None:
    assert raw_of("float", 10, {"math": "x*2+1"}, scaled()) == 42
    assert raw_of("boolean", True, {"math": "x*10"}) == 10
    assert step_of("float", {"math": "x*2"}, scaled()) == 0.25
    assert step_of("int16", {"math": "x*2"}, scaled()) == 1
    assert step_of("float", {"math": "floor(x/10)"}, scaled()) is None


@pytest.mark.parametrize(
    ("math", "value"),
    [("1/x", 0), ("log(x)", -1), ("x^400", 1e300), ("x", "word"), ("x*x", 1e300)],
)
def test_a_formula_without_a_result_is_refused(math: str, value: Scalar) -> None:
    assert reason(raw_of, "float", value, {"math": math}) in ("transform", "out_of_range")


def test_a_word_is_no_number() -> None:
    assert reason(raw_of, "uint8", "word", None) == "transform"


def test_a_formula_that_is_none_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        raw_of("float", 1, {"math": "x+"})


@pytest.mark.parametrize(
    ("math", "expected"), [("x*2", 2), ("5-x/2", 0.5), ("3", 0), ("1/x", 0), ("log(x)", 0)]
)
def test_a_slope_is_the_growth_over_one_unit(math: str, expected: float) -> None:
    assert slope(compile_formula(math)) == expected


NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.booleans() | st.text(max_size=5) | NUMBERS
VALUES = SCALARS | st.none() | st.lists(SCALARS, max_size=3)


TABLE = table((1, 3), (True, "ON"))


@given(
    value=VALUES,
    datatype=st.sampled_from(["boolean", "string", "float", "double", "int8", "uint64", "uint8[]"]),
    transform=st.sampled_from([None, {"math": "x*1.8+32"}, {"math": "1/x"}, TABLE]),
    own=st.sampled_from([nibble(), nibble("km"), scaled("0.001", "-12"), scaled("-1")]),
)
def test_any_value_is_a_raw_number_that_fits_or_refused(
    value: Value, datatype: str, transform: dict[str, Any] | None, own: Signal
) -> None:
    try:
        raw = raw_of(datatype, leaf_value(rule(datatype), value, -INF, INF), transform, own)
    except Refusal as refusal:
        assert refusal.reason in ("datatype", "transform", "out_of_range", "reserved")
    except MappingError as error:
        assert "S" in str(error)
    else:
        assert fits(own, raw)

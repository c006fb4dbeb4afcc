"""`only_when`: what holds, what does not, and that nobody is let through by mistake."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.condition import MAX_DEPTH, MAX_LENGTH, Condition, ConditionError, NoValueError
from internetcar.contract.message import Value

CAR: dict[str, Value] = {
    "Vehicle.Speed": 0.0,
    "Vehicle.Gear": 3,
    "Vehicle.IsOpen": True,
    "Vehicle.IsLocked": False,
    "Vehicle.Mode": "ECO",
}


def read(path: str) -> Value:
    if path not in CAR:
        raise NoValueError(f"{path} was never heard")
    return CAR[path]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Vehicle.Speed == 0", True),
        ("Vehicle.Speed != 0", False),
        ("0 == Vehicle.Speed", True),
        ("Vehicle.Gear > 2", True),
        ("Vehicle.Gear >= 3", True),
        ("Vehicle.Gear < 3", False),
        ("Vehicle.Gear <= -3", False),
        ("Vehicle.Gear > Vehicle.Speed", True),
        ("Vehicle.IsOpen", True),
        ("not Vehicle.IsOpen", False),
        ("not not Vehicle.IsOpen", True),
        ("Vehicle.IsLocked == false", True),
        ("Vehicle.Mode == 'ECO'", True),
        ('Vehicle.Mode != "SPORT"', True),
        ("Vehicle.IsLocked or Vehicle.IsOpen", True),
        ("Vehicle.IsLocked and Vehicle.IsOpen", False),
        ("Vehicle.IsOpen or Vehicle.IsOpen and Vehicle.IsLocked", True),
        ("(Vehicle.IsOpen or Vehicle.IsOpen) and Vehicle.IsLocked", False),
        ("not (Vehicle.Speed > 5 or Vehicle.Gear == 1)", True),
        ("true == true", True),
        ("1 == 2", False),
        # What cannot be compared is a no, whatever stands around it.
        ("Vehicle.Gear == true", False),
        ("not Vehicle.Gear == true", False),
        ("Vehicle.Mode != 5", False),
        ("Vehicle.Mode < 'F'", False),
        ("Vehicle.IsOpen > false", False),
        ("Vehicle.IsOpen or Vehicle.Mode == 5", False),
        # So is a path without a value.
        ("Vehicle.Unknown == 0", False),
        ("not Vehicle.Unknown", False),
        ("Vehicle.IsOpen or Vehicle.Unknown", False),
    ],
)
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    why = Condition(text).why_not(read)
    assert (why is None) is holds, why


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Vehicle.Gear == 1", "Vehicle.Gear is 3"),
        ("Vehicle.IsLocked", "Vehicle.IsLocked is false"),
        ("Vehicle.Unknown", "Vehicle.Unknown was never heard"),
        ("Vehicle.Mode < 1", "ECO cannot be compared with 1"),
        ("Vehicle.Mode < 'F'", "ECO and F have no order"),
        ("1 == 2", "1 == 2"),
    ],
)
def test_a_refusal_says_what_was_the_case(text: str, says: str) -> None:
    assert says in (Condition(text).why_not(read) or "")


@pytest.mark.parametrize(
    "text",
    [
        "", "Vehicle", "Vehicle.Speed =", "Vehicle.Speed = 0", "Vehicle.Speed == ", "== 0", "1",
        "'ECO'", "true", "Vehicle.Speed == 0 and", "and Vehicle.IsOpen", "Vehicle.IsOpen Vehicle.X",
        "(Vehicle.IsOpen", "Vehicle.IsOpen)", "Vehicle.Speed == 0 or or Vehicle.IsOpen", "not",
        "Vehicle.Speed == 1e999", "Vehicle.Speed == 0x10", "Vehicle.Speed + 1 == 2", "f(1) == 2",
        "Vehicle.Mode == 'ECO", "Vehicle.Speed == 0; Vehicle.IsOpen", "Vehicle.Speed == 1.2.3",
        "Vehicle.Speed == maybe", "a" * (MAX_LENGTH + 1), "(" * MAX_LENGTH,
        "not " * (MAX_DEPTH + 1) + "Vehicle.IsOpen",
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        Condition(text)


def test_a_condition_knows_its_paths() -> None:
    condition = Condition("Vehicle.A == 1 and (Vehicle.B-2.@c or not Vehicle.A)")
    assert condition.paths == {"Vehicle.A", "Vehicle.B-2.@c"}


WORDS = st.sampled_from(
    ["Vehicle.Speed", "Vehicle.IsOpen", "Vehicle.Gone", "and", "or", "not", "(", ")", "==", "<",
     "0", "-1.5", "true", "'ECO'", "x", "="]
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=12).map(" ".join)))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    try:
        condition = Condition(text)
    except ConditionError:
        return
    why = condition.why_not(read)
    assert why is None or isinstance(why, str)


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_a_condition_never_holds_without_all_its_values(text: str) -> None:
    def nothing(path: str) -> Value:
        raise NoValueError(path)

    reader: Callable[[str], Value] = nothing
    try:
        condition = Condition(text)
    except ConditionError:
        return
    assert condition.why_not(reader) is not None or not condition.paths


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Vehicle.Speed == 0 and not Vehicle.IsOpen", None),
        ("Vehicle.Mode == 'ECO' or Vehicle.Gear > 2", None),
        ("Vehicle.Speed", "a number is compared with a boolean"),
        ("Vehicle.IsOpen and Vehicle.Speed == 'x'", "a number is compared with a string"),
        ("Vehicle.Mode < 'F'", "a string has no order"),
        ("Vehicle.IsOpen > false", "a boolean has no order"),
        ("Vehicle.Codes == 'P0301'", "a string[] is compared with a string"),
    ],
)
def test_a_condition_that_never_holds_is_known_by_its_datatypes(
    text: str, says: str | None
) -> None:
    datatypes = {
        "Vehicle.Speed": "float", "Vehicle.Gear": "int8", "Vehicle.IsOpen": "boolean",
        "Vehicle.Mode": "string", "Vehicle.Codes": "string[]",
    }  # fmt: skip
    why = Condition(text).why_never(datatypes.__getitem__)
    assert why is None if says is None else says in (why or "")

"""The safety profile of a make, as data: what every parameter has to be, and why (pure)."""

import ast
import operator
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from internetcar.contract.message import InputError
from services.drone.autopilot import Mode
from services.drone.mavlink.parameters import Encoding, is_same

NAMES = (
    "our_system_id", "ceiling_m", "return_height_m", "battery_capacity_mah",
)  # fmt: skip
"""What an expression of a profile may name."""

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_KEYS = {
    "names", "scale", "wanted", "min", "max", "clear_bits", "optional", "may_write", "is", "why",
}  # fmt: skip


class ProfileError(InputError):
    """A profile that does not say what it must."""


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter, under the names that it has had."""

    names: tuple[str, ...]
    why: str
    wanted: str | None = None
    least: str | None = None
    most: str | None = None
    clear_bits: int = 0
    scale: Mapping[str, float] = field(default_factory=dict)
    """Units of the parameter in one of ours, where a name is older than its unit."""
    is_optional: bool = False
    may_write: bool = True
    stands_for: str | None = None
    """The name of expressions that its value has."""

    def allowed(self, name: str, value: float, known: Mapping[str, float]) -> float:
        """The value itself where it is right, else the one it should have.

        Raises:
            KeyError: An expression names what is not known.
        """
        scale = self.scale.get(name, 1.0)
        if self.wanted is not None:
            wanted = evaluate(self.wanted, known) * scale
            return value if is_same(value, wanted) else wanted
        if self.clear_bits:
            return float(int(value) & ~self.clear_bits)
        if self.least is not None and value < (least := evaluate(self.least, known) * scale):
            return value if is_same(value, least) else least
        if self.most is not None and value > (most := evaluate(self.most, known) * scale):
            return value if is_same(value, most) else most
        return value


@dataclass(frozen=True, slots=True)
class Profile:
    """A make that is flown: how it says what it is, its modes, its parameters."""

    name: str
    autopilot: int
    vehicle_types: tuple[int, ...]
    encoding: Encoding
    modes: Mapping[Mode, int]
    """The number of each mode that is asked for."""
    mode_names: Mapping[int, str]
    meanings: Mapping[int, Mode]
    rows: tuple[Row, ...]


def parse_profile(text: str) -> Profile:
    """A profile from its TOML.

    Raises:
        ProfileError: Anything is missing, unknown or of another kind.
    """
    try:
        return _profile(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProfileError(f"safety profile: {error!r}") from error


def _profile(table: Mapping[str, Any]) -> Profile:
    head, modes = table["autopilot"], table["modes"]
    names = {int(number): str(name) for number, name in modes["names"].items()}
    meanings = {int(number): Mode(word) for word, numbers in modes["mean"].items()
                for number in numbers}  # fmt: skip
    if head["parameters"] not in ("cast", "bytes"):
        raise ValueError("parameters are sent as 'cast' or as 'bytes'")
    return Profile(
        name=str(head["name"]),
        autopilot=int(head["autopilot"]),
        vehicle_types=tuple(int(kind) for kind in head["vehicle_types"]),
        encoding=head["parameters"],
        modes={Mode(word): int(numbers[0]) for word, numbers in modes["mean"].items()},
        mode_names=names,
        meanings=meanings,
        rows=tuple(_row(row) for row in table.get("parameter", [])),
    )


def _row(row: Mapping[str, Any]) -> Row:
    if unknown := set(row) - _KEYS:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r} of {row.get('names')}")
    if not {"wanted", "min", "max", "clear_bits"} & set(row):
        raise ValueError(f"{row['names']} says nothing of its value")
    texts = {key: str(row[key]) for key in ("wanted", "min", "max") if key in row}
    for expression in texts.values():
        evaluate(expression, dict.fromkeys(NAMES, 1.0))
    return Row(
        names=tuple(str(name) for name in row["names"]),
        why=str(row["why"]),
        wanted=texts.get("wanted"),
        least=texts.get("min"),
        most=texts.get("max"),
        clear_bits=int(row.get("clear_bits", 0)),
        scale={str(name): float(factor) for name, factor in row.get("scale", {}).items()},
        is_optional=bool(row.get("optional", False)),
        may_write=bool(row.get("may_write", True)),
        stands_for=row.get("is"),
    )


def evaluate(expression: str, known: Mapping[str, float]) -> float:
    """Numbers, names and the four operations; nothing else is one.

    Raises:
        ValueError: Something else stands there.
        KeyError: A name is not known.
    """
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError as error:
        raise ValueError(f"no expression: {expression!r}") from error
    return _value(tree.body, known)


def _value(node: ast.expr, known: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return known[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, known)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, known), _value(right, known))
        case _:
            raise ValueError(f"not allowed in a profile: {ast.unparse(node)}")

"""A mapping's `only_when`: whether a command may be sent as the car is now (pure).

The grammar: comparisons (`== != < <= > >=`) of paths, numbers, `true`, `false` and quoted words,
joined by `and`, `or`, `not` and parentheses; `not` binds tightest, then `and`, then `or`. A path
alone stands for its boolean.

    Vehicle.Speed == 0 and not (Vehicle.Body.Trunk.Rear.IsOpen or Vehicle.IsMoving)
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.tokens import Tokens
from internetcar.contract.message import Scalar, Value

MAX_LENGTH = 500
MAX_DEPTH = 40

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])"
    r"|(?P<path>[A-Za-z_][\w@-]*(?:\.[\w@-]+)+)"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'"
    r"|(?P<symbol>==|!=|<=|>=|[<>()]))",
    re.ASCII,
)
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COMPARISONS = {*_ORDERS, "==", "!="}


class ConditionError(ValueError):
    """A condition that cannot be read; the text names the column and what is allowed."""


class NoValueError(Exception):
    """A leaf has no value to decide on; the text says which and why."""


Read = Callable[[str], Value]
"""A path's present value; raises `NoValueError` where its quality is not `valid`."""


@dataclass(frozen=True, slots=True)
class _Path:
    name: str


_Operand = _Path | Scalar


@dataclass(frozen=True, slots=True)
class _Comparison:
    symbol: str
    left: _Operand
    right: _Operand


@dataclass(frozen=True, slots=True)
class _Joined:
    """`and`, `or`, or `not` of one part."""

    word: str
    parts: tuple["_Node", ...]


_Node = _Comparison | _Joined


class Condition:
    """One condition, read once and asked before every frame."""

    def __init__(self, text: str) -> None:
        """Read it.

        Raises:
            ConditionError: It is none, or longer or deeper than one needs to be.
        """
        if len(text) > MAX_LENGTH:
            raise ConditionError(f"a condition of {len(text)} characters; at most {MAX_LENGTH}")
        self.text = text
        parser = _Parser(text)
        self._node = parser.whole()
        self.paths = frozenset(parser.paths)
        """Every path it mentions."""

    def why_not(self, read: Read) -> str | None:
        """Why it does not hold; `None` where it does.

        All its paths must have a value: with one that has none, it does not hold.
        """
        try:
            values = {path: read(path) for path in sorted(self.paths)}
            if _holds(self._node, values):
                return None
        except NoValueError as error:
            return f"{self.text}: {error}"
        known = ", ".join(f"{path} is {_shown(value)}" for path, value in values.items())
        return f"{self.text}: {known}" if known else self.text

    def why_never(self, datatype_of: Callable[[str], str]) -> str | None:
        """Why it can never hold, by the datatypes of its paths; `None` where it may."""
        return _why_never(self._node, datatype_of)


def _why_never(node: _Node, datatype_of: Callable[[str], str]) -> str | None:
    if isinstance(node, _Joined):
        return next((why for part in node.parts if (why := _why_never(part, datatype_of))), None)
    left, right = (_kind(side, datatype_of) for side in (node.left, node.right))
    if left != right:
        return f"a {left} is compared with a {right}, so it would never hold"
    if node.symbol in _ORDERS and left != "number":
        return f"a {left} has no order, so it would never hold"
    return None


def _kind(operand: _Operand, datatype_of: Callable[[str], str]) -> str:
    """`boolean`, `string` or `number`; a list is none of these."""
    if isinstance(operand, _Path):
        datatype = datatype_of(operand.name)
        return datatype if datatype in ("boolean", "string") or "[" in datatype else "number"
    if isinstance(operand, bool):
        return "boolean"
    return "string" if isinstance(operand, str) else "number"


def _shown(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(node: _Node, values: Mapping[str, Value]) -> bool:
    if isinstance(node, _Comparison):
        return _compare(node, values)
    if node.word == "not":
        return not _holds(node.parts[0], values)
    # No short cut: what cannot be compared must not hide behind an `or`.
    held = [_holds(part, values) for part in node.parts]
    return all(held) if node.word == "and" else any(held)


def _compare(node: _Comparison, values: Mapping[str, Value]) -> bool:
    left, right = (
        values[side.name] if isinstance(side, _Path) else side for side in (node.left, node.right)
    )
    is_number = isinstance(left, int | float) and isinstance(right, int | float)
    is_boolean = isinstance(left, bool) and isinstance(right, bool)
    if isinstance(left, bool) != isinstance(right, bool) or not (
        is_number or (isinstance(left, str) and isinstance(right, str))
    ):
        raise NoValueError(f"{_shown(left)} cannot be compared with {_shown(right)}")
    if node.symbol in _ORDERS:
        if is_boolean or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise NoValueError(f"{_shown(left)} and {_shown(right)} have no order")
        return _ORDERS[node.symbol](left, right)
    return (left == right) is (node.symbol == "==")


class _Parser(Tokens):
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self.paths: set[str] = set()
        self._depth = 0
        super().__init__(text, _TOKEN, "a path, a number, a quoted word, and or not == < > ( )")

    def whole(self) -> _Node:
        node = self._any()
        if self._kind:
            raise self._unexpected("`and`, `or` or the end")
        return node

    def _unexpected(self, wanted: str) -> ConditionError:
        found = self._token or self._text[self._end :].strip()[:1]
        shown = repr(found[:40]) if found else "the end"
        return ConditionError(f"`{self._text[:80]}`: {shown} before column {self._end + 1}; "
                              f"expected {wanted}")  # fmt: skip

    def _take(self, kind: str, token: str) -> bool:
        if (self._kind, self._token) != (kind, token):
            return False
        self._advance()
        return True

    def _any(self) -> _Node:
        parts = [self._all()]
        while self._take("word", "or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else _Joined("or", tuple(parts))

    def _all(self) -> _Node:
        parts = [self._one()]
        while self._take("word", "and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else _Joined("and", tuple(parts))

    def _one(self) -> _Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ConditionError(f"a condition nested deeper than {MAX_DEPTH}")
        try:
            if self._take("word", "not"):
                return _Joined("not", (self._one(),))
            if self._take("symbol", "("):
                node = self._any()
                if not self._take("symbol", ")"):
                    raise self._unexpected("`)`")
                return node
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> _Comparison:
        left = self._operand()
        if self._kind == "symbol" and self._token in _COMPARISONS:
            symbol = self._token
            self._advance()
            return _Comparison(symbol, left, self._operand())
        if not isinstance(left, _Path):
            raise self._unexpected("a comparison")
        return _Comparison("==", left, True)

    def _operand(self) -> _Operand:
        kind, token = self._kind, self._token
        operand: _Operand
        match kind:
            case "number":
                operand = float(token)
                if operand in (float("inf"), float("-inf")):
                    raise self._unexpected("a finite number")
            case "path":
                self.paths.add(token)
                operand = _Path(token)
            case "single" | "double":
                operand = token
            case "word" if token in ("true", "false"):
                operand = token == "true"
            case _:
                raise self._unexpected("a path, a number, true, false or a quoted word")
        self._advance()
        return operand

"""A mapping's `math`: a small formula over `x`, read by our own bounded parser (pure).

The grammar is the arithmetic of py-expression-eval, which KUKSA's mappings use, precedence too:
`^` (also `**`) binds tightest, then `/` and `%`, then `*`, then `+` and `-`; all from the left. A
sign binds like `/`. There are no names but `x`, `E`, `PI` and the functions below.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.tokens import Tokens

Number = int | float
Formula = Callable[[Number], Number]
"""Raises ArithmeticError or ValueError where the formula has no value."""

MAX_LENGTH = 500
MAX_DEPTH = 60


class ExpressionError(ValueError):
    """A formula that cannot be read; the text names the column and what is allowed."""


def _hypotenuse(a: Number, b: Number) -> float:
    return math.sqrt(a * a + b * b)


@dataclass(frozen=True, slots=True)
class _Function:
    call: Callable[..., Number]
    least: int
    most: int


_UNARY: dict[str, Callable[..., Number]] = {
    "abs": abs,
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "round": round,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
FUNCTIONS: Mapping[str, _Function] = {
    **{name: _Function(call, 1, 1) for name, call in _UNARY.items()},
    "atan2": _Function(math.atan2, 2, 2),
    "log": _Function(math.log, 1, 2),
    "max": _Function(max, 2, 16),
    "min": _Function(min, 2, 16),
    "pow": _Function(math.pow, 2, 2),
    "pyt": _Function(_hypotenuse, 2, 2),
}
_CONSTANTS = {"E": math.e, "PI": math.pi}
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 3, "%": 3, "^": 4, "**": 4}
_SIGN_BINDING = 3
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<symbol>\*\*|[-+*/%^(),]))",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A finite number."""

    value: Number
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Variable:
    """The signal's value, `x`."""

    depth: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator applied to its arguments; a sign is `-` with one argument."""

    name: str
    arguments: tuple["Node", ...]
    depth: int


Node = Literal | Variable | Call


def parse(text: str) -> Node:
    """Read a formula into its tree.

    Raises:
        ExpressionError: It is not one, or is longer or deeper than a formula needs to be.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"a formula of {len(text)} characters; at most {MAX_LENGTH}")
    return _Parser(text).whole()


def compile_formula(text: str) -> Formula:
    """Turn a formula into a function of the signal's value.

    Work and memory are bounded: powers are those of floats and overflow instead of growing.

    Raises:
        ExpressionError: It is not a formula.
    """
    names: dict[str, object] = {name: spec.call for name, spec in FUNCTIONS.items()}
    source = f"lambda x: {_source(parse(text))}"
    formula: Formula = eval(  # the source is written from the tree: numbers and names of this file
        compile(source, "<math>", "eval"), {"__builtins__": {}, **names}
    )
    return formula


def _source(node: Node) -> str:
    if isinstance(node, Literal):
        return repr(node.value)
    if isinstance(node, Variable):
        return "x"
    arguments = [_source(argument) for argument in node.arguments]
    if node.name in FUNCTIONS:
        return f"{node.name}({', '.join(arguments)})"
    if len(arguments) == 1:
        return f"({node.name}{arguments[0]})"
    return f"({arguments[0]} {node.name} {arguments[1]})"


def _call(name: str, *arguments: Node) -> Call:
    depth = 1 + max(argument.depth for argument in arguments)
    if depth > MAX_DEPTH:
        raise ExpressionError(f"a formula nested deeper than {MAX_DEPTH}")
    return Call(name, arguments, depth)


class _Parser(Tokens):
    """Precedence climbing over the tokens of one formula."""

    def __init__(self, text: str) -> None:
        self._open = 0
        super().__init__(text, _TOKEN, "numbers, x, functions and + - * / % ^ ( )")

    def whole(self) -> Node:
        node = self._operation(0)
        if self._kind:
            raise self._unexpected("an operator or the end")
        return node

    def _unexpected(self, wanted: str) -> ExpressionError:
        column = self._end - len(self._token) + 1
        found = self._token or self._text[self._end :].strip()[:1]
        return ExpressionError(
            f"column {column}: {f'{found[:40]!r}' if found else 'the end'}; expected {wanted}"
        )

    def _take(self, symbol: str) -> bool:
        if self._kind != "symbol" or self._token != symbol:
            return False
        self._advance()
        return True

    def _operation(self, binding: int) -> Node:
        self._open += 1
        if self._open > MAX_DEPTH:
            raise ExpressionError(f"a formula nested deeper than {MAX_DEPTH}")
        node = self._operand()
        while self._kind == "symbol" and _BINDING.get(self._token, 0) > binding:
            operator = self._token
            self._advance()
            right = self._operation(_BINDING[operator])
            node = _call("pow" if _BINDING[operator] == 4 else operator, node, right)
        self._open -= 1
        return node

    def _operand(self) -> Node:
        kind, token = self._kind, self._token
        if kind == "number":
            self._advance()
            return _literal(token)
        if kind == "name":
            self._advance()
            return self._named(token)
        for sign in "+-":
            if self._take(sign):
                operand = self._operation(_SIGN_BINDING)
                return _call(sign, operand) if sign == "-" else operand
        if self._take("("):
            return self._closed(self._operation(0))
        raise self._unexpected("a number, x, a function or (")

    def _closed(self, node: Node) -> Node:
        if not self._take(")"):
            raise self._unexpected(")")
        return node

    def _named(self, name: str) -> Node:
        if name == "x":
            return Variable()
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name])
        if name not in FUNCTIONS:
            raise ExpressionError(
                f"unknown name {name[:40]!r}; a formula knows x, E, PI and {', '.join(FUNCTIONS)}"
            )
        if not self._take("("):
            raise self._unexpected(f"( after {name}")
        arguments = [self._operation(0)]
        while self._take(","):
            arguments.append(self._operation(0))
        least, most = FUNCTIONS[name].least, FUNCTIONS[name].most
        if not least <= len(arguments) <= most:
            count = str(least) if least == most else f"{least} to {most}"
            raise ExpressionError(f"{name} takes {count} arguments, not {len(arguments)}")
        self._closed(arguments[0])
        return _call(name, *arguments)


def _literal(token: str) -> Literal:
    value: Number = int(token) if token.isdigit() else float(token)
    if value > 1e300:
        raise ExpressionError(f"the number {token[:40]} is too large")
    return Literal(value)

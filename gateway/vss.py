"""A VSS tree, JSON or vspec, to its leaves; and what a VSS datatype makes of a value (pure)."""

import json
import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from internetcar.contract.message import InputError, Scalar, Value

Node = Mapping[str, Any]

MAX_JSON_BYTES = 16 << 20
MAX_YAML_BYTES = 1 << 20
MAX_NODES = 500_000
LEAF_TYPES = ("sensor", "actuator", "attribute")
MAPPING_KEYS = frozenset({"dbc", "dbc2vss", "vss2dbc"})


class VssError(InputError):
    """A tree that cannot be read; the text names the file, the place and what is wrong."""


@dataclass(frozen=True, slots=True)
class VssLeaf:
    """What a VSS release says of one leaf."""

    path: str
    kind: str
    """`sensor`, `actuator` or `attribute`."""
    datatype: str
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    allowed: tuple[Scalar, ...] | None = None
    description: str | None = None


def parse_vss(text: str, name: str) -> dict[str, VssLeaf]:
    """Read a VSS release or a private tree: its leaves by path.

    Raises:
        VssError: The text is not such a tree; names the file `name` and the place.
    """
    leaves: dict[str, VssLeaf] = {}
    for path, node in leaf_nodes(read_document(text, name), name):
        datatype = node.get("datatype")
        if not isinstance(datatype, str):
            raise VssError(f"{name}: {path} has no datatype")
        allowed = node.get("allowed")
        leaves[path] = VssLeaf(
            path=path,
            kind=node["type"],
            datatype=datatype,
            unit=_text(node.get("unit")),
            min=_number(node.get("min")),
            max=_number(node.get("max")),
            allowed=tuple(allowed) if isinstance(allowed, list) else None,
            description=_text(node.get("description")),
        )
    return leaves


def read_document(text: str, name: str) -> Node:
    """Read JSON, or YAML where the text does not begin with a brace; bounded in size and depth.

    Raises:
        VssError: Not readable, a key written twice, or larger than such a file needs to be.
    """
    is_json = text.lstrip("\ufeff \t\r\n").startswith("{")
    limit = MAX_JSON_BYTES if is_json else MAX_YAML_BYTES
    if len(text) > limit:
        raise VssError(f"{name}: {len(text)} characters, at most {limit}")
    try:
        document = _read_json(text) if is_json else yaml.load(text, _StrictLoader)
    except (ValueError, yaml.YAMLError, LookupError, AttributeError, TypeError) as error:
        # The last three: what PyYAML lets escape for tags such as `!!int ""` and `!!bool x`.
        raise VssError(f"{name}: {_one_line(error) or 'not readable'}") from error
    except RecursionError as error:
        raise VssError(f"{name}: nested too deeply") from error
    if not isinstance(document, dict):
        raise VssError(f"{name}: expected VSS paths with their definitions")
    _bound(document, name)
    return document


def leaf_nodes(document: Node, name: str) -> Iterator[tuple[str, Node]]:
    """Walk a tree or a flat overlay: each leaf's path and what stands there.

    Raises:
        VssError: A path is written twice, or a mapping stands where there is no leaf.
    """
    seen: set[str] = set()
    waiting = [("", node_name, node) for node_name, node in reversed(list(document.items()))]
    while waiting:
        prefix, node_name, node = waiting.pop()
        path = f"{prefix}{node_name}"
        if not isinstance(node, dict):
            continue
        if node.get("type") in LEAF_TYPES:
            if path in seen:
                raise VssError(f"{name}: {path} is written twice; keep one")
            seen.add(path)
            yield path, node
        elif MAPPING_KEYS & node.keys():
            raise VssError(f"{name}: {path} needs `type: sensor`, `actuator` or `attribute`")
        elif isinstance(children := node.get("children"), dict):
            waiting.extend((f"{path}.", key, child) for key, child in reversed(children.items()))
        elif "type" not in node:
            waiting.extend((prefix, key, child) for key, child in reversed(node.items()))


_INTEGER_RANGES = {
    f"{prefix}int{bits}": (0, 2**bits - 1) if prefix else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for prefix in ("", "u")
    for bits in (8, 16, 32, 64)
}
_FALSE_WORDS = frozenset({"False", "false", "F", "f"})


def integer_range(datatype: str) -> tuple[int, int] | None:
    """The smallest and largest value of an integer datatype; `None` for any other."""
    return _INTEGER_RANGES.get(datatype)


def converter(datatype: str) -> Callable[[Scalar], Scalar]:
    """What turns a value into one of this datatype (of an array: into one element).

    As KUKSA does: towards zero for integers; any number but 0, and any word but `false`, is true.
    It raises ValueError or OverflowError for a value that cannot be one.

    Raises:
        VssError: VSS has no such datatype.
    """
    element = datatype.removesuffix("[]")
    if element in _INTEGER_RANGES:
        return int
    known: dict[str, Callable[[Scalar], Scalar]] = {
        "boolean": _as_boolean,
        "float": float,
        "double": float,
        "string": _as_string,
    }
    if element not in known:
        raise VssError(f"unknown datatype {datatype[:40]!r}")
    return known[element]


def convert(datatype: str, value: Value) -> Value:
    """A written value as one of this datatype; a single value is an array of one.

    `None` stays: a table's way to say that there is no value now.

    Raises:
        VssError: It cannot be one.
    """
    element = converter(datatype)
    if value is None:
        return None
    items = value if isinstance(value, list) else [value]
    try:
        converted = [element(item) for item in items if item is not None]
    except (ValueError, OverflowError) as error:
        raise VssError(f"{str(value)[:60]!r} is not a {datatype}") from error
    if any(isinstance(item, int) and not -(1 << 63) <= item < 1 << 64 for item in converted):
        raise VssError(f"{str(value)[:60]!r} is not a {datatype}")
    if len(converted) != len(items) or (isinstance(value, list) and not datatype.endswith("[]")):
        raise VssError(f"{str(value)[:60]!r} is not a {datatype}")
    return converted if datatype.endswith("[]") else converted[0]


def _as_boolean(value: Scalar) -> bool:
    return value not in _FALSE_WORDS if isinstance(value, str) else bool(value)


def _as_string(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _no_constant(constant: str) -> object:
    raise ValueError(f"{constant} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} is written twice; keep one")
    return result


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, in which a key written twice, or merged in, is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            text = str(key.value)
            if key.tag == "tag:yaml.org,2002:merge" or text in seen:
                what = "is written twice" if text in seen else "(merging) is not read"
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {text[:80]!r} {what}", key.start_mark
                )
            seen.add(text)
        return super().construct_mapping(node, deep)


def _bound(document: object, name: str) -> None:
    """Count what a walk would meet: YAML aliases can make a small text endless."""
    waiting, met = [document], 1
    while waiting:
        node = waiting.pop()
        met += len(node) if isinstance(node, dict | list) else 0
        if met > MAX_NODES:
            raise VssError(f"{name}: more than {MAX_NODES} values, aliases counted")
        if isinstance(node, dict):
            if odd := [key for key in node if not isinstance(key, str)]:
                raise VssError(f"{name}: the key {str(odd[0])[:40]!r} is not text; quote it")
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < math.inf else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]

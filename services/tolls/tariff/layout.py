"""How a context is written to a file: JSON to be read and compared, one gate a line (pure)."""

from typing import Any

import orjson

from services.tolls.tariff.context import Context


def written(context: Context) -> str:
    """The text of a context's file: what is a default is left out."""
    body = context.model_dump(mode="json", exclude_defaults=True)
    return "\n".join(_object(body, depth=0)) + "\n"


def _object(body: dict[str, Any], depth: int) -> list[str]:
    margin = " " * (depth + 1)
    lines = ["{"]
    for key, value in body.items():
        shown = _value(key, value, depth + 1)
        lines += [f'{margin}"{key}": {shown[0]}', *shown[1:]]
        lines[-1] += ","
    lines[-1] = lines[-1].removesuffix(",")
    return [*lines, " " * depth + "}"]


def _value(key: str, value: Any, depth: int) -> list[str]:
    """A long list by its items and the tariff by its parts, anything else on one line."""
    if key == "tariff":
        return _object(value, depth)
    if isinstance(value, list) and value and (depth == 1 or isinstance(value[0], dict)):
        items = [f"{' ' * (depth + 1)}{_line(item)}," for item in value]
        items[-1] = items[-1].removesuffix(",")
        return ["[", *items, " " * depth + "]"]
    return [_line(value)]


def _line(value: Any) -> str:
    """One line of JSON with a space after each comma and colon outside of text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": {_line(one)}' for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_line, value)) + "]"
    return orjson.dumps(value).decode()

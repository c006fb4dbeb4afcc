"""Schemas of a drone's `data`, by method: what the type of an envelope alone does not tell."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from internetcar.contract.drone import DroneEvent, DroneRequest
from internetcar.contract.drone_events import EVENTS
from internetcar.contract.drone_methods import METHODS
from internetcar.contract.message import Message

DATA: Mapping[type[Message], Mapping[str, type[BaseModel]]] = {
    DroneRequest: METHODS,
    DroneEvent: EVENTS,
}
"""Message → method → class of its `data`."""


def with_data(cls: type[Message], schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Add to a message's schema what `data` is for each method; the schemas it refers to come back.

    Args:
        cls: The message.
        schema: Of its payload; gets `allOf` where `data` depend on the method. What is sent to us
            names one of the methods; of what we say readers must expect others.
    """
    methods = DATA.get(cls)
    if methods is None:
        return {}
    if cls is DroneRequest:
        schema["properties"]["method"]["enum"] = list(methods)
    schema["allOf"] = [
        {
            "if": {"properties": {"method": {"const": method}}, "required": ["method"]},
            "then": {"properties": {"data": {"$ref": f"#/components/schemas/{data.__name__}"}}},
        }
        for method, data in methods.items()
    ]
    return dict(_schemas(methods))


def _schemas(methods: Mapping[str, type[BaseModel]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for data in methods.values():
        schema = data.model_json_schema(ref_template="#/components/schemas/{model}")
        yield from schema.pop("$defs", {}).items()
        yield data.__name__, schema

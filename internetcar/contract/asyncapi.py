"""The AsyncAPI 3 document of every topic, generated from the message classes."""

from types import ModuleType
from typing import Any

from internetcar.contract import (
    advice,
    commands,
    drone,
    drone_health,
    home_assistant,
    payments,
    presence,
    recommendations,
    signals,
    telemetry,
    tolls,
    trips,
)
from internetcar.contract.drone_schemas import with_data
from internetcar.contract.message import Message, topic_fields

PUBLISHERS: tuple[ModuleType, ...] = (
    presence, signals, telemetry, commands, home_assistant, payments, tolls, trips,
    advice, recommendations, drone, drone_health,
)  # fmt: skip
"""The modules of the contract that hold message classes: one a publisher."""


def message_classes() -> list[type[Message]]:
    """Every message class of the contract, in the order of its topics."""
    classes = {
        value
        for module in PUBLISHERS
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Message) and "TOPIC" in vars(value)
    }
    return sorted(classes, key=lambda cls: cls.TOPIC)


def document(version: str) -> dict[str, Any]:
    """An AsyncAPI 3.0 document, seen from the gateway: what it sends and what it receives."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for cls in message_classes():
        name = cls.__name__
        schema, parts = _payload_schema(cls)
        schemas |= {name: schema, **parts}
        messages[name] = {
            "name": name,
            "summary": (cls.__doc__ or "").splitlines()[0],
            "contentType": cls.CONTENT_TYPE,
            "payload": {"$ref": f"#/components/schemas/{name}"},
        }
        channels[name] = {
            "address": cls.TOPIC,
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            "parameters": {field: {"description": _about(cls, field)} for field in
                           topic_fields(cls)},
        }  # fmt: skip
        operations[f"{'send' if cls.SENDER == 'gateway' else 'receive'}{name}"] = {
            "action": "send" if cls.SENDER == "gateway" else "receive",
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": f"Published by: {cls.SENDER}",
            "bindings": {"mqtt": {"qos": cls.QOS, "retain": cls.RETAIN, "bindingVersion": "0.2.0"}},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "internetcar",
            "version": version,
            "description": "A vehicle's signals, its log and its state on MQTT.",
            "license": {"name": "Apache-2.0"},
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }


def _payload_schema(cls: type[Message]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of what travels in the payload, and those of its parts."""
    schema = cls.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs", {})
    for field in topic_fields(cls):
        schema["properties"].pop(field)
    schema["required"] = [name for name in schema["required"] if name in schema["properties"]]
    return schema, parts | with_data(cls, schema)


def _about(cls: type[Message], field: str) -> str:
    return cls.model_fields[field].description or field.replace("_", " ")

"""Home Assistant as its documentation describes it: what it takes, and how it renders templates.

Written from the pages of the MQTT integration and of its platforms (device discovery, sensor,
binary sensor, number, switch, select, button, lock, climate, device tracker), and from the tables
of units under "device class" of sensor and number. Home Assistant itself is not here.
"""

import contextlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

Check = Callable[[Any], bool]

UNITS = {
    "battery": {"%"}, "current": {"A", "mA"}, "distance": {"mm", "cm", "m", "km"},
    "duration": {"d", "h", "min", "s", "ms"}, "energy": {"Wh", "kWh", "MWh"},
    "energy_storage": {"Wh", "kWh", "MWh"}, "frequency": {"Hz", "kHz", "MHz", "GHz"},
    "illuminance": {"lx"}, "power": {"W", "kW", "MW"},
    "pressure": {"Pa", "kPa", "hPa", "bar", "mbar", "psi"},
    "speed": {"m/s", "km/h", "mph", "kn"}, "temperature": {"°C", "°F", "K"},
    "voltage": {"V", "mV"}, "volume_storage": {"L", "mL", "m³", "gal"}, "weight": {"kg", "g"},
}  # fmt: skip
"""The classes we use, with the units their documentation lists."""
STATE_CLASSES = {
    "energy": {"total", "total_increasing"},
    "distance": {"measurement", "total", "total_increasing"},
    "duration": {"measurement", "total", "total_increasing"},
    "weight": {"measurement", "total", "total_increasing"},
}
"""Any other class with a unit allows `measurement` alone."""
BINARY_CLASSES = {
    "battery_charging", "connectivity", "door", "light", "lock", "moving", "opening", "plug",
    "problem",
}  # fmt: skip


def text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255


def topic(value: Any) -> bool:
    return text(value) and "#" not in value and "+" not in value and "\0" not in value


def template(value: Any) -> bool:
    compiled(value)
    return True


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def choices(value: Any) -> bool:
    return bool(value) and all(map(text, value)) and len(set(value)) == len(value)


def one_of(*allowed: Any) -> Check:
    return lambda value: value in allowed


def availability(value: Any) -> bool:
    return all(set(entry) == {"topic", "value_template"} for entry in value) and all(
        topic(entry["topic"]) and template(entry["value_template"]) for entry in value
    )


EVERY: dict[str, Check] = {
    "platform": text, "name": text, "unique_id": text, "enabled_by_default": one_of(True, False),
    "entity_category": one_of("config", "diagnostic"), "availability": availability,
    "qos": one_of(0, 1, 2), "icon": text,
}  # fmt: skip
STATE: dict[str, Check] = {"state_topic": topic, "value_template": template}
COMMAND: dict[str, Check] = {"command_topic": topic, "command_template": template}
PLATFORMS: dict[str, dict[str, Check]] = {
    "sensor": {
        **STATE, "device_class": one_of(*UNITS, "enum", "timestamp"), "options": choices,
        "unit_of_measurement": text, "suggested_display_precision": number,
        "state_class": one_of("measurement", "total", "total_increasing"),
        "expire_after": lambda value: isinstance(value, int) and value > 0,
    },
    "binary_sensor": {
        **STATE, "device_class": one_of(*BINARY_CLASSES), "payload_on": text, "payload_off": text,
        "expire_after": lambda value: isinstance(value, int) and value > 0,
    },
    "number": {
        **STATE, **COMMAND, "min": number, "max": number, "device_class": one_of(*UNITS),
        "step": lambda value: number(value) and value >= 0.001, "unit_of_measurement": text,
    },
    "switch": {
        **STATE, "command_topic": topic, "payload_on": text, "payload_off": text,
    },
    "lock": {
        **STATE, "command_topic": topic, "payload_lock": text, "payload_unlock": text,
        "state_locked": text, "state_unlocked": text,
    },
    "select": {**STATE, **COMMAND, "options": choices},
    "button": {**COMMAND, "payload_press": text},
    "climate": {
        "temperature_unit": one_of("C", "F"), "min_temp": number, "max_temp": number,
        "temp_step": number, "precision": one_of(0.1, 0.5, 1.0), "modes": choices,
        "temperature_state_topic": topic, "temperature_state_template": template,
        "temperature_command_topic": topic, "temperature_command_template": template,
        "current_temperature_topic": topic, "current_temperature_template": template,
        "mode_state_topic": topic, "mode_state_template": template,
        "mode_command_topic": topic, "mode_command_template": template,
    },
    "device_tracker": {
        "source_type": one_of("gps"), "json_attributes_topic": topic,
        "json_attributes_template": template,
    },
}  # fmt: skip
REQUIRED = {
    "sensor": {"state_topic"}, "binary_sensor": {"state_topic"}, "number": {"command_topic"},
    "switch": {"command_topic"}, "lock": {"command_topic"}, "button": {"command_topic"},
    "select": {"command_topic", "options"}, "climate": set(),
    "device_tracker": {"json_attributes_topic"},
}  # fmt: skip
DISCOVERY_TOPIC = re.compile(r"[A-Za-z0-9_-]+/device/[a-zA-Z0-9_-]+/config")
SOFTWARE: dict[str, Check] = {"name": text, "sw_version": text}
FILED: dict[str, Check] = {
    **SOFTWARE, "manufacturer": text, "model": text,
    "identifiers": lambda value: isinstance(value, list) and bool(value) and all(map(text, value)),
}  # fmt: skip


def check_device(topic_of: str, payload: bytes) -> dict[str, Any]:
    """Its components, once Home Assistant would take them all."""
    assert DISCOVERY_TOPIC.fullmatch(topic_of)
    body: dict[str, Any] = json.loads(payload)
    assert set(body) == {"device", "origin", "components"}
    _check(body["device"], FILED, {"identifiers", "name"})
    _check(body["origin"], SOFTWARE, {"name"})
    components: dict[str, Any] = body["components"]
    ids = [component["unique_id"] for component in components.values()]
    assert len(set(ids)) == len(ids)
    for component in components.values():
        check_component(component)
    return components


def check_component(component: dict[str, Any]) -> None:
    """That its platform's documentation allows every key, and what they say together."""
    platform = component["platform"]
    known = {**EVERY, **PLATFORMS[platform]}
    _check(component, known, {"name", "unique_id", *REQUIRED[platform]})
    unit, device_class = component.get("unit_of_measurement"), component.get("device_class")
    if platform in ("sensor", "number") and device_class in UNITS:
        assert unit in UNITS[device_class], (unit, device_class)
    if platform == "number":
        assert component["min"] < component["max"]
    if platform == "climate":
        assert component["min_temp"] < component["max_temp"]
    if "options" in component and platform == "sensor":
        assert device_class == "enum"
        assert "state_class" not in component
        assert unit is None
    state_class = component.get("state_class")
    if state_class is not None and device_class is not None:
        assert state_class in STATE_CLASSES.get(device_class, {"measurement"})


def _check(found: dict[str, Any], known: dict[str, Check], required: set[str]) -> None:
    assert required <= set(found), required - set(found)
    assert set(found) <= set(known), set(found) - set(known)
    for key, value in found.items():
        assert known[key](value), f"{key}: {value!r}"


ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=ChainableUndefined)
NOW = datetime(2026, 11, 21, 3, 0, 0, 123_456, tzinfo=UTC)
ENVIRONMENT.globals["now"] = lambda: NOW


@lru_cache(maxsize=1000)
def compiled(source: str) -> Template:
    return ENVIRONMENT.from_string(source)


def read(source: str, payload: bytes) -> str:
    """What a template makes of a payload that came."""
    variables: dict[str, Any] = {"value": payload.decode()}
    with contextlib.suppress(ValueError):
        variables["value_json"] = json.loads(payload)
    return compiled(source).render(variables).strip()


def write(source: str, value: object) -> bytes:
    """What a template makes of what a person chose."""
    return compiled(source).render(value=value).strip().encode()

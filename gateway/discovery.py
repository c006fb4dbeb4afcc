"""A vehicle's catalog as one device of Home Assistant (pure)."""

import math
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import NamedTuple

import orjson

from gateway.controls import Topics, control, is_number, options, thermostat
from gateway.entities import (
    CORE,
    LATITUDE,
    LONGITUDE,
    MOST_ENABLED,
    SEEN_BY,
    TARGET_TEMPERATURE,
    binary_class,
    is_opening,
    locked_name_of,
    name_of,
    stays,
)
from gateway.units import unit_of
from internetcar.contract.home_assistant import (
    IS_ONLINE,
    MINUTE,
    POSITION,
    VALUE,
    AnnouncedBy,
    AnnouncedDevice,
    Component,
    DeviceAnnouncement,
    device_id_of,
    reading_template,
)
from internetcar.contract.presence import Health
from internetcar.contract.signals import Catalog, CatalogLeaf, Position

ORIGIN = "internetcar"
"""By which a device in a broker's memory is known as ours."""
MOST_BYTES = 256 << 10
"""Of all entities together, some 500: a car without a mapping can have thousands of signals."""
EXPIRES_AFTER = 3
"""So many times may a live leaf miss its repetition before it is unavailable."""
TEXT_LENGTH = 250
"""Home Assistant's states end at 255; jinja's filter lets five more through before it cuts."""


class Device(NamedTuple):
    """What one device is made from, beside the leaves."""

    vehicle_id: str
    prefix: str
    """Home Assistant's discovery prefix."""
    requester: str
    """As whom it sends commands."""
    name: str
    software: str


class Announced(NamedTuple):
    """A device, and how many of its entities found no room."""

    message: DeviceAnnouncement
    left_out: int


def announce(catalog: Iterable[Catalog], may_set: Set[str], device: Device) -> Announced:
    """Make the device: every leaf as what it is, those people look for first and switched on.

    Args:
        catalog: All the vehicle's leaves.
        may_set: The leaves this requester is allowed to set; only these get a control.
        device: Whose they are.
    """
    leaves = {path: leaf for group in catalog for path, leaf in group.leaves.items()}
    topics = Topics(device.vehicle_id, device.requester)
    own = device_id_of(device.vehicle_id)
    components: dict[str, Component] = {}
    enabled = size = left_out = 0
    for key, component in _entities(leaves, may_set, topics):
        identified = {**component, "unique_id": f"{own}_{key}"}
        is_shown = component.get("enabled_by_default", True)
        if is_shown and enabled < MOST_ENABLED and _is_wanted(key):
            enabled += 1
        else:
            identified["enabled_by_default"] = False
        size += len(orjson.dumps({key: identified}))
        if size > MOST_BYTES:
            left_out += 1
        else:
            components[key] = identified
    message = DeviceAnnouncement(
        prefix=device.prefix,
        device_id=own,
        device=AnnouncedDevice(
            identifiers=[own],
            name=device.name or device.vehicle_id,
            manufacturer=ORIGIN,
            sw_version=device.software,
        ),
        origin=AnnouncedBy(name=ORIGIN, sw_version=device.software),
        components=components,
    )
    return Announced(message, left_out)


def removal(message: DeviceAnnouncement, gone: Mapping[str, str]) -> DeviceAnnouncement:
    """The same device, telling Home Assistant to remove entities: their platforms by their keys."""
    tombs: dict[str, Component] = {key: {"platform": platform} for key, platform in gone.items()}
    return message.model_copy(update={"components": {**message.components, **tombs}})


def gone(heard: DeviceAnnouncement, said: DeviceAnnouncement) -> dict[str, str]:
    """The platform of each entity that an earlier announcement had and this one has not."""
    return {
        key: str(component["platform"])
        for key, component in heard.components.items()
        if key not in said.components and "unique_id" in component and "platform" in component
    }


def _entities(
    leaves: Mapping[str, CatalogLeaf], may_set: Set[str], topics: Topics
) -> Iterator[tuple[str, Component]]:
    """Every entity by a key of its own, the most wanted first.

    A door is shown beside its control. So is a lock, but switched off: the control shows the same
    last known state, and two of each would push out what else people look for. Who wants to see it
    also while the gateway is away, when controls are unavailable, switches the reading on.
    """
    yield "connected", _connected(topics)
    yield "last_seen", _last_seen(leaves, topics)
    if LATITUDE in leaves and LONGITUDE in leaves:
        yield "location", _location(topics)
    ordered = [path for path in CORE if path in leaves]
    ordered += [path for path in leaves if path not in CORE]
    for path in ordered:
        if path == TARGET_TEMPERATURE and path in may_set:
            yield "climate", thermostat(leaves, may_set, topics)
        leaf = leaves[path]
        control_of = control(path, leaf, topics) if path in may_set else None
        if control_of is None or control_of["platform"] == "button" or is_opening(path):
            reading = _reading(path, leaf, topics)
            if control_of is not None and control_of["platform"] == "lock":
                reading |= {"name": locked_name_of(path), "enabled_by_default": False}
            yield f"{reading['platform']}.{path}", reading
        if control_of is not None:
            yield f"{control_of['platform']}.{path}", control_of


def _is_wanted(key: str) -> bool:
    """Whether an entity is one people look for; a horn is none that a card should offer.

    The target temperature is set by the thermostat.
    """
    platform, dot, path = key.partition(".")
    is_pushed = platform == "button" and not is_opening(path)
    is_in_thermostat = platform == "number" and path == TARGET_TEMPERATURE
    return not dot or (path in CORE and not is_pushed and not is_in_thermostat)


def _connected(topics: Topics) -> Component:
    return {
        "platform": "binary_sensor",
        "name": "Connected",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": topics.presence(),
        "value_template": IS_ONLINE,
        "payload_on": "online",
        "payload_off": "offline",
    }


def _last_seen(leaves: Mapping[str, CatalogLeaf], topics: Topics) -> Component:
    path = next((path for path in SEEN_BY if path in leaves), None)
    health = Health.filter(vehicle_id=topics.vehicle_id)
    return {
        "platform": "sensor",
        "name": "Last seen",
        "device_class": "timestamp",
        "entity_category": "diagnostic",
        "state_topic": topics.signal(path) if path else health,
        "value_template": MINUTE,
    }


def _location(topics: Topics) -> Component:
    return {
        "platform": "device_tracker",
        "name": "Location",
        "source_type": "gps",
        "json_attributes_topic": Position.filter(vehicle_id=topics.vehicle_id),
        "json_attributes_template": POSITION,
    }


def _reading(path: str, leaf: CatalogLeaf, topics: Topics) -> Component:
    """What shows one leaf: a last known value stays, a live one ends when it is not repeated."""
    made: Component = {"name": name_of(path), "state_topic": topics.signal(path)}
    if leaf.datatype == "boolean":
        made |= _binary(path)
    elif is_number(leaf):
        made |= _measurement(path, leaf)
    else:
        made |= _words(path, leaf)
    if not stays(path) and leaf.max_interval_ms:
        made["expire_after"] = math.ceil(EXPIRES_AFTER * leaf.max_interval_ms / 1000)
    return made


def _binary(path: str) -> Component:
    device_class = binary_class(path)
    # Home Assistant's lock is "on" while it is open.
    on, off = ("OFF", "ON") if device_class == "lock" else ("ON", "OFF")
    template = reading_template(f"('{on}' if {VALUE} else '{off}')", stays=stays(path))
    made: Component = {"platform": "binary_sensor", "value_template": template}
    return made if device_class is None else {**made, "device_class": device_class}


def _measurement(path: str, leaf: CatalogLeaf) -> Component:
    core = CORE.get(path)
    unit = unit_of(leaf.unit)
    expression = VALUE
    if core is not None and core.in_km and leaf.unit == "m":
        expression, unit = f"(({VALUE} / 1000) | round(1))", unit_of("km")
    made: Component = {
        "platform": "sensor",
        "value_template": reading_template(expression, stays=stays(path)),
    }
    if core is not None and core.precision is not None:
        made["suggested_display_precision"] = core.precision
    if unit is None:
        return made
    made["unit_of_measurement"] = unit.symbol
    device_class = unit.device_class
    if core is not None and core.device_class == "battery" and unit.symbol == "%":
        device_class = "battery"
    state_class = "measurement"
    if path.endswith(("TraveledDistance", ".AccumulatedConsumedEnergy")):
        state_class = "total_increasing"
        device_class = "energy" if device_class == "energy_storage" else device_class
    if device_class is not None:
        made["device_class"] = device_class
    if unit.symbol != "°":  # the mean of 359° and 1° is not 180°
        made["state_class"] = state_class
    return made


def _words(path: str, leaf: CatalogLeaf) -> Component:
    choices = options(leaf)
    made: Component = {"platform": "sensor"}
    if choices:
        made |= {"device_class": "enum", "options": [*choices]}
        expression = VALUE
    elif leaf.datatype.endswith("[]"):
        expression = f"({VALUE} | join(', ') | truncate({TEXT_LENGTH}, true))"
    else:
        expression = f"({VALUE} | string | truncate({TEXT_LENGTH}, true))"
    return {**made, "value_template": reading_template(expression, stays=stays(path))}

"""The entities by which a person sets a leaf from Home Assistant (pure)."""

from collections.abc import Mapping, Set
from typing import NamedTuple

from gateway.entities import (
    AIR_CONDITIONING,
    CABIN_TEMPERATURE,
    CORE,
    TARGET_TEMPERATURE,
    lock_name_of,
    name_of,
    stays,
)
from gateway.units import unit_of
from gateway.vss import integer_range
from internetcar.contract.commands import Command
from internetcar.contract.home_assistant import (
    IS_ONLINE,
    VALUE,
    Component,
    command_template,
    reading_template,
)
from internetcar.contract.presence import Presence
from internetcar.contract.signals import CatalogLeaf, Signal

MOST_OPTIONS = 100
LONGEST_OPTION = 255
"""What Home Assistant holds as a state."""
SMALLEST_STEP = 0.001
"""Of a number in Home Assistant."""
FARTHEST = 1e6
"""Where a number's own datatype would let it go further than a person means."""
COMFORT_C = (16.0, 28.0)
"""A thermostat's range where the leaf says none, as cars have it."""
COMFORT_STEP_C = 0.5


class Topics(NamedTuple):
    """Where a vehicle's messages go, and who asks."""

    vehicle_id: str
    requester: str

    def signal(self, path: str) -> str:
        """Where a leaf is said."""
        return Signal.filter(vehicle_id=self.vehicle_id, path=path)

    def presence(self) -> str:
        """Where the gateway says whether it is there."""
        return Presence.filter(vehicle_id=self.vehicle_id)

    def command(self, path: str) -> str:
        """Where the requester sets a leaf."""
        return Command.filter(vehicle_id=self.vehicle_id, requester=self.requester, path=path)


def is_number(leaf: CatalogLeaf) -> bool:
    """Whether a leaf is one number."""
    return leaf.datatype in ("float", "double") or integer_range(leaf.datatype) is not None


def options(leaf: CatalogLeaf) -> list[str]:
    """The values of a leaf as Home Assistant shows them; none where they are no list to choose."""
    allowed = [] if leaf.datatype.endswith("[]") else list(leaf.allowed or ())
    kinds: set[type] = {int, float} if is_number(leaf) else {str}
    shown = list(dict.fromkeys(str(value) for value in allowed))
    is_short = len(shown) <= MOST_OPTIONS and all(0 < len(text) <= LONGEST_OPTION for text in shown)
    return shown if is_short and kinds.issuperset(map(type, allowed)) else []


def control(path: str, leaf: CatalogLeaf, topics: Topics) -> Component | None:
    """What sets one leaf; `None` where Home Assistant has nothing that could."""
    made = _control(path, leaf, topics)
    if made is None:
        return None
    about: Component = {"name": name_of(path), "command_topic": topics.command(path), "qos": 1}
    return {**about, **made, **_availability(topics)}


def thermostat(leaves: Mapping[str, CatalogLeaf], may_set: Set[str], topics: Topics) -> Component:
    """The target temperature with what belongs to it; the leaf must be there and settable."""
    leaf = leaves[TARGET_TEMPERATURE]
    low, high = leaf.min, leaf.max
    if low is None or high is None or low >= high:
        low, high = COMFORT_C
    made: Component = {
        "platform": "climate",
        "name": "Climate",
        "qos": 1,
        "temperature_unit": "C",
        "min_temp": low,
        "max_temp": high,
        "temp_step": leaf.step or COMFORT_STEP_C,
        "precision": 0.1,
        "temperature_state_topic": topics.signal(TARGET_TEMPERATURE),
        "temperature_state_template": reading_template(VALUE, stays=False),
        "temperature_command_topic": topics.command(TARGET_TEMPERATURE),
        "temperature_command_template": command_template("value", momentary=leaf.momentary),
    }
    if CABIN_TEMPERATURE in leaves:
        made["current_temperature_topic"] = topics.signal(CABIN_TEMPERATURE)
        made["current_temperature_template"] = reading_template(VALUE, stays=False)
    air = leaves.get(AIR_CONDITIONING)
    if air is not None and AIR_CONDITIONING in may_set:
        is_cooling = "'true' if value == 'cool' else 'false'"
        made["modes"] = ["off", "cool"]
        made["mode_state_topic"] = topics.signal(AIR_CONDITIONING)
        made["mode_state_template"] = reading_template(
            f"('cool' if {VALUE} else 'off')", stays=False
        )
        made["mode_command_topic"] = topics.command(AIR_CONDITIONING)
        made["mode_command_template"] = command_template(is_cooling, momentary=air.momentary)
    else:  # a thermostat has a mode: ours cannot be chosen
        made["modes"] = ["auto"]
        made["mode_state_topic"] = topics.signal(TARGET_TEMPERATURE)
        made["mode_state_template"] = "auto"
    return {**made, **_availability(topics)}


def _control(path: str, leaf: CatalogLeaf, topics: Topics) -> Component | None:
    if leaf.datatype == "boolean":
        return _button(path) if leaf.momentary else _two_states(path, topics)
    choices = options(leaf)
    if choices:
        expression = "value" if is_number(leaf) else "value | tojson"
        return {
            "platform": "select",
            "options": [*choices],
            **_state(VALUE, path, topics),
            "command_template": command_template(expression, momentary=leaf.momentary),
        }
    return _number(path, leaf, topics) if is_number(leaf) else None


def _button(path: str) -> Component:
    pushed = CORE[path].push if path in CORE else None
    return {
        "platform": "button",
        "name": pushed or name_of(path),
        "payload_press": "true",
        "command_template": command_template("value", momentary=True),
    }


def _two_states(path: str, topics: Topics) -> Component:
    """A switch or a lock; what each sends is JSON already."""
    state = _state(f"('true' if {VALUE} else 'false')", path, topics)
    if path.endswith(".IsLocked"):
        words = {"payload_lock": "true", "payload_unlock": "false"}
        states = {"state_locked": "true", "state_unlocked": "false"}
        return {"platform": "lock", "name": lock_name_of(path), **words, **states, **state}
    words = {"payload_on": "true", "payload_off": "false"}
    return {"platform": "switch", **words, **state}


def _number(path: str, leaf: CatalogLeaf, topics: Topics) -> Component | None:
    by_type = integer_range(leaf.datatype)
    low, high = by_type or (-FARTHEST, FARTHEST)
    low = max(low, -FARTHEST) if leaf.min is None else leaf.min
    high = min(high, FARTHEST) if leaf.max is None else leaf.max
    if low >= high:
        return None
    made: Component = {
        "platform": "number",
        "min": low,
        "max": high,
        "step": max(leaf.step or (1.0 if by_type else 0.1), SMALLEST_STEP),
        **_state(VALUE, path, topics),
        "command_template": command_template("value", momentary=leaf.momentary),
    }
    unit = unit_of(leaf.unit)
    if unit is not None:
        made["unit_of_measurement"] = unit.symbol
        if unit.device_class is not None:
            made["device_class"] = unit.device_class
    return made


def _state(expression: str, path: str, topics: Topics) -> Component:
    return {
        "state_topic": topics.signal(path),
        "value_template": reading_template(expression, stays=stays(path)),
    }


def _availability(topics: Topics) -> Component:
    return {"availability": [{"topic": topics.presence(), "value_template": IS_ONLINE}]}

"""What Home Assistant hears and says of a vehicle, and the templates by which it reads us.

Its MQTT integration (2024.11 and later) takes a whole device in one retained message, "device
discovery", and says on a topic of its own when it has started.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, JsonValue

from internetcar.contract.message import Message, Name, Part

DeviceId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""What Home Assistant allows as one level of a discovery topic."""

Component = dict[str, JsonValue]
"""One entity by Home Assistant's own keys; `platform` alone removes it."""

VALUE = "value_json.value"
"""A signal's value, where Home Assistant has parsed its payload."""

_LIVE = "value_json.quality == 'valid'"
_LAST_KNOWN = "value_json.quality in ['valid', 'stale', 'error']"

POSITION = (
    "{{ {'latitude': value_json.latitude, 'longitude': value_json.longitude,"
    " 'gps_accuracy': value_json.accuracy_m | default(0),"
    " 'heading': value_json.heading_deg | default(none),"
    " 'speed_kmh': value_json.speed_kmh | default(none), 'at': value_json.at | default(none)}"
    " | tojson if value_json is defined and value_json.latitude is number"
    " and value_json.longitude is number else '{}' }}"
)
"""A position as the attributes of a device tracker."""

IS_ONLINE = "{{ 'online' if value_json is defined and value_json.online else 'offline' }}"
"""Presence as availability, by the words Home Assistant expects."""

MINUTE = (
    "{{ value_json.at[:16] ~ ':00+00:00'"
    " if value_json is defined and value_json.at is string else none }}"
)
"""The minute of a signal's instant: a history that grew with every sample would be no use."""


class AnnouncedDevice(Part):
    """The vehicle as Home Assistant files it."""

    identifiers: list[str]
    name: str
    manufacturer: str | None = None
    model: str | None = None
    sw_version: str | None = None


class AnnouncedBy(Part):
    """Which software announces it."""

    name: str
    sw_version: str | None = None


class DeviceAnnouncement(Message):
    """A vehicle with all its entities, for Home Assistant's device discovery."""

    TOPIC: ClassVar[str] = "{prefix}/device/{device_id}/config"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = True

    prefix: Name = Field(description="Home Assistant's discovery prefix, usually `homeassistant`")
    device_id: DeviceId
    device: AnnouncedDevice
    origin: AnnouncedBy
    components: dict[str, Component]

    @property
    def entities(self) -> int:
        """How many entities there are, those to be removed not counted."""
        return sum(1 for component in self.components.values() if "unique_id" in component)

    @property
    def enabled(self) -> int:
        """How many of them a person sees without looking for them."""
        return sum(
            1
            for component in self.components.values()
            if "unique_id" in component and component.get("enabled_by_default", True)
        )


class Birth(Message):
    """Home Assistant has started, or ends; the payload is the bare word."""

    TOPIC: ClassVar[str] = "{prefix}/status"
    SENDER: ClassVar[str] = "Home Assistant"
    CONTENT_TYPE: ClassVar[str] = "text/plain"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    prefix: Name
    state: Literal["online", "offline"]

    def encode(self) -> bytes:
        """The word."""
        return self.state.encode()

    @classmethod
    def parse_payload(cls, payload: bytes) -> Mapping[str, Any]:
        """The word, as the only field."""
        return {"state": payload.decode("utf-8", "replace")}


def device_id_of(vehicle_id: str) -> str:
    """The vehicle's level in the discovery topic, such as no other software would take."""
    return f"internetcar_{vehicle_id}"


def reading_template(expression: str, *, stays: bool) -> str:
    """A template that reads a signal's payload; `None`, which is "unknown", where it says nothing.

    Args:
        expression: Of `VALUE`; only worked out where there is a value.
        stays: A last known value counts as well: `stale` and `error` keep the last good one.
    """
    quality = _LAST_KNOWN if stays else _LIVE
    has_value = f"value_json is defined and {VALUE} is not none and {quality}"
    return f"{{{{ {expression} if {has_value} else none }}}}"


def command_template(expression: str, *, momentary: bool) -> str:
    """A template that makes a command's payload: the bare value, with an id where one is needed.

    Args:
        expression: Gives JSON from `value`, which is what the person chose.
        momentary: Each push is a command of its own, and twice the same packet is one.
    """
    if not momentary:
        return f"{{{{ {expression} }}}}"
    return f'{{"id": "ha-{{{{ now().timestamp() }}}}", "value": {{{{ {expression} }}}}}}'

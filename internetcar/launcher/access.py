"""Who may say and hear what, as the text of mosquitto's `acl_file` (pure).

Every line stands under the name of one holder of a certificate, and never in a `pattern`: mosquitto
applies patterns to everybody, so a vehicle would have the rights of a person of the same name, and
whoever has been taken out of the file would keep them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from internetcar.contract.commands import Command
from internetcar.contract.drone import DroneReply, DroneRequest
from internetcar.contract.home_assistant import Birth, DeviceAnnouncement, device_id_of
from internetcar.contract.message import InputError, Message, Name, Part, topic_fields
from internetcar.contract.payments import PaymentRequest, PaymentResult
from internetcar.contract.recommendations import RecommendationControl, RecommendationFeedback
from internetcar.contract.telemetry import Telemetry, TelemetryRequest

Role = Literal["vehicle", "service", "person"]

_LEVEL = r"(?:[A-Za-z0-9_.@-]{1,200}|\+)"
Below = Annotated[str, Field(pattern=rf"^(?:{_LEVEL}/){{0,4}}(?:{_LEVEL}|#)$")]
"""A topic filter below `v1/vehicle/{vehicle_id}/`, such as `home/lamp` or `signal/+`."""

RESERVED = {"broker", "device", "gateway", "owner", "reader", "requester"}
"""The broker's own certificate, and what `SENDER` calls those who are no service."""

_VEHICLE = "v1/vehicle/"
_CLIENT = "v1/client/"
_WALLET = "v1/wallet/"
_PREFIX = "homeassistant"
"""Home Assistant's own topics begin so by default (its MQTT integration, "Discovery")."""


class AccessError(InputError):
    """Nobody may have such a name or such rights; says why."""


class Rights(Part):
    """What the holder of a certificate may do."""

    role: Role
    vehicles: tuple[Name, ...] = Field(default=(), description="of a service, none: all")
    reads: tuple[Below, ...] = Field(default=(), description="none: all that gateways say")
    writes: tuple[Below, ...] = Field(default=(), description="beside what its classes say")
    commands: bool = Field(default=False, description="a service that also commands vehicles")
    pays: bool = Field(default=False, description="a service that asks the wallet for money")
    flies: bool = Field(default=False, description="a service that asks drones to fly")
    answers: bool = Field(
        default=False, description="a service that answers and steers recommendations"
    )
    accounts: tuple[Name, ...] = Field(default=(), description="of a person: whose wallet it sees")
    home_assistant: bool = Field(default=False, description="it may say that it has started")


def name_of(text: str) -> str:
    """A name that a certificate may carry.

    Raises:
        AccessError: It may not.
    """
    try:
        name = TypeAdapter(Name).validate_python(text)
    except ValidationError as error:
        raise AccessError(f"{text[:60]!r}: a name has 1 to 36 letters, digits, - and _") from error
    if name.lower() in RESERVED:
        raise AccessError(f"{name!r} is nobody's name: {', '.join(sorted(RESERVED))} are taken")
    return name


def service_rights(
    name: str,
    vehicles: Iterable[str],
    reads: Iterable[str],
    writes: Iterable[str],
    classes: Iterable[type[Message]],
    *,
    commands: bool,
    pays: bool = False,
    flies: bool = False,
    answers: bool = False,
) -> Rights:
    """The rights of a service.

    Raises:
        AccessError: A filter is none, or lets it write what another publishes.
    """
    for topic_filter in (*reads, *writes):
        try:
            TypeAdapter(Below).validate_python(topic_filter)
        except ValidationError as error:
            raise AccessError(
                f"{topic_filter[:60]!r}: write it as below a vehicle, such as home/lamp or signal/+"
            ) from error
    for cls in classes:
        for topic_filter in writes:
            is_free = cls.SENDER in (name, "device")
            if not is_free and _overlap(f"{_VEHICLE}+/{topic_filter}", cls.filter()):
                raise AccessError(f"{topic_filter}: that is published by: {cls.SENDER}")
    return Rights(
        role="service",
        vehicles=tuple(vehicles),
        reads=tuple(reads),
        writes=tuple(writes),
        commands=commands,
        pays=pays,
        flies=flies,
        answers=answers,
    )


def access_text(holders: Mapping[str, Rights], classes: Iterable[type[Message]]) -> str:
    """The whole `acl_file`: what is not in it, nobody may do.

    Args:
        holders: Everybody who has a certificate that is worth something, by name.
        classes: Every message class of the contract.
    """
    known = tuple(classes)
    blocks = ["# Written by `car secure`, and written anew each time: change nothing here.\n"]
    for name, rights in sorted(holders.items()):
        lines = dict.fromkeys(f"topic {line}\n" for line in _lines(name, rights, known))
        blocks.append(f"# {rights.role}\nuser {name}\n{''.join(lines)}")
    return "\n".join(blocks)


def discovery_topic(vehicle_id: str) -> str:
    """Where a vehicle is announced to Home Assistant."""
    return DeviceAnnouncement.filter(prefix=_PREFIX, device_id=device_id_of(vehicle_id))


def keeper_text(name: str, vehicle_id: str) -> str:
    """What is added to the rules while everything a broker remembers of a vehicle is cleared."""
    filters = remembered_topics(vehicle_id)
    return f"\nuser {name}\n" + "".join(f"topic readwrite {one}\n" for one in filters)


def remembered_topics(vehicle_id: str) -> tuple[str, str]:
    """Filters of all that a broker may remember of a vehicle, with any discovery prefix."""
    return (
        f"{_VEHICLE}{vehicle_id}/#",
        DeviceAnnouncement.filter(device_id=device_id_of(vehicle_id)),
    )


def _lines(name: str, rights: Rights, classes: tuple[type[Message], ...]) -> Iterator[str]:
    match rights.role:
        case "vehicle":
            return _vehicle(name, classes)
        case "person":
            return _person(name, rights, classes)
        case "service":
            return _service(name, rights, classes)


def _vehicle(vehicle_id: str, classes: tuple[type[Message], ...]) -> Iterator[str]:
    for cls in classes:
        if cls.SENDER == "gateway" and cls.TOPIC.startswith(_VEHICLE):
            yield f"readwrite {cls.filter(vehicle_id=vehicle_id)}"
    yield f"read {TelemetryRequest.filter(vehicle_id=vehicle_id)}"
    # Also to write: it clears a command that somebody has retained.
    yield f"readwrite {Command.filter(vehicle_id=vehicle_id)}"
    # Telemetry and answers end in its own id, so that it cannot speak for another vehicle there;
    # on a response topic of one word the requester's correlation data tells who answers.
    yield f"write {_CLIENT}+/+/{vehicle_id}"
    yield f"write {_CLIENT}+/+"
    yield f"readwrite {discovery_topic(vehicle_id)}"
    yield f"read {Birth.filter(prefix=_PREFIX)}"


def _person(name: str, rights: Rights, classes: tuple[type[Message], ...]) -> Iterator[str]:
    for vehicle_id in rights.vehicles:
        for cls in classes:
            is_answer = cls is DroneReply  # another's answers are another's
            if cls.SENDER not in ("owner", "reader", "requester") and cls.TOPIC.startswith(
                _VEHICLE
            ):
                levels = {"requester": name} if is_answer else {}
                yield f"read {cls.filter(vehicle_id=vehicle_id, **levels)}"
        yield f"write {TelemetryRequest.filter(vehicle_id=vehicle_id)}"
        yield f"write {Command.filter(vehicle_id=vehicle_id, requester=name)}"
        yield f"write {DroneRequest.filter(vehicle_id=vehicle_id, requester=name)}"
        yield from _answers(name, vehicle_id)
        yield f"read {discovery_topic(vehicle_id)}"
    for account in rights.accounts:
        for cls in classes:
            if cls.TOPIC.startswith(_WALLET):
                way = "write" if cls.SENDER == "owner" else "read"
                yield f"{way} {cls.filter(account=account)}"
    if rights.home_assistant:
        yield f"readwrite {Birth.filter(prefix=_PREFIX)}"
    yield f"read {_CLIENT}{name}/#"


def _service(name: str, rights: Rights, classes: tuple[type[Message], ...]) -> Iterator[str]:
    for vehicle_id in rights.vehicles or ("+",):
        heard = [f"{_VEHICLE}{vehicle_id}/{below}" for below in rights.reads] or [
            cls.filter(vehicle_id=vehicle_id)
            for cls in classes
            if cls.SENDER == "gateway" and cls.TOPIC.startswith(_VEHICLE)
        ]
        yield from (f"read {topic_filter}" for topic_filter in heard)
        if any(_overlap(topic, Telemetry.filter(vehicle_id=vehicle_id)) for topic in heard):
            yield f"write {TelemetryRequest.filter(vehicle_id=vehicle_id)}"
        for cls in classes:
            levels = {"vehicle_id": vehicle_id} if "vehicle_id" in topic_fields(cls) else {}
            if name == cls.SENDER:
                yield f"readwrite {cls.filter(**levels)}"
            elif name in cls.HEARD_BY:
                # Also to write: the drone clears a request that somebody has retained.
                way = "readwrite" if cls is DroneRequest else "read"
                yield f"{way} {cls.filter(**levels)}"
        yield from (f"readwrite {_VEHICLE}{vehicle_id}/{below}" for below in rights.writes)
        if rights.commands:
            yield f"write {Command.filter(vehicle_id=vehicle_id, requester=name)}"
        if rights.flies:
            yield f"write {DroneRequest.filter(vehicle_id=vehicle_id, requester=name)}"
            yield f"read {DroneReply.filter(vehicle_id=vehicle_id, requester=name)}"
        if rights.answers:
            yield from _answers(name, vehicle_id)
        if rights.pays:
            yield f"write {PaymentRequest.filter(vehicle_id=vehicle_id, requester=name)}"
            yield f"read {PaymentResult.filter(vehicle_id=vehicle_id)}"
    yield f"read {_CLIENT}{name}/#"


def _answers(name: str, vehicle_id: str) -> Iterator[str]:
    """Under its own name alone: what it may, the settings of the service say."""
    for cls in (RecommendationFeedback, RecommendationControl):
        yield f"write {cls.filter(vehicle_id=vehicle_id, requester=name)}"


def _overlap(one: str, other: str) -> bool:
    """Whether there is a topic both filters match."""
    ones, others = one.split("/"), other.split("/")
    for left, right in zip(ones, others, strict=False):
        if "#" in (left, right):
            return True
        if left != right and "+" not in (left, right):
            return False
    longer = ones if len(ones) > len(others) else others
    shortest = min(len(ones), len(others))
    return len(ones) == len(others) or longer[shortest] == "#"

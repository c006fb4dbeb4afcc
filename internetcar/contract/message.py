"""What every MQTT message has in common: its topic, its delivery, its bytes."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
)

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MOST_COMPLAINT = 300

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,36}$")]
"""A vehicle id, requester or account: what may stand as one level of a topic."""

Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@-]{1,200}$")]
"""A VSS path, or `Message.Signal` for a signal without a mapping; one topic level, dots kept."""

_FIRST_YEAR, _LAST_YEAR = 1000, 9000
"""So far from what Python can hold that no time zone and no sample leads beyond it."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where milliseconds are counted from."""
_MILLISECOND = timedelta(milliseconds=1)

Scalar = bool | int | float | str
Value = Scalar | list[Scalar] | None
"""What a signal can be; `None` where the number is not finite or there is none."""


class InputError(ValueError):
    """Something from outside is wrong: one line that names the thing and the fix."""


class ContractError(InputError):
    """The sender broke the contract: a topic or payload that is not what its class says."""


def _as_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    if not _FIRST_YEAR < instant.year < _LAST_YEAR:
        raise ValueError(f"an instant lies after {_FIRST_YEAR} and before {_LAST_YEAR}")
    return instant if instant.tzinfo is UTC else instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC with milliseconds, truncated."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{instant.microsecond // 1000:03d}Z"
    )


def milliseconds(instant: datetime) -> int:
    """An aware instant as UTC milliseconds since 1970, rounded down."""
    return (instant - EPOCH) // _MILLISECOND


def instant(utc_ms: int) -> datetime:
    """The aware instant of UTC milliseconds since 1970; the inverse of `milliseconds`."""
    return EPOCH + timedelta(milliseconds=utc_ms)


Instant = Annotated[datetime, AfterValidator(_as_utc), PlainSerializer(format_instant)]
"""A moment in UTC; RFC 3339 with milliseconds on the wire."""


def is_one(adapter: TypeAdapter[str], value: object) -> bool:
    """Whether a value from outside is a string of this type, such as a `Name`."""
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


class Part(BaseModel):
    """A piece of a payload: immutable, and deaf to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Message(Part):
    """One MQTT message: a class for each topic, and nobody else writes topics or keys.

    Fields named in `TOPIC` travel in the topic and not in the payload.
    """

    TOPIC: ClassVar[str]
    SENDER: ClassVar[str] = "gateway"
    HEARD_BY: ClassVar[tuple[str, ...]] = ()
    """Services that act on it, by name; what gateways say every service may hear."""
    QOS: ClassVar[Literal[0, 1]]
    RETAIN: ClassVar[bool]
    CONTENT_TYPE: ClassVar[str] = "application/json"
    MAX_PAYLOAD_BYTES: ClassVar[int] = 1 << 20

    @property
    def topic(self) -> str:
        """The concrete topic this message is published on."""
        return self.TOPIC.format_map({name: getattr(self, name) for name in topic_fields(self)})

    def encode(self) -> bytes:
        """The payload: compact JSON without the fields that stand in the topic."""
        return orjson.dumps(
            self.model_dump(mode="json", exclude=set(topic_fields(self)), exclude_none=True)
        )

    @classmethod
    def filter(cls, **levels: str) -> str:
        """The topic filter for all messages of this class, narrowed by the given levels."""
        return cls.TOPIC.format_map({name: levels.get(name, "+") for name in topic_fields(cls)})

    @classmethod
    def decode(cls, topic: str, payload: bytes) -> Self:
        """Read a message from what MQTT delivered.

        Raises:
            ContractError: The topic or the payload is not one of this class; the text names both.
        """
        match = _topic_pattern(cls).fullmatch(topic)
        if match is None:
            raise ContractError(f"{_shown(topic)!r} is not a topic of {cls.__name__}")
        if len(payload) > cls.MAX_PAYLOAD_BYTES:
            raise ContractError(f"{_shown(topic)}: more than {cls.MAX_PAYLOAD_BYTES} bytes")
        try:
            body = cls.parse_payload(payload)
            return cls.model_validate({**body, **match.groupdict()})
        except (orjson.JSONDecodeError, ValidationError, ContractError) as error:
            raise ContractError(f"{_shown(topic)}: {_one_line(error)}") from error

    @classmethod
    def parse_payload(cls, payload: bytes) -> Mapping[str, Any]:
        """The JSON object in a payload; a class that also takes a bare scalar overrides this.

        Raises:
            ContractError: The payload is JSON, but not an object.
        """
        body = orjson.loads(payload)
        if not isinstance(body, dict):
            raise ContractError(f"{cls.__name__}: expected a JSON object, not {payload[:40]!r}")
        return body


@cache
def _topic_pattern(cls: type[Message]) -> re.Pattern[str]:
    literal = re.split(_PLACEHOLDER, cls.TOPIC)
    return re.compile(
        "".join(
            f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part)
            for index, part in enumerate(literal)
        )
    )


def topic_fields(message: Message | type[Message]) -> tuple[str, ...]:
    """The names of the fields that travel in the topic, in its order."""
    return _placeholders(message.TOPIC)


@cache
def _placeholders(topic: str) -> tuple[str, ...]:
    return tuple(_PLACEHOLDER.findall(topic))


def _one_line(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "payload"
        return f"{_shown(place)}: {_shown(first['msg'])}"
    if isinstance(error, ContractError):
        return str(error)
    return f"not JSON ({error})"


def _shown(text: str) -> str:
    """A stranger's text as it may stand in a log: one line, not long."""
    short = text if len(text) <= _MOST_COMPLAINT else text[:_MOST_COMPLAINT] + "…"
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in short)

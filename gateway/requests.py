"""A command as it came from the broker (pure)."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from internetcar.contract.commands import Command
from internetcar.contract.message import ContractError, InputError, Value
from internetcar.contract.subscriptions import Received

Key = tuple[str, str]
"""Requester and id: what makes two packets the same command."""

_WORD = "[A-Za-z0-9_.@-]{1,64}"


@dataclass(frozen=True, slots=True)
class Request:
    """A command as it came, read or not."""

    requester: str
    path: str
    id: str
    received_ns: int
    """Monotonic."""
    has_id: bool = False
    value: Value = None
    expires_at_ns: int | None = None
    """UTC nanoseconds since 1970."""
    dry_run: bool = False
    retained: bool = False
    problem: str | None = None
    """Why it could not be read."""
    answer_to: str | None = None
    """Its response topic."""
    correlation: bytes | None = None

    @property
    def key(self) -> Key:
        """Two packets with the same key are the same command."""
        return self.requester, self.id

    @property
    def digest(self) -> str:
        """The same for the same body."""
        body = json.dumps([self.path, self.value, self.expires_at_ns, self.dry_run])
        return hashlib.sha256(body.encode()).hexdigest()[:16]


def read_request(received: Received, fresh_id: str, received_ns: int) -> Request:
    """Read a packet from a command topic; what is wrong with it stands in `problem`.

    Raises:
        ContractError: Its topic is no command topic, so there is nobody to answer.
    """
    topic = received.topic.split("/")
    if len(topic) != 6:
        raise ContractError(f"{received.topic[:200]!r} is not a command topic")
    requester, path = topic[4], topic[5]
    request = Request(
        requester=requester,
        path=path[:200],
        id=fresh_id,
        received_ns=received_ns,
        retained=received.retained,
    )
    try:
        command = Command.decode(received.topic, received.payload)
        answer_to = answer_topic(requester, topic[2], received.response_topic)
    except InputError as error:
        return _with_problem(request, str(error))
    expires_at = command.expires_at
    return Request(
        requester=command.requester,
        path=command.path,
        id=command.id or fresh_id,
        has_id=command.id is not None,
        received_ns=received_ns,
        value=command.value,
        expires_at_ns=None if expires_at is None else _to_ns(expires_at),
        dry_run=command.dry_run,
        retained=received.retained,
        answer_to=answer_to,
        correlation=received.correlation if answer_to else None,
    )


def answer_topic(requester: str, vehicle_id: str, topic: str | None) -> str | None:
    """A packet's response topic, if it may be answered there.

    Where every vehicle has rights of its own it may write these topics, and mosquitto 2.0 closes
    the connection of who publishes another.

    Raises:
        ContractError: It is neither `v1/client/{requester}/WORD` nor that and our vehicle's id.
    """
    if topic is None:
        return None
    own = re.escape(f"v1/client/{requester}/") + _WORD
    if not re.fullmatch(f"{own}(?:/{re.escape(vehicle_id)})?", topic):
        raise ContractError(
            f"the response topic {topic[:80]!r} is neither v1/client/{requester[:36]}/WORD"
            f" nor v1/client/{requester[:36]}/WORD/{vehicle_id[:36]}"
        )
    return topic


def _with_problem(request: Request, problem: str) -> Request:
    return Request(
        requester=request.requester,
        path=request.path,
        id=request.id,
        received_ns=request.received_ns,
        retained=request.retained,
        problem=problem[:300],
    )


def _to_ns(instant: datetime) -> int:
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000

"""What comes before the pilot: is it a request, was it asked before, in time, by whom (pure)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from pydantic import TypeAdapter

from internetcar.contract.commands import CommandId
from internetcar.contract.drone import DroneReply, DroneRequest, ReplyData, ReplyOutput
from internetcar.contract.drone_methods import Right, right_for
from internetcar.contract.message import ContractError, Name, is_one, milliseconds

LONGEST_AHEAD_MS = 60_000
"""So far ahead `expires_at` may lie."""
FUTURE_MS = 5_000
"""So far ahead of our clock a `timestamp` may be."""
LASTS_MS = 10_000
"""How long a request without `expires_at` holds, from its `timestamp`."""

"""`result` of a refusal; the reason says more."""
_DETAIL = 200
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_TID: TypeAdapter[str] = TypeAdapter(CommandId)

Allow = Mapping[str, frozenset[Right]]
"""What each requester may ask; `stop` is open to all who stand here."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the pilot is not asked: one of `REASONS`, and words for a person."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom to answer, and about what; as far as it could be read."""

    vehicle_id: str
    drone_id: str
    requester: str
    tid: str | None = None
    bid: str | None = None
    method: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A packet that is no request: whom to tell so (`None`: nobody), and why."""

    sender: Sender | None
    refusal: Refusal


def sender_of(request: DroneRequest) -> Sender:
    """Whom to answer."""
    return Sender(
        request.vehicle_id, request.drone_id, request.requester,
        request.tid, request.bid, request.method,
    )  # fmt: skip


def read(topic: str, payload: bytes, *, retained: bool) -> DroneRequest | Unreadable:
    """Read a packet from a request topic; what was retained is never a request.

    Args:
        topic: As it came.
        payload: As it came; more than a request may have is refused unread.
        retained: It is the broker's memory, or was sent to be kept.
    """
    problem: Refusal | None = None
    if retained:
        problem = Refusal("retained", "a request is not retained: publish it without `retain`")
    try:
        request = DroneRequest.decode(topic, payload)
    except ContractError as error:
        words = str(error).removeprefix(f"{topic}: ")[:_DETAIL]
        refusal = problem or Refusal("malformed", words)
        return Unreadable(_guessed_sender(topic, payload), refusal)
    return Unreadable(sender_of(request), problem) if problem else request


def digest(request: DroneRequest) -> str:
    """The same for the same wish, however its JSON is written and whenever it was said."""
    expires_ms = None if request.expires_at is None else milliseconds(request.expires_at)
    data = request.asked().model_dump(mode="json")
    body = orjson.dumps(
        [request.method, data, expires_ms, request.dry_run], option=orjson.OPT_SORT_KEYS
    )
    return hashlib.sha256(body).hexdigest()


def right_of(request: DroneRequest) -> Right:
    """Which right it needs."""
    return right_for(request.method, request.asked())


def forbidden(request: DroneRequest, allow: Allow) -> Refusal | None:
    """Why this requester may not ask for this; `None`: it may."""
    rights = allow.get(request.requester)
    if rights is None:
        words = f"the settings of the drone's service do not know {request.requester}"
        return Refusal("not_allowed", words)
    right = right_of(request)
    if right == "stop" or right in rights:
        return None
    may = ", ".join(sorted({*rights, "stop"}))
    return Refusal("not_allowed", f"{request.requester} may {may}, not {right}")


def untimely(request: DroneRequest, now_utc_ms: int) -> Refusal | None:
    """Why its time is not now; `None`: it is.

    A stop holds until the end that it names itself, however the clock of who asks may go: nobody
    must be kept from stopping a drone by a phone that is ten seconds late.
    """
    if right_of(request) == "stop":
        ends_ms = None if request.expires_at is None else milliseconds(request.expires_at)
        return None if ends_ms is None or ends_ms > now_utc_ms else _expired(ends_ms, now_utc_ms)
    ahead_ms = request.timestamp - now_utc_ms
    if ahead_ms > FUTURE_MS:
        words = f"`timestamp` lies {ahead_ms / 1_000:.0f} s in the future: set the clock"
        return Refusal("lifetime", words)
    expires_ms = request.timestamp + LASTS_MS
    if request.expires_at is not None:
        expires_ms = milliseconds(request.expires_at)
        if expires_ms - now_utc_ms > LONGEST_AHEAD_MS:
            words = f"`expires_at` lies more than {LONGEST_AHEAD_MS // 1_000} s ahead"
            return Refusal("lifetime", words)
    return _expired(expires_ms, now_utc_ms) if expires_ms <= now_utc_ms else None


def _expired(ended_ms: int, now_utc_ms: int) -> Refusal:
    return Refusal("expired", f"it came {(now_utc_ms - ended_ms) / 1_000:.1f} s after its end")


def refused(to: Sender, refusal: Refusal, now_utc_ms: int, *, dry_run: bool = False) -> DroneReply:
    """The answer to what the pilot is not asked."""
    output = ReplyOutput(
        status="rejected", reason=refusal.reason, detail=refusal.detail[:_DETAIL], dry_run=dry_run
    )
    return DroneReply(
        vehicle_id=to.vehicle_id,
        drone_id=to.drone_id,
        requester=to.requester,
        tid=to.tid,
        bid=to.bid,
        timestamp=now_utc_ms,
        method=to.method,
        data=ReplyData.of(output),
    )


def _guessed_sender(topic: str, payload: bytes) -> Sender | None:
    """Whom an unreadable request is from: its topic says who, its body perhaps which."""
    levels = topic.split("/")
    if len(levels) != DroneRequest.TOPIC.count("/") + 1:
        return None
    names = (levels[2], levels[4], levels[6])
    if not all(is_one(_NAME, name) for name in names):
        return None
    try:
        body = orjson.loads(payload[: DroneRequest.MAX_PAYLOAD_BYTES])
    except orjson.JSONDecodeError:
        body = None
    found = body if isinstance(body, dict) else {}
    tid, bid, method = found.get("tid"), found.get("bid"), found.get("method")
    return Sender(
        *names,
        tid=tid if is_one(_TID, tid) else None,
        bid=bid if is_one(_TID, bid) else None,
        method=method if isinstance(method, str) and len(method) <= 40 else "",
    )

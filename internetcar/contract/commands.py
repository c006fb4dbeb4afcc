"""What a requester asks of a vehicle, and what the gateway says became of it."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import Field

from internetcar.contract.message import ContractError, Instant, Message, Name, Path, Value

CommandId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""Chosen by the requester; the same id is the same command, also after a restart."""

_KEYS = ("id", "value", "expires_at", "dry_run")
"""What the object of a command may have."""

State = Literal[
    "accepted", "checked", "sent", "confirmed", "timeout", "rejected", "released", "ended"
]
"""accepted → sent → confirmed, timeout or rejected; `checked` ends a dry run, `released` a wish to
let go, and `ended` says that a frame which was held is no longer sent."""

REASONS: Mapping[str, str] = {
    "malformed": "the payload is neither a JSON scalar nor an object with `value`",
    "not_allowed": "the gateway's settings do not let this requester set this leaf",
    "retained": "a command is never retained; the topic was cleared",
    "expired": "its time was over when it came, or before it could be sent",
    "lifetime": "`expires_at` lies more than 60 s ahead",
    "clock_unsynchronized": "the gateway's clock is not set, so `expires_at` means nothing to it",
    "id_conflict": "this id was used for another command",
    "id_required": "a momentary leaf is set only with an `id`, so that twice is once",
    "datatype": "the value is not of the leaf's datatype",
    "not_in_allowed": "the value is none of those the leaf has",
    "out_of_range": "the value is beyond the range of the leaf or of its CAN signal",
    "only_when": "the condition of the mapping does not hold now",
    "rate_limited": "this actuator or requester was asked too often",
    "busy": "more commands wait than the gateway takes",
    "transform": "the mapping has no result for this value",
    "reserved": "the number stands for a name in the DBC, such as `not available`",
    "missing_signal": "another signal of the frame was never seen and has no initial value",
    "other_sender": "another node sends this message",
    "not_transmitting": "the bus only listens: its settings do not say `transmit = true`",
    "bus": "the bus did not take the frame",
    "not_held": "there is nothing to let go of",
    "audit": "what is to be sent cannot be written to disk first",
    "no_feedback": "the feedback did not show the value in time",
    "restarted": "the gateway was started again before the end; nothing is sent again",
    "shutdown": "the gateway ends",
    "taken_over": "a newer gateway speaks for the vehicle",
    "over": "`hold_s` is over",
    "superseded": "a newer command took its place",
    "released": "its requester, or another, let go of it",
    "withdrawn": "the mapping no longer has this command",
}
"""What a reason means, in words; readers must expect others."""


class Command(Message):
    """A requester's wish that a leaf has a value; the payload may be the bare value.

    It is never retained. `value` null lets go of what is held.
    """

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/command/{requester}/{path}"
    SENDER: ClassVar[str] = "requester"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 2048

    vehicle_id: Name
    requester: Name = Field(description="the broker's user name; its rules let nobody else in")
    path: Path
    id: CommandId | None = Field(
        default=None, description="none: every packet is a command of its own"
    )
    value: Value
    expires_at: Instant | None = Field(
        default=None, description="at most 60 s ahead; none: 10 s from receipt"
    )
    dry_run: bool = Field(
        default=False, strict=True, description="say what would be sent, and send nothing"
    )

    def encode(self) -> bytes:
        """The payload; a value of null is written, since it means something."""
        body = self.model_dump(mode="json", exclude={"vehicle_id", "requester", "path"})
        return orjson.dumps({k: v for k, v in body.items() if v is not None or k == "value"})

    @classmethod
    def parse_payload(cls, payload: bytes) -> Mapping[str, Any]:
        """The JSON object, or a bare scalar as its value.

        Unlike in every other message an unknown key is refused: a misspelt `dry_run` must not move
        a car.

        Raises:
            ContractError: A JSON array, an object without `value`, or one with an unknown key.
        """
        body = orjson.loads(payload)
        if isinstance(body, list):
            raise ContractError("Command: expected a JSON scalar or an object, not an array")
        if not isinstance(body, dict):
            return {"value": body}
        if "value" not in body:
            raise ContractError("Command: the object has no `value`")
        if unknown := sorted(body.keys() - _KEYS):
            raise ContractError(f"Command: unknown key {unknown[0][:40]!r}; {', '.join(_KEYS)}")
        if not isinstance(body.get("expires_at"), str | None):
            raise ContractError("Command: `expires_at` is a text such as 2026-11-21T03:00:00Z")
        return body


class _Status(Message):
    id: str | None = Field(
        default=None, max_length=64, description="none where the command could not be read"
    )
    requester: Name
    path: str = Field(max_length=200)
    state: State
    final: bool = Field(description="nothing more follows, but for `ended`")
    reason: str | None = Field(default=None, max_length=64)
    detail: str | None = Field(default=None, description="in words, for a person")
    value: Value = None
    at: Instant


class CommandStatus(_Status):
    """What became of a command, for all who may hear the vehicle."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/command-status"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("recommendations",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name


class CommandAnswer(_Status):
    """The same for the requester alone, where its packet named this as its response topic.

    Any other word instead of `command-status`, with or without the vehicle's id behind it, is
    answered just so; hence the payload says everything, the fields of this topic too.
    """

    TOPIC: ClassVar[str] = "v1/client/{requester}/command-status/{vehicle_id}"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name

    def encode(self) -> bytes:
        """The payload, with the fields that stand in the topic."""
        return orjson.dumps(self.model_dump(mode="json", exclude_none=True))

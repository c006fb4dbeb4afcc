"""A drone that belongs to a vehicle: what it is asked, what it answers, and where it is.

The envelope (`tid`, `bid`, `timestamp`, `method`, `data`), methods, keys and units are those of
DJI's Cloud API where it has them; ours are `expires_at`, `dry_run`, and the events that it lacks.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import orjson
from pydantic import Field, ValidationError, model_validator

from internetcar.contract.commands import CommandId
from internetcar.contract.drone_methods import METHODS, MethodData, Nothing
from internetcar.contract.message import ContractError, Instant, Message, Name, Part, Scalar
from internetcar.contract.money import Words

State = Literal[
    "offline", "docked", "preflight", "armed", "takeoff", "enroute", "on_task", "returning",
    "rendezvous", "landing", "hold", "divert_landing", "failsafe", "lost_link", "fault",
]  # fmt: skip
"""Only `docked` accepts a launch. In `failsafe` the autopilot, or a person, decides."""

REASONS: Mapping[str, str] = {
    "malformed": "the payload is no request, or its data are not those of its method",
    "not_allowed": "the service's settings do not let this requester ask for this",
    "retained": "a request is never retained; the topic was cleared",
    "expired": "its time was over when it came",
    "lifetime": "`expires_at` lies more than 60 s ahead, or `timestamp` in the future",
    "id_conflict": "this tid was used for another request",
    "busy": "the drone is on a flight, and only a docked drone takes off",
    "interlock": "an interlock does not hold",
    "not_flying": "there is no flight for it to change",
    "autopilot": "the autopilot, or a person, has taken over; it is followed, never fought",
    "refused": "the autopilot did not do it",
    "recalled": "a return, a stop, another task or a lost link ended it first",
    "restarted": "the service was started again before its end; what flies returns",
    "store": "what is to be done cannot be written to disk first",
}
"""What a reason means, in words; readers must expect others.

`ok` has none, and neither has what was accepted."""

_KEYS = ("tid", "bid", "timestamp", "method", "expires_at", "dry_run", "data")


class Interlock(Part):
    """One condition of flying, as it is now."""

    id: Name
    value: Scalar | None = Field(default=None, description="none: it is not known")
    limit: Scalar | None = None
    result: Literal["ok", "tripped"]
    assumed: bool = Field(default=False, description="only a setting says so; nothing measured it")
    words: Words = Field(description="value and limit for a person")


class DroneRequest(Message):
    """A wish, proved by its topic: the broker lets nobody else write under the requester's name."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/drone/{drone_id}/services/{requester}"
    SENDER: ClassVar[str] = "requester"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("drone",)
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False
    MAX_PAYLOAD_BYTES: ClassVar[int] = 16_384

    vehicle_id: Name
    drone_id: Name
    requester: Name
    tid: CommandId = Field(description="the same tid is the same request, for ever")
    bid: CommandId | None = Field(default=None, description="of a business; comes back as it is")
    timestamp: int = Field(ge=0, lt=1 << 53, description="UTC ms since 1970 when it was said")
    method: Annotated[
        str, Field(pattern=r"^[a-z_]{1,40}$", description=f"one of {', '.join(METHODS)}")
    ]
    expires_at: Instant | None = Field(
        default=None,
        description="at most 60 s ahead; none: 10 s after `timestamp`, and of a stop never",
    )
    dry_run: bool = Field(
        default=False, strict=True, description="say what would be answered now, and do nothing"
    )
    data: dict[str, Any] = Field(
        default_factory=dict, description="as the class of its method in `METHODS` has them"
    )

    @classmethod
    def parse_payload(cls, payload: bytes) -> Mapping[str, Any]:
        """The JSON object; an unknown key is refused.

        Raises:
            ContractError: No object, or one with an unknown key.
        """
        body = super().parse_payload(payload)
        if unknown := sorted(body.keys() - _KEYS):
            raise ContractError(f"DroneRequest: unknown key {unknown[0][:40]!r}; {_KEYS}")
        return body

    @model_validator(mode="after")
    def _data_fit_the_method(self) -> "DroneRequest":
        self.asked()
        return self

    def asked(self) -> MethodData:
        """The data, as its method has them."""
        cls = METHODS.get(self.method)
        if cls is None:
            raise ValueError(f"there is no method {self.method}; {', '.join(METHODS)}")
        try:
            return cls.model_validate(self.data or (Nothing().model_dump()))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in ("data", *first["loc"]))
            raise ValueError(f"{place}: {first['msg']}") from error


class ReplyOutput(Part):
    """What became of a request at once, and why."""

    status: Literal["accepted", "rejected"]
    reason: str | None = Field(
        default=None, max_length=64, description=f"one of {', '.join(REASONS)}"
    )
    detail: Words | None = Field(default=None, description="in words, for a person")
    dry_run: bool = False
    interlocks: list[Interlock] = Field(default_factory=list)


class ReplyData(Part):
    """As in DJI's answers: `result` is 0 where it was accepted."""

    result: int
    output: ReplyOutput

    @classmethod
    def of(cls, output: ReplyOutput) -> Self:
        """The answer with its `result`."""
        return cls(result=int(output.status == "rejected"), output=output)


class DroneReply(Message):
    """The answer, within a fifth of a second; to a tid that was answered, the same again."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/drone/{drone_id}/services_reply/{requester}"
    SENDER: ClassVar[str] = "drone"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name
    drone_id: Name
    requester: Name
    tid: str | None = Field(default=None, max_length=64, description="none: it could not be read")
    bid: str | None = Field(default=None, max_length=64)
    timestamp: int
    method: str = Field(max_length=40)
    data: ReplyData


Progress = Literal["sent", "in_progress", "ok", "failed", "canceled", "timeout"]
"""Of an accepted request; the last four are final."""


class DroneEvent(Message):
    """Something that happened; `data` by method, as in `EVENTS` of `drone_events`."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/drone/{drone_id}/events"
    SENDER: ClassVar[str] = "drone"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name
    drone_id: Name
    tid: str | None = Field(default=None, max_length=64, description="of the request it is about")
    bid: str | None = Field(default=None, max_length=64)
    timestamp: int
    method: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    data: dict[str, Any]

    def encode(self) -> bytes:
        """The payload; what stands in `data` is written as it is."""
        return orjson.dumps(self.model_dump(mode="json", exclude={"vehicle_id", "drone_id"}))


class DroneState(Message):
    """What the drone does now, said again whenever it changes."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/drone/{drone_id}/state"
    SENDER: ClassVar[str] = "drone"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = True

    vehicle_id: Name
    drone_id: Name
    state: State
    since: Instant
    task: str | None = Field(default=None, max_length=40)
    tid: str | None = Field(default=None, max_length=64)
    requester: str | None = Field(default=None, max_length=36)
    detail: Words | None = None
    interlocks: list[Interlock] = Field(
        default_factory=list, description="those that are tripped now"
    )


class Battery(Part):
    """The flight battery."""

    capacity_percent: float | None = None
    voltage: float | None = Field(default=None, description="V")
    predicted_percent: float | None = Field(
        default=None, description="left after the flight back to the car and the landing"
    )


class DroneOsd(Message):
    """Where the drone is, twice a second."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/drone/{drone_id}/osd"
    SENDER: ClassVar[str] = "drone"
    QOS: ClassVar[Literal[0, 1]] = 0
    RETAIN: ClassVar[bool] = True

    vehicle_id: Name
    drone_id: Name
    at: Instant
    mode_code: int = Field(description="DJI's: 0 standby, 4 take-off, 5 flight, 9 return, …")
    mode: str = Field(max_length=40, description="the autopilot's own, such as GUIDED")
    armed: bool
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    height: float | None = Field(default=None, description="m above mean sea level")
    elevation: float | None = Field(default=None, description="m above the take-off")
    horizontal_speed: float | None = Field(default=None, description="m/s")
    vertical_speed: float | None = Field(default=None, description="m/s, up is positive")
    attitude_head: float | None = Field(default=None, description="degrees, 0 = north, clockwise")
    home_distance: float | None = Field(default=None, description="m to the car's last fix")
    gps_number: int | None = None
    wind_speed: float | None = Field(default=None, description="m/s")
    battery: Battery = Battery()


class DronePresence(Message):
    """Whether the drone's service is there; also its last will, with `online` false."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/drone/{drone_id}/presence"
    SENDER: ClassVar[str] = "drone"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = True

    vehicle_id: Name
    drone_id: Name
    online: bool
    since: Instant
    autopilot: str = Field(default="", max_length=200, description="make and version")
    software: str = Field(default="", max_length=60)
    instance: str = Field(default="", max_length=36, description="of this start of the service")


class DroneWeather(Message):
    """The weather where the drone flies, from any device that knows it."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/drone/{drone_id}/weather"
    SENDER: ClassVar[str] = "device"
    HEARD_BY: ClassVar[tuple[str, ...]] = ("drone",)
    QOS: ClassVar[Literal[0, 1]] = 0
    RETAIN: ClassVar[bool] = True
    MAX_PAYLOAD_BYTES: ClassVar[int] = 2048

    vehicle_id: Name
    drone_id: Name
    at: Instant
    wind_speed: float | None = Field(default=None, ge=0, le=150, description="m/s")
    wind_gust: float | None = Field(default=None, ge=0, le=150, description="m/s")
    wind_from: float | None = Field(default=None, ge=0, le=360, description="degrees")
    rain: float | None = Field(default=None, ge=0, le=100, description="percent, as VSS has it")
    temperature: float | None = Field(default=None, ge=-100, le=100, description="°C")

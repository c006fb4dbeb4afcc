"""What the gateway says of itself: whether it is there, and how it fares."""

from typing import ClassVar, Literal

from pydantic import Field

from internetcar.contract.message import Instant, Message, Name, Part

Clock = Literal["synchronized", "free", "recorded"]
"""Whether the instants can be trusted: set by a time source, free running, or a recording's."""

Origin = Literal["live", "recording", "simulation"]
"""Where the frames come from. Money, commands and flight refuse an origin not set up for them."""


class BusState(Part):
    """One CAN bus as the gateway sees it."""

    interface: str
    state: Literal["up", "down", "missing", "refused"] = "up"
    listen_only: bool = True
    transmit: bool = False


class Presence(Message):
    """Whether the vehicle's gateway is there; also its last will, with `online` false."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/presence"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = True

    vehicle_id: Name
    online: bool
    asleep: bool = Field(default=False, description="every bus is silent; last values still hold")
    journal: str = Field(max_length=64, description="the journal this run writes")
    since: Instant
    clock: Clock
    origin: Origin
    software: str
    buses: dict[str, BusState] = Field(default_factory=dict)


class BusHealth(Part):
    """Counts since the gateway started, but for `load` and `frames_per_s` (last second)."""

    load: float = Field(default=0.0, ge=0, description="share of the bit rate, 0…1")
    frames_per_s: float = 0.0
    frames: int = 0
    unknown_ids: int = Field(default=0, description="frames whose id no DBC knows")
    decode_errors: int = 0
    error_frames: int = 0
    dropped: int = Field(default=0, description="frames the kernel dropped for want of room")


class Health(Message):
    """How the gateway fares, once a second."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/health"
    QOS: ClassVar[Literal[0, 1]] = 0
    RETAIN: ClassVar[bool] = False

    vehicle_id: Name
    at: Instant
    buses: dict[str, BusHealth]
    outbox_batches: int = Field(ge=0, description="telemetry batches the broker has not got yet")
    outbox_bytes: int = Field(default=0, ge=0)
    unmappable: dict[str, int] = Field(
        default_factory=dict, description="per leaf: values its mapping has no answer for"
    )
    commands_refused: int = Field(
        default=0, ge=0, description="commands since the start that were refused, said so or not"
    )
    problems: list[str] = Field(
        default_factory=list, description="what a person should look at, in words"
    )

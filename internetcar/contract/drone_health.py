"""How the service of a drone fares: what it could not take in, and what a person should look at."""

from typing import ClassVar, Literal

from pydantic import Field

from internetcar.contract.message import Instant, Message, Name
from internetcar.contract.money import Words


class DroneHealth(Message):
    """What was not taken in since the service's start, said when it changes."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/drone/{drone_id}/health"
    SENDER: ClassVar[str] = "drone"
    QOS: ClassVar[Literal[0, 1]] = 0
    RETAIN: ClassVar[bool] = True

    vehicle_id: Name
    drone_id: Name
    at: Instant
    requests_dropped: int = Field(
        default=0, ge=0, description="unread: they came faster than they are answered"
    )
    states_dropped: int = Field(
        default=0, ge=0, description="of the car and the weather: more topics than there is room"
    )
    unreadable: int = Field(default=0, ge=0, description="messages that break the contract")
    strangers: int = Field(
        default=0, ge=0, description="datagrams to the autopilot's port from anybody else"
    )
    foreign: int = Field(
        default=0, ge=0, description="MAVLink packets of other system or component ids"
    )
    unsigned: int = Field(
        default=0, ge=0, description="MAVLink packets without a signature, or a false or old one"
    )
    junk_bytes: int = Field(default=0, ge=0, description="from the autopilot: no MAVLink")
    problems: list[Words] = Field(
        default_factory=list, description="of the last minute: what a person should look at"
    )

"""What the gateway says of the vehicle now: signals, position, and what there is to hear."""

from typing import ClassVar, Literal

import orjson
from pydantic import Field

from internetcar.contract.message import Instant, Message, Name, Part, Path, Scalar, Value

Quality = Literal["valid", "stale", "out_of_range", "not_available", "error"]
"""`stale` and `error` keep the last good value and its instant."""


class Signal(Message):
    """The last known value of one leaf."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/signal/{path}"
    QOS: ClassVar[Literal[0, 1]] = 0
    RETAIN: ClassVar[bool] = True

    vehicle_id: Name
    path: Path
    value: Value
    at: Instant
    quality: Quality = "valid"

    def encode(self) -> bytes:
        """The payload; a value that is not there is written as null, not left out."""
        return orjson.dumps(self.model_dump(mode="json", exclude={"vehicle_id", "path"}))


class Position(Message):
    """Where the vehicle is, in one piece: WGS 84, from one GNSS fix."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/position"
    QOS: ClassVar[Literal[0, 1]] = 0
    RETAIN: ClassVar[bool] = True

    vehicle_id: Name
    latitude: float = Field(ge=-90, le=90, description="degrees")
    longitude: float = Field(ge=-180, le=180, description="degrees")
    accuracy_m: float | None = Field(default=None, ge=0)
    heading_deg: float | None = Field(default=None, description="0 = north, clockwise")
    speed_kmh: float | None = None
    at: Instant


class CatalogLeaf(Part):
    """What a reader must know to understand one leaf."""

    datatype: str = "float"
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    allowed: list[Scalar] | None = None
    value_names: dict[str, str] | None = Field(
        default=None, description="raw number as text → its name, for leaves without a mapping"
    )
    settable: bool = Field(default=False, description="a command may set it, for who is allowed")
    momentary: bool = Field(default=False, description="a push, such as a horn: needs an id")
    step: float | None = Field(default=None, description="smallest step of a number one can set")
    source: str = Field(default="", description="bus/Message.Signal it is decoded from")
    description: str | None = None
    max_interval_ms: int | None = Field(
        default=None, description="how long an unchanged value may go unsaid"
    )


class Catalog(Message):
    """The leaves of one VSS branch, or of one CAN message where there is no mapping."""

    TOPIC: ClassVar[str] = "v1/vehicle/{vehicle_id}/catalog/{group}"
    QOS: ClassVar[Literal[0, 1]] = 1
    RETAIN: ClassVar[bool] = True

    vehicle_id: Name
    group: Path
    leaves: dict[Path, CatalogLeaf]

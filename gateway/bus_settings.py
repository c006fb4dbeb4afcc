"""Settings of a CAN bus, and of asking a car over one."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from gateway.bus_spec import NAME

ASKING_SENDS = (
    "OBD only answers questions: set transmit = true (or --transmit) to let the gateway ask"
)


class BusSettings(BaseModel):
    """One CAN bus and the databases that explain its frames."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=f"^{NAME}$")] = Field(
        default="can0", description="the bus's name in mappings, health and presence"
    )
    interface: str = Field(
        default="socketcan",
        description="python-can interface: socketcan, loopback, slcan, pcan, virtual, …; or elm327",
    )
    channel: str = Field(
        default="can0",
        description="the interface's channel: can0, /dev/ttyACM0; of an elm327 /dev/rfcomm0 or"
        " //host:port",
    )
    bitrate: int | None = Field(
        default=None, gt=0, description="bit/s, where the interface is set up by the gateway"
    )
    data_bitrate: int | None = Field(
        default=None, gt=0, description="bit/s of the data part of CAN FD frames"
    )
    fd: bool = Field(default=False, description="also receive CAN FD frames")
    listen_only: bool = Field(
        default=True,
        description="do not even acknowledge, where the interface can; false where we are the only"
        " other node",
    )
    known_ids_only: bool = Field(
        default=False,
        description="let the kernel hold back frames that no leaf needs (socketcan); unknown ids"
        " and bus load are then not seen",
    )
    transmit: bool = Field(
        default=False, description="may the gateway send on this bus? It only listens until then"
    )
    obd: bool | Literal["listen"] = Field(
        default=False,
        description='ask the car over OBD-II, which needs `transmit`; "listen": only hear what'
        " somebody else's tester is answered",
    )
    j1939: bool = Field(
        default=False,
        description="a truck's bus: match 29-bit ids by parameter group, join long messages",
    )
    dbc: list[str] = Field(
        default_factory=list,
        description="DBC, KCD, SYM or ARXML files, or opendbc:NAME; none: those of `vehicle`;"
        " with `obd` none is needed",
    )

    @field_validator("obd")
    @classmethod
    def _may_ask(cls, obd: bool | str, info: ValidationInfo) -> bool | str:
        if obd is True and not info.data.get("transmit"):
            raise ValueError(ASKING_SENDS)
        return obd


class ObdSettings(BaseModel):
    """How a car is asked over OBD-II."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_second: float = Field(
        default=5.0, gt=0, le=50, description="questions a second at most; fewer make it slower"
    )

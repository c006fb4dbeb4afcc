"""The settings of the drone service: which drone, of which car, and who may ask for what."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from internetcar.contract.drone_methods import Right
from internetcar.contract.message import Name
from internetcar.contract.presence import Origin
from services.drone.broker.requests import Allow
from services.drone.flight.settings import FlightSettings
from services.drone.interlocks.limits import Airframe, Assumptions, Limits
from services.drone.rules.settings import RuleTable
from services.drone.tasks.settings import TaskSettings
from services.settings import ServiceSettings, service_config

SERVICE = "drone"

_SCHEMES = ("udpin", "udpout", "tcp", "serial")
_BELOW_THE_CEILING = ("height_m", "return_height_m", "rendezvous_height_m", "land_below_m")


class DroneSettings(ServiceSettings):
    """All settings of the drone service; `INTERNETCAR_DRONE_URL=…` and so on stand above a file."""

    model_config = service_config(SERVICE)

    vehicle_id: Name = Field(description="the car that the drone belongs to")
    drone_id: Name = Field(default="drone1", description="of several drones of one car, which")
    url: str = Field(
        description="where the autopilot is: udpin://127.0.0.1:14550, tcp://HOST:5760 or"
        " serial:///dev/ttyACM0?baud=57600"
    )
    clock: Literal["real", "vehicle"] = Field(
        default="real",
        description="vehicle: the time of a simulated autopilot, which may run faster",
    )
    origin: Origin = Field(
        default="live", description="only while the car's signals are of this origin may it launch"
    )
    system_id: Annotated[int, Field(ge=1, le=255)] = Field(
        default=247,
        description="our MAVLink system id, of nobody else; MAV_GCS_SYSID is set to it",
    )
    signing_key: Path | None = Field(
        default=None, description="a file with 64 hexadecimal digits: MAVLink packets are signed"
    )
    allow: dict[Name, tuple[Right, ...]] = Field(
        default_factory=dict,
        description="who may ask for what: launch, follow, return; stop is open to all of them",
    )
    zones: tuple[Path, ...] = Field(
        default=(), description="ED-318 files (GeoJSON) of zones that the drone must not enter"
    )
    permitted: tuple[str, ...] = Field(
        default=(), description="ids of zones for which you hold an authorisation"
    )
    margin_m: Annotated[float, Field(ge=0, le=1_000)] = Field(
        default=20.0, description="so far from every zone"
    )
    limits: Limits = Limits()
    assumed: Assumptions = Assumptions()
    airframe: Airframe = Airframe()
    flight: FlightSettings = FlightSettings()
    tasks: TaskSettings = TaskSettings()
    rules: RuleTable = Field(
        default_factory=dict,
        description="when the car itself starts a task, by name",
    )
    record: Path | None = Field(
        default=None, description="folder: every event and decision, for `car drone replay`"
    )
    record_mb: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=200, description="a recording ends at this size"
    )

    @model_validator(mode="after")
    def _can_be_flown(self) -> "DroneSettings":
        scheme, colon, rest = self.url.partition("://")
        if scheme not in _SCHEMES or not colon or not rest:
            raise ValueError(f"url: {', '.join(f'{each}://…' for each in _SCHEMES)}")
        if self.limits.origin not in ("live", self.origin):
            raise ValueError("limits.origin: write origin above all tables; it goes for both")
        for name in _BELOW_THE_CEILING:
            if getattr(self.flight, name) > self.limits.ceiling_m:
                words = f"is above limits.ceiling_m ({self.limits.ceiling_m:g} m)"
                raise ValueError(f"flight.{name} {words}")
        if self.share:
            raise ValueError("share: a drone has one service; take it away")
        return self

    @property
    def rights(self) -> Allow:
        """Who may ask for what."""
        return {name: frozenset(rights) for name, rights in self.allow.items()}

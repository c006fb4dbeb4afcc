"""The settings of the recommendation service."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from internetcar.contract.message import Name
from internetcar.contract.presence import Origin
from services.settings import ServiceSettings, service_config

SERVICE = "recommendations"

Right = Literal["feedback", "pause", "automatic", "name", "forget", "export"]
"""`pause` is also to resume."""


class Consent(BaseModel):
    """What may leave the vehicle's own topics, by purpose."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    positions: bool = Field(
        default=False,
        description="latitude and longitude of places in what is answered to an `export`; without"
        " it such an answer names places by id and label alone",
    )


class RecommendationSettings(ServiceSettings):
    """All settings of the service; `INTERNETCAR_RECOMMENDATIONS_STORE=…` stands above a file."""

    model_config = service_config(SERVICE)

    vehicles: tuple[Name, ...] = Field(
        default=(), description="whose trips teach; empty: of all whose trips are heard"
    )
    origin: Origin = Field(default="live", description="only trips of this origin teach")
    time_zone: str = Field(
        default="UTC", description="the drivers' wall clock, such as Europe/Berlin"
    )
    keep_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        default=400, description="so long a visit is kept, from when it came here"
    )
    allow: dict[Name, tuple[Right, ...]] = Field(
        default_factory=dict,
        description="which requester may do what: feedback, pause, automatic, name, forget, export",
    )
    consent: Consent = Consent()

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{name[:60]!r} is no time zone, such as Europe/Berlin") from error
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The drivers' wall clock."""
        return ZoneInfo(self.time_zone)

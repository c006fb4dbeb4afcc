"""The settings of the trip service."""

from typing import Annotated

from pydantic import Field

from internetcar.contract.message import Name, Path
from services.settings import ServiceSettings, service_config
from services.trips.leaves import SETTINGS

SERVICE = "trips"


class TripSettings(ServiceSettings):
    """All settings of the trip service; `INTERNETCAR_TRIPS_STORE=…` stands above a file."""

    model_config = service_config(SERVICE)

    vehicles: tuple[Name, ...] = Field(
        default=(), description="whose trips are kept; empty: of all whose telemetry is heard"
    )
    keep_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        default=400, description="so long a trip is kept, from when it came here"
    )
    watched: Annotated[tuple[Path, ...], Field(max_length=200)] = Field(
        default=SETTINGS,
        description="VSS leaves that somebody chooses, noted at the start of a trip and when they"
        " change",
    )

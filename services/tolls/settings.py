"""The settings of the toll service: vehicles, contexts, and what may cost money."""

from typing import Annotated

from pydantic import AwareDatetime, Field, model_validator

from internetcar.contract.message import Name
from internetcar.contract.presence import Origin
from services.settings import ServiceSettings, service_config
from services.tolls.tariff.vehicle import VehicleFacts

SERVICE = "tolls"


class TollSettings(ServiceSettings):
    """All settings of the toll service; `INTERNETCAR_TOLLS_ORIGIN=…` and so on stand above a file.

    What a vehicle is costs money, so it is said here and never by the vehicle.
    """

    model_config = service_config(SERVICE)

    origin: Origin = Field(
        default="live",
        description="whose passages may cost money; those of another origin are said and never"
        " charged",
    )
    contexts: tuple[str, ...] = Field(
        default=(), description="toll contexts, shipped by name or files; empty: all shipped"
    )
    trusted: dict[str, str] = Field(
        default_factory=dict,
        description="public keys by name that may sign contexts, beside those of the shipped ones",
    )
    vehicle: VehicleFacts = Field(
        default=VehicleFacts(), description="what is known of every vehicle not in `vehicles`"
    )
    vehicles: dict[Name, VehicleFacts] = Field(
        default_factory=dict, description="what is known of each vehicle"
    )
    only_listed: bool = Field(
        default=False, description="read the logs of `vehicles` alone; false: of everybody"
    )
    tariff_time: AwareDatetime | None = Field(
        default=None,
        description="price each drive as if it had begun then, by itself; a log that was silent"
        " for over 30 minutes begins a new one; only with origin `simulation`",
    )
    declares: bool = Field(
        default=False,
        description="declare each passage to its operator, repeated until it answers; only for"
        " operators who speak our protocol, such as the simulated one",
    )
    pays_dearer: bool = Field(
        default=False,
        description="pay more than the fee where an operator corrects it upwards; false: it is"
        " disputed",
    )
    dispute_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=90, description="so long raw positions are kept as evidence"
    )

    @model_validator(mode="after")
    def _is_honest(self) -> "TollSettings":
        if self.tariff_time is not None and self.origin != "simulation":
            raise ValueError("tariff_time: only with origin = 'simulation'; take it away")
        return self

    def facts_of(self, vehicle_id: str) -> VehicleFacts:
        """What is known of a vehicle."""
        return self.vehicles.get(vehicle_id, self.vehicle)

"""Whether a mapping says anything at all."""

from pathlib import Path

from gateway.settings import GatewaySettings
from gateway.setup import read_mapping
from gateway.vehicles import load_vehicle
from internetcar.contract.message import InputError

NO_SOURCE = "no leaf has a `dbc2vss`, so it says nothing; `car mapping init FILE.dbc` begins one"


def need_sources(settings: GatewaySettings) -> None:
    """Refuse a mapping that would say nothing.

    Raises:
        InputError: Not one of its leaves has a source, or it cannot be read.
    """
    vehicle = load_vehicle(settings.vehicle) if settings.vehicle else None
    named = settings.mapping or (vehicle.mapping if vehicle else "")
    if named and not any(rule.source for rule in read_mapping(Path(named)).leaves.values()):
        raise InputError(f"{named}: {NO_SOURCE}")

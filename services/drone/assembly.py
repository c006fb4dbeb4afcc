"""A pilot as the settings want it."""

from pathlib import Path

from internetcar.contract.message import InputError
from services.drone.airspace.airspace import Airspace
from services.drone.airspace.zone import Zone
from services.drone.airspace.zones import read_zones
from services.drone.flight.pilot import Pilot
from services.drone.flight.ports import Rooms
from services.drone.flight.safety import Safety
from services.drone.settings import DroneSettings


def make_pilot(settings: DroneSettings, remembered: str | None) -> Pilot:
    """The pilot of a drone.

    Args:
        settings: As they are; the files of zones are read.
        remembered: What an earlier pilot remembered; `None`: there was none.

    Raises:
        InputError: A file of zones cannot be used; one line.
    """
    airspace = Airspace(
        read_zone_files(settings.zones), frozenset(settings.permitted), settings.margin_m
    )
    checks = Safety(
        settings.limits.model_copy(update={"origin": settings.origin}),
        settings.assumed,
        settings.airframe,
        airspace,
        settings.flight.return_height_m,
    )
    rooms = Rooms(airspace, checks, settings.rules, task_settings=settings.tasks)
    return Pilot(
        settings.flight, rooms, remembered,
        vehicle_id=settings.vehicle_id, drone_id=settings.drone_id,
    )  # fmt: skip


def read_zone_files(paths: tuple[Path, ...]) -> tuple[Zone, ...]:
    """The zones of all files.

    Raises:
        InputError: A file cannot be read, or is none of zones; one line that names it.
    """
    zones: list[Zone] = []
    for path in paths:
        try:
            zones += read_zones(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read ({error})") from error
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    return tuple(zones)

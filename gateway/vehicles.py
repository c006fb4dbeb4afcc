"""The vehicle lines in `dbc/`: what each is called, its databases bus by bus, and its mapping."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from internetcar.contract.message import InputError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FILE = "vehicle.toml"


class VehicleError(InputError):
    """A vehicle line that is not there or cannot be read; the text names the file and the fix."""


class Bus(BaseModel):
    """What explains one bus of a vehicle line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    databases: tuple[str, ...] = Field(default=(), description="paths, or `opendbc:NAME`")
    bring: str | None = Field(default=None, description="a database we may not ship: its file name")
    project: str | None = Field(default=None, description="where that database is found")


class Vehicle(BaseModel):
    """One vehicle line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    mapping: str = Field(description="path of the mapping")
    buses: dict[str, Bus] = Field(description="by the name the line calls it")

    @field_validator("buses", mode="before")
    @classmethod
    def _written_short(cls, buses: object) -> object:
        if not isinstance(buses, dict):
            return buses
        return {name: _spelled_out(bus) for name, bus in buses.items()}


def vehicle_names() -> list[str]:
    """The vehicle lines that come with the project."""
    return sorted(
        folder.name for folder in files("dbc").iterdir() if folder.joinpath(_FILE).is_file()
    )


def load_vehicle(name: str) -> Vehicle:
    """A vehicle line of ours by its name, or one of the user's by its folder; paths are absolute.

    Raises:
        VehicleError: There is none of that name, or its `vehicle.toml` cannot be read.
    """
    if _NAME.fullmatch(name) and name in vehicle_names():
        folder = Path(str(files("dbc").joinpath(name)))
    else:
        folder = Path(name)
    file = folder / _FILE
    try:
        vehicle = Vehicle.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        known = ", ".join(vehicle_names())
        raise VehicleError(f"{name}: no {_FILE} there; ours are {known}") from error
    except OSError as error:
        raise VehicleError(f"{file}: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise VehicleError(f"{file}: {place}: {first['msg']}") from error
    except ValueError as error:
        raise VehicleError(f"{file}: {error}") from error
    return _resolved(vehicle, folder.resolve())


def _spelled_out(bus: object) -> object:
    if isinstance(bus, str):
        return {"databases": (bus,)}
    return {"databases": bus} if isinstance(bus, list) else bus


def _resolved(vehicle: Vehicle, folder: Path) -> Vehicle:
    buses = {
        name: bus.model_copy(
            update={
                "databases": tuple(
                    source if source.startswith("opendbc:") else str(folder / source)
                    for source in bus.databases
                )
            }
        )
        for name, bus in vehicle.buses.items()
    }
    return vehicle.model_copy(update={"mapping": str(folder / vehicle.mapping), "buses": buses})

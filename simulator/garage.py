"""Where simulated cars come from: the files of a vehicle and of a road."""

import tomllib
from pathlib import Path

import cantools
from cantools.database.can import Database
from cantools.errors import Error as CantoolsError

import dbc
from internetcar.contract.message import InputError
from simulator.route import Route, RouteError, parse_route
from simulator.simulation import Simulation

SINGAPORE = Path(__file__).parent / "routes" / "singapore.json"


class GarageError(InputError):
    """A vehicle folder that cannot be simulated."""


def reference_folder() -> Path:
    """The folder of the reference car."""
    return Path(dbc.__file__).parent / "reference"


def load_databases(folder: Path) -> dict[str, Database]:
    """Bus name → its DBC, as `vehicle.toml` in the folder names them.

    Raises:
        GarageError: The folder, the file or the DBC is not as it should be.
    """
    listing = folder / "vehicle.toml"
    try:
        buses = tomllib.loads(listing.read_text(encoding="utf-8"))["buses"]
        return {name: _load(folder / file) for name, file in buses.items()}
    except (OSError, KeyError, AttributeError, TypeError, ValueError, CantoolsError) as error:
        raise GarageError(f"{listing}: not a vehicle ({error})") from error


def load_route(path: Path) -> Route:
    """The road in a file.

    Raises:
        RouteError: The file cannot be read or is not a road.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RouteError(f"{path}: {error}") from error
    return parse_route(text, str(path))


def reference_simulation(
    seed: int = 1, start_m: float = 0.0, start_at_ms: int | None = None
) -> Simulation:
    """The reference car in Singapore; without `start_at_ms` its morning is the one of the route."""
    route = load_route(SINGAPORE)
    start = route.starts_at_ms if start_at_ms is None else start_at_ms
    return Simulation(load_databases(reference_folder()), route, seed, start_m, start)


def _load(path: Path) -> Database:
    database = cantools.database.load_file(path)
    if not isinstance(database, Database):
        raise GarageError(f"{path}: not a CAN database")
    return database

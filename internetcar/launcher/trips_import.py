"""`car trips import`: trips out of GPX files and of the Vehicle Energy Dataset."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Annotated
from zoneinfo import ZoneInfo

import typer

from internetcar.contract.message import EPOCH, InputError, milliseconds
from internetcar.contract.trips import TripEnded
from internetcar.launcher.options import VehicleIdOption, vehicle_id_of
from internetcar.launcher.service_settings import settings_for
from internetcar.launcher.tables import printable
from services.settings import store_url
from services.trips import store as trips
from services.trips import ved
from services.trips.complaints import Complaints
from services.trips.gpx import Reader
from services.trips.importing import Importer, TooManyVehiclesError, follow_gpx, follow_ved
from services.trips.settings import SERVICE, TripSettings

_PORTION = 65_536

StoreOption = Annotated[
    str, typer.Option("--store", metavar="URL", help="The trip service's store, as of `list`.")
]
SettingsOption = Annotated[
    str, typer.Option("--settings", metavar="FILE", help="The settings of the trip service.")
]


def import_file(
    file: Annotated[Path, typer.Argument(help="A .gpx, or a .csv of the Vehicle Energy Dataset.")],
    vehicle_id: VehicleIdOption = "",
    time_zone: Annotated[
        str,
        typer.Option(
            metavar="ZONE", help="Whose clock a .csv goes by, such as America/Detroit [UTC]."
        ),
    ] = "",
    say: Annotated[
        bool, typer.Option("--say", help="Let the service say them, once it runs on this store.")
    ] = False,
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Take the trips of a file into the store; the same file twice is the same trips.

    They are put together by the rules of a log: stops under five minutes are part of a trip, and
    what moved less than 300 m is none. Of the dataset each vehicle is `ved-NUMBER`.
    """
    read = settings_for(TripSettings, SERVICE, settings, store)
    complaints = Complaints()
    importer = Importer()
    with closing(trips.open_store(store_url(read, SERVICE))) as database:
        try:
            with file.open("rb") as opened:
                found = _followed(opened, file, vehicle_id, _zone(time_zone), importer, complaints)
                now_ms = milliseconds(datetime.now(UTC))
                kept, seen = trips.keep_all(database, found, now_ms, say=say)
        except OSError as error:
            raise InputError(f"{file}: cannot be read ({error.strerror})") from error
        except (TooManyVehiclesError, InputError) as error:
            raise InputError(f"{file}: {error}") from error
    for words in complaints.named:
        typer.echo(printable(f"{file}: {words}"), err=True)
    if complaints.count > len(complaints.named):
        typer.echo(f"… and {complaints.count - len(complaints.named)} more such lines", err=True)
    typer.echo(
        f"{seen} trips, {kept} of them new or corrected; {importer.dropped} under 300 m;"
        f" {complaints.count} lines could not be read"
    )


def _followed(
    opened: IO[bytes],
    file: Path,
    vehicle_id: str,
    zone: ZoneInfo | None,
    importer: Importer,
    complaints: Complaints,
) -> Iterator[tuple[TripEnded, str]]:
    if file.suffix.lower() == ".gpx":
        if not vehicle_id:
            raise InputError("say whose trips they are: --vehicle-id")
        points = Reader(complaints).points(iter(lambda: opened.read(_PORTION), b""))
        return follow_gpx(importer, vehicle_id_of(vehicle_id), points)
    if file.suffix.lower() == ".csv":
        if vehicle_id:
            raise InputError("--vehicle-id: the file names its vehicles itself")
        rows = ved.rows(_lines(opened), complaints)
        return follow_ved(importer, rows, partial(_utc_ms, zone))
    raise InputError("its name ends in neither .gpx nor .csv")


def _lines(opened: IO[bytes]) -> Iterable[str]:
    """Lines, of which none is longer than a portion."""
    for line in iter(lambda: opened.readline(_PORTION), b""):
        yield line.decode("utf-8", "replace")


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"--time-zone {name[:60]!r}: no such zone, as America/Detroit") from error


def _utc_ms(zone: ZoneInfo | None, shown_ms: int) -> int:
    """What a clock of a zone shows, as UTC; both in milliseconds since 1970."""
    if zone is None:
        return shown_ms
    shown = EPOCH.replace(tzinfo=zone) + timedelta(milliseconds=shown_ms)
    return milliseconds(shown.astimezone(UTC))

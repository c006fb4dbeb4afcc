"""`car trips`: what was driven, by whom, and what it took; into other programs and out of them."""

import sys
from contextlib import AbstractContextManager
from typing import Annotated, get_args

import typer

from internetcar.contract.message import InputError
from internetcar.contract.trips import TripEnded
from internetcar.launcher.options import VehicleIdOption, instant_ns, vehicle_id_of
from internetcar.launcher.service_settings import opened_store
from internetcar.launcher.tables import plain, print_table, printable
from internetcar.launcher.trip_words import place_text, took
from internetcar.launcher.trips_import import import_file
from services.database import Database
from services.trips import store as trips
from services.trips.formats import Format, exported
from services.trips.settings import SERVICE, TripSettings
from services.trips.tables import VERSION

app = typer.Typer(help="Trips: what was driven, when and by whom; out of logs and other files.")

StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        help="The trip service's store, a file or postgresql://…; else INTERNETCAR_TRIPS_STORE,"
        " else what the settings say, else the `car up` that runs here, else the file in the"
        " default state folder.",
    ),
]
SettingsOption = Annotated[
    str, typer.Option("--settings", metavar="FILE", help="The settings of the trip service.")
]
DriverOption = Annotated[
    str, typer.Option("--driver", help="Of this driver only; `unknown`: of whom nobody knows.")
]
LastOption = Annotated[int, typer.Option(min=1, max=100_000, help="So many of the newest.")]
TripArgument = Annotated[
    str, typer.Argument(metavar="TRIP", help="Its id, or how it begins; `car trips list` has it.")
]


@app.command("list")
def list_(
    vehicle_id: VehicleIdOption = "",
    driver: DriverOption = "",
    last: LastOption = 50,
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Print the newest trips: when, who, from where to where, how far, and what it took."""
    found = _found(store, settings, vehicle_id, driver, last)
    print_table(
        ("started, UTC", "vehicle", "driver", "min", "km", "from", "to", "took", "why ended",
         "trip"),
        (
            (
                f"{trip.started_at:%Y-%m-%d %H:%M}", trip.vehicle_id, trip.driver,
                f"{_minutes(trip):.0f}", f"{trip.distance_m / 1_000:.1f}", place_text(trip.start),
                place_text(trip.end), " and ".join(took(trip)), trip.why.replace("_", " "),
                trip.trip_id[:12],
            )
            for trip in found
        ),
        right="min km",
    )  # fmt: skip


@app.command()
def show(trip: TripArgument, store: StoreOption = "", settings: SettingsOption = "") -> None:
    """Print all that is known of one trip."""
    found = _one(store, settings, trip)
    harsh = ", ".join(f"{each.kind} at {each.offset_s:.0f} s ({each.peak_mps2:g} m/s²)"
                      for each in found.harsh)  # fmt: skip
    rows = [
        ("trip", f"{found.trip_id}, revision {found.revision}, {found.origin}"),
        ("vehicle", found.vehicle_id),
        ("driver", found.driver),
        ("started", f"{found.started_at:%Y-%m-%d %H:%M:%S} UTC at {place_text(found.start)}"),
        ("ended", f"{found.ended_at:%Y-%m-%d %H:%M:%S} UTC at {place_text(found.end)}:"
                  f" {found.why.replace('_', ' ')}"),
        ("distance", f"{found.distance_m:.0f} m by {found.distance_from or 'nothing'}"),
        ("took", " and ".join(took(found)) or "not told"),
        ("idle", "not told" if found.idle_s is None else f"{found.idle_s:.0f} s"),
        ("stops", f"{found.stopped_s:.0f} s"),
        ("not known", f"{found.unknown_s:.0f} s"),
        ("harsh", harsh or ("nothing" if found.harsh_watched else "not told")),
        ("outside", "not told" if found.outside_c is None else f"{found.outside_c:g} °C"),
        ("route", f"{len(found.route)} points, each fix within {found.route_tolerance_m:g} m"),
        *((f"{each.offset_s:.0f} s", f"{each.path} = {plain(each.value)}")
          for each in found.settings),
    ]  # fmt: skip
    print_table(("", ""), rows)


@app.command()
def export(
    form: Annotated[str, typer.Option("--format", help="json, csv or gpx.")] = "json",
    trip: Annotated[str, typer.Option("--trip", metavar="TRIP", help="This one only.")] = "",
    vehicle_id: VehicleIdOption = "",
    driver: DriverOption = "",
    last: LastOption = 10_000,
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Write trips to standard output: all there is of them, a table, or their routes."""
    if form not in get_args(Format):
        raise InputError(f"--format {form[:40]!r}: json, csv or gpx")
    if trip:
        found = [_one(store, settings, trip)]
    else:
        found = _found(store, settings, vehicle_id, driver, last)
    for text in exported(found, form):  # type: ignore[arg-type]  # it was looked at above
        sys.stdout.write(text)


app.command("import")(import_file)


@app.command()
def forget(
    vehicle_id: VehicleIdOption = "",
    driver: DriverOption = "",
    before: Annotated[
        str, typer.Option(metavar="INSTANT", help="What started before, as 2026-05-01T00:00:00Z.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Also where all trips are meant.")] = False,
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Erase trips for good: their rows, what waits to be said of them, and the bytes in the file.

    What is under way goes as well, unless --before is said; it begins anew.
    """
    if not (vehicle_id or driver or before or yes):
        raise InputError("say --vehicle-id, --driver or --before; all trips: --yes")
    before_ms = instant_ns(before) // 1_000_000 if before else None
    vehicle_id = vehicle_id and vehicle_id_of(vehicle_id)
    with _opened(store, settings) as database:
        count = database.run(
            lambda connection: trips.erase(
                connection, vehicle_id=vehicle_id, driver=driver, before_ms=before_ms
            )
        )
        is_clean = database.scrub()
    typer.echo(f"{count} trips erased")
    if not is_clean:
        raise InputError("somebody reads the store: run it again, for their bytes are still there")


def _opened(store: str, settings: str) -> AbstractContextManager[Database]:
    return opened_store(TripSettings, SERVICE, settings, store, version=VERSION)


def _found(store: str, settings: str, vehicle_id: str, driver: str, last: int) -> list[TripEnded]:
    vehicle_id = vehicle_id and vehicle_id_of(vehicle_id)
    with _opened(store, settings) as database, database.read() as connection:
        return trips.find(connection, vehicle_id=vehicle_id, driver=driver, last=last)


def _one(store: str, settings: str, trip_id: str) -> TripEnded:
    shown = printable(trip_id[:70])
    with _opened(store, settings) as database, database.read() as connection:
        found = trips.one(connection, trip_id) if trip_id else []
    if not found:
        raise InputError(f"{shown}: no such trip; `car trips list` names them")
    if len(found) > 1 and found[0].trip_id != trip_id:
        raise InputError(f"{shown}: more than one trip begins so; say more of its id")
    return found[0]


def _minutes(trip: TripEnded) -> float:
    return (trip.ended_at - trip.started_at).total_seconds() / 60

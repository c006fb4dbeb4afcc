"""What the commands of `car tolls` are told, and the store they look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from internetcar.contract.message import InputError
from internetcar.launcher.options import vehicle_id_of
from internetcar.launcher.service_settings import settings_for
from services.database import Database, open_existing
from services.settings import store_url
from services.tolls import inquiry
from services.tolls.passages.entry import Entry
from services.tolls.settings import SERVICE, TollSettings
from services.tolls.tariff.shipped import find_context

StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        help="The toll service's store, a file or postgresql://…; else INTERNETCAR_TOLLS_STORE,"
        " else what the settings say, else the `car up` that runs here, else the file in the"
        " default state folder.",
    ),
]
SettingsOption = Annotated[
    str, typer.Option("--settings", metavar="FILE", help="The settings of the toll service.")
]


@dataclass(frozen=True)
class Desk:
    """An opened store and the settings that go with it."""

    database: Database
    settings: TollSettings

    def newest(self, vehicle_id: str, last: int) -> list[Entry]:
        """The newest passages of a vehicle (empty: of all), by time of crossing."""
        with self.database.read() as connection:
            return inquiry.newest(connection, vehicle_id and vehicle_id_of(vehicle_id), last)

    def zone_of(self, context_id: str) -> ZoneInfo | None:
        """The time zone of a context, if it is at hand."""
        for name in (*self.settings.contexts, context_id):
            try:
                context = find_context(name)
            except InputError:
                continue
            if context.id == context_id:
                return context.zone
        return None


@contextmanager
def opened(store: str, settings: str) -> Iterator[Desk]:
    """The store as the options, the environment or the settings name it.

    Raises:
        InputError: There is none, or it cannot be used.
    """
    read = settings_for(TollSettings, SERVICE, settings, store)
    database = open_existing(store_url(read, SERVICE), SERVICE)
    try:
        yield Desk(database, read)
    finally:
        database.close()

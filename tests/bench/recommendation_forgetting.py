"""What is left of a driver's places once they are forgotten: rows, weights, and bytes of the store.

Two drivers' 60 days in one car; one place of the first driver is forgotten, then all of the driver.
"""

import struct
import tempfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Table, func, select

from internetcar.contract.recommendations import RecommendationControl
from internetcar.contract.trips import Place, SettingChange
from services.database import Database
from services.recommendations import store
from services.recommendations.tables import RECOMMENDATIONS
from tests.recommendation_trips import HOME, MONDAY, SPORTS, WORK, Service, ended, started

LABEL, DRIVER = "Workshop77", "anna-forgotten"
_DAYS = 60
_WARM = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"


def left_over() -> tuple[float, float]:
    """How often the forgotten stands in the store's files, before and after it is forgotten.

    Counted are rows that name the driver, the trips or the place's name and coordinates: in rows
    and in every byte of the database, its journal and what is free in it.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "store.sqlite"
        database = store.open_store(f"sqlite:///{file}")
        service = _lived(Service(database))
        before = _count(file, database)
        _ask(service, "forget_place", place_id="place-1")
        at_place = _occurrences(file, [LABEL.encode(), *_traces(WORK)])
        _ask(service, "forget_driver")
        after = at_place + _count(file, database)
        database.close()
    return before, after


def _lived(service: Service) -> Service:
    for name in (DRIVER, "bert"):
        for number in range(_DAYS):
            day = MONDAY + timedelta(days=number)
            warm = SettingChange(path=_WARM, offset_s=0, value=20 + number % 3)
            for hour, start, end in ((8, HOME, WORK), (17, WORK, SPORTS), (19, SPORTS, HOME)):
                where = (start, end) if name == DRIVER else (HOME, HOME)
                trip = started(day + timedelta(hours=hour), where[0], f"{name}-{number}-{hour}",
                               driver=name, settings=[warm])  # fmt: skip
                service.hear(trip, ended(trip, where[1], settings=[warm], outside_c=number % 20))
    _ask(service, "name_place", place_id="place-1", label=LABEL)
    return service


def _ask(service: Service, action: str, **other: str) -> None:
    asked = {"request_id": action, "action": action, "driver": DRIVER, **other}
    service.hear(
        RecommendationControl.model_validate({"vehicle_id": "kona", "requester": "phone", **asked})
    )


def _count(file: Path, database: Database) -> int:
    words = [DRIVER.encode(), LABEL.encode(), *_traces(WORK), *_traces(SPORTS)]
    with database.read() as connection:
        rows = sum(
            connection.execute(
                select(func.count()).select_from(table).where(table.c.driver == DRIVER)
            ).scalar_one()
            for table in _of_drivers()
        )
    return rows + _occurrences(file, words)


def _of_drivers() -> Iterable[Table]:
    return [table for table in RECOMMENDATIONS.tables.values() if "driver" in table.c]


def _occurrences(file: Path, words: Iterable[bytes]) -> int:
    whole = b"".join(each.read_bytes() for each in file.parent.glob(file.name + "*"))
    return sum(whole.count(word) for word in words)


def _traces(place: Place) -> list[bytes]:
    """The forms in which coordinates are written, to ten metres."""
    found = []
    for value in (place.latitude, place.longitude):
        found += [f"{value:.5f}"[:-1].encode(), struct.pack(">d", value)]
    return found

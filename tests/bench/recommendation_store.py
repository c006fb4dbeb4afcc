"""`python -m tests.bench.recommendation_store`: what the service takes with 15,000 trips.

The bars: at most 20 MB above the process with an empty store, one prediction below 10 ms, on the
way too, where all 900 routes begin alike.
"""

import gc
import multiprocessing
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import orjson

from internetcar.contract.message import instant
from internetcar.contract.trips import Place
from services.database import Database
from services.recommendations import store
from services.recommendations.tables import driver, place, visit
from tests.recommendation_trips import HOME, WORK, Service, ended, started

TRIPS, PLACES, SEED = 15_000, 300, 1
BEGAN_MS, EACH_MS = 1_690_000_000_000, 2_300_000
"""400 days, about 38 trips a day."""
ROUTE = [(52 + step / 1_000, 13 + step / 1_000) for step in range(61)]
WAY = ROUTE[:40]


def resident_mb() -> float:
    """What the process has in memory now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1_024


def fill(database: Database) -> None:
    """A driver's 400 days, made up, the newest three routes to each place among them."""
    chance = random.Random(SEED)
    rows = []
    newest: dict[int, list[int]] = {}
    for number in range(TRIPS):
        led = int(chance.paretovariate(1.1)) % PLACES + 1
        newest.setdefault(led, []).append(number)
        at_ms = BEGAN_MS + number * EACH_MS
        rows.append({
            "vehicle_id": "kona", "trip_id": f"t{number:020d}", "driver": "anna", "revision": 1,
            "started_ms": at_ms, "ended_ms": at_ms + 600_000, "day": at_ms / 86.4e6,
            "place_id": f"place-{led}", "origin_id": f"place-{chance.randint(1, 60)}",
            "before_id": f"place-{chance.randint(1, 60)}", "stayed_min": chance.random() * 300,
            "route": None, "kept_ms": at_ms,
        })  # fmt: skip
    route = orjson.dumps(ROUTE).decode()
    for numbers in newest.values():
        for number in numbers[-3:]:
            rows[number]["route"] = route
    with database.begin() as connection:
        values = {"vehicle_id": "kona", "driver": "anna"}
        connection.execute(driver.insert().values(**values, issued=PLACES, version="v"))
        connection.execute(place.insert(), [
            {**values, "place_id": f"place-{number}", "number": number, "ends": 9,
             "lat_deg": 52 + number / 100, "lon_deg": 13 + chance.random()}
            for number in range(1, PLACES + 1)
        ])  # fmt: skip
        connection.execute(visit.insert(), rows)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        full = store.open_store(f"{folder}/full.sqlite")
        fill(full)
        began_s = time.monotonic()
        with full.begin() as connection:
            store.load(connection, "kona", "anna")
        relearn_s = time.monotonic() - began_s
        full.close()
        # What learning took and gave back is not to hide what a fresh process needs.
        context = multiprocessing.get_context("spawn")
        with context.Pool(1) as pool:
            figures = pool.apply(measure, (folder,))
    figures["relearn_s"] = relearn_s
    for name, value in figures.items():
        sys.stdout.write(f"{name} {value:.2f}\n")


def measure(folder: str) -> dict[str, float]:
    """The figures, beside a service that has heard a few trips on an empty store."""
    few = Service(store.open_store(f"{folder}/few.sqlite")).commute(12)
    few.hear(started(few.now + timedelta(hours=1), HOME))
    gc.collect()
    before_mb = resident_mb()
    service = Service(store.open_store(f"{folder}/full.sqlite"), origin="simulation")
    now = instant(BEGAN_MS + TRIPS * EACH_MS).astimezone(UTC)
    here = Place(latitude=52.05, longitude=13.5)
    began_s = time.monotonic()
    service.hear(started(now, here, "first", origin="simulation"))
    load_s = time.monotonic() - began_s
    gc.collect()
    found = {"memory_mb": resident_mb() - before_mb, "load_s": load_s}
    begun: list[float] = []
    over: list[float] = []
    for number in range(1, 41):
        trip = started(now + timedelta(hours=number), here, f"n{number}", origin="simulation")
        for message, spans in ((trip, begun), (ended(trip, WORK), over)):
            began_s = time.process_time()
            service.hear(message)
            spans.append(1_000 * (time.process_time() - began_s))
    return {**found, "started_ms": median(begun), "ended_ms": median(over),
            **_predict_ms(service, now)}  # fmt: skip


def _predict_ms(service: Service, now: datetime) -> dict[str, float]:
    with service.database.begin() as connection:
        model = service.hearing.models.of(connection, "kona", "anna")
        standing = store.standing(connection, "kona")
        assert standing is not None
        spans: list[float] = []
        on_way: list[float] = []
        for number in range(40):
            trip = started(now + timedelta(days=3, minutes=number), HOME, f"p{number}",
                           origin="simulation")  # fmt: skip
            journey = service.hearing._begin(connection, standing, trip, 1_800_000_000_000 + number)
            for path, taken in ((journey.path, spans), (WAY, on_way)):
                journey.path = path
                began_s = time.process_time()
                model.forecast(journey)
                taken.append(1_000 * (time.process_time() - began_s))
    return {"predict_ms": median(spans), "on_way_ms": median(on_way)}


if __name__ == "__main__":
    main()

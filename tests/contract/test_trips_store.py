"""Trips are kept once, whatever dies, comes twice or comes late; and what is erased is gone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import orjson
import pytest
from sqlalchemy import select

from internetcar.contract.reader import TelemetryReader
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.trips import TripEnded, TripStarted
from services.database import Database
from services.outgoing import enqueue
from services.points import AFTER_COMMIT, BEFORE_COMMIT
from services.tables import outgoing
from services.telemetry_log import LogReader
from services.trips import store
from services.trips.forgetting import Forgetting
from services.trips.leaves import SETTINGS
from services.trips.logs import Logs
from services.trips.tables import trip, trip_detail, trip_vehicle
from tests.postgres import Cluster
from tests.services import CrashError, crashing_at
from tests.trip_log import DRIVER, TripLog

DAY_MS = 24 * 3_600_000
SET_POINT = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"


class Service:
    """The trip service without a broker, on a clock of its own."""

    def __init__(self, database: Database, now_ms: int = 0) -> None:
        self.database = database
        self.now_ms = now_ms
        self.logs = Logs(database, SETTINGS, lambda: self.now_ms)
        self.forgetting = Forgetting(database, 400 * DAY_MS, lambda: self.now_ms)
        self.reader = LogReader(
            database, TelemetryReader("trips"), self.logs.apply,
            publish=lambda message: None, clock_s=lambda: self.now_ms / 1_000,
        )  # fmt: skip

    def hear(self, batches: Sequence[Telemetry]) -> "Service":
        for batch in batches:
            self.now_ms += 1_000
            self.reader.accept(batch)
        return self

    def wait(self, seconds: int) -> "Service":
        for _ in range(seconds // 100):
            self.now_ms += 100_000
            self.reader.turn()
            self.logs.turn()
        return self

    def said(self) -> list[TripStarted | TripEnded]:
        with self.database.read() as connection:
            rows = connection.execute(select(outgoing).order_by(outgoing.c.number)).all()
        return [
            (TripEnded if row.topic.endswith("ended") else TripStarted).decode(
                row.topic, row.payload
            )
            for row in rows
        ]

    def ends(self) -> list[TripEnded]:
        return [message for message in self.said() if isinstance(message, TripEnded)]

    def trips(self) -> list[TripEnded]:
        with self.database.read() as connection:
            return store.find(connection)


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    opened = store.open_store(store_url)
    yield opened
    opened.close()


def test_a_drive_is_said_and_kept_five_minutes_after_it_ended(database: Database) -> None:
    log = TripLog().drive()
    service = Service(database).hear(log.batches)
    assert [type(message) for message in service.said()] == [TripStarted]
    service.hear(log.asleep(6).batches[-6:])
    assert len(service.ends()) == 1
    (kept,) = service.trips()
    assert kept == service.ends()[0]
    assert kept.distance_m == pytest.approx(2_000, abs=20)
    with database.read() as connection:
        assert connection.execute(select(trip_detail)).first() is None


@pytest.mark.parametrize("point", [BEFORE_COMMIT, AFTER_COMMIT])
@pytest.mark.parametrize("at", [0, 4, 8, 13])
def test_a_death_anywhere_changes_no_trip(database: Database, point: str, at: int) -> None:
    log = TripLog().drive().asleep(6)
    died = 0
    service = Service(database)
    for index, batch in enumerate(log.batches):
        if index == at:
            with pytest.raises(CrashError), crashing_at(point):
                service.hear([batch])
            died += 1
            service = Service(database, service.now_ms)  # nothing but the store is left
        service.hear([batch])
    assert died == 1
    (kept,) = service.trips()
    assert kept.distance_m == pytest.approx(2_000, abs=20)
    assert len(service.ends()) == 1
    assert kept.route[-1][2] == 121


def test_a_log_that_is_read_twice_gives_the_same_trips(database: Database) -> None:
    service = Service(database)
    for journal in ("first", "second"):
        log = TripLog(journal=journal, origin="recording", clock="recorded").drive().asleep(6)
        log.drive().asleep(6)
        service.hear(log.batches)
        service.wait(1_200)
    assert len(service.trips()) == 2
    assert [end.revision for end in service.ends()] == [1, 1]


def test_the_beginning_of_a_log_read_again_takes_nothing_away(database: Database) -> None:
    service = Service(database)
    log = TripLog(journal="whole", origin="recording", clock="recorded").drive(300).asleep(6)
    service.hear(log.batches)
    part = TripLog(journal="part", origin="recording", clock="recorded").on().seconds(100, 60.0, 20)
    service.wait(700)
    service.hear(part.batches).wait(700)
    (kept,) = service.trips()
    assert kept.distance_m == pytest.approx(5_000, abs=20)


def test_a_trip_that_fell_silent_is_ended_and_corrected_when_its_log_goes_on(
    database: Database,
) -> None:
    log = TripLog().on().seconds(120, 60.0, 20)
    service = Service(database).hear(log.batches).wait(400)
    (lost,) = service.ends()
    assert (lost.why, lost.revision) == ("signal_lost", 1)
    assert lost.distance_m == pytest.approx(2_000, abs=20)
    count = len(log.batches)
    service.hear(log.seconds(60, 60.0, 20).off().asleep(6).batches[count:])
    (kept,) = service.trips()
    assert (kept.trip_id, kept.revision, kept.why) == (lost.trip_id, 2, "power_off")
    assert kept.distance_m == pytest.approx(3_000, abs=20)
    assert [end.revision for end in service.ends()] == [1, 2]


def test_a_car_switched_off_and_never_heard_again_has_ended_its_trip_once(
    database: Database,
) -> None:
    log = TripLog().drive()
    service = Service(database).hear(log.batches).wait(700)
    assert [end.why for end in service.ends()] == ["power_off"]
    count = len(log.batches)
    service.hear(log.asleep(20).batches[count:])
    assert len(service.ends()) == 1, "the log only says the same"


def test_after_a_start_silence_ends_no_trip_before_the_broker_had_its_say(
    database: Database,
) -> None:
    log = TripLog().on().seconds(120, 60.0, 20)
    service = Service(database).hear(log.batches)
    late = Service(database, service.now_ms + 3_600_000)
    late.now_ms += 9_000
    late.logs.turn()
    assert late.ends() == []
    late.wait(100)
    assert len(late.ends()) == 1


def test_recorded_and_simulated_drives_at_one_time_are_two_trips(database: Database) -> None:
    service = Service(database)
    service.hear(TripLog(journal="a").drive().batches)
    other = TripLog(journal="b", origin="simulation")
    other.drive().asleep(6)
    other.batches[0] = other.batches[0].model_copy(update={"previous": "a"})
    service.hear(other.batches)
    assert sorted(each.origin for each in service.trips()) == ["live", "simulation"]


def _bytes(url: str) -> bytes:
    file = Path(url.removeprefix("sqlite:///"))
    return b"".join(each.read_bytes() for each in file.parent.glob(file.name + "*"))


def _two_drivers(service: Service) -> None:
    log = TripLog()
    for name, value in (("anna-77", 21.25), ("bert-88", 17.75)):
        log.say({DRIVER: name, SET_POINT: value}).on().seconds(60, 60.0, 20)
        log.longitude += 0.00271  # round a corner
        log.seconds(60, 60.0, 20).seconds(1).off().asleep(6)
    service.hear(log.batches)


@pytest.mark.parametrize("seed", [1, 2])
def test_two_replicas_come_to_the_same_trips(
    postgresql: Cluster, tmp_path: Path, seed: int
) -> None:
    log = TripLog().on()
    log.seconds(90, 60.0, 20).off().asleep(6).on().seconds(90, 60.0, 20).off().asleep(6)
    alone = Service(store.open_store(f"sqlite:///{tmp_path}/alone.sqlite")).hear(log.batches)
    chance, url = Random(seed), postgresql.database()
    replicas = [Service(store.open_store(url)), Service(store.open_store(url))]
    for batch in log.batches:
        for _ in range(chance.randint(1, 2)):  # some come twice, to the same or another
            chance.choice(replicas).hear([batch])
    assert len(alone.trips()) == 2
    assert replicas[0].trips() == alone.trips()
    assert [each.trip_id for each in replicas[1].ends()] == [each.trip_id for each in alone.ends()]
    for each in (alone, *replicas):
        each.database.close()


@pytest.mark.parametrize("by", [{"driver": "anna-77"}, {"vehicle_id": "kona"}, {}])
def test_what_is_erased_is_in_no_byte_of_the_file(tmp_path: Path, by: dict[str, str]) -> None:
    vehicle_id, driver = by.get("vehicle_id", ""), by.get("driver", "")
    url = f"sqlite:///{tmp_path}/trips.sqlite"
    database = store.open_store(url)
    service = Service(database)
    _two_drivers(service)
    anna = service.trips()[1]
    assert anna.driver == "anna-77"
    on_the_way = str(anna.route[1][0]).encode()
    wanted = [b"anna-77", b"21.25", on_the_way, anna.trip_id.encode()]
    before = _bytes(url)
    assert all(word in before for word in wanted)
    database.run(lambda each: store.erase(each, vehicle_id=vehicle_id, driver=driver))
    database.scrub()
    after = _bytes(url)
    assert [word for word in wanted if word in after] == []
    assert (b"bert-88" in after) == ("driver" in by)
    database.close()


def test_trips_are_forgotten_four_hundred_days_after_they_came(database: Database) -> None:
    service = Service(database)
    _two_drivers(service)
    service.now_ms += 399 * DAY_MS
    service.forgetting.turn()
    assert len(service.trips()) == 2
    service.now_ms += 2 * DAY_MS
    service.forgetting.turn()
    assert service.trips() == []
    with database.read() as connection:
        for table in (trip, trip_vehicle, trip_detail):
            assert connection.execute(select(table)).first() is None


def test_a_driver_under_way_is_erased_and_the_drive_of_another_goes_on(database: Database) -> None:
    service = Service(database)
    logs = {}
    for name in ("anna", "bert"):
        log = logs[name] = TripLog(vehicle_id=f"of-{name}").say({DRIVER: name}).on()
        service.hear(log.seconds(60, 60.0, 20).batches)
    assert database.run(lambda connection: store.erase(connection, driver="anna")) == 0
    assert {message.vehicle_id for message in service.said()} == {"of-bert"}
    for log in logs.values():
        count = len(log.batches)
        service.hear(log.seconds(60, 60.0, 20).seconds(1).off().asleep(6).batches[count:])
    told = {trip.vehicle_id: (trip.driver, round(trip.distance_m)) for trip in service.trips()}
    assert told == {"of-anna": ("unknown", 1_000), "of-bert": ("bert", 2_000)}


def test_a_state_that_nobody_can_read_is_erased_with_any_driver(database: Database) -> None:
    service = Service(database).hear(TripLog().on().batches)
    database.run(lambda connection: connection.execute(trip_vehicle.update().values(state=b"?")))
    database.run(lambda connection: store.erase(connection, driver="anna"))
    with service.database.read() as connection:
        assert connection.execute(select(trip_vehicle)).first() is None


def test_erasing_a_vehicle_leaves_others_and_what_they_say(database: Database) -> None:
    service = Service(database)
    for vehicle_id in ("kona", "kona_2"):
        service.hear(TripLog(vehicle_id=vehicle_id).drive().asleep(6).batches)
    assert database.run(lambda connection: store.erase(connection, vehicle_id="kona")) == 1
    assert {message.vehicle_id for message in service.said()} == {"kona_2"}
    assert [each.vehicle_id for each in service.trips()] == ["kona_2"]


def test_a_state_of_another_format_begins_anew(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    log = TripLog().on().seconds(5, 60.0)
    service = Service(database).hear(log.batches)
    database.run(lambda connection: connection.execute(trip_vehicle.update().values(state=b"?")))
    service.hear(log.seconds(60, 60.0, 20).off().asleep(6).batches[6:])
    assert "begin anew" in caplog.text
    assert len(service.trips()) == 1


def test_what_waits_for_others_than_trips_is_left_where_all_is_erased(database: Database) -> None:
    service = Service(database)
    _two_drivers(service)
    with database.begin() as connection:
        payload = TripLog().drive().batches[0]
        enqueue(connection, payload)
    database.run(lambda connection: store.erase(connection))
    with database.read() as connection:
        left = connection.execute(select(outgoing.c.topic, outgoing.c.payload)).all()
    assert [row.topic for row in left] == ["v1/vehicle/kona/telemetry"]
    assert orjson.loads(left[0].payload)["journal"] == "j1"

"""Messages that kill: counted over the process's deaths, set aside, taken up again by a person."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from internetcar.contract.message import ContractError, InputError
from internetcar.contract.subscriptions import Received
from internetcar.contract.telemetry import RepairedTelemetry, Telemetry
from internetcar.launcher.command import build
from services.database import Database
from services.database_errors import StoreError, UnavailableError
from services.quarantine import (
    DROPPED,
    Note,
    Quarantine,
    digest_of,
    drop_old,
    kept,
    release,
    subject_of,
)
from services.tables import quarantine
from tests.services import opened

KILLER = Received("v1/vehicle/kona/toll/charge", b"\x00kill\nme")
LATER = Received("v1/vehicle/kona/toll/charge", b"later")
OTHER = Received("v1/vehicle/leaf/toll/charge", b"other")


class DeathError(BaseException):
    """kill -9, as far as a test in one process can tell."""


class Process:
    """A service that can die and start again; `heard` outlives it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.heard: list[bytes] = []
        self.killers = [KILLER.payload]
        self.is_mended = False
        self.start()

    def start(self) -> None:
        self.quarantine = Quarantine(self.database, self.folder, lambda: 1_000)
        self.now_s = 0.0

    def handle(self, received: Received) -> None:
        if received.payload in self.killers and not self.is_mended:
            raise DeathError
        self.heard.append(received.payload)

    def hear(self, *messages: Received) -> bool:
        """Whether the process lived through them."""
        try:
            for received in messages:
                self.quarantine.guard(received, self.handle)
        except DeathError:
            self.quarantine.close()
            self.start()
            return False
        return True

    def turn(self) -> None:
        self.now_s += 1
        self.quarantine.turn(self.now_s, self.handle)


@pytest.fixture
def process(store_url: str, tmp_path: Path) -> Iterator[Process]:
    with opened(store_url) as database:
        process = Process(database, tmp_path / "state")
        yield process
        process.quarantine.close()


def car(*arguments: str) -> str:
    result = CliRunner().invoke(build([*arguments]), arguments, catch_exceptions=False)
    return result.output


def after_three_deaths(process: Process) -> Process:
    assert [process.hear(KILLER, LATER) for _ in range(3)] == [False, False, False]
    return process


def test_the_third_death_sets_the_message_aside_and_its_vehicle_waits_but_no_other(
    process: Process,
) -> None:
    after_three_deaths(process)
    assert process.hear(KILLER, LATER, OTHER, LATER)
    process.turn()
    assert process.heard == [b"other"]
    with process.database.read() as connection:
        [entry] = kept(connection)
    assert (entry.topic, entry.deaths, entry.waiting) == (KILLER.topic, 3, 1)


def test_two_deaths_and_a_success_are_forgotten(process: Process) -> None:
    assert [process.hear(KILLER) for _ in range(2)] == [False, False]
    process.is_mended = True
    assert process.hear(KILLER)
    process.is_mended = False
    assert [process.hear(KILLER) for _ in range(2)] == [False, False]
    assert process.hear(OTHER)
    with process.database.read() as connection:
        assert kept(connection) == []


def test_other_messages_between_the_deaths_do_not_hide_the_killer(process: Process) -> None:
    for _ in range(3):
        assert process.hear(OTHER)
        assert not process.hear(KILLER)
    assert process.hear(KILLER)


def test_after_a_retry_the_message_and_what_waited_are_handled_in_order(process: Process) -> None:
    url = after_three_deaths(process).database.name
    assert process.hear(LATER)
    process.is_mended = True
    listed = car("quarantine", "list", "--store", url, "--service", "test")
    number = listed.splitlines()[1].split()[0]
    assert KILLER.topic in listed
    car("quarantine", "retry", "--store", url, "--service", "test", number)
    process.turn()
    assert process.heard == [b"\x00kill\nme", b"later"]
    process.turn()
    assert process.hear(LATER)
    assert process.heard[2:] == [b"later"]
    listed = car("quarantine", "list", "--store", url, "--service", "test")
    assert len(listed.splitlines()) == 1


def test_what_is_dropped_is_never_handled_again_and_what_waited_is(process: Process) -> None:
    url = after_three_deaths(process).database.name
    assert process.hear(LATER)
    number = car("quarantine", "list", "--store", url, "--service", "test").splitlines()[1].split()
    car("quarantine", "drop", "--store", url, "--service", "test", number[0])
    process.turn()
    assert process.hear(KILLER)
    assert process.heard == [b"later"]
    with pytest.raises(InputError, match="no message 77 is in quarantine"):
        car("quarantine", "drop", "--store", url, "--service", "test", "77")


def test_a_batch_is_known_again_when_it_is_repaired() -> None:
    batch = Received("v1/vehicle/kona/telemetry", KILLER.payload)
    again = Received("v1/client/tolls/telemetry/kona", KILLER.payload)
    assert digest_of(again) == digest_of(batch) != digest_of(KILLER)
    others = (
        Received("v1/client/tolls/telemetry/leaf", KILLER.payload),
        Received("v1/client/tolls/telemetry/kona", LATER.payload),
    )
    assert digest_of(batch) not in {digest_of(other) for other in others}


def test_a_batch_that_was_dropped_stays_so_when_it_is_repaired(process: Process) -> None:
    batch = Received("v1/vehicle/kona/telemetry", b"killing batch")
    again = Received("v1/client/tolls/telemetry/kona", b"killing batch")
    process.killers.append(batch.payload)
    assert [process.hear(batch) for _ in range(3)] == [False, False, False]
    with process.database.begin() as connection:
        release(connection, kept(connection)[0].number, state=DROPPED)
    process.turn()
    assert process.hear(again, OTHER)
    assert process.heard == [b"other"]


def test_what_was_kept_for_too_long_is_given_up_and_says_nothing_any_more(process: Process) -> None:
    batch = Received("v1/vehicle/kona/telemetry", b"killing batch")
    repaired = Received("v1/client/tolls/telemetry/kona", b"another batch")
    process.killers.append(batch.payload)
    assert [process.hear(batch) for _ in range(3)] == [False, False, False]
    assert process.hear(repaired, LATER)
    classes = (Telemetry, RepairedTelemetry)
    drop_old(process.database, classes, 1_000)
    process.turn()
    assert process.heard == []
    drop_old(process.database, classes, 1_001)
    with process.database.read() as connection:
        rows = connection.execute(select(quarantine).order_by(quarantine.c.number)).all()
    assert [(row.state, row.payload) for row in rows] == [
        ("dropped", b""), ("dropped", b""), ("waiting", LATER.payload),
    ]  # fmt: skip
    process.turn()
    assert process.hear(batch, repaired)
    assert process.heard == [LATER.payload]


def test_a_message_that_waited_and_kills_is_set_aside_as_well(process: Process) -> None:
    first = Received(KILLER.topic, b"first")
    after_three_deaths(process)
    url = process.database.name
    number = car("quarantine", "list", "--store", url, "--service", "test").splitlines()[1].split()
    assert process.hear(first)
    car("quarantine", "retry", "--store", url, "--service", "test", number[0])
    for _ in range(3):
        with pytest.raises(DeathError):
            process.turn()
        process.quarantine.close()
        process.start()
    process.turn()
    assert process.heard == []
    with process.database.read() as connection:
        [entry] = kept(connection)
    assert (entry.deaths, entry.waiting) == (3, 1)


def test_what_died_once_and_then_has_to_wait_is_not_lost(process: Process) -> None:
    second = Received(KILLER.topic, b"second")

    def die(_: Received) -> None:
        raise DeathError

    with pytest.raises(DeathError):
        process.quarantine.guard(second, die)
    process.quarantine.close()
    process.start()
    after_three_deaths(process)
    assert process.hear(second)
    url = process.database.name
    number = car("quarantine", "list", "--store", url, "--service", "test").splitlines()[1].split()
    assert number[-1] == "1"
    car("quarantine", "drop", "--store", url, "--service", "test", number[0])
    process.turn()
    assert process.heard == [b"second"]


@pytest.mark.parametrize("error", [ContractError("junk"), UnavailableError("no database")])
def test_bad_input_and_a_database_that_is_away_are_no_death(
    process: Process, error: InputError
) -> None:
    def fail(_: Received) -> None:
        raise error

    for _ in range(4):
        with pytest.raises(type(error)):
            process.quarantine.guard(KILLER, fail)
        process.quarantine.close()
        process.start()
    process.is_mended = True
    assert process.hear(KILLER)


def test_a_torn_or_foreign_note_is_no_death(tmp_path: Path) -> None:
    note = Note(tmp_path / "state" / "in-hand")
    note.take(KILLER)
    whole = (tmp_path / "state" / "in-hand").read_bytes()
    assert note.left() == KILLER
    for torn in (b"", whole[:-1], whole[:30], b"[]\n", b"{}\nx", b"\xff\n", b'{"topic": 1}\n'):
        (tmp_path / "state" / "in-hand").write_bytes(torn)
        assert note.left() is None
    note.close()
    with pytest.raises(InputError, match="cannot be written"):
        Note(tmp_path / "state" / "in-hand" / "x")


@pytest.mark.parametrize(
    ("topic", "subject"),
    [
        ("v1/vehicle/kona/toll/charge", "kona"),
        ("v1/client/tolls/telemetry/kona", "kona"),
        ("v1/wallet/alice/statement-request", "alice"),
        ("v1/client/x", "x"),
        ("odd", "odd"),
    ],
)
def test_whose_a_message_is_stands_in_its_topic(topic: str, subject: str) -> None:
    assert subject_of(topic) == subject


def test_a_store_that_is_none_is_refused(tmp_path: Path, store_url: str) -> None:
    with pytest.raises(StoreError, match="no such file"):
        car("quarantine", "list", "--store", str(tmp_path / "none.sqlite"))
    (tmp_path / "other.sqlite").write_bytes(b"")
    with pytest.raises(StoreError, match="not the store of a service"):
        car("quarantine", "list", "--store", str(tmp_path / "other.sqlite"))
    with opened(store_url):
        if store_url.startswith("sqlite"):
            assert "waiting" in car("quarantine", "list", "--store", store_url)
        with pytest.raises(StoreError, match="store of"):
            car("quarantine", "list", "--store", store_url, "--service", "tolls")

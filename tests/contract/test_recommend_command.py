"""`car recommend` lists, forgets and exports on the store, and refuses with a line."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from internetcar.contract.message import InputError
from internetcar.contract.recommendations import RecommendationOffer
from internetcar.launcher.recommend import app
from services.database import Database
from services.recommendations import store
from services.recommendations.tables import visit
from services.tables import outgoing
from tests.recommendation_trips import HOME, MONDAY, WORK, Service, control, started

NEXT = MONDAY + timedelta(days=14, hours=8)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "recommendations.sqlite")


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    database = store.open_store(url)
    yield Service(database).commute(14)
    database.close()


def car(url: str, *arguments: str) -> str:
    """What a subcommand says; what it refuses is raised."""
    done = CliRunner().invoke(app, [*arguments, "--store", url])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def refused(url: str, *arguments: str) -> str:
    with pytest.raises(InputError) as refusal:
        car(url, *arguments)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_the_top_three_the_open_offers_and_who_is_known_are_listed(
    url: str, service: Service
) -> None:
    assert "kona: no trip is on" in car(url, "list")
    label = "the [bold]office"
    service.hear(control("name_place", driver="anna", place_id="place-1", label=label))
    offer = next(
        each for each in service.hear(started(NEXT, HOME)).take()
        if isinstance(each, RecommendationOffer)
    )  # fmt: skip
    listed = car(url, "list")
    for words in ("anna drives", label, f"went to {label}.", "somewhere new",
                  offer.offer_id, "place-2"):  # fmt: skip
        assert words in listed
    assert "20" in listed.splitlines()[-1]
    assert "kona" not in car(url, "list", "--vehicle-id", "other")
    service.hear(control("pause"))
    assert "kona: paused" in car(url, "list")


def test_a_driver_of_few_trips_is_told_that_too_little_is_known(url: str, service: Service) -> None:
    service.hear(started(NEXT, HOME, driver="bert"))
    assert "bert drives; too little is known to say anything" in car(url, "list")


def test_an_export_is_everything_with_positions_and_weights(url: str, service: Service) -> None:
    found = json.loads(car(url, "export", "--vehicle-id", "kona", "--driver", "anna"))
    assert found["places"][0]["latitude"] == pytest.approx(WORK.latitude)
    assert len(found["visits"]) == 20
    assert "recency" in found["learned"]["weights"]
    assert "nothing is kept" in refused(url, "export", "--vehicle-id", "kona", "--driver", "eve")


def test_a_place_and_a_driver_are_forgotten_while_the_service_runs(
    url: str, service: Service
) -> None:
    service.hear(started(NEXT, HOME))
    where = ("--vehicle-id", "kona", "--driver", "anna")
    assert "10 visits erased" in car(url, "forget", *where, "--place", "place-1")
    with service.database.read() as connection:
        left = connection.execute(select(outgoing.c.payload)).scalars().all()
    assert set(left) == {b""}, "the broker forgets what it remembers"
    assert "place-1" not in car(url, "list")
    assert "nothing is kept" in refused(url, "forget", *where, "--place", "place-1")
    assert "10 visits erased" in car(url, "forget", *where)
    assert "nothing is kept" in refused(url, "forget", *where)
    assert "nothing is kept" in refused(url, "forget", "--vehicle-id", "x", "--driver", "anna")
    assert b"anna" not in files(url)
    with service.database.read() as connection:
        assert connection.execute(select(visit)).first() is None
    again = service.hear(started(NEXT + timedelta(days=1), HOME)).take()
    assert [each for each in again if each is not None] == []


def test_bytes_that_cannot_be_erased_yet_are_not_said_to_be_gone(
    url: str, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Database, "scrub", lambda database: False)
        where = ("--vehicle-id", "kona", "--driver", "anna")
        assert "erases the bytes within" in refused(url, "forget", *where)
    assert b"anna" in files(url)
    Service(service.database).desk.turn()
    assert b"anna" not in files(url)


def files(url: str) -> bytes:
    found = Path(url).parent.glob("recommendations.sqlite*")
    return b"".join(each.read_bytes() for each in found)


def test_what_cannot_be_asked_is_refused_before_anything_is_said(url: str) -> None:
    assert "no such file" in refused(url, "list")
    result = CliRunner().invoke(app, ["pause", "--resume", "--hours", "1"])
    assert "exclude each other" in str(result.exception)

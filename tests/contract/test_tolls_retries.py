"""Money that was refused and is asked for again, where some of it cannot be."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from services.tolls.passages.charging import RETRY_MS
from services.tolls.posting import Poster
from services.tolls.tables import toll_passage
from tests.toll_stand import Drive, Stand


@pytest.fixture
def stand(store_url: str) -> Iterator[Stand]:
    each = Stand(store_url)
    yield each
    each.close()


def test_what_is_due_of_a_context_that_left_the_settings_takes_no_turn_and_waits(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.bank.refuses = "insufficient_funds"
    stand.drive(Drive().until(1_500))
    is_ours = toll_passage.c.vehicle_id == "car"
    moved = update(toll_passage).where(is_ours)
    stand.database.run(lambda connection: connection.execute(moved.values(context="left")))
    stand.now_ms += RETRY_MS
    stand.bank.refuses = None
    reckoned = spy(monkeypatch)
    stand.pump(3)
    assert reckoned == []
    stand.database.run(lambda connection: connection.execute(moved.values(context="testville")))
    stand.pump(3)
    assert stand.bank.net() == {"g1": 100}


def test_who_has_waited_longest_is_asked_again_first(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.bank.refuses = "insufficient_funds"
    monkeypatch.setattr("services.tolls.answers._SOME", 1)
    for vehicle_id in ("zebra", "alpha"):
        stand.drive(Drive(vehicle_id).until(1_500))
        stand.now_ms += 60_000
    stand.now_ms += RETRY_MS
    reckoned = spy(monkeypatch)
    stand.answers.turn()
    stand.answers.turn()
    assert reckoned == ["zebra", "alpha"]


def spy(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The vehicles that are reckoned from here on."""
    reckoned: list[str] = []
    before = Poster.reckon

    def noted(self: Poster, connection: object, vehicle_id: str, *rest: object) -> None:
        reckoned.append(vehicle_id)
        before(self, connection, vehicle_id, *rest)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(Poster, "reckon", noted)
    return reckoned

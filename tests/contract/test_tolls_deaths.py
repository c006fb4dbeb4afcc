"""The toll service and payments die at any point, for real: every passage costs its fee once."""

from typing import Any

import pytest

from services import outgoing
from services.tolls import posting
from tests.bench import toll_crashes, toll_ledger
from tests.bench.toll_worlds import Ground
from tests.postgres import Cluster


@pytest.fixture(scope="module")
def ground() -> Ground:
    return Ground()


@pytest.fixture
def deaths(pytestconfig: pytest.Config) -> int:
    asked: int | None = pytestconfig.getoption("--deaths")
    return asked or (300 if pytestconfig.getoption("--nothing-skipped") else 40)


def is_right(found: toll_ledger.Ledger) -> bool:
    wrong = found.double, found.lost, found.off
    return wrong == (0, 0, 0) and found.undecided <= found.passages // 10


def test_whatever_dies_every_passage_is_paid_once_and_in_full(ground: Ground, deaths: int) -> None:
    found = toll_ledger.measure(ground, deaths)
    assert found.crashes >= deaths
    assert found.passages >= 10
    assert is_right(found), found


def test_two_replicas_of_each_on_one_server_pay_every_passage_once(
    ground: Ground, postgresql: Cluster
) -> None:
    url = postgresql.database()
    found = toll_ledger.measure(ground, 40, urls={"tolls": url, "payments": url}, replicas=2)
    assert is_right(found), found


def test_charges_that_the_brokers_acknowledgement_settles_are_lost(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harness itself: what it is made to find, it finds."""

    def enqueue(connection: Any, message: Any, *, message_id: str, **_: str) -> bool:
        return outgoing.enqueue(connection, message, message_id=message_id)

    monkeypatch.setattr(posting, "enqueue", enqueue)
    monkeypatch.setattr(toll_crashes, "DROPPED", 0.4)  # of ten charges and answers surely one
    assert toll_ledger.measure(ground, 20).lost > 0

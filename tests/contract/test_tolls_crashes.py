"""A process that ends at any named point, and what is delivered again, change nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services import points
from services.points import BEFORE_SETTLE, POINTS
from simulator.billing import Rule, Rules
from tests.services import CrashError, crashing_at
from tests.toll_stand import Drive, Stand

PASSED = (*POINTS, BEFORE_SETTLE)
RULES = Rules(rules=(Rule(gate="g2", verdict="corrected", change_minor=-10, reason="smaller"),))


def driven(stand: Stand) -> tuple[bytes, dict[str, int], list[str]]:
    """A drive past every gate with a correction: the statement, the bank's net, the charges."""
    stand.rules = RULES
    drive = Drive(step_m=500)
    for metres in (1_000, 2_000, 3_000, 4_500):
        stand.drive(drive.until(metres), pumps=False)
        stand.pump(4)
    stand.pump()
    return stand.statement(), stand.bank.net(), sorted(stand.bank.charges)


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """How often each point is reached."""
    reached = dict.fromkeys(PASSED, 0)

    def count(point: str) -> None:
        reached[point] += 1

    points.install(count)
    try:
        yield reached
    finally:
        points.install(None)


def test_a_crash_at_every_named_point_leaves_the_same_ledger(tmp_path: Path) -> None:
    whole = Stand(str(tmp_path / "whole.sqlite"))
    with counted() as reached:
        expected = driven(whole)
    whole.close()
    assert min(reached.values()) > 0
    crashes = 0
    for point, times in reached.items():
        for at in sorted({times // 3, 2 * times // 3}):
            stand = Stand(str(tmp_path / f"{point.replace(' ', '-')}-{at}.sqlite"))
            with crashing_at(point, at=at):
                assert driven(stand) == expected, f"{point}, the {at}th time"
            crashes += stand.restarts
            stand.close()
    assert crashes == 2 * len(PASSED)


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_on_either_database_leaves_the_same_ledger(
    store_url: str, tmp_path: Path, point: str
) -> None:
    whole = Stand(str(tmp_path / "whole.sqlite"))
    expected = driven(whole)
    whole.close()
    stand = Stand(store_url)
    with crashing_at(point, at=9):
        assert driven(stand) == expected
    assert stand.restarts == 1
    stand.close()


def test_the_crash_is_one(tmp_path: Path) -> None:
    stand = Stand(str(tmp_path / "store.sqlite"))
    with crashing_at("before commit"), pytest.raises(CrashError):
        stand.logs.accept(Drive().batch())
    stand.close()

"""The toll service and payments die at any point, for real: every passage costs its fee once."""

import os

from tests.bench import toll_ledger
from tests.bench.toll_worlds import Ground

DEATHS = int(os.environ.get("INTERNETCAR_DEATHS", "20"))


def test_whatever_dies_every_passage_is_paid_once_and_in_full() -> None:
    found = toll_ledger.measure(Ground(), DEATHS)
    assert found.crashes >= DEATHS
    assert found.passages >= 10
    assert (found.double, found.lost, found.off) == (0, 0, 0)
    assert found.undecided <= found.passages // 10

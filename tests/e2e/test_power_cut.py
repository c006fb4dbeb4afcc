"""What is committed survives the loss of power; of what is not, at most one batch is lost."""

import os
from pathlib import Path

import pytest

from tests.power_cut import cut_power
from tests.uml import APT_LINE

CUTS = int(os.environ.get("INTERNETCAR_POWER_CUTS", "12"))


def test_power_cuts_cost_nothing_committed_and_at_most_one_batch(tmp_path: Path) -> None:
    try:
        outcome = cut_power(CUTS, seed=os.getpid(), folder=tmp_path)
    except FileNotFoundError as error:
        pytest.skip(f"needs {error}: {APT_LINE} e2fsprogs")
    assert outcome.cuts == CUTS
    assert outcome.committed > CUTS
    assert outcome.committed_lost == 0
    assert outcome.most_uncommitted_lost <= 1

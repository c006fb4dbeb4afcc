"""Random missions over random zones, the second half: files run side by side."""

import pytest

from tests.bench import drone_zones

MISSIONS = range(25, 50)


@pytest.mark.parametrize("seed", MISSIONS)
def test_no_further_mission_enters_a_zone(seed: int) -> None:
    row = drone_zones.run(seed, drone_zones.NEAR_M)
    assert row.faults == []
    assert row.differences == []
    assert row.figures["breaches"] == 0

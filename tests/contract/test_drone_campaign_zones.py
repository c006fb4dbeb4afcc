"""Random missions over random zones: no breach; and that the campaign can tell one."""

from typing import Any

import pytest

from services.drone.airspace.airspace import Airspace
from services.drone.geodesy import Place
from tests.bench import drone_zones

MISSIONS = range(25)
"""The other half of CI's fifty is in a file of its own: a file is one worker's."""
CROSSES = (0, 3, 4)


@pytest.mark.parametrize("seed", MISSIONS)
def test_no_mission_enters_a_zone(seed: int) -> None:
    row = drone_zones.run(seed, drone_zones.NEAR_M)
    assert row.faults == []
    assert row.differences == []
    assert row.figures["breaches"] == 0


def test_a_service_that_flies_straight_on_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def straight(self: Airspace, start: Place, end: Place, *_: Any) -> tuple[Place, ...]:
        return (start, end)

    monkeypatch.setattr(Airspace, "way", straight)
    monkeypatch.setattr(Airspace, "trouble", lambda *_, **__: ())
    monkeypatch.setattr(Airspace, "fence_areas", lambda *_, **__: ())
    assert any(drone_zones.run(seed).figures["breaches"] for seed in CROSSES)

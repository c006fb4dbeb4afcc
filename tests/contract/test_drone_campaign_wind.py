"""Distant tasks in the wind end with enough in the battery; too little would be found."""

from typing import Any

import pytest

from services.drone.flight.safety import Safety
from tests.bench import drone_wind

SEEDS = range(4)


@pytest.mark.parametrize("seed", SEEDS)
def test_enough_is_left_in_the_battery(seed: int) -> None:
    row = drone_wind.run(seed)
    assert row.faults == []
    assert row.figures.get("left", 100.0) >= 15.0
    assert row.differences == []


def test_a_service_that_looks_at_no_battery_would_be_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without(check: Any) -> Any:
        return lambda *given: [each for each in check(*given) if _name(each) != "battery"]

    monkeypatch.setattr(Safety, "flying", without(Safety.flying))
    monkeypatch.setattr(Safety, "predicted_pct", lambda *_: 100.0)
    assert drone_wind.run(0).faults


def _name(found: Any) -> str:
    return str(getattr(found, "interlock", found).id)

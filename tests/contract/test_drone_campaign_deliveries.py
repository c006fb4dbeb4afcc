"""One command, a hundred times: one take-off; and that the campaign can tell two."""

from typing import Any

import pytest

from services.drone.broker.reception import Reception
from services.drone.events import Asked
from tests.bench import drone_deliveries

IN_THE_AIR, AT_ANY_INSTANT = (0, 1), (2, 5, 8)


@pytest.mark.parametrize("seed", IN_THE_AIR)
def test_one_command_delivered_a_hundred_times_takes_off_once(seed: int) -> None:
    row = drone_deliveries.run(seed)
    assert (row.figures["take_offs"], row.faults, row.differences) == (1, [], [])


@pytest.mark.parametrize("seed", AT_ANY_INSTANT)
def test_a_death_at_any_instant_never_makes_two(seed: int) -> None:
    row = drone_deliveries.run(seed)
    assert row.figures["take_offs"] <= 1
    assert row.faults == []


def test_a_service_that_forgets_what_was_asked_would_be_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def judge(self: Reception, request: Any, now: Any) -> Asked:
        return Asked(request)

    monkeypatch.setattr(Reception, "_judge", judge)
    assert drone_deliveries.run(3).faults

"""Following a car through corners; beside it the position alone."""

from tests.bench import drone_follow

EXACT, JITTER, POSITION_ALONE = 0, 1, 2


def test_it_stays_above_a_car_that_drives_through_corners() -> None:
    row = drone_follow.run(EXACT)
    assert row.faults == []
    assert row.figures["p50"] <= 0.2
    assert row.figures["p95"] <= 6.0
    assert row.differences == []


def test_it_stays_near_when_messages_are_late_and_lost() -> None:
    row = drone_follow.run(JITTER)
    assert row.faults == []
    assert row.figures["p50"] <= 1.2
    assert row.figures["p95"] <= 6.5


def test_a_position_without_velocity_would_be_found() -> None:
    assert drone_follow.run(POSITION_ALONE).figures["p50"] > 5.0

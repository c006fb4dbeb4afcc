import math
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tolls.detection.position import KEPT, Motion, is_stepped, move, wait
from services.tolls.facts import Sample


def said(at_s: float, **values: object) -> Sample:
    return Sample(round(at_s * 1000), **values)  # type: ignore[arg-type]  # any of its fields


def driven(*samples: Sample) -> Motion:
    motion = Motion()
    for sample in samples:
        move(motion, sample)
    return motion


def test_speed_fills_in_between_two_metres_of_the_odometer() -> None:
    motion = driven(said(0, odometer_m=100.0, speed_mps=5.0), said(0.5), said(1, odometer_m=105.0))
    assert motion.driven_m == pytest.approx(105.0)
    assert driven(said(0, odometer_m=100.0, speed_mps=5.0), said(0.5)).driven_m == 102.5


def test_the_odometer_bounds_a_speed_that_is_wrong() -> None:
    fast = driven(said(0, odometer_m=100.0, speed_mps=50.0), said(1, odometer_m=105.0))
    assert fast.driven_m == 106.0
    slow = driven(said(0, odometer_m=100.0, speed_mps=0.0), said(1, odometer_m=105.0))
    assert slow.driven_m == 105.0


def test_without_wheels_only_a_clear_step_counts() -> None:
    motion = driven(*(said(i, lat_deg=1.0, lon_deg=103.0 + 4e-5 * (i % 2)) for i in range(50)))
    assert motion.driven_m == 0.0
    motion = driven(*(said(i, lat_deg=1.0 + 2e-4 * i, lon_deg=103.0) for i in range(5)))
    assert motion.driven_m == pytest.approx(4 * 22.1, rel=0.01)


def test_reverse_counts_back() -> None:
    motion = driven(
        said(0, odometer_m=100.0, is_reverse=False), said(1, odometer_m=110.0),
        said(2, is_reverse=True), said(3, odometer_m=114.0),
    )  # fmt: skip
    assert motion.driven_m == 114.0
    assert motion.net_m == 106.0


def test_an_odometer_that_falls_begins_anew() -> None:
    motion = driven(
        said(0, odometer_m=100.0), said(1, odometer_m=110.0), said(2, odometer_m=3.0),
        said(3, odometer_m=13.0),
    )  # fmt: skip
    assert motion.driven_m == 120.0


def test_an_odometer_that_comes_late_changes_no_way_driven() -> None:
    motion = driven(said(0, speed_mps=10.0), said(1), said(2, odometer_m=5000.0))
    assert motion.driven_m == 20.0


def test_an_odometer_that_comes_after_a_place_is_no_way_driven() -> None:
    motion = driven(said(0, lat_deg=1.0, lon_deg=103.0), said(1, odometer_m=5000.0))
    assert motion.driven_m == 0.0


def test_fixes_faster_than_one_a_second_are_thinned() -> None:
    motion = driven(
        *(said(i / 10, lat_deg=1.0, lon_deg=103.0, speed_mps=30.0) for i in range(100))
    )  # fmt: skip
    assert len(motion.spots) == 12


@pytest.mark.parametrize("speed", [-1.0, math.nan, math.inf, 500.0])
def test_a_speed_that_cannot_be_is_not_used(speed: float) -> None:
    motion = driven(said(0, speed_mps=10.0), said(1, speed_mps=speed))
    assert motion.driven_m == 10.0
    assert motion.speed_mps == 10.0


@pytest.mark.parametrize(
    ("values", "sigma_m"),
    [({"accuracy_m": 0.5}, 3.0), ({}, 5.0), ({"accuracy_m": -2.0}, 5.0),
     ({"accuracy_m": 12.0}, 12.0), ({"accuracy_m": math.nan}, 5.0)],
)  # fmt: skip
def test_a_receiver_is_believed_within_reason(values: dict[str, float], sigma_m: float) -> None:
    spot = move(Motion(), said(0, lat_deg=1.0, lon_deg=103.0, **values))
    assert spot is not None
    assert spot.sigma_m == sigma_m


@pytest.mark.parametrize(
    "values",
    [{"lat_deg": 91.0, "lon_deg": 0.0}, {"lat_deg": math.nan, "lon_deg": 0.0}, {"lat_deg": 1.0},
     {"lat_deg": 1.0, "lon_deg": 103.0, "accuracy_m": 500.0}],
)  # fmt: skip
def test_what_is_no_place_is_none(values: dict[str, float]) -> None:
    assert move(Motion(), said(0, **values)) is None


@pytest.mark.parametrize(
    ("values", "course"),
    [({"heading_deg": 90.0}, 1.5708), ({"heading_deg": 400.0}, None),
     ({"heading_deg": 90.0, "speed_mps": 1.0}, None), ({}, None)],
)  # fmt: skip
def test_a_course_needs_to_go_forward(values: dict[str, float], course: float | None) -> None:
    spot = move(Motion(), said(0, lat_deg=1.0, lon_deg=103.0, **values))
    assert spot is not None
    assert spot.course_rad == course


def test_standing_is_looked_at_more_and_more_rarely() -> None:
    motion = driven(
        *(said(i, lat_deg=1.0, lon_deg=103.0, speed_mps=0.0) for i in range(36_000))
    )  # fmt: skip
    assert len(motion.spots) < 60


def test_through_an_outage_the_way_is_kept() -> None:
    motion = driven(*(said(i, speed_mps=10.0) for i in range(100)))
    assert len(motion.spots) == 0
    fix = said(100, lat_deg=1.0, lon_deg=103.0, speed_mps=10.0)
    blind = [said(101 + i, speed_mps=10.0) for i in range(2000)]
    motion = driven(fix, *blind)
    assert len(motion.spots) == KEPT
    assert motion.spots[-1].lat_deg is None


ONE_INSTANT = [
    said(1, lat_deg=1.0, lon_deg=103.0, heading_deg=5.0), said(1, lat_deg=1.1, lon_deg=103.0),
    said(1, speed_mps=3.0, is_reverse=True), said(1, odometer_m=7.0, speed_mps=4.0),
]  # fmt: skip


def test_samples_of_one_instant_are_one_whatever_their_order() -> None:
    found = []
    for order in permutations(ONE_INSTANT):
        motion = Motion()
        for sample in order:
            wait(motion, sample)
        found.append(motion.waiting)
    assert all(each == found[0] for each in found)
    assert len(found[0]) == 1
    assert found[0][0] == said(
        1, lat_deg=1.0, lon_deg=103.0, heading_deg=5.0, speed_mps=3.0, odometer_m=7.0,
        is_reverse=True,
    )  # fmt: skip


@given(st.permutations(range(12)))
def test_what_comes_late_gets_its_place(order: list[int]) -> None:
    motion = Motion()
    for second in order:
        wait(motion, said(second / 10, speed_mps=float(second)))
    assert [sample.speed_mps for sample in motion.waiting] == [float(i) for i in range(12)]


def test_what_comes_too_late_is_lost_and_a_set_clock_is_noticed() -> None:
    motion = Motion()
    wait(motion, said(100))
    move(motion, motion.waiting.pop())
    wait(motion, said(99))
    assert motion.waiting == []
    assert not is_stepped(motion, said(50))
    assert is_stepped(motion, said(30))

"""The simulated drives of the toll benchmark: what they say must be true of what they do."""

from dataclasses import replace

import numpy as np
import pytest

from services.tolls.facts import Sample
from services.tolls.objects import Gate
from tests.bench.toll_peers import circle_events, fixes, line_events
from tests.tolls_drive import Drive, Jam, Motion, Plan, drive
from tests.tolls_noise import BIAS_M, autoregressive, reflected
from tests.tolls_site import Plane, Site, crossings

AT_MS = 1_780_000_000_000
EAST = Gate(
    id="east", label="eastbound", line=((1.30, 103.85), (1.30018, 103.85)), bearing_deg=90.0
)
"""20 m wide, crossed eastward."""


def made(plan: Plan, seed: int = 1) -> Drive:
    site = Site(EAST)
    return drive(site, site.centre, plan, np.random.default_rng(seed), AT_MS)


def ordered(one: Drive) -> list[Sample]:
    return sorted(set(one.samples), key=lambda sample: sample.at_ms)


def test_a_degree_of_latitude_on_the_plane_is_as_long_as_geodesy_says() -> None:
    at_equator = Plane(0.0, 0.0).metres([(0.01, 0.0), (0.0, 0.01)])
    assert at_equator[0, 1] == pytest.approx(1105.74, abs=0.01)
    assert at_equator[1, 0] == pytest.approx(1113.19, abs=0.01)
    there = Plane(60.0, 10.0)
    assert there.degrees(there.metres([(60.02, 10.03)])) == pytest.approx(
        np.array([(60.02, 10.03)]), abs=1e-9
    )


def test_the_same_seed_is_the_same_drive() -> None:
    plan = Plan(copies=3, late=0.1, jam="standing", outage_s=30)
    assert made(plan).samples == made(plan).samples
    assert made(plan).samples != made(plan, seed=2).samples


def test_a_drive_through_crosses_the_line_once_and_in_its_direction() -> None:
    site = Site(EAST)
    one = made(Plan(lane_change_m=3.5))
    (at_ms, to_right), *more = one.crosses(site.line)
    assert to_right
    assert not more
    assert one.passed_at_ms == pytest.approx(at_ms, abs=300)


@pytest.mark.parametrize(
    ("motion", "directions"),
    [
        ("wrong way", [False]),
        ("turn before", []),
        ("turn after", [True]),
        ("reverse over", [True, False]),
    ],
)
def test_other_motions_cross_the_line_as_they_are_called(
    motion: Motion, directions: list[bool]
) -> None:
    turn_at_m = -40.0 if motion == "turn before" else 40.0
    one = made(Plan(motion=motion, turn_at_m=turn_at_m))
    assert [to_right for _, to_right in one.crosses(Site(EAST).line)] == directions
    assert (one.passed_at_ms is None) == (motion == "turn before")


@pytest.mark.parametrize("jam", ["none", "before", "on", "standing"])
def test_the_wheels_say_what_the_odometer_says(jam: Jam) -> None:
    one = ordered(made(Plan(jam=jam, scale=1.01)))
    by_wheels = sum(sample.speed_mps or 0.0 for sample in one)
    readings = [sample.odometer_m or 0.0 for sample in one]
    assert readings == sorted(readings)
    assert all(reading == int(reading) for reading in readings)
    assert readings[-1] - readings[0] == pytest.approx(by_wheels, rel=0.02)
    if jam == "standing":
        assert sum(sample.speed_mps == 0 for sample in one) > 110


def test_the_odometer_is_wrong_by_its_scale() -> None:
    right, wrong = (ordered(made(Plan(scale=scale))) for scale in (1.0, 1.01))
    run = [(one[-1].odometer_m or 0) - (one[0].odometer_m or 0) for one in (right, wrong)]
    assert run[1] / run[0] == pytest.approx(1.01, abs=0.002)


def test_reversing_says_so_and_the_odometer_goes_on() -> None:
    one = ordered(made(Plan(motion="reverse over")))
    back = [sample for sample in one if sample.is_reverse]
    assert len(back) > 20
    assert (back[-1].odometer_m or 0) > (back[0].odometer_m or 0)


def test_an_outage_silences_the_receiver_and_not_the_wheels() -> None:
    one = ordered(made(Plan(outage_s=60)))
    times = [sample.at_ms for sample in one if sample.lat_deg is not None]
    assert max(np.diff(times)) == pytest.approx(60_000, abs=2000)
    assert max(np.diff([sample.at_ms for sample in one])) == 1000


@pytest.mark.parametrize("seed", range(12))
def test_before_and_behind_a_tunnel_there_is_sky(seed: int) -> None:
    one = made(Plan(outage_s=120), seed)
    times = np.array([sample.at_ms for sample in ordered(one) if sample.lat_deg is not None])
    begins = int(np.argmax(np.diff(times)))
    assert times[begins] - times[0] > 20_000
    assert times[-1] - times[begins + 1] > 20_000
    assert one.passed_at_ms is not None
    assert times[begins] - 1500 <= one.passed_at_ms <= times[begins + 1] + 1500


def test_a_slow_receiver_fixes_every_ten_seconds() -> None:
    one = ordered(made(Plan(period_s=10)))
    times = [sample.at_ms for sample in one if sample.lat_deg is not None]
    assert set(np.diff(times)) == {10_000}


def test_duplicates_and_late_samples_lose_nothing() -> None:
    plain = made(Plan())
    mixed = made(Plan(copies=3, late=0.1))
    assert len(mixed.samples) > 1.5 * len(set(mixed.samples))
    stamps = [sample.at_ms for sample in mixed.samples]
    assert stamps != sorted(stamps)
    assert {sample.at_ms for sample in plain.samples} == set(stamps)


def test_a_bend_begins_a_hundred_metres_from_the_gate() -> None:
    site = Site(EAST)
    path = site.bent(np.array([1 / 800, -1 / 800]))
    points, heading = path.place(np.array([-400.0, -90.0, 0.0, 90.0, 400.0]), np.zeros(5))
    assert points[1:4, 1] == pytest.approx(np.zeros(3), abs=0.5)
    assert heading[1:4] == pytest.approx(np.full(3, np.pi / 2), abs=1e-9)
    assert points[4, 1] < -40
    assert points[0, 1] > 40


def test_a_carriageway_of_the_context_is_the_way_the_car_takes() -> None:
    way = ((1.301, 103.848), (1.30009, 103.849), (1.30009, 103.851))
    site = Site(EAST.model_copy(update={"carriageway": way}))
    points, _ = site.centre.place(np.array([0.0, -111.0 - 50.0]), np.zeros(2))
    assert points[0] == pytest.approx(np.zeros(2), abs=1.5)
    assert points[1, 1] > 20


def test_the_first_generator_has_the_sigma_and_the_memory_it_is_said_to_have() -> None:
    random = np.random.default_rng(3)
    times = np.arange(0.0, 30_000.0, 10.0)
    error = autoregressive(random, times, 5.0)
    assert error.std() == pytest.approx(5.0, rel=0.1)
    together = (error[1:] * error[:-1]).mean() / error.var()
    assert together == pytest.approx(np.exp(-10 / 30), abs=0.05)


def test_the_second_generator_is_biased_for_twenty_seconds() -> None:
    length = [
        np.hypot(*reflected(np.random.default_rng(seed), np.arange(100.0), 40.0).T)
        for seed in range(40)
    ]
    assert np.mean([one[40:60].mean() for one in length]) == pytest.approx(BIAS_M, abs=2.0)
    assert np.mean([one[:40].mean() for one in length]) < 6.0
    assert reflected(np.random.default_rng(1), np.zeros(0), 0.0).shape == (0, 2)


def test_a_line_is_crossed_between_its_ends_only() -> None:
    line = np.array([(0.0, -5.0), (0.0, 5.0)])
    through = np.array([(-10.0, 0.0), (10.0, 2.0)])
    assert crossings(through, line) == [(0, 0.5, True)]
    assert crossings(through[::-1], line) == [(0, 0.5, False)]
    assert crossings(through + np.array((0.0, 9.0)), line) == []


def test_a_circle_counts_every_entry_and_a_line_every_chord() -> None:
    line = np.array([(0.0, -5.0), (0.0, 5.0)])
    points = np.array(
        [(-90.0, 0.0), (-20.0, 0.0), (3.0, 0.0), (-2.0, 0.0), (4.0, 0.0), (60.0, 0.0)]
    )
    assert circle_events(points, line) == 1
    assert line_events(points, line) == 3
    assert circle_events(np.concatenate((points, points)), line) == 2
    assert (circle_events(points[:0], line), line_events(points[:1], line)) == (0, 0)


def test_peers_get_every_fix_once_and_in_order() -> None:
    site = Site(EAST)
    plan = Plan(sigma_m=0.1)
    plain, mixed = made(plan), made(replace(plan, copies=3, late=0.1))
    assert fixes(plain.samples, site.plane) == pytest.approx(
        fixes(mixed.samples, site.plane), abs=1
    )
    assert circle_events(fixes(plain.samples, site.plane), site.line) == 1
    assert line_events(fixes(plain.samples, site.plane), site.line) == 1

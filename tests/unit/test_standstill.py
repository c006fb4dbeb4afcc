"""Traffic that stands: when the driver stops, creeps on and is out again."""

import math
from itertools import pairwise

import pytest

from simulator.car import Car
from simulator.garage import SINGAPORE, load_route
from simulator.route import Route, RouteError, parse_route
from simulator.standstill import CREEP_MPS, CREEPS_M, STANDS_S, Standstill

STEP_S = 0.1
GANTRY_M = 1_200.0
"""Behind the first toll line of the loop, which is passed before traffic stands."""


@pytest.fixture(scope="module")
def route() -> Route:
    return load_route(SINGAPORE)


def test_the_driver_stands_and_creeps_a_few_times_and_drives_on(route: Route) -> None:
    car = Car(route, seed=2, start_m=700.0)
    stood: list[tuple[float, float]] = []
    since_s, top_mps = None, 0.0
    for _ in range(5_000):
        car.advance(STEP_S)
        distance_m, is_still = car.state.distance_m, car.state.speed_mps < 0.05
        if distance_m < GANTRY_M:
            continue
        if is_still and since_s is None:
            since_s = car.at_s
        elif not is_still and since_s is not None:
            stood.append((car.at_s - since_s, distance_m))
            since_s = None
        if 0 < len(stood) < len(STANDS_S):
            top_mps = max(top_mps, car.state.speed_mps)
    assert [round(lasted_s, -1) for lasted_s, _ in stood] == list(STANDS_S)
    crept = [after - before for (_, before), (_, after) in pairwise(stood)]
    assert crept == pytest.approx(CREEPS_M, abs=2.0)
    assert 1.0 < top_mps <= CREEP_MPS * 1.1
    assert car.state.distance_m > stood[-1][1] + 500


def test_it_begins_behind_the_first_toll_line(route: Route) -> None:
    (at_m,) = route.standstills_m
    assert GANTRY_M < at_m < GANTRY_M + 1_000


def test_who_is_not_stopped_yet_does_not_wait() -> None:
    queue = Standstill(100.0)
    assert queue.room_m(0.0, 99.0, 5.0) == 1.0
    assert queue.room_m(1_000.0, 99.0, 0.0) == 1.0
    assert queue.limit_mps == math.inf
    assert queue.room_m(1_000.0 + STANDS_S[0], 99.0, 0.0) == 1.0 + CREEPS_M[0]
    assert queue.limit_mps == CREEP_MPS
    assert not queue.is_over


def test_a_mark_that_is_not_known_is_refused() -> None:
    text = '{"waypoints": [{"at": [0, 0], "limit_kmh": 5, "marks": ["queue"]}], "title": "x"}'
    with pytest.raises(RouteError, match="standstill"):
        parse_route(text, "x")

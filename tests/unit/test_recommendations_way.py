"""Places as clusters of ends, and which of them agree with the way so far."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from services.recommendations.destination.ground import offsets_m
from services.recommendations.destination.places import (
    RADIUS_M,
    Place,
    Places,
    PositionError,
)
from services.recommendations.destination.way import Ways

Line = NDArray[np.float64]

DEGREE_M = 111_195.0
NORTH, EAST, HOME = (52.05, 10.0), (52.0, 10.08), (52.0, 10.0)


def north_of(point: tuple[float, float], metres: float) -> tuple[float, float]:
    return point[0] + metres / DEGREE_M, point[1]


def test_ends_within_reach_are_one_place_and_others_another() -> None:
    places = Places()
    first = places.take(*HOME)
    assert first == Place("place-1", *HOME)
    assert places.take(*north_of(HOME, 100)).id == first.id
    assert places.take(*north_of(HOME, 50 + RADIUS_M + 10)).id == "place-2"
    assert places.find(*north_of(HOME, -60)) == first.id
    assert places.find(*EAST) == ""
    assert len(places) == 2


def test_the_centre_is_the_mean_of_the_first_ends() -> None:
    places = Places()
    for metres in [100.0, 0.0] * 10 + [150.0] * 30:
        place = places.take(*north_of(HOME, metres))
    assert (place.lat_deg - HOME[0]) * DEGREE_M == pytest.approx(50.0, abs=1.0)
    assert place.ends == 50


def test_a_place_lies_across_the_date_line_too() -> None:
    places = Places()
    first = places.take(-17.0, 179.9999)
    assert places.take(-17.0, -179.9999).id == first.id
    assert abs(next(iter(places)).lon_deg) > 179.9


def test_an_id_is_never_given_twice() -> None:
    places = Places()
    for number in range(100):
        places.take(50.0 + number / 10, 10.0)
    assert places.forget("place-7")
    assert not places.forget("place-7")
    assert places.find(50.6, 10.0) == ""
    assert places.take(50.6, 10.0).id == "place-101"
    assert np.isnan(places.centres(["place-7"])).all()
    assert places.centres(["place-8"])[0, 0] == pytest.approx(50.7)
    again = Places(places, places.issued)
    assert list(again) == list(places)
    assert again.take(0.0, 0.0).id == "place-102"


@pytest.mark.parametrize("wrong", [(91.0, 0.0), (0.0, 181.0), (math.nan, 0.0), (0.0, math.inf)])
def test_a_position_that_is_not_on_the_earth_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(PositionError, match="not on the Earth"):
        Places().take(*wrong)


def known() -> tuple[Places, Ways, tuple[str, ...]]:
    places, ways = Places(), Ways()
    ids = tuple(places.take(*point).id for point in (NORTH, EAST))
    return places, ways, ids


def test_the_first_kilometre_says_nothing() -> None:
    places, ways, _ = known()
    assert ways.factors([], places) is None
    assert ways.factors([HOME, north_of(HOME, 900)], places) is None


def test_a_place_in_the_direction_agrees_and_one_behind_does_not() -> None:
    places, ways, ids = known()
    factors = ways.factors([HOME, north_of(HOME, 3000)], places)
    assert factors is not None
    fits, of_new = factors(ids)
    assert fits[0] > 2 * fits[1] > 0
    assert 0 < of_new < 1


def test_a_route_that_was_driven_before_agrees_most() -> None:
    places, ways, ids = known()
    corner = north_of(HOME, 2500)
    ways.add(ids[1], [HOME, corner, (corner[0], EAST[1]), EAST])
    ways.add(ids[1], [EAST])
    factors = ways.factors([HOME, north_of(HOME, 2400)], places)
    assert factors is not None
    fits, _ = factors(ids)
    assert fits[1] > fits[0]
    ways.forget(ids[1])
    assert factors(ids)[0][1] < fits[0]


def test_a_route_elsewhere_does_not_agree() -> None:
    places, ways, ids = known()
    factors = ways.factors([HOME, north_of(HOME, 2400)], places)
    assert factors is not None
    without = factors(ids)[0][1]
    ways.add(ids[1], [(52.0, 10.05), EAST])
    assert factors(ids)[0][1] == without


def test_a_place_whose_position_is_not_known_is_not_excluded() -> None:
    places, ways, _ = known()
    factors = ways.factors([HOME, north_of(HOME, 3000)], places)
    assert factors is not None
    assert factors(("elsewhere",))[0][0] > 0


@pytest.mark.parametrize(
    "hostile",
    [
        [(math.nan, 1.0), (math.inf, 2.0)],
        [(500.0, 0.0), (52.0, 1000.0)],
        [(52.0, 10.0), (-40.0, 170.0)],
    ],
)
def test_a_way_that_no_car_drives_says_nothing(hostile: list[tuple[float, float]]) -> None:
    places, ways, _ = known()
    ways.add("place-1", hostile)
    assert ways.factors(hostile, places) is None


def test_a_long_route_is_thinned_and_still_agrees() -> None:
    places, ways, ids = known()
    ways.add(ids[1], [north_of(HOME, metres) for metres in range(0, 4000, 10)])
    factors = ways.factors([HOME, north_of(HOME, 3000)], places)
    assert factors is not None
    assert factors(ids)[0][1] > 0.9


def slow_fit(routes: list[Line], line: Line) -> float:
    """Route by route, sample by sample: what all at once has to agree with."""
    north, east = offsets_m(line[:, 0], line[:, 1], *line[-1])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(north), np.diff(east)))])
    wanted = along[-1] - np.arange(12) * 200.0
    wanted = wanted[wanted >= 0.0]
    samples = np.column_stack([np.interp(wanted, along, axis) for axis in (north, east)])
    best = 0.0
    for route in routes:
        pieces = np.column_stack(offsets_m(route[:, 0], route[:, 1], *line[-1]))
        begin, step = pieces[:-1], np.diff(pieces, axis=0)
        length = np.maximum((step**2).sum(axis=1), 1e-9)
        to = samples[:, None, :] - begin
        share = np.clip((to * step).sum(axis=2) / length, 0.0, 1.0)
        off = to - share[:, :, None] * step
        on = np.sqrt((off**2).sum(axis=2)).min(axis=1) < 150.0
        best = max(best, float(on.mean()) ** 2 if on[0] else 0.0)
    return best


def wandered(chance: np.random.Generator, lat: float, lon: float) -> Line:
    """A way of legs along streets, some of them a straight line of one point twice."""
    legs = chance.choice([0.0, 120.0, 300.0, 900.0], 14)
    turns = chance.integers(0, 4, 14) * np.pi / 2
    north = np.cumsum(legs * np.cos(turns)) / DEGREE_M
    east = np.cumsum(legs * np.sin(turns)) / DEGREE_M / np.cos(np.radians(lat))
    return np.column_stack([lat + north, (lon + east + 180.0) % 360.0 - 180.0])


@pytest.mark.parametrize(("lat", "lon"), [(52.0, 10.0), (-17.0, 179.995), (69.5, -18.0)])
def test_all_routes_at_once_agree_as_each_by_itself(lat: float, lon: float) -> None:
    chance = np.random.default_rng(7)
    agreed = 0
    for _ in range(25):
        places, ways = Places(), Ways()
        kept: dict[str, list[Line]] = {}
        for number in range(8):
            place = places.take(lat + number / 50, lon if lon < 179 else lon - 1).id
            for _ in range(number % 5):
                route = wandered(chance, lat, lon)
                ways.add(place, route.tolist())
                kept.setdefault(place, []).append(route)
        so_far = wandered(chance, lat, lon)
        if chance.random() < 0.7:
            so_far = kept[f"place-{chance.choice([3, 4, 5, 8])}"][-1][:9]
        factors = ways.factors(so_far.tolist(), places)
        if factors is None:
            continue
        ways.forget("place-4")
        kept.pop("place-4", None)
        without = Ways().factors(so_far.tolist(), places)
        assert without is not None
        ids = tuple(place.id for place in places)
        slow = np.array([slow_fit(kept.get(place, [])[-3:], so_far) for place in ids])
        agreed += int((slow > 0).sum())
        np.testing.assert_allclose(
            factors(ids)[0], np.maximum(without(ids)[0], slow + 0.02), rtol=1e-12
        )
    assert agreed > 25


def test_a_route_that_is_replaced_or_forgotten_agrees_no_more() -> None:
    places, ways, ids = known()
    there = [HOME, north_of(HOME, 3000)]
    elsewhere = [(52.0, 10.05), EAST]
    factors = ways.factors(there, places)
    assert factors is not None
    ways.add(ids[1], there)
    assert factors(ids)[0][1] > 0.9
    ways.add(ids[1], elsewhere)
    ways.add(ids[1], elsewhere)
    assert factors(ids)[0][1] > 0.9
    ways.add(ids[1], elsewhere)
    assert factors(ids)[0][1] < 0.5
    ways.add(ids[1], there)
    assert factors(ids)[0][1] > 0.9
    ways.forget(ids[1])
    assert factors(ids)[0][1] < 0.5

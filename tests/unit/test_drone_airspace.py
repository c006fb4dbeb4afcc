"""Ways around zones, what is found on a way, and the fence."""

import math
from itertools import pairwise

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from services.drone.airspace import obstacles as solid
from services.drone.airspace.airspace import Airspace
from services.drone.airspace.fence import MOST_AREAS, MOST_POINTS
from services.drone.geodesy import Place, distance_m, offset
from services.drone.tasks.task import Leg
from tests.unit.drone_ready import (
    HERE,
    NOON,
    box,
    feature,
    file_of,
    is_inside,
    off,
    polygon,
    read_airspace,
    square,
)

HEIGHT = 40.0
METRES = st.integers(-1500, 1500)
BOXES = st.lists(st.tuples(METRES, METRES, st.integers(5, 300)), max_size=8)
PLACES = st.tuples(METRES, METRES)
FAST = settings(deadline=None, max_examples=150)


def airspace_of(boxes: list[tuple[int, int, int]]) -> Airspace:
    return read_airspace(file_of(*(box(f"z{i}", *each) for i, each in enumerate(boxes))))


def length_m(way: tuple[Place, ...]) -> float:
    return sum(distance_m(*pair) for pair in pairwise(way))


def legs(way: tuple[Place, ...]) -> list[Leg]:
    return [Leg(start, end, HEIGHT) for start, end in pairwise(way)]


def nearest_m(way: tuple[Place, ...], boxes: list[tuple[int, int, int]]) -> float:
    """By a calculation of its own: on a plane at HERE."""
    line = shapely.LineString([offset(HERE, place)[::-1] for place in way])
    shapes = [shapely.box(e - h, n - h, e + h, n + h) for n, e, h in boxes]
    return min((line.distance(shape) for shape in shapes), default=math.inf)


@FAST
@given(BOXES, PLACES, PLACES)
def test_a_way_crosses_no_zone_and_is_not_shorter_than_straight(
    boxes: list[tuple[int, int, int]], start: tuple[int, int], end: tuple[int, int]
) -> None:
    airspace = airspace_of(boxes)
    a, b = off(*start), off(*end)
    is_near = [bool(airspace.trouble((Leg(each, each, HEIGHT),), NOON)) for each in (a, b)]
    way = airspace.way(a, b, HEIGHT, NOON)
    if is_near[1]:
        assert way is None
    if way is None:
        return
    assert (way[0], way[-1]) == (a, b)
    assert length_m(way) >= distance_m(a, b) * (1 - 1e-6)
    if not is_near[0]:
        assert airspace.trouble(legs(way), NOON) == ()
        if way[0] != way[-1]:
            assert nearest_m(way, boxes) > 19.5
    is_straight = not airspace.trouble((Leg(a, b, HEIGHT),), NOON)
    assert is_straight is (way == (a, b))


@FAST
@given(BOXES, PLACES, PLACES)
def test_there_and_back_are_equally_long(
    boxes: list[tuple[int, int, int]], start: tuple[int, int], end: tuple[int, int]
) -> None:
    airspace = airspace_of(boxes)
    a, b = off(*start), off(*end)
    if any(airspace.trouble((Leg(each, each, HEIGHT),), NOON) for each in (a, b)):
        return
    there, back = airspace.way(a, b, HEIGHT, NOON), airspace.way(b, a, HEIGHT, NOON)
    assert (there is None) is (back is None)
    if there and back:
        assert length_m(there) == pytest.approx(length_m(back), rel=1e-6)
    assert airspace.way(a, b, HEIGHT, NOON) == there


@FAST
@given(st.tuples(METRES, METRES, st.integers(5, 300)), st.floats(0, 360), st.floats(0.05, 0.95))
def test_a_leg_that_crosses_is_always_found(
    one: tuple[int, int, int], bearing_deg: float, share: float
) -> None:
    north, east, _ = one
    angle = math.radians(bearing_deg)
    run, side = 1200 * math.cos(angle), 1200 * math.sin(angle)
    start = off(north - run * share, east - side * share)
    end = off(north + run * (1 - share), east + side * (1 - share))
    (found,) = airspace_of([one]).trouble((Leg(start, end, HEIGHT),), NOON)
    assert found.zone_id == "z0"
    assert "z0" in found.words


def test_the_way_around_a_square_goes_by_its_corners() -> None:
    airspace = airspace_of([(0, 0, 100)])
    way = airspace.way(off(-300, 0), off(300, 0), HEIGHT, NOON)
    assert way is not None
    best = 2 * math.hypot(200, 120) + 200
    assert best <= length_m(way) < best + 20


def test_a_maze_is_left_by_its_only_door() -> None:
    outer, inner = square(0, 0, 300), square(0, 0, 200)
    ring = polygon(outer, inner)
    closed = read_airspace(file_of(feature("ring", ring)))
    assert closed.way(HERE, off(600, 0), HEIGHT, NOON) is None
    assert closed.way(off(600, 0), HERE, HEIGHT, NOON) is None
    assert closed.way(HERE, off(100, 0), HEIGHT, NOON) == (HERE, off(100, 0))
    corners = [
        off(300, -40), off(300, -300), off(-300, -300), off(-300, 300), off(300, 300), off(300, 40),
        off(200, 40), off(200, 200), off(-200, 200), off(-200, -200), off(200, -200), off(200, -40),
    ]  # fmt: skip
    door = read_airspace(file_of(feature("door", polygon(corners))))
    way = door.way(HERE, off(-600, 0), HEIGHT, NOON)
    assert way is not None
    assert door.trouble(legs(way), NOON) == ()
    assert length_m(way) > 1500


def test_a_start_too_near_to_a_zone_first_leaves_it() -> None:
    airspace = airspace_of([(0, 0, 100)])
    way = airspace.way(off(110, 0), off(-400, 0), HEIGHT, NOON)
    assert way is not None
    assert offset(HERE, way[1]).north_m > 120
    assert airspace.trouble(legs(way)[1:], NOON) == ()
    assert airspace.trouble(legs(way), NOON, margin_m=9.0) == ()
    within = airspace.way(off(90, 0), off(-400, 0), HEIGHT, NOON)
    assert within is not None
    assert airspace.trouble(legs(within)[1:], NOON) == ()


def test_a_start_between_two_zones_is_left_through_neither() -> None:
    slit = airspace_of([(0, -110, 100), (0, 110, 100)])
    way = slit.way(off(0, 0), off(600, 0), HEIGHT, NOON)
    assert way is not None
    assert slit.trouble(legs(way), NOON, margin_m=9.0) == ()
    pocket = [off(0, 0), off(0, 30), off(30, 30), off(30, 12), off(12, 12), off(12, 0)]
    ring = polygon(square(0, 0, 300), square(0, 0, 10))
    shut = read_airspace(file_of(feature("ring", ring), feature("p", polygon(pocket))))
    assert shut.way(off(-5, 0), off(600, 0), HEIGHT, NOON) is None


def test_above_a_low_zone_the_way_is_straight() -> None:
    airspace = read_airspace(file_of(box("low", 0, 0, 100, upper=30)))
    a, b = off(-300, 0), off(300, 0)
    assert airspace.way(a, b, 40.0, NOON) == (a, b)
    assert len(airspace.way(a, b, 30.0, NOON) or ()) > 2
    assert airspace.ceiling_m(HERE, NOON) == 0.0


def test_too_far_is_trouble_and_no_way() -> None:
    far = off(40_000, 0)
    (found,) = Airspace().trouble((Leg(HERE, far, HEIGHT), Leg(far, HERE, HEIGHT)), NOON)
    assert found.zone_id == "range"
    assert Airspace().way(HERE, far, HEIGHT, NOON) is None
    for nowhere in (Place(89.0, 0.0), Place(float("nan"), 0.0), Place(0.0, float("inf"))):
        assert Airspace().trouble((Leg(nowhere, nowhere, HEIGHT),), NOON)
        assert Airspace().way(nowhere, HERE, HEIGHT, NOON) is None
        assert Airspace().ceiling_m(nowhere, NOON) == 0.0
        assert is_inside(Airspace(), nowhere, HEIGHT, NOON)
        assert not Airspace().is_covered(nowhere)


def test_a_zone_as_large_as_a_country_has_no_edge_to_fly_around() -> None:
    start, end = off(-3000, 0), off(3000, 0)
    wall = polygon([Place(52.515, 5.0), Place(52.515, 20.0), Place(52.525, 20.0), Place(52.525, 5)])
    airspace = read_airspace(file_of(feature("wall", wall)))
    assert airspace.way(start, end, HEIGHT, NOON) is None
    assert airspace.trouble((Leg(start, end, HEIGHT),), NOON)


def test_very_many_corners_are_made_coarser_and_never_smaller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solid, "MOST_CORNERS", 12)
    boxes = [(north, east, 20) for north in (-400, 0, 400) for east in (-400, 0, 400)]
    airspace = airspace_of(boxes)
    way = airspace.way(off(-800, 0), off(800, 0), HEIGHT, NOON)
    assert way is not None
    assert airspace.trouble(legs(way), NOON) == ()


def test_what_was_derived_is_not_kept_for_ever() -> None:
    airspace = airspace_of([(0, 0, 100)])
    a, b = off(-300, 0), off(300, 0)
    ways = [airspace.way(a, b, HEIGHT, NOON, margin_m=20 + step) for step in range(12)]
    lengths = [length_m(way) for way in ways if way]
    assert lengths == sorted(lengths)
    assert len(airspace._local(a).kept) <= 8


FENCED = st.lists(st.tuples(METRES, METRES, st.integers(5, 300)), min_size=1, max_size=10)


@FAST
@given(FENCED)
def test_a_fence_is_never_much_larger_than_its_zones(boxes: list[tuple[int, int, int]]) -> None:
    shapes = shapely.union_all([shapely.box(e - h, n - h, e + h, n + h) for n, e, h in boxes])
    areas = airspace_of(boxes).fence_areas(HERE, 3000, NOON, 120)
    assert 0 < len(areas) <= MOST_AREAS
    assert sum(len(area.corners) for area in areas) <= MOST_POINTS
    for area in areas:
        assert not area.is_inclusion
        shape = shapely.Polygon([offset(HERE, place)[::-1] for place in area.corners])
        assert shape.is_valid
        assert shapes.buffer(8.5).covers(shape)


def test_a_fence_covers_its_zone_where_there_is_room() -> None:
    airspace = airspace_of([(300, 0, 100)])
    (area,) = airspace.fence_areas(HERE, 3000, NOON, 120)
    shape = shapely.Polygon([offset(HERE, place)[::-1] for place in area.corners])
    assert shape.covers(shapely.box(-100, 200, 100, 400))
    assert airspace.fence_areas(HERE, 150, NOON, 120) == ()


def test_a_fence_holds_only_what_bars_every_height() -> None:
    airspace = read_airspace(
        file_of(box("low", 300, 0, 50, upper=60), box("high", -300, 0, 50, lower=60))
    )
    assert airspace.fence_areas(HERE, 3000, NOON, 120) == ()
    assert len(airspace.fence_areas(HERE, 3000, NOON, 60)) == 1


def test_a_car_in_a_hole_of_a_zone_is_not_fenced_in() -> None:
    ring = polygon(square(0, 0, 300), square(0, 0, 100))
    areas = read_airspace(file_of(feature("ring", ring))).fence_areas(HERE, 3000, NOON, 120)
    shapes = [shapely.Polygon([offset(HERE, p)[::-1] for p in area.corners]) for area in areas]
    assert len(shapes) > 1
    assert all(shape.distance(shapely.Point(0, 0)) > 90 for shape in shapes)
    assert shapely.union_all(shapes).buffer(0.1).covers(shapely.Point(200, 0))


def test_an_intricate_zone_is_fenced_coarsely() -> None:
    star = [
        off(r * math.cos(i / 20 * math.pi), r * math.sin(i / 20 * math.pi))
        for i, r in ((i, 400 if i % 2 else 250) for i in range(40))
    ]
    airspace = read_airspace(file_of(feature("star", polygon(star))))
    areas = airspace.fence_areas(off(900, 0), 3000, NOON, 120)
    shape = shapely.Polygon([offset(HERE, place)[::-1] for place in star]).buffer(8.5)
    for area in areas:
        assert shape.covers(shapely.Polygon([offset(HERE, p)[::-1] for p in area.corners]))


def test_a_zone_too_intricate_for_the_autopilot_leaves_room_for_the_others() -> None:
    comb = [off(r * math.cos(i / 80 * math.pi), r * math.sin(i / 80 * math.pi))
            for i, r in ((i, 9000 if i % 2 else 3000) for i in range(160))]  # fmt: skip
    text = file_of(feature("comb", polygon(comb)), box("small", 9800, 0, 100))
    areas = read_airspace(text).fence_areas(HERE, 12_000, NOON, 120)
    assert [offset(HERE, area.corners[0]).north_m > 9500 for area in areas] == [True]


def test_the_same_question_at_the_date_line_has_the_same_answer() -> None:
    line = Place(0.0, 180.0)
    airspace = read_airspace(file_of(box("z", 0, 0, 100, start=line)))
    way = airspace.way(off(0, -300, line), off(0, 300, line), HEIGHT, NOON)
    assert way is not None
    assert length_m(way) < 750
    assert airspace.trouble(legs(way), NOON) == ()

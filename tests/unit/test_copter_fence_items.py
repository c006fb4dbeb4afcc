"""The copter's fence: inside is inside, whatever is looked at first."""

import shapely
from hypothesis import given
from hypothesis import strategies as st

from simulator.copter.items import Zone

METRES = st.floats(-300.0, 300.0)
EDGE_M = 1e-6


@given(st.lists(st.tuples(METRES, METRES), min_size=3, max_size=8), METRES, METRES)
def test_a_point_in_a_polygon_is_found(
    corners: list[tuple[float, float]], north_m: float, east_m: float
) -> None:
    polygon, dot = shapely.Polygon(corners), shapely.Point(north_m, east_m)
    if not polygon.is_valid or polygon.exterior.distance(dot) < EDGE_M:
        return
    assert Zone(False, tuple(corners)).contains(north_m, east_m) == polygon.contains(dot)


@given(METRES, METRES, st.floats(0.1, 200.0), METRES, METRES)
def test_a_point_in_a_circle_is_found(
    north0_m: float, east0_m: float, radius_m: float, north_m: float, east_m: float
) -> None:
    apart_m = shapely.Point(north0_m, east0_m).distance(shapely.Point(north_m, east_m))
    zone = Zone(True, ((north0_m, east0_m),), radius_m)
    assert zone.contains(north_m, east_m) == (apart_m < radius_m)

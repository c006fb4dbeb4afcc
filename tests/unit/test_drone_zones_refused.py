"""Zones files that cannot be used are refused, with the zone and the fix."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.drone.airspace import zones
from services.drone.airspace.shapes import ZoneFileError
from services.drone.airspace.zones import read_zones
from services.drone.geodesy import Place
from tests.unit.drone_ready import HERE, box, feature, file_of, off, polygon, square


def windowed(*windows: Any) -> str:
    return file_of(box("timed", 0, 0, 50, limitedApplicability=list(windows)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ('{"features": [NaN]}', "no JSON"),
        ("[]", "FeatureCollection"),
        ('{"features": 3}', "FeatureCollection"),
        ('{"features": [3]}', "zone number 1 is no object"),
        (file_of({"geometry": None}), "zone zone-1 has no geometry"),
        (file_of({"id": 7, "geometry": []}), "zone 7 has no geometry"),
        (file_of(feature("a\nb", {"type": "LineString"})), "zone a b has a geometry 'LineString'"),
        (file_of(feature("x", {"type": "Polygon"})), "zone x lacks the rings"),
        (file_of(feature("x", {"type": "Polygon", "coordinates": [[]]})), "zone x lacks the corn"),
        (file_of(feature("x", {"type": "MultiPolygon"})), "zone x lacks the list of polygons"),
        (file_of(feature("x", {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]})), "three"),
        (file_of(feature("x", {"type": "Polygon", "coordinates": [[5]]})), "no [longitude"),
        (file_of(feature("x", polygon([HERE, off(9, 0), off(18, 0)]))), "zone x has no area"),
        (
            file_of(feature("x", {"type": "Polygon", "coordinates": [[[1, 2], ["3", 4]]]})),
            "'3' as a longitude",
        ),
        (file_of(feature("x", polygon([Place(9, 190), HERE, off(9, 9)]))), "longitude first"),
        (
            file_of(feature("x", polygon([Place(80, lon) for lon in (-170, -60, 60, 170)]))),
            "around a pole",
        ),
        (file_of(feature("x", {"type": "Point", "coordinates": [1, 2]})), "None' as the radius"),
        (
            file_of(feature("x", {"type": "Point", "coordinates": [1, 2], "radius": 0})),
            "radius of 0 m",
        ),
        (
            file_of(feature("x", {"type": "Point", "coordinates": [1, 89], "radius": 2e5})),
            "over a pole",
        ),
        (file_of(box("x", 0, 0, 50, uom="yard")), "'yard' as unit"),
        (file_of(box("x", 0, 0, 50, lower="low")), "'low' as its lower limit"),
        (file_of(box("x", 0, 0, 50, upper=True)), "'True' as its upper limit"),
        (
            file_of(feature("x", {**polygon(square(0, 0, 9)), "layer": 3})),
            "a layer that is no object",
        ),
        (file_of(box("x", 0, 0, 50, applicability=4)), "no list of objects"),
        (file_of(box("x", 0, 0, 50, applicability=[{}] * 201)), "more than 200 windows"),
        (windowed({"startDateTime": "soon"}), "'soon' as startDateTime"),
        (windowed({"startDateTime": "2026-01-01T00:00:00"}), "as startDateTime"),
        (windowed({"endDateTime": 5}), "'5' as endDateTime"),
        (
            windowed(
                {"startDateTime": "2026-01-02T00:00:00Z", "endDateTime": "2026-01-01T00:00:00Z"}
            ),
            "turn them around",
        ),
    ],
)
def test_a_bad_file_is_refused_with_the_zone_and_the_fix(text: str, words: str) -> None:
    with pytest.raises(ZoneFileError) as refused:
        read_zones(text)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    long = {"type": "Polygon", "coordinates": [[[i / 1e4, i % 7] for i in range(20_001)]]}
    with pytest.raises(ZoneFileError, match="more than 20000 corners"):
        read_zones(file_of(feature("long", long)))
    tangled = {"type": "Polygon", "coordinates": [[[i % 17, i % 13] for i in range(301)]]}
    with pytest.raises(ZoneFileError, match="crosses itself"):
        read_zones(file_of(feature("tangled", tangled)))
    monkeypatch.setattr(zones, "MOST_ZONES", 1)
    with pytest.raises(ZoneFileError, match="more than 1 zones"):
        read_zones(file_of(box("a", 0, 0, 9), box("b", 0, 0, 9)))
    monkeypatch.setattr(zones, "MOST_BYTES", 3)
    with pytest.raises(ZoneFileError, match="MiB"):
        read_zones(file_of())


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from([
            "type", "geometry", "properties", "coordinates", "identifier", "layer", "lower", "uom",
            "upper", "radius", "extent", "limitedApplicability", "schedule", "startDateTime", "day",
            "startTime", "endTime", "geometries", "horizontalProjection", "center",
        ]),
        inner | st.sampled_from(["Polygon", "Point", "MultiPolygon", "Circle", "ANY", "08:00"]),
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(st.lists(JSON, max_size=3))
def test_any_document_gives_zones_or_our_error(features: list[Any]) -> None:
    try:
        read_zones(json.dumps({"features": features}))
    except ZoneFileError as error:
        assert str(error)

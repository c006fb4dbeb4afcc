from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from internetcar.contract.telemetry import Telemetry
from services.tolls.detection.samples import (
    ACCURACY,
    CURRENT_GEAR,
    FIX_TYPE,
    HEADING,
    LATITUDE,
    LEAVES,
    LONGITUDE,
    ODOMETER,
    SELECTED_GEAR,
    SPEED,
    Reading,
    read,
)
from services.tolls.facts import Sample

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
START_MS = 1_780_300_800_000


def batch(samples: dict[str, Any], *, after_ms: int = 0, kind: str = "changes") -> Telemetry:
    start = START + timedelta(milliseconds=after_ms)
    return Telemetry.model_validate(
        {
            "vehicle_id": "car", "journal": "j", "sequence": 1, "kind": kind, "clock": "free",
            "start_at": start, "end_at": start + timedelta(seconds=1), "origin": "live",
            "samples": samples,
        }
    )  # fmt: skip


FIX: dict[str, Any] = {
    LATITUDE: [[100, 1.5]], LONGITUDE: [[100, 103.5]], ACCURACY: [[100, 2.5]], HEADING: [[100, 90]],
}  # fmt: skip


def test_leaves_of_one_instant_are_one_sample() -> None:
    told = {**FIX, SPEED: [[100, 36.0]], ODOMETER: [[100, 5000]], CURRENT_GEAR: [[100, -1]]}
    assert read(Reading(), batch(told)) == [
        Sample(START_MS + 100, 1.5, 103.5, 2.5, 90.0, 10.0, 5000.0, True)
    ]


def test_a_fix_has_the_accuracy_and_heading_that_did_not_change() -> None:
    reading = Reading()
    read(reading, batch(FIX))
    assert read(reading, batch({LONGITUDE: [[500, 103.6]]}, after_ms=1000)) == [
        Sample(START_MS + 1500, 1.5, 103.6, 2.5, 90.0)
    ]


def test_a_snapshot_tells_nothing_new_of_what_is_known() -> None:
    reading = Reading()
    read(reading, batch(FIX))
    again = {leaf: [[-900, entries[0][1]]] for leaf, entries in FIX.items()}
    assert read(reading, batch(again, after_ms=1000, kind="snapshot")) == []


def test_a_first_snapshot_tells_each_leaf_with_its_own_instant() -> None:
    told = {LATITUDE: [[-5000, 1.5]], LONGITUDE: [[-5000, 103.5]], SPEED: [[-200, 3.6]]}
    samples = read(Reading(), batch(told, kind="snapshot"))
    assert [sample.at_ms - START_MS for sample in samples] == [-5000, -200]
    assert samples[1].lat_deg is None


def test_without_a_fix_there_is_no_place() -> None:
    told = {**FIX, FIX_TYPE: [[100, "NONE"]]}
    (sample,) = read(Reading(), batch(told))
    assert (sample.lat_deg, sample.accuracy_m, sample.heading_deg) == (None, None, None)


def test_a_kind_of_fix_alone_is_no_fix() -> None:
    reading = Reading()
    read(reading, batch(FIX))
    (sample,) = read(reading, batch({FIX_TYPE: [[0, "THREE_D"]]}, after_ms=1000))
    assert sample == Sample(START_MS + 1000)


def test_what_is_not_valid_is_not_used() -> None:
    told = {
        LATITUDE: [[100, 1.5, "stale"]], LONGITUDE: [[100, 103.5]], SPEED: [[100, None]],
        ODOMETER: [[100, True]], ACCURACY: [[100, "much"]], FIX_TYPE: [[100, 3]],
    }  # fmt: skip
    assert read(Reading(), batch(told)) == [Sample(START_MS + 100)]
    assert read(Reading(), batch({ODOMETER: [[0, 10**400]]})) == [Sample(START_MS)]


def test_a_selected_gear_counts_where_the_current_one_is_unknown() -> None:
    reading = Reading()
    (sample,) = read(reading, batch({SELECTED_GEAR: [[0, -1]]}))
    assert sample.is_reverse is True
    (sample,) = read(reading, batch({CURRENT_GEAR: [[0, 1]]}, after_ms=1000))
    assert sample.is_reverse is False


def test_a_clock_that_was_set_back_is_followed() -> None:
    reading = Reading()
    read(reading, batch({SPEED: [[0, 36.0]]}, after_ms=7_200_000))
    assert len(read(reading, batch({SPEED: [[0, 36.0]]}))) == 1


entries = st.dictionaries(
    st.sampled_from(LEAVES),
    st.dictionaries(st.integers(0, 9), st.sampled_from([0, 1.5, 90, -1, "NONE", None])),
)


@given(entries, st.sets(st.integers(1, 9)))
def test_how_the_log_is_cut_is_no_matter(told: dict[str, dict[int, Any]], cuts: set[int]) -> None:
    def cut(first: int, last: int) -> Telemetry:
        return batch(
            {
                leaf: [[at - first, value] for at, value in values.items() if first <= at < last]
                for leaf, values in told.items()
            },
            after_ms=first,
        )

    whole, reading = Reading(), Reading()
    edges = [0, *sorted(cuts), 10]
    parts: list[Sample] = []
    for first, last in pairwise(edges):
        parts += read(reading, cut(first, last))
        reading = Reading.load(reading.dump())
    assert parts == read(whole, cut(0, 10))
    assert reading == whole


values = st.one_of(st.none(), st.floats(-1e9, 1e9), st.integers(), st.booleans(), st.just("?"))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(LEAVES), st.integers(-(1 << 44), 1 << 44), values)),
)
def test_any_batch_gives_samples_in_order(told: list[tuple[str, int, Any]]) -> None:
    by_leaf: dict[str, list[list[Any]]] = {}
    for leaf, offset, value in told:
        by_leaf.setdefault(leaf, []).append([offset, value])
    found = read(Reading(), batch(by_leaf))
    assert [sample.at_ms for sample in found] == sorted({sample.at_ms for sample in found})


def test_a_reading_of_another_format_is_nothing() -> None:
    for kept in (b"{}", b"[1]", b"[1, {}]", b"[{}, []]", b"7", b"torn"):
        assert Reading.load(kept) == Reading()

"""Any telemetry is read or left; nothing of it leads out of the loop."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internetcar.contract.telemetry import Telemetry
from services.trips.leaves import MOTION, SETTINGS
from services.trips.reading import Reading, known_of, read
from tests.trip_log import AT, DRIVER, Kept, TripLog


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (True, True), (3, 3), (1 << 60, None), (2.5, 2.5), (1e300, None), (["a"], None),
        (None, None), ("a\x1b[31m\nb", "a[31mb"), ("x" * 999, "x" * 200),
    ],
)  # fmt: skip
def test_a_value_is_kept_as_it_may_stand_in_a_message(value: object, known: object) -> None:
    assert known_of(value) == known  # type: ignore[arg-type]  # what JSON can hold
    assert type(known_of(value)) is type(known)  # type: ignore[arg-type]


def test_what_is_not_valid_is_not_known_and_what_is_older_is_no_news() -> None:
    reading = Reading()
    batch = TripLog().say({"Vehicle.Speed": (0, 50.0, "stale")}).batches[0]
    assert [moment.told for moment in read(reading, batch, MOTION)] == [{"Vehicle.Speed": None}]
    assert read(reading, batch, MOTION) == []
    other = TripLog().say({"Vehicle.Speed": (5, 50.0, "valid"), "Vehicle.Horn": 1}).batches[0]
    assert [moment.told for moment in read(reading, other, MOTION)] == [{"Vehicle.Speed": 50.0}]


_FIRST = datetime(1001, 1, 2, tzinfo=UTC)
_LAST = datetime(8999, 1, 1, tzinfo=UTC)

values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=300), st.lists(st.integers(), max_size=2),
    st.sampled_from(["ON", "OFF", "START", 0, 60.0, 1.3, 103.8, -1e308]),
)  # fmt: skip
samples = st.dictionaries(
    st.sampled_from(sorted({*MOTION, *SETTINGS[:4], DRIVER})),
    st.lists(
        st.tuples(
            st.one_of(st.integers(-(1 << 44), 1 << 44), st.integers(-2_000, 2_000)),
            values,
            st.sampled_from(["valid", "valid", "stale", "error"]),
        ),
        max_size=3,
    ),
    max_size=8,
)
batches = st.lists(
    st.tuples(
        samples,
        st.one_of(
            st.integers(-600, 600), st.sampled_from([-(10**11), -(10**9), 10**9, 10**11, 1, 1, 1])
        ),
        st.sampled_from(["changes", "snapshot", "dropped"]),
        st.sampled_from(["live", "live", "recording", "simulation"]),
        st.sampled_from(["synchronized", "free", "recorded"]),
        st.booleans(),
        st.sampled_from([1, 1, 1, 60, 86_000, -5, 10**10]),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(batches)
def test_any_log_is_read_to_its_end(told: list[tuple[object, ...]]) -> None:
    at, log, gaps = AT, [], []
    for index, (each, later_s, kind, origin, clock, has_gap, span_s) in enumerate(told):
        later_s = min(max(float(str(later_s)), (_FIRST - at).total_seconds()), 1e12)
        at = min(_LAST, at + min(timedelta(seconds=later_s), _LAST - at))
        log.append(
            Telemetry.model_validate({
                "vehicle_id": "kona", "journal": "j", "sequence": index + 1, "start_at": at,
                "end_at": at + min(timedelta(seconds=float(str(span_s))), _LAST - at),
                "kind": kind, "origin": origin, "clock": clock,
                "samples": each if kind != "dropped" else {},
            })
        )  # fmt: skip
        gaps += [index] if has_gap else []
    kept = Kept().read(log, gaps)
    assert len(kept.state.dump()) < 50_000
    for end in kept.ends:
        assert end.ended_at >= end.started_at
        assert len(end.encode()) < end.MAX_PAYLOAD_BYTES


def test_a_batch_of_a_thousand_years_and_a_sample_from_the_future_are_no_time() -> None:
    log = TripLog().on().seconds(60, 60.0, 20).say({}, 3e10)
    log.at = log.batches[-2].end_at + timedelta(seconds=1)
    log.say({"Vehicle.Speed": (10**12, 60.0)}).seconds(60, 60.0, 20).seconds(1).off().asleep(6)
    (trip,) = Kept().read(log.batches).trips
    assert (trip.ended_at - trip.started_at).total_seconds() == pytest.approx(124, abs=1)


def test_a_clock_set_to_before_all_time_tells_of_another_drive() -> None:
    log = TripLog().on().seconds(120, 60.0, 20)
    log.at = datetime(1001, 1, 2, tzinfo=UTC)
    kept = Kept().read(log.seconds(120, 60.0, 20).batches)
    assert [trip.why for trip in kept.trips] == ["signal_lost"]

"""What a person who watches a car reads of its trips."""

from datetime import UTC, datetime, timedelta

from internetcar.contract.trips import Place, TripEnded, TripStarted
from internetcar.launcher.trip_words import TripLines, ended_line, started_line

AT = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
PLACE = Place(latitude=1.3, longitude=103.8)
STARTED = TripStarted(
    vehicle_id="kona", trip_id="t1", driver="anna", started_at=AT, start=PLACE,
    origin="live", clock="synchronized",
)  # fmt: skip
ENDED = TripEnded(
    vehicle_id="kona", trip_id="t1", revision=1, started_at=AT, ended_at=AT + timedelta(minutes=12),
    end=PLACE, distance_m=5_340, energy_wh=910, fuel_ml=80, why="power_off", origin="live",
    clock="synchronized",
)  # fmt: skip


def test_a_start_says_who_and_where() -> None:
    line = started_line(STARTED)
    assert line == "trip started 07:00:00 UTC, anna, at 1.30000, 103.80000"
    unknown = STARTED.model_copy(update={"driver": "unknown", "start": None})
    assert started_line(unknown) == "trip started 07:00:00 UTC"


def test_an_end_says_how_far_and_what_it_took() -> None:
    assert ended_line(ENDED) == (
        "trip of 07:00:00 UTC = 12 min, 5.3 km, 0.91 kWh, 0.08 l, at 1.30000, 103.80000"
    )
    lost = ENDED.model_copy(update={"why": "signal_lost", "energy_wh": None, "fuel_ml": None})
    assert ended_line(lost).endswith("(signal lost)")
    short = ENDED.model_copy(update={"is_dropped": True, "distance_m": 120.0})
    assert ended_line(short) == "trip of 07:00:00 UTC: 120 m is no trip"


def test_a_trip_is_one_line_that_changes_and_old_ones_go() -> None:
    lines = TripLines()
    assert lines.on(STARTED) is not None
    assert lines.on(STARTED) is None
    assert lines.on(ENDED) is not None
    assert lines.on(ENDED.model_copy(update={"revision": 2})) is None
    assert lines.on(STARTED) is None, "it comes again, late"
    assert lines.lines == [ended_line(ENDED)]
    for name in ("t2", "t3"):
        lines.on(STARTED.model_copy(update={"trip_id": name}))
    assert len(lines.lines) == 2

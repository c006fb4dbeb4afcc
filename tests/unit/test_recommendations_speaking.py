"""When something is said of where a trip leads, what a rejection weighs, and a trip's way."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.trips import Place
from services.recommendations import rejections, speaking
from services.recommendations.destination.moment import Moment
from services.recommendations.destination.places import Places
from services.recommendations.destination.predictor import Forecast, Predictor
from services.recommendations.destination.votes import SINGLE
from services.recommendations.destination.way import Ways
from services.recommendations.journey import (
    MOST_POINTS,
    Journey,
    Previous,
    begun,
    is_sane,
    moment_of,
)
from services.recommendations.model import Model
from services.recommendations.rejections import Rejection

UTC_ZONE = ZoneInfo("UTC")
START_MS = 1_772_438_400_000
"""2026-03-02T08:00:00Z, a Monday."""
DAY_MS = 86_400_000
HERE = Place(latitude=52.5, longitude=13.4)


def commuter(trips: int = 20) -> Model:
    model = Model()
    work = model.places.take(52.46, 13.32).id
    home = model.places.take(52.51, 13.41).id
    for number in range(trips // 2):
        day = 20_000.0 + number
        model.predictor.learn(Moment(day + 8 / 24, home, work, 900.0), work)
        model.predictor.learn(Moment(day + 17 / 24, work, home, 540.0), home)
    return model


def journey(**changed: object) -> Journey:
    values = {
        "trip_id": "t", "driver": "anna", "started_ms": START_MS, "at_ms": START_MS,
        "day": 20_014 + 8 / 24, "origin_id": "place-2", "before_id": "place-1",
        "stayed_min": 900.0,
    }  # fmt: skip
    return Journey.model_validate({**values, **changed})


@pytest.mark.parametrize(("share", "band"), [(0.0, 0), (0.4999, 0), (0.5, 1), (0.7, 2), (1.0, 2)])
def test_thresholds_are_reached_when_they_are_equalled(share: float, band: int) -> None:
    assert speaking.band(share) == band


def test_it_is_news_when_another_is_first_or_a_threshold_is_crossed_and_else_not() -> None:
    said = journey(first="a", band=1)
    assert not speaking.is_news(said, Forecast(("a", "b"), (0.69, 0.2), 0.11))
    assert speaking.is_news(said, Forecast(("a", "b"), (0.71, 0.2), 0.09))
    assert speaking.is_news(said, Forecast(("a", "b"), (0.49, 0.2), 0.31))
    assert speaking.is_news(said, Forecast(("b", "a"), (0.55, 0.2), 0.25))


def test_nine_trips_are_too_few_to_say_anything() -> None:
    few, enough = commuter(8), commuter(10)
    few.predictor.learn(Moment(20_009.3, "place-2"), "place-1")
    assert few.forecast(journey()) is None
    assert enough.forecast(journey()) is not None


def test_a_rejection_is_one_trip_against_a_place_and_the_others_gain_what_it_loses() -> None:
    model = commuter()
    before = model.forecast(journey())
    assert before is not None
    place, share = before.first
    for _ in range(3):
        model.rejections.append(Rejection(place, START_MS, journey().day, "place-2"))
        after = model.forecast(journey())
        assert after is not None
        left = dict(zip(after.places, after.shares, strict=True))[place]
        assert left < share
        assert sum(after.shares) + after.somewhere_new == pytest.approx(1.0)
        assert after.somewhere_new > before.somewhere_new
        share = left
    moment = journey().moment
    one = rejections.weight(model.rejections[0], moment)
    assert one == pytest.approx(1.03 * 1.02)
    total = model.predictor.weights[SINGLE] / model.predictor.believed(moment)[SINGLE]
    assert share == pytest.approx(before.first[1] * total / (total + 3 * one))


def test_a_rejection_weighs_less_at_another_time_day_origin_and_long_ago() -> None:
    at = Moment(20_000 + 8 / 24, "a")
    same = rejections.weight(Rejection("p", 0, at.day, "a"), at)
    for other in (
        Rejection("p", 0, at.day + 0.3, "a"),
        Rejection("p", 0, at.day, "b"),
        Rejection("p", 0, at.day - 1, "a"),
        Rejection("p", 0, at.day - 3, "a"),
        Rejection("p", 0, at.day - 70, "a"),
    ):
        assert rejections.weight(other, at) < 0.75 * same
    midnight = Moment(20_000 + 0.001, "a")
    assert rejections.weight(Rejection("p", 0, 19_999.999, "a"), midnight) > 0.6


def test_a_place_is_silent_for_a_day_after_its_rejection_and_no_other_is() -> None:
    rejected = [Rejection("p", START_MS, 20_000.0, "")]
    assert rejections.is_silent(rejected, "p", START_MS + DAY_MS - 1)
    assert not rejections.is_silent(rejected, "p", START_MS + DAY_MS)
    assert not rejections.is_silent(rejected, "q", START_MS)
    assert not rejections.is_silent(rejected, "p", START_MS - 30 * DAY_MS), "the clock was set back"


def test_what_the_only_place_loses_goes_to_somewhere_new() -> None:
    predictor = Predictor()
    for number in range(12):
        predictor.learn(Moment(20_000.0 + number), "only")
    forecast = Forecast(("only",), (1.0,), 0.0)
    found = rejections.weighed(
        forecast, [Rejection("only", 0, 20_012.0, "")], Moment(20_012.0), predictor
    )
    assert 0 < found.somewhere_new < 0.5
    assert found.shares[0] + found.somewhere_new == pytest.approx(1.0)


def test_rejections_of_places_that_are_forgotten_change_nothing() -> None:
    model = commuter()
    before = model.forecast(journey())
    model.rejections.append(Rejection("place-9", START_MS, 20_013.0, ""))
    assert model.forecast(journey()) == before


@given(st.lists(st.tuples(st.floats(0, 60_000), st.sampled_from(["place-1", "place-2", "x"]))))
def test_however_much_is_rejected_the_shares_stay_shares(given_: list[tuple[float, str]]) -> None:
    model = commuter(10)
    model.rejections = [Rejection(place, 0, day, "place-2") for day, place in given_]
    found = model.forecast(journey())
    assert found is not None
    assert all(0 <= share <= 1 for share in (*found.shares, found.somewhere_new))
    assert sum(found.shares) + found.somewhere_new == pytest.approx(1.0)
    assert list(found.shares) == sorted(found.shares, reverse=True)


def test_what_is_said_has_reasons_labels_and_probabilities() -> None:
    model = commuter()
    forecast = model.forecast(journey())
    assert forecast is not None
    places = speaking.suggested(
        forecast,
        model.expected(journey()),
        journey(),
        model.predictor,
        model.places,
        {"place-1": "the office"},
    )
    assert places[0].label == "the office"
    assert places[0].because.startswith("Because ")
    assert places[0].because.endswith("went to the office.")
    said = speaking.state("kona", journey(), places, forecast, "live")
    assert said.places == places
    offer = speaking.offer("kona", journey(), places[0], "o1", "live")
    assert offer.at == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_after_the_first_kilometre_the_way_counts() -> None:
    model = commuter()
    model.ways = Ways()
    to_work = [(52.51 - 0.0025 * step, 13.41 - 0.0045 * step) for step in range(21)]
    model.ways.add("place-1", to_work)
    off = journey()
    before = model.forecast(off)
    assert before is not None
    for step in range(12):
        off.go_on(START_MS + step, Place(latitude=52.51 + 0.003 * step, longitude=13.41))
    after = model.forecast(off)
    assert after is not None
    shares = dict(zip(after.places, after.shares, strict=True))
    assert shares["place-1"] < before.first[1]
    assert after.somewhere_new > before.somewhere_new


def test_a_way_stays_bounded_and_points_that_are_near_add_nothing() -> None:
    found = journey()
    assert found.go_on(START_MS, HERE)
    assert not found.go_on(START_MS + 1, Place(latitude=52.5001, longitude=13.4001))
    assert not found.go_on(START_MS + 2, None)
    for step in range(3 * MOST_POINTS):
        found.go_on(START_MS + step, Place(latitude=50 + step * 0.002, longitude=13))
        assert len(found.path) <= MOST_POINTS
    assert found.path[0] == (52.5, 13.4)
    assert found.at_ms == START_MS + 3 * MOST_POINTS - 1


def test_a_trip_begins_where_it_starts_else_where_the_one_before_ended() -> None:
    places = Places()
    there = places.take(52.5, 13.4).id
    before = Previous(place_id=there, origin_id="place-8", ended_ms=START_MS - 90 * 60_000)
    for start in (HERE, None):
        found = moment_of(START_MS, start, before, places, UTC_ZONE)
        assert (found.origin, found.before, found.stayed_min) == (there, "place-8", 90.0)
    away = moment_of(START_MS, Place(latitude=1, longitude=1), before, places, UTC_ZONE)
    assert (away.origin, away.before, away.stayed_min) == ("", there, 0.0)
    first = moment_of(START_MS, None, None, places, UTC_ZONE)
    assert (first.origin, first.before) == ("", "")
    moved = Previous(place_id="place-7", origin_id=there, ended_ms=START_MS)
    assert moment_of(START_MS, HERE, moved, places, UTC_ZONE).before == "place-7"


def test_the_hour_is_that_of_the_drivers_wall_clock() -> None:
    at = moment_of(START_MS, None, None, Places(), ZoneInfo("Asia/Singapore"))
    assert at.minute == pytest.approx(16 * 60)
    assert at.weekday == 0


def test_a_stay_is_never_negative_nor_endless() -> None:
    places = Places()
    there = places.take(52.5, 13.4).id
    for ended_ms, stayed_min in ((START_MS + 1, 0.0), (0, 60.0 * 24 * 60)):
        before = Previous(place_id=there, origin_id="", ended_ms=ended_ms)
        assert moment_of(START_MS, HERE, before, places, UTC_ZONE).stayed_min == stayed_min


def test_clocks_that_were_never_set_are_not_sane() -> None:
    assert [is_sane(ms) for ms in (0, -1, START_MS, 4_102_444_800_000)] == [
        False, False, True, False,
    ]  # fmt: skip


def test_a_trip_that_begins_without_a_fix_has_no_way_yet() -> None:
    found = begun("t", "anna", START_MS, Moment(20_000.0), None)
    assert found.path == []
    assert begun("t", "anna", START_MS, Moment(20_000.0), HERE).path == [(52.5, 13.4)]


def test_what_was_learned_is_kept_and_restored_to_the_last_digit() -> None:
    model = commuter(60)
    questions = [model.predictor.visits.question(number) for number in range(60)]
    again = Predictor()
    again.restore(questions, model.predictor.learned())
    moment = journey().moment
    assert again.learned() == model.predictor.learned()
    assert again.predict(moment) == model.predictor.predict(moment)


@pytest.mark.parametrize("spoilt", [{}, {"weights": [1.0]}, {"seen": [float("nan"), 1.0]}])
def test_what_was_learned_by_other_votes_is_learned_anew(spoilt: dict[str, list[float]]) -> None:
    model = commuter(30)
    questions = [model.predictor.visits.question(number) for number in range(30)]
    again = Predictor()
    again.restore(questions, {**model.predictor.learned(), **spoilt} if spoilt else {})
    assert again.learned()["weights"] == pytest.approx(model.predictor.learned()["weights"])

"""What to hear: what an item is called, what was heard, and which comes first and next."""

from typing import Any

import orjson
import pytest

from internetcar.contract.trips import SettingChange, TripEnded
from services.recommendations.advising import MOST_BYTES, Answered, Asked, Evidence, Standing
from services.recommendations.destination.places import Places
from services.recommendations.destination.predictor import Forecast
from services.recommendations.journey import Journey
from services.recommendations.media.adviser import Media
from services.recommendations.media.choosing import Situation, first
from services.recommendations.media.items import (
    ARTIST,
    BELTS,
    MOST_LETTERS,
    SOURCE,
    TRACK,
    URIS,
    Heard,
    heard_on,
    key_of,
    name_of,
    passengers,
    passengers_on,
)
from services.recommendations.media.kept import MOST_HEARD, Past, read, written
from services.recommendations.media.library import Library
from tests.bench.recommendation_media import FREQUENT, LATEST, OURS, Score, measured
from tests.drivers.generate import life
from tests.recommendation_trips import HOME, MONDAY, WORK, ended, started

URI = URIS[0]
DAY = 20_514.0
"""A Monday."""
DAY_MS = 86_400_000
MEDIA = Media()


def change(path: str, offset_s: float, value: Any) -> SettingChange:
    return SettingChange(path=path, offset_s=offset_s, value=value)


def trip(*settings: SettingChange, minutes: float = 10) -> TripEnded:
    return ended(started(MONDAY, HOME), WORK, minutes, settings=list(settings))


def evidence(
    number: int, *heard: tuple[str, float], hour: float = 8, place: str = "work", riders: Any = 0
) -> Evidence:
    """A trip on the day of this number."""
    body = written([Heard(*each) for each in heard], riders)
    day = DAY + number + hour / 24
    return Evidence(f"trip-{number}", "anna", round(day * DAY_MS), day, place, body or {})


def asked(
    number: int = 14,
    settings: dict[str, tuple[Any, int]] | None = None,
    hour: float = 8,
    after_s: float = 0,
    **other: Any,
) -> Asked:
    day = DAY + number + hour / 24
    at_ms = round(day * DAY_MS)
    journey = Journey(
        trip_id="now", driver="anna", started_ms=at_ms, at_ms=at_ms + round(after_s * 1000), day=day
    )
    values: dict[str, Any] = {
        "vehicle_id": "kona", "journey": journey, "origin": "live", "trips": 20, "forecast": None,
        "places": Places(), "labels": {},
        "settings": {path: Standing(*each) for path, each in (settings or {}).items()},
    }  # fmt: skip
    return Asked(**{**values, **other})


def mornings(*items: str, days: int = 14, **other: Any) -> Library:
    """The same on every day."""
    heard = [(item, 200.0) for item in items]
    return MEDIA.learn([evidence(number, *heard, **other) for number in range(days)])


@pytest.mark.parametrize(
    ("standing", "name"),
    [({URI: "radio:1", TRACK: "Song", ARTIST: "Band"}, "radio:1"),
     ({URIS[1]: "list:7", SOURCE: "USB"}, "list:7"),
     ({TRACK: "Song", ARTIST: "Band"}, "Band - Song"), ({TRACK: "Song"}, "Song"),
     ({ARTIST: "Band", SOURCE: "FM"}, "FM"), ({SOURCE: "UNKNOWN"}, ""), ({SOURCE: "VOICE"}, ""),
     ({URI: "  ", TRACK: 7, SOURCE: True}, ""), ({}, ""),
     ({TRACK: "t" * 200, ARTIST: "a" * 200}, "a" * 200)],
)  # fmt: skip
def test_an_item_is_its_uri_else_artist_and_track_else_its_source(
    standing: dict[str, Any], name: str
) -> None:
    assert name_of(standing) == name
    assert len(name) <= MOST_LETTERS


def test_an_item_is_heard_until_the_next_change_and_to_the_end() -> None:
    heard = heard_on(trip(change(URI, 0, "news"), change(URI, 200, "b"), change(URI, 220, "c")))
    assert heard == [Heard("news", 200), Heard("b", 20), Heard("c", 380)]
    assert [each.is_skipped for each in heard] == [False, True, False]


def test_what_artist_and_track_are_called_between_two_songs_was_never_on() -> None:
    heard = heard_on(
        trip(
            change(ARTIST, 0, "Band"), change(TRACK, 0, "One"), change(ARTIST, 100, "Choir"),
            change(TRACK, 100.4, "Two"), change(ARTIST, 300, ""), change(TRACK, 300, ""),
            change(TRACK, 301, "Two"), change(ARTIST, 301, "Choir"), change("Vehicle.X", 9, "x"),
        )
    )  # fmt: skip
    assert [each.item for each in heard] == ["Band - One", "Choir - Two"]
    assert [each.heard_s for each in heard] == pytest.approx([100, 498.6])


def test_a_change_after_the_end_and_a_silent_trip_are_nothing() -> None:
    assert heard_on(trip(change(URI, 0, "a"), change(URI, 9_999, "b"))) == [Heard("a", 600)]
    assert MEDIA.kept(trip(), DAY, "work") is None
    assert MEDIA.after(trip(), Library(), 20, DAY, "live") is None


def test_who_rides_along_is_told_by_the_belts_as_the_trip_begins() -> None:
    one, other = sorted(BELTS)[:2]
    assert passengers({}) is None
    assert passengers({one: "yes"}) is None
    assert passengers({one: True, other: False}) == 1
    belted = trip(change(one, 0, False), change(one, 60, True), change(other, 400, True))
    assert passengers_on(belted) == 1


def test_what_is_kept_is_what_was_heard_and_never_too_large() -> None:
    body = MEDIA.kept(trip(change(URI, 0, "a"), change(URI, 99, "b")), DAY, "work")
    assert body == {"items": ["a", "b"], "heard": [[0, 99], [1, 501]], "riders": None}
    long = [Heard(f"{number:02} {'ü' * 197}", 100) for number in range(60)]
    kept = written(long, 2)
    assert kept is not None
    assert len(orjson.dumps(kept)) <= MOST_BYTES
    assert read(kept) == Past(tuple(long[: len(read(kept).heard)]), 2)
    assert len(read(kept).heard) >= 9, "and the first of them are there"
    few = written([Heard("a", 100), Heard("b", 100)] * 60, None)
    assert few is not None
    assert len(read(few).heard) == MOST_HEARD


@pytest.mark.parametrize(
    "body",
    [{}, {"items": 7, "heard": []}, {"items": ["a"], "heard": 7}, {"items": ["a"], "heard": [7]},
     {"items": ["a"], "heard": [[0]]}, {"items": ["a"], "heard": [[True, 9]]},
     {"items": ["a"], "heard": [[1, 9]]}, {"items": ["a"], "heard": [[-1, 9]]},
     {"items": [""], "heard": [[0, 9]]}, {"items": ["a" * 201], "heard": [[0, 9]]},
     {"items": ["a\n"], "heard": [[0, 9]]}, {"items": [7], "heard": [[0, 9]]},
     {"items": ["a"], "heard": [[0, "9"]]}, {"items": ["a"], "heard": [[0, float("nan")]]},
     {"riders": -1}, {"riders": 9}, {"riders": True}, {"riders": "1"}],
)  # fmt: skip
def test_what_cannot_be_read_of_a_body_is_left_out(body: dict[str, Any]) -> None:
    assert read(body) == Past((), None)
    assert MEDIA.learn([Evidence("t", "anna", 0, DAY, "", body)]).trips == []


def test_a_trip_of_no_day_is_left_out_and_absurd_lengths_are_bounded() -> None:
    body = written([Heard("a", 100)], 0) or {}
    assert MEDIA.learn([Evidence("t", "anna", 0, float("inf"), "", body)]).trips == []
    assert read({"items": ["a"], "heard": [[0, -5], [0, 1e300]]}).heard == (
        Heard("a", 0), Heard("a", 86_400.0),
    )  # fmt: skip


def test_what_was_always_first_is_offered_and_why_is_said() -> None:
    advice = MEDIA.advise(asked(), mornings("news", "song"))
    assert advice.state is not None
    offer = advice.offer
    assert offer is not None
    assert offer.item is not None
    assert (offer.key, offer.item.item, offer.settings) == (key_of("news"), "news", ())
    assert 0.7 <= offer.probability < 1
    assert (
        offer.because
        == "Because 10 of your 10 trips on workdays at about this time began with news."
    )
    state: Any = advice.state
    assert (state.after, [each.item for each in state.items]) == (None, ["news"])


def test_the_first_depends_on_hour_day_place_and_who_rides_along() -> None:
    rows = []
    for number in range(28):
        rows.append(evidence(number, ("news", 200), hour=8, place="work"))
        rows.append(evidence(number, ("jazz", 200), hour=17, place="home"))
        rows.append(evidence(number, ("tales", 200), hour=17.2, place="school", riders=2))
    library = MEDIA.learn(rows)

    def likeliest(**other: Any) -> str:
        state: Any = MEDIA.advise(asked(28, **other), library).state
        return str(state.items[0].item)

    belts = dict.fromkeys(BELTS, (True, 0))
    alone = dict.fromkeys(BELTS, (False, 0))
    assert likeliest(hour=8) == "news"
    assert likeliest(hour=17, settings=alone) == "jazz"
    assert likeliest(hour=17, settings=belts) == "tales"
    assert likeliest(hour=17.1, forecast=Forecast(("school", "home"), (0.9, 0.1), 0.0)) == "tales"
    assert likeliest(hour=17.1, forecast=Forecast(("home", "school"), (0.9, 0.1), 0.0)) == "jazz"
    state: Any = MEDIA.advise(asked(28, hour=17, settings=belts), library).state
    assert "with so many in the car" in state.items[0].because
    assert "alone" in str(MEDIA.advise(asked(28, settings=alone), library).state)


def test_weekends_are_not_workdays() -> None:
    rows = [evidence(day, ("slow" if day % 7 > 4 else "news", 200)) for day in range(28)]
    state: Any = MEDIA.advise(asked(33), MEDIA.learn(rows)).state
    assert state.items[0].item == "slow"
    assert (
        state.items[0].because
        == "Because 8 of your 8 trips on weekends at about this time began with slow."
    )


def test_next_is_what_came_after_the_nearer_the_more() -> None:
    library = mornings("news", "one", "two", "three")
    state: Any = MEDIA.advise(asked(settings={URI: ("news", 5)}), library).state
    assert state.after == "news"
    assert [each.item for each in state.items] == ["one", "two", "three"]
    one, two, three = (each.probability for each in state.items)
    assert (two / one, three / one) == (
        pytest.approx(1 / 2, abs=0.02), pytest.approx(1 / 3, abs=0.02),
    )  # fmt: skip
    assert state.items[0].because == "Because one came after news on 14 of your 14 trips with it."
    assert MEDIA.advise(asked(settings={URI: ("three", 5)}), library).state is None
    assert MEDIA.advise(asked(settings={URI: ("never heard", 5)}), library).state is None


def test_what_is_left_over_from_the_trip_before_counts_once_it_has_been_heard() -> None:
    library = mornings("news", "one")
    standing = {URI: ("one", 0)}
    early: Any = MEDIA.advise(asked(settings=standing), library).state
    assert (early.after, early.items[0].item) == (None, "news")
    on = MEDIA.advise(asked(settings={URI: ("news", 0)}), library)
    assert on.offer is None, "it is on already"
    late: Any = MEDIA.advise(asked(settings={URI: ("news", 0)}, after_s=30), library).state
    assert (late.after, late.items[0].item) == ("news", "one")


def test_a_skip_counts_against_first_and_next() -> None:
    begun = [evidence(day, ("a", 200), ("b", 200)) for day in range(7)]
    plain = [evidence(day, ("c", 200), ("a", 200), ("d", 200)) for day in range(7, 14)]
    skips = [
        evidence(day, ("a", 9), ("c", 200), ("a", 200), ("b", 9), ("d", 200))
        for day in range(7, 14)
    ]
    before, after = MEDIA.learn(begun + plain), MEDIA.learn(begun + skips)

    def chance(library: Library, item: str, settings: Any = None) -> float:
        state: Any = MEDIA.advise(asked(settings=settings), library).state
        return float(sum(each.probability for each in state.items if each.item == item))

    assert 0 < chance(after, "a") < chance(before, "a") * 0.8
    on = {URI: ("a", 5)}
    assert chance(after, "b", on) < chance(before, "b", on)
    all_skipped = MEDIA.learn([evidence(day, ("a", 9)) for day in range(14)])
    assert MEDIA.advise(asked(), all_skipped).state is None


def test_an_item_that_comes_again_on_a_trip_does_not_follow_itself() -> None:
    state: Any = MEDIA.advise(asked(settings={URI: ("a", 5)}), mornings("a", "b", "a")).state
    assert [each.item for each in state.items] == ["b"]


def test_a_driver_of_few_trips_is_told_nothing() -> None:
    assert MEDIA.advise(asked(trips=9), mornings("news")).state is None
    assert MEDIA.advise(asked(), Library()).state is None


def answers(*at_d: float, item: str = "news", is_accepted: bool = False) -> list[Answered]:
    return [Answered(key_of(item), round((DAY + at) * DAY_MS), is_accepted) for at in at_d]


def test_a_rejection_is_a_trip_against_and_a_day_of_silence() -> None:
    library = mornings("news")
    before = MEDIA.advise(asked(), library)
    after = MEDIA.advise(asked(answered=answers(11.34)), library)
    assert before.offer is not None
    assert MEDIA.advise(asked(answered=answers(13.4)), library).offer is None
    was: Any = before.state
    now: Any = after.state
    assert now.items[0].probability < was.items[0].probability
    situation = Situation(DAY + 14, 0, {}, None)
    assert first(library, situation, {"never heard": [0]}) == first(library, situation, {})
    others = answers(13.4, item="song that was forgotten") + answers(13.4, is_accepted=True)
    assert MEDIA.advise(asked(answered=others), library).state == before.state


def test_two_rejections_withdraw_an_item_until_it_is_heard_on_three_trips() -> None:
    twice = answers(2.4, 3.4)
    rows = [evidence(day, ("news", 200)) for day in range(4)]
    assert MEDIA.advise(asked(24, answered=twice), MEDIA.learn(rows)).offer is None
    rows += [evidence(day, ("news", 200)) for day in range(4, 24)]
    assert MEDIA.advise(asked(24, answered=twice), MEDIA.learn(rows[:6])).offer is None
    assert MEDIA.advise(asked(24, answered=twice), MEDIA.learn(rows)).offer is not None
    helped = twice + answers(*(day + 0.34 for day in range(4, 24)), is_accepted=True)
    assert MEDIA.advise(asked(24, answered=helped), MEDIA.learn(rows)).offer is not None


def test_a_weak_first_is_explained_by_all_trips_and_names_are_cut() -> None:
    name = "n" * 200
    rows = [evidence(day, (f"item {day}", 200)) for day in range(11)] + [evidence(11, (name, 200))]
    state: Any = MEDIA.advise(asked(), MEDIA.learn(rows)).state
    assert state.items[0].because.startswith("Because 1 of your 12 trips began with nnn")
    assert len(state.items[0].because) < 400
    assert state.items[0].item == name
    one: Any = MEDIA.advise(asked(), MEDIA.learn(rows[-1:])).state
    assert one.items[0].because.startswith("Because your one trip began")
    only: Any = MEDIA.advise(
        asked(settings={URI: ("a", 5)}), MEDIA.learn([evidence(0, ("a", 99), ("b", 99))])
    ).state
    assert only.items[0].because == "Because b came after a on your one trip with it."


def test_both_guesses_are_better_than_what_is_heard_most_and_what_was_heard_last() -> None:
    begun, following = Score(), Score()
    for persona, seed in (("commuter", 3), ("retiree", 3), ("two drivers", 5)):
        found = measured(life(persona, seed, 70), with_places=False)
        begun.include(found[0])
        following.include(found[1])
    for score in (begun, following):
        assert score.asked > 500
        for way in (FREQUENT, LATEST):
            assert score.rate_1(OURS) > score.rate_1(way) + 0.05
            assert score.rate_3(OURS) > score.rate_3(way) + 0.05

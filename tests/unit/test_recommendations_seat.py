"""Seat, mirrors and wheel: how they were left, where they are wanted, and who may drive."""

from typing import Any

import orjson
import pytest

from internetcar.contract.advice import SeatRecommendation
from internetcar.contract.trips import UNKNOWN_DRIVER, SettingChange, TripEnded
from services.recommendations.advising import (
    MOST_BYTES,
    Advice,
    Answered,
    Asked,
    Evidence,
    Standing,
)
from services.recommendations.destination.places import Places
from services.recommendations.journey import Journey
from services.recommendations.seat.adviser import KEY, Seat, key_of
from services.recommendations.seat.habit import Habit
from services.recommendations.seat.settled import LEAVES, is_same, number, read, words, written
from tests.recommendation_trips import HOME, MONDAY, WORK, ended, started

POSITION, HEIGHT = LEAVES[:2]
MIRROR = "Vehicle.Body.Mirrors.DriverSide.Pan"
WHEEL = "Vehicle.Chassis.SteeringWheel.Tilt"
DAY, DAY_MS = 20_514.0, 86_400_000
SEAT = Seat()


def change(path: str, offset_s: float, value: Any) -> SettingChange:
    return SettingChange(path=path, offset_s=offset_s, value=value)


def trip(*settings: SettingChange, minutes: float = 20) -> TripEnded:
    return ended(started(MONDAY, HOME), WORK, minutes, settings=list(settings))


def evidence(
    number: int,
    left: dict[str, float],
    began: dict[str, float] | None = None,
    *,
    hour: float = 8,
    moved: int = 0,
    driver: str = "anna",
) -> Evidence:
    """A trip on the day of this number."""
    day = DAY + number + hour / 24
    body = {"began": left if began is None else began, "left": left, "moved": moved}
    return Evidence(f"{driver}-{number}-{hour}", driver, round(day * DAY_MS), day, "place-1", body)


def always(left: dict[str, float], days: int = 12, **other: Any) -> list[Evidence]:
    return [evidence(number, left, **other) for number in range(days)]


def asked(
    settings: dict[str, tuple[Any, int]],
    number: int = 12,
    hour: float = 8,
    after_s: float = 0,
    driver: str = "anna",
    has_driven: bool = False,
    **other: Any,
) -> Asked:
    """A trip that is on; `settings` are values, and after how many ms they were changed."""
    day = DAY + number + hour / 24
    begun_ms = round(day * DAY_MS)
    journey = Journey(
        trip_id="now", driver=driver, started_ms=begun_ms, at_ms=begun_ms + round(after_s * 1000),
        day=day, has_driven=has_driven,
    )  # fmt: skip
    standing = {
        leaf: Standing(value, begun_ms + at_ms if at_ms else 0)
        for leaf, (value, at_ms) in settings.items()
    }
    values: dict[str, Any] = {
        "vehicle_id": "kona", "journey": journey, "origin": "live", "trips": 20, "forecast": None,
        "places": Places(), "labels": {}, "settings": standing,
    }  # fmt: skip
    return Asked(**{**values, **other})


def advise(rows: list[Evidence], *given: Any, **other: Any) -> Advice:
    return SEAT.advise(asked(*given, **other), SEAT.learn(rows))


def state_of(advice: Advice) -> SeatRecommendation:
    assert isinstance(advice.state, SeatRecommendation)
    return advice.state


def answers(*at_d: float, key: str = KEY, is_accepted: bool = False) -> list[Answered]:
    return [Answered(key, round((DAY + at) * DAY_MS), is_accepted) for at in at_d]


def test_how_it_was_left_counts_where_it_stood_for_half_of_the_trip_or_five_minutes() -> None:
    def left(offset_s: float, minutes: float) -> Any:
        body = written(
            trip(change(POSITION, 0, 200), change(POSITION, offset_s, 210), minutes=minutes)
        )
        assert body is not None
        return body["left"].get(POSITION)

    assert left(60, 4) == 210
    assert left(121, 4) is None, "not for half of it"
    assert left(1_500, 30) == 210, "five minutes"
    assert left(1_501, 30) is None


def test_what_is_changed_back_and_forth_counts_as_it_stood_last() -> None:
    body = SEAT.kept(
        trip(
            change(POSITION, 0, 200), change(POSITION, 60, 240), change(POSITION, 90, 200.0004),
            change(HEIGHT, 0, 30), change(HEIGHT, 1_199, 30), change(MIRROR, 1_190, 5),
            change(MIRROR, 1_195, 9),
            change(WHEEL, 0, True), change(WHEEL, 5, "up"), change("Vehicle.X", 0, 7),
        ),
        DAY, "place-1",
    )  # fmt: skip
    assert body == {
        "began": {POSITION: 200, HEIGHT: 30, MIRROR: 5},
        "left": {POSITION: 200, HEIGHT: 30},
        "moved": 3,
    }
    assert SEAT.kept(trip(change(WHEEL, 0, "up")), DAY, "place-1") is None
    assert SEAT.after(trip(), Habit([]), 20, DAY, "live") is None


def test_what_is_kept_of_every_leaf_is_small_enough() -> None:
    whole = trip(*(change(leaf, 0, 123_456.789) for leaf in LEAVES))
    assert len(orjson.dumps(SEAT.kept(whole, DAY, "place-1"))) <= MOST_BYTES / 2
    assert len({words(leaf) for leaf in LEAVES}) == 10


@pytest.mark.parametrize(
    "value", [True, None, "1", float("nan"), float("inf"), 1e7, -1e7]
)  # fmt: skip
def test_what_is_no_position_is_none(value: Any) -> None:
    assert number(value) is None
    assert read({"left": {POSITION: value}, "began": 7, "moved": "1"}) == ({}, {}, False)


def test_positions_are_one_within_a_step_or_one_percent() -> None:
    assert is_same(200, 202)
    assert not is_same(200, 203)
    assert is_same(5, 4)
    assert not is_same(5, 3.9)


def test_what_stands_otherwise_is_offered_with_its_reason() -> None:
    rows = always({POSITION: 210, HEIGHT: 30, WHEEL: 50, MIRROR: 4})
    advice = advise(rows, {POSITION: (160, 0), HEIGHT: (31, 0), WHEEL: (20, 0), MIRROR: ("x", 0)})
    offer, state = advice.offer, state_of(advice)
    assert offer is not None
    assert [(each.path, each.value, each.now) for each in offer.settings] == [
        (POSITION, 210, 160), (WHEEL, 50, 20),
    ]  # fmt: skip
    assert offer.key == KEY
    assert 0.8 < offer.probability < 0.95
    assert offer.because == (
        "Because you left the seat position at 210 on 12 of the last 12 trips, and 1 more setting "
        "like that."
    )
    assert (state.guess, state.is_withdrawn) == (None, False)
    assert state.settings == list(offer.settings)


def test_what_stands_as_it_was_left_is_no_news() -> None:
    assert advise(always({POSITION: 210}), {POSITION: (211, 0)}) == Advice()
    assert advise(always({}), {POSITION: (211, 0)}) == Advice()
    assert advise(always({POSITION: 210}), {POSITION: (160, 0)}, trips=9) == Advice()


def test_the_last_position_counts_and_is_believed_when_it_has_lasted() -> None:
    rows = [evidence(day, {POSITION: 210 if day < 9 else 240}) for day in range(12)]
    advice = advise(rows, {POSITION: (160, 0)})
    assert (state_of(advice).settings[0].value, advice.offer) == (240, None)
    assert state_of(advice).because == (
        "Because you left the seat position at 240 on 3 of the last 12 trips."
    )
    rows += [evidence(day, {POSITION: 240}) for day in range(12, 15)]
    assert advise(rows, {POSITION: (160, 0)}, number=15).offer is not None


def test_several_who_are_all_unknown_are_offered_nothing_that_half_of_them_want() -> None:
    mixed = [
        evidence(day, {POSITION: 210 if day % 2 else 150, HEIGHT: 30}, driver=UNKNOWN_DRIVER)
        for day in range(20)
    ]
    settings = {POSITION: (180, 0), HEIGHT: (50, 0)}
    drivers = {UNKNOWN_DRIVER: mixed}
    advice = advise(mixed, settings, number=20, driver=UNKNOWN_DRIVER, drivers=drivers)
    assert advice.offer is not None
    assert [each.path for each in advice.offer.settings] == [HEIGHT]
    assert "on the last trip" in advise(mixed[:1], settings, number=20).state.because  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("after_s", "drives", "may"), [(60, False, True), (61, False, False), (9, True, False)]
)
def test_nothing_is_moved_once_the_car_drives(after_s: float, drives: bool, may: bool) -> None:
    rows = always({POSITION: 210})
    advice = advise(rows, {POSITION: (160, 0)}, after_s=after_s, has_driven=drives)
    assert state_of(advice).settings[0].value == 210
    assert (advice.offer is not None) is may
    drivers = {"anna": rows}
    guess = advise(
        [], {POSITION: (210, 0)}, after_s=after_s, has_driven=drives,
        driver=UNKNOWN_DRIVER, drivers=drivers,
    )  # fmt: skip
    assert state_of(guess).guess == "anna"
    assert (guess.offer is not None) is may


def test_a_rejection_is_a_trip_against_and_a_day_of_silence() -> None:
    rows = always({POSITION: 210})
    settings = {POSITION: (160, 0)}
    before = state_of(advise(rows, settings)).settings[0].probability
    yesterday = advise(rows, settings, answered=answers(11.4))
    assert yesterday.offer is None
    assert state_of(yesterday).settings[0].probability < before - 0.1
    assert advise(rows, settings, answered=answers(8.4)).offer is not None


def test_two_rejections_withdraw_it_until_it_is_moved_by_hand_on_three_trips() -> None:
    twice = answers(1.3, 2.3)
    settings = {POSITION: (160, 0)}
    still = state_of(advise(always({POSITION: 210}), settings, answered=twice))
    assert still.is_withdrawn
    assert advise(always({POSITION: 210}), settings, answered=twice).offer is None
    fits = advise(always({POSITION: 210}), {POSITION: (210, 0)}, answered=twice)
    assert state_of(fits).is_withdrawn, "it is said also where all stands right"
    assert (state_of(fits).because, state_of(fits).settings) == ("", [])
    by_hand = always({POSITION: 210}, moved=1)
    assert not state_of(advise(by_hand, settings, answered=twice)).is_withdrawn
    assert advise(by_hand, settings, answered=twice).offer is not None
    assert state_of(advise(by_hand[:4], settings, answered=twice)).is_withdrawn


def two_drivers(swaps: bool = True) -> dict[str, list[Evidence]]:
    """Anna drives to work at eight, Ben on the evenings; the seat is as the other left it."""
    found: dict[str, list[Evidence]] = {"anna": [], "ben": []}
    for day in range(20):
        morning = ({POSITION: 210.0}, {POSITION: 150.0 if swaps else 210.0})
        evening = ({POSITION: 150.0}, {POSITION: 210.0 if swaps else 150.0})
        found["anna"].append(evidence(day, *morning, hour=8, moved=1))
        found["ben"].append(evidence(day, *evening, hour=20, moved=1, driver="ben"))
    return found


def guessed(settings: dict[str, tuple[Any, int]], hour: float, **other: Any) -> Advice:
    values = {"number": 20, "driver": UNKNOWN_DRIVER, "trips": 0, "drivers": two_drivers(), **other}
    return SEAT.advise(asked(settings, hour=hour, **values), Habit([]))


def test_who_drives_is_guessed_by_hour_and_seat_and_asked_with_that_seat() -> None:
    advice = guessed({POSITION: (150, 0)}, hour=8)
    offer, state = advice.offer, state_of(advice)
    assert offer is not None
    assert (offer.guess, offer.key) == ("anna", key_of("anna"))
    assert "anna" not in offer.key
    assert 0.7 <= offer.probability < 0.96, "somebody else may always come"
    assert [(each.path, each.value) for each in offer.settings] == [(POSITION, 210)]
    assert offer.settings[0].probability < offer.probability
    assert offer.because == (
        "Because anna drove on 20 of the last 20 trips at about this time, and found the seat "
        "position like this on 20 of 20 trips."
    )
    assert (state.guess, state.driver) == ("anna", UNKNOWN_DRIVER)
    evening = guessed({POSITION: (210, 0)}, hour=20).offer
    assert evening is not None
    assert evening.guess == "ben"


def test_a_seat_that_was_moved_by_hand_tells_who_sits_there() -> None:
    odd = 14.0
    found = guessed({POSITION: (211, 5_000), HEIGHT: ("x", 5_000)}, hour=odd)
    other = guessed({POSITION: (150, 5_000)}, hour=odd)
    assert (state_of(found).guess, state_of(other).guess) == ("anna", "ben")
    assert "and left the seat position like this on 20 of 20 trips" in state_of(found).because
    assert "anna drove on 20 of the last 40 trips, and" in state_of(found).because
    assert state_of(found).settings == [], "it stands as anna wants it"


def test_without_a_seat_the_hour_alone_may_do() -> None:
    state = state_of(guessed({}, hour=8))
    assert state.guess == "anna"
    assert state.because == "Because anna drove on 20 of the last 20 trips at about this time."


def test_where_nothing_tells_them_apart_nobody_is_guessed() -> None:
    same = {name: always({POSITION: 210}, driver=name) for name in ("anna", "ben")}
    advice = guessed({POSITION: (210, 0)}, hour=8, number=16, drivers=same)
    assert advice == Advice()
    assert guessed({}, 8, drivers={}) == Advice()
    assert guessed({}, 8, drivers={UNKNOWN_DRIVER: always({}), "anna": []}) == Advice()


def test_a_driver_of_few_trips_is_not_guessed_but_stands_against_the_others() -> None:
    few = {"anna": always({POSITION: 210}, days=9)}
    assert guessed({POSITION: (210, 0)}, hour=8, number=9, drivers=few) == Advice()
    both = {**few, "ben": always({POSITION: 210}, days=10, driver="ben")}
    alone = {"ben": both["ben"]}
    sure = guessed({POSITION: (210, 0)}, hour=8, number=14, drivers=alone)
    unsure = guessed({POSITION: (210, 0)}, hour=8, number=14, drivers=both)
    assert sure.offer is not None
    assert unsure.offer is None


def test_a_stranger_on_another_day_at_another_hour_in_another_seat_is_nobody() -> None:
    advice = guessed({POSITION: (20, 0)}, hour=3, number=26)
    assert advice.offer is None


def test_a_rejected_guess_is_not_asked_again_for_a_day_and_counts_against() -> None:
    settings = {POSITION: (150, 0)}
    no = answers(20.0, key=key_of("anna"))
    advice = guessed(settings, hour=8, answered=no)
    assert advice.offer is None
    before = guessed(settings, hour=8)
    assert (state_of(advice).probability or 0) < (state_of(before).probability or 0)
    twice = answers(10.0, 11.0, key=key_of("anna"))
    assert guessed(settings, hour=8, answered=twice).offer is not None, "anna has driven since"
    newly = answers(17.5, 18.5, key=key_of("anna"))
    assert guessed(settings, hour=8, answered=newly).offer is None


def test_absurd_evidence_is_no_reason_to_fail() -> None:
    bad = [
        Evidence("a", "anna", 0, DAY, "", {"left": {POSITION: 1e300}, "moved": -1}),
        Evidence("b", "anna", 2**60, float("nan"), "", {"left": []}),
    ] * 10
    assert advise(bad, {POSITION: (1e300, 0)}) == Advice()
    assert state_of(guessed({POSITION: (210, 0)}, hour=8, drivers={"anna": bad})).settings == []

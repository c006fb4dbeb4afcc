"""What a person who watches a car reads of advice beside where to."""

from datetime import UTC, datetime, timedelta

import pytest

from internetcar.contract.advice import (
    ClimateRecommendation,
    EcoAdvice,
    EcoHint,
    MediaRecommendation,
    SeatRecommendation,
    StopRecommendation,
    SuggestedItem,
    SuggestedSetting,
    SuggestedStop,
)
from internetcar.contract.message import Message
from internetcar.contract.recommendations import RecommendationAnswer, RecommendationOffer
from internetcar.contract.subscriptions import Received
from internetcar.launcher.advice_words import Advice, advice_lines, setting_words
from internetcar.launcher.recommend_words import SuggestionLines, may_answer

AT = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
HVAC = "Vehicle.Cabin.HVAC.Station.Row1.Driver."
WARM = SuggestedSetting(path=HVAC + "Temperature", value=24.5, now=22.0, probability=0.9)
FAN = SuggestedSetting(path=HVAC + "FanSpeed", value=50, probability=0.8)
SEAT = SuggestedSetting(
    path="Vehicle.Cabin.Seat.Row1.DriverSide.Position", value=230, probability=0.8
)
BECAUSE = "You had 24.5 °C on 27 of 40 trips at 24 to 30 °C outside."
TRIP = {"vehicle_id": "kona", "trip_id": "t1", "driver": "anna", "origin": "live", "at": AT}
CLIMATE = ClimateRecommendation(
    **TRIP, settings=[WARM, FAN], because=BECAUSE, similar_trips=27, outside_c=27.0
)
ECO = EcoAdvice(
    **TRIP, unit="Wh", used=1_330.0, expected=1_250.0,
    hints=[EcoHint(kind="idle", saves=90, share=0.08, words="Idling 6 min took 90 Wh, 8 %.")],
)  # fmt: skip
OFFER = RecommendationOffer(
    **TRIP, offer_id="o" * 32, kind="climate", probability=0.9, because=BECAUSE,
    settings=[WARM, FAN],
)  # fmt: skip


def received(message: Message) -> Received:
    return Received(message.topic, message.encode())


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        (CLIMATE, [f"climate: 24.5 °C, fan 50 %. {BECAUSE}"]),
        (
            CLIMATE.model_copy(update={"is_withdrawn": True}),
            [
                "climate: withdrawn, for it was rejected twice; it comes back once it is done"
                " by hand"
            ],
        ),
        (CLIMATE.model_copy(update={"settings": []}), []),
        (
            SeatRecommendation(**TRIP, settings=[SEAT], because="So it was on 9 trips."),
            ["seat: seat at 230. So it was on 9 trips."],
        ),
        (
            SeatRecommendation(
                **TRIP, guess="ben", probability=0.8, settings=[], because="It stands as for ben."
            ),
            ["who drives: maybe ben (80 %). It stands as for ben."],
        ),
        (
            SeatRecommendation(**TRIP, guess="ben", settings=[SEAT], because="As for ben."),
            ["who drives: maybe ben.", "seat: seat at 230. As for ben."],
        ),
        (
            MediaRecommendation(
                **TRIP,
                items=[
                    SuggestedItem(item="Night Express", probability=0.6, because="As mostly."),
                    SuggestedItem(item="Kopi and Kaya", probability=0.2),
                ],
            ),
            ["to hear: Night Express (60 %), Kopi and Kaya (20 %). As mostly."],
        ),
        (MediaRecommendation(**TRIP, items=[]), []),
        (
            StopRecommendation(
                **TRIP,
                stops=[
                    SuggestedStop(kind="charge", probability=0.9, label="home"),
                    SuggestedStop(kind="habit", probability=0.5, because="Mostly so."),
                ],
            ),
            ["on the way: charge at home (90 %), stop (50 %). Mostly so."],
        ),
        (StopRecommendation(**TRIP, stops=[]), []),
        (
            ECO,
            ["last trip: 1.33 kWh, 1.25 kWh expected", "eco: Idling 6 min took 90 Wh, 8 %."],
        ),
        (
            EcoAdvice(**TRIP, unit="ml", used=900.0, hints=[]),
            ["last trip: 0.90 l"],
        ),
    ],
)  # fmt: skip
def test_each_kind_is_a_line_with_its_reason(said: Advice, lines: list[str]) -> None:
    assert advice_lines(said) == lines


def test_what_stands_so_already_is_not_said() -> None:
    so = WARM.model_copy(update={"now": 24.5})
    said = CLIMATE.model_copy(update={"settings": [so, FAN]})
    assert advice_lines(said) == [], "nobody knows how the fan stands"
    slow = FAN.model_copy(update={"now": 20})
    said = CLIMATE.model_copy(update={"settings": [so, slow]})
    assert advice_lines(said) == [f"climate: fan 50 %. {BECAUSE}"]
    assert advice_lines(CLIMATE.model_copy(update={"settings": [so]})) == []
    off = FAN.model_copy(update={"value": 0})
    assert advice_lines(CLIMATE.model_copy(update={"settings": [off]})) == []
    assert advice_lines(
        CLIMATE.model_copy(update={"settings": [off.model_copy(update={"now": 3})]})
    )


def test_a_setting_that_has_no_words_is_called_as_its_leaf() -> None:
    assert setting_words("Vehicle.Body.Mirrors.DriverSide.Pan", 12) == "Pan 12"
    assert setting_words("Vehicle.X.HeatingCooling", -40) == "seat warmth -40"


def test_words_of_a_stranger_do_not_steer_the_terminal() -> None:
    item = SuggestedItem(item="a\u202eb", probability=0.5)
    assert "\ufffd" in advice_lines(MediaRecommendation(**TRIP, items=[item]))[0]


def test_what_is_taken_back_is_shown_no_more_and_the_last_trip_stands_last() -> None:
    lines = SuggestionLines()
    assert lines.on_received(received(ECO))
    assert lines.on_received(received(CLIMATE))
    assert lines.on_received(received(CLIMATE)) == [], "it is no news"
    assert lines.on_offer(OFFER)
    assert lines.lines[0].startswith("climate")
    assert lines.lines[-1].startswith("eco")
    assert lines.on_received(Received(CLIMATE.topic, b"")) == []
    assert [line.split(":")[0] for line in lines.lines] == ["last trip", "eco"]


def test_what_was_said_of_the_past_is_no_news_and_is_kept() -> None:
    lines = SuggestionLines()
    assert lines.on_received(received(ECO), AT + timedelta(seconds=1)) == []
    assert len(lines.lines) == 2


def test_an_offer_goes_once_it_is_answered_or_its_trip_is_over() -> None:
    lines = SuggestionLines()
    answer = RecommendationAnswer(
        vehicle_id="kona", requester="car", id=OFFER.offer_id, status="done", detail="24.5 °C"
    )
    assert lines.on_answer(answer) == [], "it is to something else"
    lines.on_offer(OFFER)
    assert lines.on_offer(OFFER) == []
    assert lines.on_answer(answer) == ["climate: done: 24.5 °C"]
    assert lines.lines == []
    lines.on_offer(OFFER)
    lines.end()
    assert lines.lines == []


def test_only_a_name_that_may_stand_in_a_topic_is_answered() -> None:
    assert may_answer("car")
    assert not any(may_answer(name) for name in (None, "", "a b", "a/b", "+", "#", "a" * 60))


def test_in_few_lines_an_offer_comes_before_all_else_and_is_not_cut() -> None:
    lines = SuggestionLines()
    lines.on_received(received(CLIMATE))
    lines.on_received(received(ECO))
    assert [line for line, _ in lines.shown(40, 9)] == [
        f"climate: 24.5 °C, fan 50 %. {BECAUSE}",
        "last trip: 1.33 kWh, 1.25 kWh expected",
    ]
    lines.on_offer(OFFER)
    few = [line for line, _ in lines.shown(40, 5)]
    assert few[0].startswith("climate: ")
    assert few[1].startswith("set ")
    assert any(line.strip().endswith("o" * 32) for line in few[1:])
    assert not any(line.startswith("last trip") for line in few)
    assert lines.shown(40, 0) == lines.shown(40, 9)[-4:], "the offer is whole"
    whole = [line for line, _ in lines.shown(40, None)]
    assert all(len(line) <= 40 for line in whole)
    assert len(whole) > len(few)

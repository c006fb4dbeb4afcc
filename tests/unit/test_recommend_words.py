"""What a person who watches a car reads of where a trip may lead."""

from datetime import UTC, datetime

import pytest

from internetcar.contract.advice import SuggestedItem, SuggestedSetting, SuggestedStop
from internetcar.contract.recommendations import (
    DestinationRecommendation,
    RecommendationAnswer,
    RecommendationOffer,
    SuggestedPlace,
)
from internetcar.contract.subscriptions import Received
from internetcar.launcher.recommend_words import SuggestionLines, answer_line, offer_line

AT = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
WORK = SuggestedPlace(
    place_id="place-1", latitude=1.3, longitude=103.8, label="work", probability=0.8125,
    because="Because 8 of your 9 trips on workdays went to work.",
)  # fmt: skip
HOME = SuggestedPlace(place_id="place-2", latitude=1.4, longitude=103.9, probability=0.1)
SAID = DestinationRecommendation(
    vehicle_id="kona", trip_id="t1", driver="anna", places=[WORK, HOME], somewhere_new=0.0875,
    origin="live", at=AT,
)  # fmt: skip
OFFER = RecommendationOffer(
    vehicle_id="kona",
    offer_id="o1",
    trip_id="t1",
    driver="anna",
    place=WORK,
    origin="live",
    at=AT,
    probability=WORK.probability,
)


def received(payload: bytes) -> Received:
    return Received(SAID.topic, payload)


def test_each_place_is_a_line_with_its_probability_and_reason() -> None:
    lines = SuggestionLines()
    assert lines.on_received(received(SAID.encode())) == [
        "where to: 81 % work. Because 8 of your 9 trips on workdays went to work.",
        "where to: 10 % place-2.",
        "where to: 9 % somewhere new.",
    ]
    assert lines.on_received(received(SAID.encode())) == [], "it is no news"


def test_an_offer_says_how_it_is_answered_and_stays_until_the_trip_is_over() -> None:
    lines = SuggestionLines()
    assert lines.on_offer(OFFER) == ["go to work (81 %)? car recommend accept|reject o1"]
    assert lines.on_offer(OFFER) == []
    lines.on_received(received(SAID.encode()))
    assert len(lines.lines) == 4
    assert lines.on_received(received(b"")) == []
    assert lines.lines == []


WARM, HEATED = (
    SuggestedSetting(path=f"Vehicle.Cabin.{path}", value=value, probability=0.8)
    for path, value in (
        ("HVAC.Station.Row1.Driver.Temperature", 21.5),
        ("HVAC.IsAirConditioningActive", False),
    )
)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"kind": "climate", "settings": [WARM, HEATED]},
            "set Driver Temperature 21.5, IsAirConditioningActive false",
        ),
        ({"kind": "climate", "settings": [WARM] * 7}, ", Driver Temperature 21.5, 3 more"),
        ({"kind": "seat", "guess": "ben"}, "drive as ben"),
        ({"kind": "seat", "guess": "ben", "settings": [WARM]}, "as ben, Driver Temperature 21.5"),
        ({"kind": "media", "item": SuggestedItem(item="Air", probability=1)}, "hear Air"),
        (
            {"kind": "stop", "stop": SuggestedStop(kind="charge", place_id="p", probability=1)},
            "charge at p",
        ),
        ({"kind": "stop", "stop": SuggestedStop(kind="habit", probability=1)}, "stop"),
        ({"kind": "media"}, "media"),
    ],
)
def test_an_offer_of_any_kind_says_what_it_is(fields: dict[str, object], words: str) -> None:
    offer = RecommendationOffer.model_validate(
        {**OFFER.model_dump(exclude={"place"}), **fields, "probability": 0.8}
    )
    assert offer_line(offer).endswith(f"{words} (80 %)? car recommend accept|reject o1")
    done = offer.model_copy(update={"is_automatic": True})
    assert offer_line(done).endswith(f"{words} (80 %): being done; car recommend reject o1")


def test_what_cannot_be_read_changes_nothing() -> None:
    lines = SuggestionLines()
    lines.on_received(received(SAID.encode()))
    assert lines.on_received(received(b"{")) == []
    assert len(lines.lines) == 3


def test_words_of_a_stranger_do_not_steer_the_terminal() -> None:
    place = WORK.model_copy(update={"label": "a\u202eb"})
    line = SuggestionLines().on_offer(OFFER.model_copy(update={"place": place}))[0]
    assert line.startswith("go to a\ufffdb (")


def test_an_answer_says_why_and_how_much_was_erased() -> None:
    answer = RecommendationAnswer(vehicle_id="k", requester="p", id="r", status="done", erased=3)
    assert answer_line(answer) == "done: 3 visits erased"
    refused = RecommendationAnswer(
        vehicle_id="k", requester="p", status="refused", reason="expired", detail="it is over"
    )
    assert answer_line(refused) == "refused: expired: it is over"

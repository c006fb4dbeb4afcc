"""Who answers an offer on the command line hears that the car is waited for, and what it says."""

import queue

import pytest

from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.recommendations import RecommendationAnswer
from internetcar.launcher import recommend_talk

Heard = queue.SimpleQueue[RecommendationAnswer | Delivery]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommend_talk, "SILENCE_S", 0.02)
    monkeypatch.setattr(recommend_talk, "NEWS_S", 0.01)


def answered(offer_id: str) -> RecommendationAnswer:
    return RecommendationAnswer(
        vehicle_id="kona", requester="phone", id=offer_id, status="done", detail="confirmed"
    )


def test_what_takes_long_says_once_that_the_car_is_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert recommend_talk.answer_of(Heard(), "o1", "phone", 0.1) is None
    first, last = capsys.readouterr().out.splitlines()
    assert first == "sent; waiting for the car"
    assert last.startswith("no answer")
    assert recommend_talk.answer_of(Heard(), "o1", "phone", 0.02) is None
    assert capsys.readouterr().out.startswith("no answer"), "of a control nothing is waited for"


def test_the_answer_is_that_with_the_id_and_a_refusal_of_the_broker_ends_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    heard = Heard()
    heard.put(answered("o2"))
    heard.put(answered("o1"))
    assert recommend_talk.answer_of(heard, "o1", "phone", 10) == answered("o1")
    assert capsys.readouterr().out == "done: confirmed\n"
    for outcome in (Outcome.ACKNOWLEDGED, Outcome.NOT_PERMITTED):
        delivery = Delivery("a/b")
        delivery.outcome = outcome
        heard.put(delivery)
    assert recommend_talk.answer_of(heard, "o1", "phone", 10) is None
    assert "do not let phone" in capsys.readouterr().out

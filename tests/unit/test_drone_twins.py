"""Two services for one drone know of each other, and neither ends the other."""

from typing import Any

import pytest

from internetcar.contract.drone import DroneOsd, DronePresence, State
from internetcar.contract.message import instant
from services.drone.autopilot import DroneStatus
from services.drone.broker import telling
from services.drone.broker.requests import Refusal, refused, sender_of
from services.drone.broker.telling import Identity
from services.drone.broker.twins import EVERY_S, LASTS_S, Twins, ours
from tests.drone_stand import NOW_MS, WritingPilot, moment, request

OWN = Identity("demo", "drone1", NOW_MS, "test", "m")
OTHER = Identity("demo", "drone1", NOW_MS - 1_000, "test", "other")


def heard(of: Identity, *, online: bool = True) -> DronePresence:
    return telling.presence(of, "", online=online)


def test_our_own_words_are_no_twin_and_get_no_answer() -> None:
    twins = Twins(OWN)
    twins.hear(heard(OWN), 0.0)
    assert not twins.are_heard(0.0)
    assert not twins.is_answer_due(0.0)


@pytest.mark.parametrize("of", [OWN, OTHER])
def test_an_old_will_that_hides_us_is_corrected_once(of: Identity) -> None:
    twins = Twins(OWN)
    twins.hear(heard(of, online=False), 0.0)
    assert not twins.are_heard(0.0)
    assert twins.is_answer_due(0.0)
    assert not twins.is_answer_due(EVERY_S)


def test_two_that_answer_each_other_know_it_as_long_as_both_live_and_do_not_flood() -> None:
    first, second = Twins(OWN), Twins(OTHER)
    second.hear(heard(OWN), 0.0)
    said = 0
    for tick in range(600):
        now_s = tick / 20
        for who, other, whose in ((first, second, OWN), (second, first, OTHER)):
            if who.is_answer_due(now_s):
                other.hear(heard(whose), now_s)
                said += 1
        assert tick == 0 or (first.are_heard(now_s) and second.are_heard(now_s))
    assert 20 <= said <= 32
    assert not first.are_heard(30.0 + LASTS_S), "the other one was killed"


def test_one_that_takes_leave_is_gone_at_once_and_another_stays() -> None:
    twins = Twins(OWN)
    twins.hear(heard(OTHER), 0.0)
    third = Identity("demo", "drone1", 0, "", "third")
    twins.hear(heard(third), 0.0)
    twins.hear(heard(OTHER, online=False), 0.1)
    assert twins.are_heard(0.1)
    twins.hear(heard(third, online=False), 0.2)
    assert not twins.are_heard(0.2)


def test_a_thousand_forged_names_take_no_room_and_one_answer() -> None:
    twins = Twins(OWN)
    for number in range(1_000):
        twins.hear(heard(Identity("demo", "drone1", 0, "", f"forged-{number}")), 0.0)
    assert twins.are_heard(0.0)
    assert len(twins._heard_s) <= 10
    assert [twins.is_answer_due(0.0) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize(("state", "count"), [("docked", 5), ("on_task", 5), ("offline", 2)])
def test_who_does_not_hear_the_drone_leaves_it_to_who_may(state: State, count: int) -> None:
    asked = request()
    no = refused(sender_of(asked), Refusal("not_flying", "no flight"), NOW_MS)
    yes: Any = no.model_copy(update={"data": no.data.model_copy(update={"result": 0})})
    osd = telling.osd(OWN, DroneStatus(), state, None, None, moment(0))
    said = [heard(OWN), WritingPilot().state(), osd, no, yes]
    assert isinstance(osd, DroneOsd)
    assert instant(NOW_MS) == osd.at
    assert len([*ours(said, state)]) == count

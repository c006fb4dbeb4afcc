"""Of two services for one drone the first stays, and what flies is never ended."""

from datetime import timedelta
from typing import Any

import pytest

from internetcar.contract.drone import DronePresence
from internetcar.contract.message import instant
from services.drone.broker import telling
from services.drone.broker.telling import Identity
from services.drone.broker.twins import Verdict, judge
from tests.drone_stand import NOW_MS

OWN = Identity("demo", "drone1", NOW_MS, "test", "m")
LATER, EARLIER = timedelta(seconds=1), timedelta(seconds=-1)


def heard(instance: str, after: timedelta, **changed: Any) -> DronePresence:
    fields = {"vehicle_id": "demo", "drone_id": "drone1", "online": True, "instance": instance,
              "since": instant(NOW_MS) + after}  # fmt: skip
    return DronePresence.model_validate({**fields, **changed})


def test_our_own_words_are_ours() -> None:
    said = telling.presence(OWN, "ArduCopter", online=True)
    assert judge(said, OWN, "docked") is Verdict.OURS


@pytest.mark.parametrize("state", ["docked", "enroute"])
def test_an_old_will_and_who_came_later_are_corrected(state: Any) -> None:
    assert judge(heard("m", EARLIER, online=False), OWN, state) is Verdict.FALSE
    assert judge(heard("a", LATER), OWN, state) is Verdict.FALSE
    assert judge(heard("z", timedelta()), OWN, state) is Verdict.FALSE, "at once: by the name"


def test_who_came_later_goes_unless_it_flies() -> None:
    assert judge(heard("z", EARLIER), OWN, "docked") is Verdict.LATER
    assert judge(heard("a", timedelta()), OWN, "offline") is Verdict.LATER
    assert judge(heard("z", EARLIER), OWN, "takeoff") is Verdict.BOTH

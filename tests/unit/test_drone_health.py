"""What could not be taken in is counted and said, while it goes on and when it is over."""

from typing import Any

from internetcar.contract.drone import DroneEvent
from internetcar.contract.drone_health import DroneHealth
from services.drone.broker.health import HealthKeeper, Tally
from services.drone.broker.telling import Identity
from tests.drone_stand import moment

FLOOD = Tally(requests_dropped=500, foreign=7)


def looked(keeper: HealthKeeper, tally: Tally, s: float, **given: Any) -> list[Any]:
    """What is said, without its envelope."""
    out: list[Any] = []
    for each in keeper.look(tally, moment(s), **given):
        if isinstance(each, DroneHealth):
            out.append((each.requests_dropped, each.foreign, len(each.problems)))
        elif isinstance(each, DroneEvent):
            out.append((each.data["list"][0]["code"], each.data["list"][0]["level"]))
    return out


def test_a_flood_is_said_once_counted_on_and_its_end_is_said() -> None:
    keeper = HealthKeeper(Identity("demo", "drone1"))
    assert looked(keeper, Tally(), 0.0) == [(0, 0, 0)]
    assert looked(keeper, FLOOD, 0.5) == [("requests_dropped", 1)]
    assert looked(keeper, FLOOD, 1.0) == [(500, 7, 1)]
    assert looked(keeper, Tally(requests_dropped=900, foreign=7), 2.5) == [(900, 7, 1)]
    assert looked(keeper, Tally(requests_dropped=900, foreign=7), 62.0) == []
    assert looked(keeper, Tally(requests_dropped=900, foreign=7), 63.0) == [
        ("requests_dropped", 0),
        (900, 7, 0),
    ]


def test_other_systems_on_the_line_are_counted_and_are_no_problem() -> None:
    keeper = HealthKeeper(Identity("demo", "drone1"))
    assert looked(keeper, Tally(foreign=1), 0.0) == [(0, 1, 0)]


def test_a_broker_that_forgot_hears_it_again_and_a_twin_is_a_problem() -> None:
    keeper = HealthKeeper(Identity("demo", "drone1"))
    assert looked(keeper, Tally(), 0.0) == [(0, 0, 0)]
    keeper.greet()
    assert looked(keeper, Tally(), 0.1) == [(0, 0, 0)]
    assert looked(keeper, Tally(), 5.0, twin=True) == [("twin", 1), (0, 0, 1)]

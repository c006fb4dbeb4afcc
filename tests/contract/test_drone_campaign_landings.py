"""Landings on cars that stood, moved and creep; and that the campaign can tell a bad one."""

import pytest

from services.drone.flight import home, landing
from services.drone.flight.cockpit import Cockpit
from services.drone.geodesy import Place
from tests.bench import drone_landings

PARKED, MOVED, JAM, RTL, DRIVES_OFF = 0, 1, 2, 5, 14


@pytest.mark.parametrize("seed", [PARKED, MOVED, JAM, RTL, DRIVES_OFF])
def test_it_lands_where_the_car_is(seed: int) -> None:
    row = drone_landings.run(seed)
    assert row.faults == []
    assert row.figures["error"] < 0.5
    assert row.differences == []


def test_the_autopilots_own_return_alone_lands_where_the_car_was() -> None:
    assert drone_landings.run(MOVED).figures["naive"] == pytest.approx(126.0, abs=1.0)


def test_a_return_to_where_the_car_was_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "turn", lambda cockpit: None)
    row = drone_landings.run(RTL)
    assert row.figures["error"] > 50.0
    assert row.faults


def test_a_place_beside_the_car_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    come_down = landing.come_down

    def beside(cockpit: Cockpit, place: Place) -> None:
        come_down(cockpit, Place(place.lat_deg + 1e-5, place.lon_deg))

    monkeypatch.setattr(landing, "come_down", beside)
    row = drone_landings.run(PARKED)
    assert row.figures["error"] > 0.5
    assert row.faults

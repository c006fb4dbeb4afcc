"""Whether the car rests, and where it stands when its receiver wanders."""

import random
from typing import Any, cast

import pytest

from services.drone.events import BrokerLink, CarFix, CarPresence, CarSignal
from services.drone.flight import rest
from services.drone.flight.cockpit import Cockpit
from services.drone.flight.memory import Memory
from services.drone.flight.settings import FlightSettings
from services.drone.flight.standing import Standing, stood
from services.drone.geodesy import Place, distance_m
from services.drone.leaps import SeenFix
from services.drone.moment import Moment
from services.drone.view import seen
from tests.drone_car import Gnss

HERE = Place(57.7, 11.97)
METRE = 1 / 111_195


def north(metres: float) -> Place:
    return Place(HERE.lat_deg + metres * METRE, HERE.lon_deg)


class Stand:
    """A cockpit that hears a car's positions and wheels."""

    def __init__(self, wheels_kmh: float | None = 0.0) -> None:
        nobody = cast(Any, None)
        self.cockpit = Cockpit("car1", "drone1", FlightSettings(), nobody, Memory(), nobody)
        self.s = 1000.0
        for event in (BrokerLink(True), CarPresence(True, "live", "synchronized")):
            self.cockpit.view = seen(self.cockpit.view, event, self.now)
        self.wheels(wheels_kmh)

    @property
    def now(self) -> Moment:
        return Moment(self.s, round(self.s * 1000))

    def wheels(self, kmh: float | None) -> None:
        if kmh is not None:
            event = CarSignal("Vehicle.Speed", kmh, "valid", 0.0)
            self.cockpit.view = seen(self.cockpit.view, event, self.now)

    def hear(self, place: Place, kmh: float | None = 0.0, accuracy_m: float | None = 2.5) -> None:
        self.s += 0.1
        self.cockpit.now = self.now
        event = CarFix(place, accuracy_m, 0.0, kmh, 0.0)
        self.cockpit.view = seen(self.cockpit.view, event, self.now)
        assert self.cockpit.view.car is not None
        rest.watch(self.cockpit, self.cockpit.view.car)

    def is_away(self, anchor: Place) -> bool:
        assert self.cockpit.view.car is not None
        return rest.is_away(self.cockpit, anchor, self.cockpit.view.car)

    @property
    def since_s(self) -> float:
        assert self.cockpit.rest is not None
        return self.cockpit.rest.since_s


def test_a_car_that_stays_rests_since_its_first_position() -> None:
    stand = Stand()
    for _ in range(50):
        stand.hear(HERE)
    assert stand.since_s == pytest.approx(1000.1)
    assert stand.cockpit.car_place is not None
    assert distance_m(HERE, stand.cockpit.car_place) < 1e-6


@pytest.mark.parametrize(
    ("wheels_kmh", "metres", "kmh", "is_away"),
    [
        (0.0, 4.9, 0.0, False),
        (0.0, 5.1, 0.0, True),
        (None, 1.9, 0.0, False),
        (None, 2.1, 0.0, True),
        (None, 0.0, 1.9, True),
        (None, 0.0, None, False),
        (0.0, 0.0, 3.0, False),
        (0.6, 0.0, 1.9, True),
        (0.6, 2.1, None, True),
    ],
)
def test_wheels_that_stand_are_believed_more_than_a_receiver(
    wheels_kmh: float | None, metres: float, kmh: float | None, is_away: bool
) -> None:
    stand = Stand(wheels_kmh)
    stand.hear(north(metres), kmh)
    assert stand.is_away(HERE) is is_away


def test_without_an_accuracy_two_metres_are_away() -> None:
    stand = Stand()
    stand.hear(north(2.1), accuracy_m=None)
    assert stand.is_away(HERE)


def test_a_car_that_drives_is_where_it_last_said() -> None:
    stand = Stand()
    stand.hear(HERE)
    stand.wheels(10.0)
    stand.hear(north(0.2), kmh=10.0)
    assert stand.cockpit.standing is None
    assert stand.cockpit.car_place == north(0.2)
    assert stand.since_s == pytest.approx(1000.2)


@pytest.mark.parametrize("kmh", [None, 1.9])
def test_a_position_without_speed_or_with_one_is_no_part_of_a_mean(kmh: float | None) -> None:
    stand = Stand()
    stand.hear(HERE)
    stand.hear(north(0.2), kmh=kmh)
    assert stand.cockpit.car_place == north(0.2)


def test_before_a_position_there_is_no_place() -> None:
    assert Stand().cockpit.car_place is None


def test_a_mean_is_nearer_to_the_true_place_than_the_last_position() -> None:
    means, lasts, rests = [], [], []
    for seed in range(20):
        stand, gnss = Stand(), Gnss(random.Random(seed), 2.5)
        for _ in range(2_000):
            stand.s = round(stand.s, 3)
            stand.hear(gnss.place(HERE, stand.s))
            if round(stand.s * 10) % 300 == 0:
                stand.wheels(0.0)
        assert stand.cockpit.car_place is not None
        assert stand.cockpit.view.car is not None
        means.append(distance_m(HERE, stand.cockpit.car_place) ** 2)
        lasts.append(distance_m(HERE, stand.cockpit.view.car.fix.place) ** 2)
        rests.append(stand.since_s)
    assert sum(means) < 0.5 * sum(lasts)
    assert sum(since_s < 1100.0 for since_s in rests) >= 18


def test_an_exact_receiver_that_steps_is_followed_at_once() -> None:
    standing: Standing | None = None
    for tick in range(600):
        standing = stood(standing, SeenFix(CarFix(HERE, 2.5, 0.0, 0.0, 0.0), tick / 10))
    standing = stood(standing, SeenFix(CarFix(north(0.4), 2.5, 0.0, 0.0, 0.0), 60.0))
    assert standing == Standing(north(0.4), 60.0)


def test_a_position_after_a_silence_weighs_a_second_and_one_of_the_same_moment_nothing() -> None:
    first = Standing(HERE, 10.0, lasts_s=9.0)
    late = stood(first, SeenFix(CarFix(north(0.2), 2.5, 0.0, 0.0, 0.0), 50.0))
    assert distance_m(HERE, late.place) == pytest.approx(0.02, abs=1e-3)
    assert late.lasts_s == 10.0
    same = stood(Standing(HERE, 10.0), SeenFix(CarFix(north(0.2), 2.5, 0.0, 0.0, 0.0), 10.0))
    assert distance_m(HERE, same.place) < 1e-6


def test_a_mean_reaches_five_minutes_back() -> None:
    old = Standing(HERE, 10.0, lasts_s=300.0)
    assert stood(old, SeenFix(CarFix(HERE, 2.5, 0.0, 0.0, 0.0), 11.0)).lasts_s == 300.0

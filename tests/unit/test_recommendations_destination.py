"""Predictions of one driver: ranked, honest about new places, calibrated, forgettable."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.recommendations.destination import predictor as module
from services.recommendations.destination.calibration import Calibration
from services.recommendations.destination.correction import FEATURES, Correction
from services.recommendations.destination.moment import Moment
from services.recommendations.destination.predictor import NOTHING, Forecast, Predictor
from tests.drivers.dice import Dice


def regular(days: int, predictor: Predictor | None = None, first: int = 4) -> Predictor:
    """Weekdays: home, work at eight, home at five; somewhere new each Saturday."""
    driver = predictor or Predictor()
    for day in range(first, first + days):
        weekday = Moment(float(day)).weekday
        if weekday < 5:
            driver.learn(Moment(day + 8 / 24, "home", "work", 900), "work")
            driver.learn(Moment(day + 17 / 24, "work", "home", 500), "home")
        elif weekday == 5:
            driver.learn(Moment(day + 11 / 24, "home", "work", 1000), f"new-{day}")
            driver.learn(Moment(day + 15 / 24, f"new-{day}", "home", 100), "home")
    return driver


MORNING = Moment(88 + 8 / 24, "home", "work", 900)
SATURDAY = Moment(93 + 11 / 24, "home", "work", 1000)


def test_nothing_is_known_of_a_stranger() -> None:
    forecast = Predictor().predict(MORNING)
    assert forecast == NOTHING
    assert forecast.first == ("", 0.0)
    assert forecast.rank("home") is None


def test_a_regular_driver_is_foreseen() -> None:
    driver = regular(84)
    assert MORNING.weekday == 0
    forecast = driver.predict(MORNING)
    assert forecast.first[0] == "work"
    assert forecast.first[1] > 0.85
    assert forecast.rank("work") == 1
    assert sum(forecast.shares) + forecast.somewhere_new == pytest.approx(1.0)
    assert list(forecast.shares) == sorted(forecast.shares, reverse=True)


def test_somewhere_new_is_said_where_new_places_are_the_habit() -> None:
    driver = regular(84)
    assert SATURDAY.weekday == 5
    assert driver.predict(SATURDAY).somewhere_new > 0.5
    assert driver.predict(MORNING).somewhere_new < 0.1


def test_what_is_said_of_the_first_place_is_learned_from_hits_and_misses() -> None:
    dice, calibration = Dice("calibration"), Calibration()
    for _ in range(2000):
        calibration.learn(0.6, dice.chance(0.85))
    assert calibration.said(0.6) == pytest.approx(0.85, abs=0.05)
    for _ in range(3000):
        calibration.learn(0.6, was_right=False)
    assert 0.0 < calibration.said(0.6) < 0.2
    assert 0.0 < calibration.said(0.0) < calibration.said(1.0) < 1.0


def test_the_correction_learns_which_feature_is_right() -> None:
    correction = Correction()
    features = np.zeros((FEATURES, 3))
    features[-4] = [1.0, 0.0, 0.0]
    for _ in range(50):
        correction.learn(features, 1)
    assert correction.shares(features)[0] < 0.2
    assert correction.trust[0] > 0.9


def test_learning_gives_the_same_whether_asked_before_or_not() -> None:
    asked, silent = regular(40), regular(40)
    asked.predict(MORNING)
    asked.learn(MORNING, "work")
    silent.learn(MORNING, "work")
    assert asked.predict(SATURDAY) == silent.predict(SATURDAY)
    assert asked.weights.tolist() == silent.weights.tolist()


def test_a_forgotten_place_is_as_if_it_had_never_been() -> None:
    driver, other = regular(42), Predictor()
    driver.learn(Moment(47.0, "home"), "secret")
    driver.learn(Moment(47.2, "secret"), "home")
    regular(20, driver, first=48)
    assert driver.forget("secret") == 1
    assert driver.forget("secret") == 0
    assert driver.predict(MORNING).rank("secret") is None
    regular(42, other)
    other.learn(Moment(47.2), "home")
    regular(20, other, first=48)
    assert driver.predict(MORNING).shares == pytest.approx(other.predict(MORNING).shares, rel=1e-3)
    assert driver.weights == pytest.approx(other.weights, rel=1e-3)


def test_the_last_place_can_be_forgotten_too() -> None:
    driver = Predictor()
    driver.learn(Moment(1.0), "home")
    assert driver.forget("home") == 1
    assert driver.predict(MORNING) == NOTHING


def test_old_visits_are_forgotten_by_their_day() -> None:
    driver = regular(84)
    assert driver.forget_before(60.0) > 50
    assert driver.forget_before(60.0) == 0
    assert float(driver.visits.rows.day.min()) >= 60.0
    assert driver.predict(MORNING).first[0] == "work"


def test_a_driver_is_the_same_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, again = regular(30), Predictor()
    again.load([driver.visits.question(row) for row in range(len(driver.visits))])
    assert again.predict(MORNING).shares == pytest.approx(driver.predict(MORNING).shares, rel=1e-3)
    monkeypatch.setattr(module, "REPLAYED", 10)
    few = Predictor()
    few.load([driver.visits.question(row) for row in range(len(driver.visits))])
    assert len(few.visits) == len(driver.visits)
    assert few.predict(MORNING).first[0] == "work"


def test_the_older_half_is_forgotten_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_VISITS", 50)
    driver = regular(84)
    assert 25 <= len(driver.visits) <= 50
    assert float(driver.visits.rows.day.max()) > 80


def test_what_agrees_with_the_way_comes_first() -> None:
    driver = regular(84)

    def factors(places: tuple[str, ...]) -> tuple[NDArray[np.float64], float]:
        return np.array([1e-9 if place == "work" else 1.0 for place in places]), 0.3

    forecast = driver.predict(MORNING, factors)
    assert forecast.first[0] != "work"
    assert sum(forecast.shares) + forecast.somewhere_new == pytest.approx(1.0)


def test_one_known_place_is_not_certain() -> None:
    driver = Predictor()
    driver.learn(Moment(1.0), "home")
    forecast = driver.predict(Moment(2.0, "home"))
    assert isinstance(forecast, Forecast)
    assert 0.0 < forecast.first[1] < 1.0
    assert forecast.somewhere_new > 0.1

"""What a car takes, learned from trips of cars that are not linear in anything the model knows."""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recommendations.eco.drive import Drive, Unit, drive_of, read
from services.recommendations.eco.evaluation import errors, guesses
from services.recommendations.eco.model import fitted
from services.recommendations.eco.parts import NAMES, parts
from tests.eco_cars import Use, drives, electric_wh, petrol_ml
from tests.eco_trips import USES, drive, ended

CARS: dict[Unit, Use] = {"Wh": electric_wh, "ml": petrol_ml}


@cache
def driven() -> list[Drive]:
    """The same trips in an electric and a petrol car."""
    return [each for _, each in drives(CARS, "unit", trips=44, each_s=4)]


@cache
def lived(unit: Unit) -> list[Drive]:
    """The trips of three drivers in one car."""
    if unit == "Wh":
        return [each._replace(ml=None) for each in driven()]
    return [each._replace(wh=None) for each in driven()]


@pytest.mark.parametrize("unit", ["Wh", "ml"])
def test_a_car_that_is_not_linear_is_guessed_far_better_than_by_a_constant(unit: Unit) -> None:
    guessed = list(guesses(lived(unit), unit))
    found = errors(guessed)
    assert found is not None
    assert found.trips == 34
    assert found.model < 0.6 * found.constant
    assert found.model_of_all < 0.6 * found.constant_of_all
    soon = errors(guessed[:10])
    assert soon is not None
    assert soon.model < 20, "sane from the eleventh trip on"


def test_a_trip_that_took_nothing_is_no_measure_and_no_trips_have_no_error() -> None:
    trips = [*lived("Wh")[:10], lived("Wh")[11]._replace(wh=-50.0)]
    assert list(guesses(trips, "Wh")) == []
    assert errors([]) is None


def test_below_ten_trips_that_tell_the_unit_there_is_no_model() -> None:
    assert fitted(lived("Wh")[:9], "Wh") is None
    assert fitted(lived("Wh")[:10], "Wh") is not None
    assert fitted(lived("Wh"), "ml") is None


def test_a_car_that_takes_what_the_usual_takes_is_found_to_be_the_usual_one() -> None:
    usual = [each._replace(ml=float(parts([each], "ml").sum())) for each in lived("ml")]
    model = fitted(usual, "ml")
    assert model is not None
    assert model.share == pytest.approx(np.ones(len(NAMES)), abs=0.02)
    heavy = fitted([each._replace(ml=3 * (each.ml or 0)) for each in usual], "ml")
    assert heavy is not None
    assert heavy.share == pytest.approx(3 * np.ones(len(NAMES)), abs=0.06)


def test_trips_that_are_all_alike_do_not_make_the_model_explode() -> None:
    same = lived("ml")[20]
    model = fitted([same._replace(ml=500.0 + number % 3) for number in range(300)], "ml")
    assert model is not None
    assert model.used(same) == pytest.approx(501, rel=0.01)
    assert np.abs(model.share).max() < 10
    faster = same._replace(speed2=same.speed2 * 1.3, speed3=same.speed3 * 1.6)
    assert 500 < model.used(faster) < 1_000


def test_a_few_trips_with_absurd_use_hardly_move_the_model() -> None:
    good = lived("ml")
    wrong = [each._replace(ml=1e6) if number % 10 == 3 else each
             for number, each in enumerate(good)]  # fmt: skip
    model, moved = fitted(good, "ml"), fitted(wrong, "ml")
    assert model is not None
    assert moved is not None
    off = [abs(moved.used(each) / model.used(each) - 1) for each in good]
    assert float(np.median(off)) < 0.05


def test_what_was_long_ago_counts_less() -> None:
    trips = lived("ml")[:40]
    more = [each._replace(ml=1.5 * (each.ml or 0)) for each in trips]
    model = fitted([*trips * 15, *more * 15], "ml")
    assert model is not None
    ratio = np.median([model.used(each) / (each.ml or 1) for each in trips])
    assert ratio > 1.35, "of 600 trips each, the newer half holds"


def test_the_model_is_the_same_for_the_same_trips() -> None:
    one, two = fitted(lived("Wh"), "Wh"), fitted(list(lived("Wh")), "Wh")
    assert one is not None
    assert two is not None
    assert one.share.tolist() == two.share.tolist()


def test_a_petrol_car_is_never_expected_to_give_fuel_back() -> None:
    model = fitted(lived("ml"), "ml")
    assert model is not None
    assert model.used(drive(known_s=1.0, faster=0.0, idle_s=0.0, cold=0.0, slower=1e5)) == 0


def test_what_is_kept_of_a_trip_is_read_back_as_it_was() -> None:
    trip = ended(USES)
    kept = drive_of(trip)
    assert kept is not None
    assert read(kept.body()) == kept
    assert (kept.cold, kept.ml, kept.wh) == (0.5, 700, None)
    assert drive_of(ended(USES, is_cold_start=True)) == kept._replace(cold=1.0)
    assert drive_of(trip.model_copy(update={"driving": None})) is None
    assert drive_of(trip.model_copy(update={"is_dropped": True})) is None
    assert drive_of(trip.model_copy(update={"fuel_ml": 0.0})) is None, "and no energy told"


HOSTILE: tuple[Any, ...] = (
    None, True, "x", [], -1.0, 0.0, 1.0, 1e7, 1e14, 1e300, math.inf, math.nan, 10**400, -1e300,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(Drive._fields), st.sampled_from(HOSTILE), max_size=4))
@settings(max_examples=150)
def test_a_hostile_body_is_no_trip_or_one_that_does_no_harm(wrong: dict[str, object]) -> None:
    body = {**drive().body(), **wrong}
    found = read(body)
    if found is not None:
        assert found.ml is None or found.ml > 0
        assert found.moving_mps > 0
        model = fitted([found] * 3 + lived("ml")[:12], "ml")
        assert model is not None
        assert np.isfinite(model.share).all()
        assert all(math.isfinite(value) for value in (model.used(found), *model.saved(
            found, found._replace(idle_s=0.0)
        )))  # fmt: skip


@pytest.mark.parametrize("wrong", [
    {"speed_m": 71.0 * 1_000}, {"speed2": 1.0}, {"speed3": 1.0}, {"speed2": 1e7},
    {"speed3": 1e9}, {"faster": 1e6}, {"idle_s": 1_001.0}, {"known_s": 0.0}, {"speed_m": 0.0},
    {"ml": None}, {"cold": 2.0}, {"known_s": 1e7},
])  # fmt: skip
def test_sums_that_no_drive_can_have_are_refused(wrong: dict[str, float | None]) -> None:
    assert read(drive().body()) is not None
    assert read({**drive().body(), **wrong}) is None

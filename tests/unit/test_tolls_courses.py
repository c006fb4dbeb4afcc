"""Courses over ground between the fixes that are weighed."""

import numpy as np
import pytest

from services.tolls.detection.courses import aside
from services.tolls.detection.likelihood import fit
from tests.unit.test_tolls_evidence import seen


def test_courses_between_chosen_fixes_say_how_far_aside_the_vehicle_went() -> None:
    run = np.arange(0.0, 201.0, 20.0)
    bend = [one / 400.0 for one in run]
    ways = aside(run, bend, (0, 5, 10))
    assert ways.ends.tolist() == [[0, 1], [1, 2]]
    assert ways.aside_m == pytest.approx([100.0**2 / 800.0, (200.0**2 - 100.0**2) / 800.0])
    assert ways.weights.sum(axis=1) == pytest.approx([100.0, 100.0])
    assert ways.weights[0] @ ways.weights[1] == pytest.approx(100.0), "they share the middle one"
    assert ways.rough == pytest.approx([5 * 20.0**3 / 12.0] * 2)
    rare = aside(run, [bend[0], *[None] * 9, bend[10]], (0, 5, 10))
    assert rare.aside_m.sum() == pytest.approx(200.0**2 / 800.0)
    assert rare.rough.sum() == pytest.approx(200.0**3 / 12.0)


def test_one_course_is_taken_for_all_of_the_way_and_none_for_nothing() -> None:
    run = np.array([0.0, 50.0, 100.0])
    single = aside(run, [None, 0.1, None], (0, 1, 2))
    assert single.aside_m == pytest.approx([5.0, 5.0])
    assert single.rough == pytest.approx([50.0**3 / 3.0] * 2)
    assert len(aside(run, [None, None, None], (0, 1, 2)).aside_m) == 0
    assert len(aside(run, [0.1, 0.1, 0.1], (1,)).aside_m) == 0
    assert len(aside(np.zeros(3), [0.1, 0.1, 0.1], (0, 1, 2)).aside_m) == 0, "it stands"


def test_courses_that_are_left_out_as_fixes_still_follow_a_bend() -> None:
    bent = [
        one._replace(right_m=one.run_m**2 / 1000.0, course_rad=one.run_m / 500.0)
        for one in seen(count=41)
    ]
    chosen = range(0, 41, 10)
    followed = fit(bent, chosen=chosen).offset
    blind = fit([bent[index] for index in chosen]).offset
    assert abs(followed[0]) < 2.0
    assert followed[1] < blind[1]

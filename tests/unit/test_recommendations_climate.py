"""Climate: what is kept of a trip, what is suggested, and when it is offered."""

import math
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internetcar.contract.advice import ClimateRecommendation
from services.recommendations.advising import Advice
from services.recommendations.climate.leaves import FAN, SET_POINT, number, scale_of
from services.recommendations.climate.past import body_of, past_of
from tests.bench.recommendation_climate import figures, measured
from tests.climate_trips import ADVISER, PATHS, Driver, changes, ended, evidence


def state(advice: Advice) -> ClimateRecommendation:
    assert isinstance(advice.state, ClimateRecommendation)
    return advice.state


def suggested(advice: Advice) -> dict[str, Any]:
    return {each.path: each.value for each in state(advice).settings}


def test_what_is_set_in_the_first_two_minutes_is_what_was_wanted_at_the_start() -> None:
    trip = ended(0, 3.96, changes(t={0: 19.0, 90: 21.5, 700: 21}, h={200: 2}))
    body = body_of(trip)
    assert body == {
        "outside": 4.0,
        "lasted": 1800,
        "set": {
            PATHS["t"]: {"at": [21.5, 21.5, 21.5, 21], "hand": 21},
            PATHS["h"]: {"at": [None, 2, 2, 2]},
        },
    }


def test_what_the_car_sets_as_it_wakes_was_not_set_by_hand() -> None:
    body = body_of(ended(0, 4, changes(t={0: 19, 3: 21, 60: 21})))
    assert body is not None
    assert body["set"] == {PATHS["t"]: {"at": [21] * 4}}


@pytest.mark.parametrize(
    ("outside_c", "told"),
    [
        (None, {"t": 21}),
        (4.0, {}),
        (4.0, {"t": "LO"}),
        (4.0, {"f": 10**400}),
        (4.0, {"f": -1e300, "t": 1e9}),
    ],
)
def test_nothing_is_kept_without_weather_or_without_a_number(
    outside_c: float | None, told: dict[str, Any]
) -> None:
    assert body_of(ended(0, outside_c, changes(**told))) is None


def test_four_hundred_settings_make_no_large_evidence() -> None:
    many = changes(t={second: 16 + second % 24 / 2 for second in range(400)})
    body = body_of(ended(0, 4, many))
    assert len(orjson.dumps(body)) < 300


def test_the_climate_of_such_weather_is_suggested_and_of_no_other() -> None:
    driver = Driver().drove(8, 3, t=22.5, f=4, h=2).drove(8, 24, t=20, f=2, h=0)
    cold = driver.ask(4, t=22.5)
    assert suggested(cold) == {PATHS["t"]: 22.5, PATHS["f"]: 4, PATHS["h"]: 2}
    assert state(cold).because == (
        "You had about 22.5 °C on 8 of your last 8 trips at 3 to 5 °C outside,"
        " the fan at 4 on 8 of 8, the seat heating at 2 on 8 of 8."
    )
    assert (state(cold).similar_trips, state(cold).outside_c) == (8, 4)
    assert cold.offer is None
    driver.begin()
    assert suggested(driver.ask(25)) == {PATHS["t"]: 20, PATHS["f"]: 2, PATHS["h"]: 0}


def test_what_was_not_told_on_those_trips_is_no_part_of_the_reason() -> None:
    driver = Driver().drove(3, 5.5, t=22, f=2).drove(12, 3, t=22)
    advice = driver.ask(3)
    assert suggested(advice) == {PATHS["t"]: 22, PATHS["f"]: 2}
    assert "fan" not in state(advice).because


def test_what_differs_by_a_degree_is_offered_with_how_it_stands() -> None:
    driver = Driver().drove(12, 3, t=21.5, f=2)
    offer = driver.ask(4, t=19, f=2).offer
    assert offer is not None
    assert [(each.path, each.value, each.now) for each in offer.settings] == [
        (PATHS["t"], 21.5, 19)
    ]
    assert offer.key == "t21.5<19@4"
    assert offer.probability >= 0.7
    assert offer.because == (
        "You had about 21.5 °C on 12 of your last 12 trips at 3 to 5 °C outside; it is at 19 °C."
    )
    assert driver.ask(4, t=21, f=2).offer is None


@pytest.mark.parametrize("stands", ["LO", math.nan, 1e9])
def test_what_stands_as_no_number_is_no_reason_for_an_offer(stands: Any) -> None:
    advice = Driver().drove(12, 3, t=21.5).ask(4, t=stands)
    assert advice.offer is None
    assert state(advice).settings[0].now is None


def test_a_fan_that_differs_a_little_is_offered_beside_a_set_point_but_not_alone() -> None:
    driver = Driver().drove(4, 20, f=2, t=20).drove(2, 20, f=5, t=20).drove(12, 3, t=21.5, f=3)
    both = driver.ask(3, t=19, f=2).offer
    assert both is not None
    assert both.key == "t21.5<19,f3<2@3"
    assert "the fan at 3 on 12 of 12" in both.because
    assert driver.ask(3, t=21.5, f=2).offer is None


def test_a_seat_that_differs_clearly_is_offered_alone() -> None:
    driver = Driver().drove(12, 3, t=21.5, h=0)
    offer = driver.ask(3, t=21.5, h=3).offer
    assert offer is not None
    assert [each.value for each in offer.settings] == [0]
    assert offer.because.endswith("; the seat heating is at 3.")


def test_a_switch_is_suggested_as_a_switch() -> None:
    offer = Driver().drove(12, 3, h=True).ask(3, h=False).offer
    assert offer is not None
    assert offer.settings[0].value is True
    assert offer.settings[0].now is False
    assert offer.key == "h1<0@3"


def test_warm_up_first_is_another_wish_than_later() -> None:
    driver = Driver().drove(12, -2, t={0: 24, 400: 22}, f={0: 4, 400: 2})
    assert suggested(driver.ask(-2)) == {PATHS["t"]: 24, PATHS["f"]: 4}
    late = driver.ask(-2, minutes=11)
    assert suggested(late) == {PATHS["t"]: 22, PATHS["f"]: 2}
    assert state(late).because.startswith("10 minutes after the start you had about 22 °C on 12 of")


def test_short_trips_say_nothing_of_what_is_wanted_later() -> None:
    driver = Driver().drove(10, 3, minutes=4, t=24).drove(3, 3, t={0: 24, 500: 21})
    assert suggested(driver.ask(3, minutes=11)) == {PATHS["t"]: 21}
    few = Driver().drove(10, 3, minutes=4, t=24).drove(2, 3, t={0: 24, 500: 21})
    assert suggested(few.ask(3, minutes=11)) == {PATHS["t"]: 24}, "what was so at the start"


def test_nothing_is_suggested_that_the_driver_never_had() -> None:
    driver = Driver().drove(6, 3, t=20).drove(6, 3, t=23)
    assert suggested(driver.ask(3))[PATHS["t"]] in (20, 23)
    driver = Driver().drove(12, 3, t=23)
    for _ in range(20):
        driver.answer("t23<20.5@3")
    assert suggested(driver.ask(3, t=20.5)) == {PATHS["t"]: 23}


def test_what_was_set_of_late_counts_for_more() -> None:
    driver = Driver().drove(20, 3, t=20).drove(8, 3, t=23)
    assert suggested(driver.ask(3)) == {PATHS["t"]: 23}


def test_evidence_without_settings_is_weather_alone() -> None:
    past = past_of([evidence(day, {"outside": 3, "lasted": 9, "set": {}}) for day in range(3)])
    assert len(past) == 3
    assert past.settings == {}


def test_before_ten_trips_or_without_weather_nothing_is_said() -> None:
    assert Driver().drove(9, 3, t=21).ask(3, t=19) == Advice()
    assert Driver().drove(10, 3, t=21).ask(None, t=19) == Advice()
    assert Driver().drove(10, 3, t=21).ask(math.nan, t=19) == Advice()
    assert Driver(trips=50).ask(3, t=19) == Advice()


@pytest.mark.parametrize(
    ("times", "because"),
    [
        (0, "None of your trips was at 9 to 15 °C outside."),
        (1, "Only 1 of your trips was at 9 to 15 °C outside."),
        (2, "Only 2 of your trips were at 9 to 15 °C outside."),
    ],
)
def test_of_weather_that_is_hardly_known_only_that_is_said(times: int, because: str) -> None:
    driver = Driver().drove(12, 3, t=22).drove(times, 12, t=20)
    advice = driver.ask(12, t=25)
    assert advice.offer is None
    assert (state(advice).because, state(advice).settings) == (because, [])


def test_a_temperature_that_trembles_says_nothing_new() -> None:
    driver = Driver().drove(8, 3, t=22).drove(8, 6, t=20)
    first = state(driver.ask(4.5, t=22))
    for tenth in (-9, 9, -3, 0, 7):
        again = state(driver.ask(4.5 + tenth / 10, minutes=1, t=22))
        assert again.model_copy(update={"at": first.at}) == first
    assert state(driver.ask(None, minutes=1, t=22)).outside_c == 4.5, "it is not told for a while"
    moved = state(driver.ask(6.0, minutes=2, t=22))
    assert (moved.outside_c, suggested(driver.ask(6.0))) == (6.0, {PATHS["t"]: 20})


def test_a_fan_that_regulates_itself_says_nothing_new() -> None:
    driver = Driver().drove(12, 3, t=22, f=40)
    said = [state(driver.ask(3, t=22, f=fan)) for fan in (40, 47, 52, 61)]
    assert all(each == said[0] for each in said)


def test_what_was_said_last_and_cannot_be_read_is_not_followed() -> None:
    driver = Driver().drove(12, 3, t=22)
    driver.begin().advised["climate"] = "{"
    assert state(driver.ask(3.4)).outside_c == 3.4


def test_what_the_driver_has_just_set_is_not_offered_otherwise() -> None:
    driver = Driver().drove(12, 3, t=21.5)
    assert driver.ask(3, minutes=10, touched_min=1, t=18).offer is None
    assert driver.ask(3, minutes=12, touched_min=1, t=18).offer is not None


def test_after_a_trip_nothing_is_said() -> None:
    said: Any = ADVISER.after
    assert said(ended(0, 3, []), ADVISER.learn([]), 12, 0.0, "live") is None


def test_the_step_of_a_fan_is_what_was_seen_and_no_less_than_a_tenth() -> None:
    assert scale_of(FAN, (0, 1, 2, 4)).other == 1
    assert scale_of(FAN, (50, 51)).other == pytest.approx(5.1)
    assert scale_of(SET_POINT, (20, 20.5)).other == 1


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3),
    st.lists(st.one_of(st.floats(), st.text(max_size=2), st.none()), max_size=6),
)  # fmt: skip
bodies = st.fixed_dictionaries(
    {},
    optional={
        "outside": values,
        "lasted": values,
        "set": st.one_of(
            values,
            st.dictionaries(
                st.sampled_from([*PATHS.values(), "x"]),
                st.one_of(
                    values, st.fixed_dictionaries({}, optional={"at": values, "hand": values})
                ),
            ),
        ),
    },
)


@settings(max_examples=40)
@given(st.lists(bodies, max_size=4), st.floats(), values)
def test_whatever_a_store_gives_back_is_read_or_left_out(
    kept: list[dict[str, Any]], outside_c: float, stands: Any
) -> None:
    driver = Driver(trips=12).drove(3, 3, t=22)
    driver.kept += [evidence(3 + day, body) for day, body in enumerate(kept)]
    told = {} if stands is None or isinstance(stands, list) else {"t": stands}
    advice = driver.ask(outside_c, **told)
    assert advice.state is None or advice.state.encode()


@pytest.mark.parametrize("persona", ["holidays", "student"])
def test_the_vote_is_nearer_than_the_last_setting_in_such_weather(persona: str) -> None:
    found = measured(persona, seed=4, days=215)
    set_point = found.errors[SET_POINT.path]
    assert set_point.asked > 100
    assert set_point.ours < 0.75 * set_point.baseline
    assert abs(set_point.likely - set_point.near) <= 0.09 * set_point.asked
    assert all(each.ours <= each.baseline for each in found.errors.values())
    gain, *_ = figures([found])
    assert gain.value > 25
    assert gain.holds


def test_a_number_is_on_a_scale_that_can_be() -> None:
    assert [number(each) for each in (True, 21.499999, "x", 10**400, -1000.5)] == [
        1.0, 21.5, None, None, None,
    ]  # fmt: skip

"""How to use less: what is said of a trip, by the car's model and the driver's own trips."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internetcar.contract.advice import EcoAdvice
from internetcar.contract.message import milliseconds
from services.recommendations.advising import MOST_BYTES, MOST_EVIDENCE, Advice, Adviser, Evidence
from services.recommendations.eco.adviser import EcoAdviser, Learned
from services.recommendations.eco.drive import Drive
from services.recommendations.eco.hints import (
    MOST_SHARE,
    amount,
    evenly,
    gently,
    hints,
    savings,
)
from services.recommendations.eco.model import Model, fitted
from services.recommendations.eco.parts import NAMES
from tests import eco_cars
from tests.drivers.dice import Dice
from tests.eco_cars import STEP_S, drives, petrol_ml
from tests.eco_trips import AT, USES, drive, ended

USUAL = Model("ml", np.ones(len(NAMES)), np.zeros((len(NAMES), len(NAMES))), 20)
ECO: Adviser = EcoAdviser()
DAY = timedelta(days=1)


def alike(count: int, **changed: float) -> list[Drive]:
    """Trips like the one to work, each a little gentler than the one before."""
    return [
        drive(faster=1_500.0 - 50 * number, slower=1_500.0 - 50 * number,
              speed3=4_500_000.0 - 60_000 * number, speed2=220_000.0 - 700 * number, **changed)
        for number in range(count)
    ]  # fmt: skip


def steady(**changed: float) -> Drive:
    """The trip to work without a stop, at the speed that it has else."""
    return drive(**{"idle_s": 0.0, "known_s": 800.0, **changed})


def said(of: Drive, own: list[Drive], model: Model = USUAL) -> list[tuple[str, float, str]]:
    used = of.used(model.unit) or 0.0
    found = hints(of, savings(of, own, model, used), model.unit, used)
    return [(hint.kind, hint.share, hint.words) for hint in found]


def test_what_idling_cost_is_said_in_full_and_claimed_up_to_five_percent() -> None:
    ((kind, share, words),) = said(drive(idle_s=360.0, ml=720.0), [])
    assert (kind, share) == ("idle", 0.05)
    assert words == "Idling for 6 min cost 0.08 l, 11 % of this trip."
    ((kind, share, words),) = said(drive(idle_s=90.0), [])
    assert (kind, share) == ("idle", 0.029)
    assert words == "Idling for 2 min cost 0.02 l, 3 % of this trip."
    assert said(drive(idle_s=59.0), []) == []
    assert said(drive(idle_s=90.0, ml=5_000.0), []) == [], "less than 1 % is not worth a word"


def test_an_electric_car_does_not_idle() -> None:
    electric = replace(USUAL, unit="Wh")
    ((_, _, words),) = said(drive(wh=2_000.0, ml=None), [], electric)
    assert words == "Standing while switched on for 3 min cost 51 Wh, 3 % of this trip."


def test_the_best_quarter_of_the_drivers_own_similar_trips_is_the_measure() -> None:
    found = said(steady(ml=900.0), alike(8))
    assert [(kind, words) for kind, _, words in found] == [
        ("acceleration", "A gentler foot, as on the gentlest quarter of your 8 similar trips, "
                         "would have saved about 0.02 l, 3 % of this trip."),
        ("speed", "Fewer peaks of speed, as on the evenest quarter of your 8 similar trips, "
                  "would have saved about 0.01 l, 2 % of this trip."),
    ]  # fmt: skip
    assert said(steady(ml=900.0), alike(7)) == [], "of seven no quarter is known"


def test_only_trips_of_like_speed_and_way_are_similar() -> None:
    used = steady()
    assert said(used, alike(20)) != []
    for far in (
        alike(20, speed_m=20_000.0), alike(20, speed_m=7_000.0), alike(20, known_s=1_500.0),
        alike(20, known_s=740.0, speed_m=12_100.0, idle_s=60.0),
    ):  # fmt: skip
        assert said(used, far) == []


def test_a_trip_as_even_and_gentle_as_the_best_gets_no_hint_of_it() -> None:
    own = alike(12)
    best = own[-1]._replace(idle_s=0.0, known_s=800.0)
    assert said(best, own) == []
    assert gently(best, own) == best
    assert evenly(best, own) == best


def test_a_gentler_foot_gains_no_less_than_is_lost() -> None:
    hilly = drive(slower=100.0)
    found = gently(hilly, alike(12))
    assert found.faster - found.slower == hilly.faster - hilly.slower
    assert found.slower == 0


def test_what_is_not_known_well_enough_is_not_said() -> None:
    doubtful = replace(USUAL, covariance=np.eye(len(NAMES)))
    assert said(drive(idle_s=360.0), alike(12)) != []
    assert said(drive(idle_s=360.0), alike(12), doubtful) == []


@given(st.lists(st.floats(0.3, 1.0), min_size=12, max_size=12), st.floats(0, 900),
       st.floats(100, 3_000))  # fmt: skip
@settings(max_examples=60)
def test_all_hints_together_never_claim_more_than_five_percent(
    calm: list[float], idle_s: float, used_ml: float
) -> None:
    own = [drive(faster=1_500 * each, speed3=4_500_000 * max(each, 0.8)) for each in calm]
    of = drive(idle_s=idle_s, ml=used_ml)
    found = hints(of, savings(of, own, USUAL, used_ml), "ml", used_ml)
    assert sum(hint.share for hint in found) <= MOST_SHARE + 0.001
    assert all(hint.share >= 0.0099 and len(hint.words) <= 400 for hint in found)
    assert len({hint.kind for hint in found}) == len(found)


def test_small_amounts_are_said_in_small_units() -> None:
    assert [amount(9.0, "ml"), amount(90.0, "ml")] == ["9 ml", "0.09 l"]
    assert [amount(99.0, "Wh"), amount(1_234.0, "Wh")] == ["99 Wh", "1.23 kWh"]


@cache
def driven() -> tuple[tuple[str, Drive], ...]:
    """A year of three drivers in a petrol car."""
    return tuple(drives({"ml": petrol_ml}, "said", trips=40, each_s=4))


def evidence(
    lived: tuple[tuple[str, Drive], ...] | list[tuple[str, Drive]], hours: float = 12
) -> list[Evidence]:
    """What is kept of trips; the newest began half a day before `AT`."""
    begun = [AT - timedelta(hours=hours * (len(lived) - number)) for number in range(len(lived))]
    return [
        Evidence(f"old-{number}", driver, milliseconds(at), 0.0, "", how.body())
        for number, (at, (driver, how)) in enumerate(zip(begun, lived, strict=True))
    ]


def after(learned: Learned, how: Drive, trips: int = 10, **other: Any) -> EcoAdvice | None:
    found = ECO.after(ended(how, **other), learned, trips, 0.0, "live")
    assert found is None or isinstance(found, EcoAdvice)
    return found


def test_a_trip_is_held_against_the_model_of_the_trips_before_it() -> None:
    learned = ECO.learn(evidence(driven()))
    how = driven()[5][1]
    advice = after(learned, how)
    assert advice is not None
    assert (advice.unit, advice.used, advice.at) == (
        "ml",
        round(how.ml or 0, 1),
        AT + timedelta(seconds=how.known_s),
    )
    assert advice.expected == pytest.approx(how.ml, rel=0.15)
    assert EcoAdvice.decode(
        EcoAdvice.filter(vehicle_id="kona"), advice.encode()
    ) == advice  # fmt: skip
    assert ECO.offers is None
    assert ECO.of_car


def test_idling_is_said_to_cost_what_the_car_takes_for_it() -> None:
    """The car's own physics, idling for six minutes and not at all."""
    dice = Dice("idle")
    trip = eco_cars.driven(eco_cars.route(dice), eco_cars.HABITS[0], dice, 120)
    moved = max(number for number, speed in enumerate(trip.speeds) if speed) + 1
    idle = [0.0] * round(360 / STEP_S)
    stood = trip._replace(
        speeds=trip.speeds[:moved] + idle, gradients=trip.gradients[:moved] + idle
    )
    gone = trip._replace(speeds=trip.speeds[:moved], gradients=trip.gradients[:moved])
    model = fitted([how for _, how in driven()], "ml")
    assert model is not None
    how = driven()[3][1]
    longer = how._replace(idle_s=how.idle_s + 360, known_s=how.known_s + 360)
    saves, error = model.saved(longer, how)
    assert saves == pytest.approx(petrol_ml(stood) - petrol_ml(gone), rel=0.3)
    assert error < 0.3 * saves


def test_below_ten_trips_of_the_driver_nothing_is_said() -> None:
    learned = ECO.learn(evidence(driven()))
    assert after(learned, USES, trips=9) is None
    assert after(learned, USES, is_dropped=True) is None
    assert after(learned, USES, fuel_ml=None) is None
    assert after(learned, USES, fuel_ml=0.0) is None


def test_what_was_used_is_said_where_nothing_else_is_known() -> None:
    few = ECO.learn(evidence(driven()[:9]))
    for advice in (
        after(few, USES),
        after(ECO.learn(evidence(driven())), USES, driving=None),
        after(ECO.learn([]), USES._replace(wh=2_000.0, ml=None)),
    ):
        assert advice is not None
        assert (advice.expected, advice.hints) == (None, [])


def test_a_car_that_takes_both_is_told_of_what_it_took_more() -> None:
    learned = ECO.learn([])
    units = [
        advice and (advice.unit, advice.used)
        for advice in (
            after(learned, USES._replace(wh=300.0)), after(learned, USES._replace(wh=9_000.0)),
            after(learned, USES._replace(wh=-5.0, ml=None)),
        )
    ]  # fmt: skip
    assert units == [("ml", 700), ("Wh", 9_000), ("Wh", -5)]


def test_a_trip_that_gave_energy_back_gets_no_hint() -> None:
    down = [(name, how._replace(wh=(how.ml or 0) * 3, ml=None)) for name, how in driven()]
    advice = after(ECO.learn(evidence(down)), down[3][1]._replace(wh=-80.0))
    assert advice is not None
    assert advice.expected is not None
    assert advice.hints == []


def test_how_others_drive_is_no_measure_but_their_trips_teach_the_car() -> None:
    wild = steady(ml=900.0, faster=2_500.0, slower=2_500.0)
    others = [*driven(), *(("bela", how) for how in alike(20))]
    advice = after(ECO.learn(evidence(others)), wild)
    assert advice is not None
    assert advice.expected is not None
    assert advice.hints == []
    own = [*driven(), *(("anna", how) for how in alike(20))]
    mine = after(ECO.learn(evidence(own)), wild)
    assert mine is not None
    assert "acceleration" in [hint.kind for hint in mine.hints]


def test_a_kind_of_hint_is_said_again_within_a_week_only_where_it_is_more() -> None:
    before = [*driven(), ("anna", drive(idle_s=400.0)), ("anna", drive(wh=1.0, ml=None))]
    learned = ECO.learn(evidence(before))

    def kinds(idle_s: float, **other: Any) -> list[str]:
        advice = after(learned, drive(idle_s=idle_s), **other)
        return [] if advice is None else [hint.kind for hint in advice.hints]

    assert "idle" not in kinds(300.0)
    assert "idle" in kinds(500.0)
    assert "idle" in kinds(300.0, at=AT + 8 * DAY)
    assert "idle" in kinds(300.0, at=AT - 40 * DAY), "what came later is no measure"
    assert "idle" in kinds(300.0, trip_id="old-40"), "nor is what was heard of this trip before"


def test_a_driver_who_is_forgotten_is_in_nothing_that_is_learned() -> None:
    left = [each for each in evidence(driven()) if each.driver != "anna"]
    learned = ECO.learn(left)
    assert isinstance(learned, Learned)
    assert set(learned.own) == {"bela", "cleo"}
    again = fitted([how for name, how in driven() if name != "anna"], "ml")
    assert again is not None
    assert learned.models["ml"].share.tolist() == again.share.tolist()


def test_evidence_that_nobody_wrote_so_teaches_nothing() -> None:
    wrong = [each._replace(body={"known_s": "x", "ml": [1]}) for each in evidence(driven())]
    assert ECO.learn(wrong) == Learned()


def test_a_trip_is_kept_in_few_bytes_and_names_no_place() -> None:
    kept = ECO.kept(ended(USES), 1.0, "place-7")
    assert kept is not None
    assert set(kept) == set(Drive._fields)
    assert len(str(dict(kept))) < MOST_BYTES / 10
    assert ECO.kept(ended(USES, fuel_ml=None), 1.0, "") is None


def test_two_thousand_trips_are_learned_and_no_driver_keeps_more_than_some() -> None:
    many = (evidence(driven()) * 50)[:MOST_EVIDENCE]
    learned = ECO.learn([each._replace(driver="anna") for each in many])
    assert len(learned.own["anna"]) == 300
    assert learned.models["ml"].trips == MOST_EVIDENCE


def test_nothing_is_said_of_a_trip_that_is_on() -> None:
    assert ECO.advise(None, Learned()) == Advice()  # type: ignore[arg-type]

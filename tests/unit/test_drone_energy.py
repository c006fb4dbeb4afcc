"""What is left in the battery, and what is remembered of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.drone.autopilot import Wind
from services.drone.geodesy import Offset, Place, towards
from services.drone.interlocks.energy import Car, Drone, predicted_pct
from services.drone.interlocks.limits import Airframe, Limits
from services.drone.interlocks.reach import battery_left_pct
from services.drone.interlocks.situation import Phase
from services.drone.interlocks.steady import Steady, steadied
from services.drone.moment import Moment
from services.drone.tasks.task import Leg
from services.drone.view import View
from tests.unit.drone_ready import HERE, NOON, WELL, Case, fix, flying, off

AIRFRAME = Airframe()
SIMPLE = Airframe(
    cruise_mps=10.0,
    speed_factor=0, climb_factor=0, leg_s=0, landing_wait_s=0, moving_wait_s=0, gust_factor=1,
    margin=1,
)  # fmt: skip


def left(
    distance_m: float = 1000.0,
    wind_mps: float = 0.0,
    airframe: Airframe = AIRFRAME,
    height_m: float = 40.0,
    **more: object,
) -> float:
    drone = Drone(off(distance_m, 0), height_m, 100.0)
    return predicted_pct(airframe, drone, Car(HERE), wind_mps=wind_mps, **more)  # type: ignore[arg-type]  # keywords


def test_it_is_what_a_calculation_by_hand_gives() -> None:
    out = 1000 / 10 * 0.1
    down = (30 / 1.5 + 10 / 0.5) * 0.1
    assert left(airframe=SIMPLE) == pytest.approx(100 - out - down, abs=0.01)
    against = 1000 / (15 - 10) * 0.1
    assert left(wind_mps=10.0, airframe=SIMPLE) == pytest.approx(100 - against - down, abs=0.01)
    climbed = 40 / 2.5 * 0.1
    legs = (Leg(off(1000, 0), off(2000, 0), 80.0),)
    far = left(airframe=SIMPLE, legs=legs, height_m=40.0)
    spent = climbed + out + 2 * out + down + 40 / 1.5 * 0.1
    assert far == pytest.approx(100 - spent, abs=0.01)


@given(st.floats(0, 8000), st.floats(1, 4000), st.floats(0, 16), st.floats(0, 6))
def test_it_falls_with_distance_and_headwind(
    distance_m: float, farther_m: float, wind_mps: float, stronger_mps: float
) -> None:
    here = left(distance_m, wind_mps)
    assert left(distance_m + farther_m, wind_mps) <= here + 1e-9
    assert left(distance_m, wind_mps + stronger_mps) <= here + 1e-9
    assert 0.0 <= here < 100.0


@given(st.floats(0, 360), st.floats(0, 11), st.floats(100, 3000))
def test_no_direction_of_a_wind_is_worse_than_one_that_is_not_known(
    from_deg: float, wind_mps: float, distance_m: float
) -> None:
    drone = Drone(off(distance_m, 0), 40.0, 100.0)
    known = predicted_pct(AIRFRAME, drone, Car(HERE), wind=Wind(from_deg, wind_mps))
    assert known >= left(distance_m, wind_mps) - 1e-9


def test_a_wind_it_cannot_fly_against_leaves_nothing() -> None:
    assert left(wind_mps=15.0) == 0.0
    drone = Drone(off(1000, 0), 40.0, 100.0)
    assert predicted_pct(AIRFRAME, drone, Car(HERE), wind=Wind(90.0, 13.0)) == 0.0
    assert predicted_pct(AIRFRAME, drone, Car(HERE), wind=Wind(0.0, 13.0)) > 0.0


def test_a_car_that_comes_past_below_the_drone_is_met() -> None:
    drone = Drone(off(6.0, 0), 40.0, 100.0)
    assert predicted_pct(AIRFRAME, drone, Car(HERE, towards(0.0, 1.0))) > 80.0


@given(st.floats(0, 360), st.floats(0, 8), st.floats(0, 2000))
def test_a_car_that_moves_costs_more_than_one_that_waits_where_it_is_met(
    heading_deg: float, mps: float, distance_m: float
) -> None:
    drone = Drone(off(distance_m, 0), 40.0, 100.0)
    moving = predicted_pct(AIRFRAME, drone, Car(HERE, towards(heading_deg, mps)))
    assert moving <= left(0.0) + 1e-9
    away = predicted_pct(AIRFRAME, drone, Car(HERE, towards(180.0, mps)))
    assert away <= moving + 0.2


def test_a_car_that_is_too_fast_is_never_met() -> None:
    drone = Drone(off(1000, 0), 40.0, 100.0)
    assert predicted_pct(AIRFRAME, drone, Car(HERE, Offset(-12.0, 0.0))) == 0.0


def test_margins_only_take_away() -> None:
    for name in ("margin", "gust_factor", "leg_s", "landing_wait_s", "speed_factor"):
        value = getattr(AIRFRAME, name) + 1.0
        assert left(wind_mps=5.0, airframe=AIRFRAME.model_copy(update={name: value})) < left(
            wind_mps=5.0
        )


def test_a_measured_burn_only_adds() -> None:
    drone = Drone(off(1000, 0), 40.0, 100.0, burn_pct_per_s=0.01)
    assert predicted_pct(AIRFRAME, drone, Car(HERE)) == left()
    thirsty = replace(drone, burn_pct_per_s=0.3)
    assert predicted_pct(AIRFRAME, thirsty, Car(HERE)) < left() - 20


def test_nonsense_leaves_nothing() -> None:
    assert predicted_pct(AIRFRAME, Drone(HERE, float("nan"), 50.0), Car(HERE)) == 0.0
    assert predicted_pct(AIRFRAME, Drone(HERE, 10.0, float("nan")), Car(HERE)) == 0.0
    full = predicted_pct(AIRFRAME, Drone(HERE, 0.0, 1000.0), Car(HERE))
    assert full == 100.0


def test_in_flight_a_car_of_unknown_heading_drives_away() -> None:
    case = Case(view=flying(place=off(400, 0)), phase=Phase.FLIGHT)

    def driven(heading_deg: float | None) -> float:
        fixes = (fix(NOON.s - 0.2), fix(speed_kmh=15.0, heading_deg=heading_deg))
        return battery_left_pct(case.car(fixes=fixes).situation) or 0.0

    assert driven(None) == pytest.approx(driven(180.0), abs=0.01)
    assert driven(0.0) > driven(180.0) + 1


def test_it_comes_back_at_least_as_high_as_it_is() -> None:
    case = Case(view=flying(height_m=100.0), phase=Phase.FLIGHT)
    low = Case(view=flying(height_m=40.0), phase=Phase.FLIGHT)
    assert (battery_left_pct(case.situation) or 0) < (battery_left_pct(low.situation) or 0)


def turn(steady: Steady, view: View, s: float) -> Steady:
    drone = view.drone
    fresh = drone.position and replace(drone.position, at_s=s - 0.1)
    heard = replace(view, drone=replace(drone, heard_s=s - 0.1, position=fresh))
    return steadied(steady, heard, Limits(), Moment(s, NOON.utc_ms))


def test_good_counts_from_when_it_began_and_anew_after_a_break() -> None:
    steady = Steady()
    for tenth in range(60):
        steady = turn(steady, WELL, tenth / 10)
    assert (steady.position_s, steady.prearm_s, steady.lost_s) == (0.0, 0.0, None)
    bad = replace(WELL, drone=replace(WELL.drone, is_position_good=False, is_prearm_good=False))
    steady = turn(steady, bad, 6.0)
    assert (steady.position_s, steady.prearm_s, steady.lost_s) == (None, None, 6.0)
    steady = turn(steady, WELL, 6.1)
    assert (steady.position_s, steady.prearm_s, steady.lost_s) == (6.1, 6.1, None)
    asleep = turn(steady, WELL, 9.0)
    assert asleep.position_s == 9.0


@pytest.mark.parametrize(
    "drone",
    [
        replace(WELL.drone, heard_s=NOON.s - 3.1),
        replace(WELL.drone, heard_s=None),
        replace(WELL.drone, position=None),
        replace(WELL.drone, has_fix=False),
    ],
)
def test_what_is_old_or_absent_is_not_good(drone: object) -> None:
    view = replace(WELL, drone=drone)  # type: ignore[arg-type]  # of the parameters
    assert steadied(Steady(), view, Limits(), NOON).position_s is None


def test_burn_is_averaged_in_the_air_only() -> None:
    ground = replace(WELL, drone=replace(WELL.drone, burn_pct_per_s=0.5))
    assert turn(Steady(), ground, 1.0).burn_pct_per_s is None
    up = flying(ground)
    steady = turn(Steady(), up, 1.0)
    assert steady.burn_pct_per_s == 0.5
    calm = replace(up, drone=replace(up.drone, burn_pct_per_s=0.1))
    steady = turn(steady, calm, 2.0)
    assert 0.4 < (steady.burn_pct_per_s or 0) < 0.5
    silent = replace(up, drone=replace(up.drone, burn_pct_per_s=-1.0))
    assert turn(steady, silent, 3.0).burn_pct_per_s == steady.burn_pct_per_s


def test_a_far_place_is_not_met_in_a_moment() -> None:
    assert left(20_000.0) == 0.0
    assert predicted_pct(AIRFRAME, Drone(Place(0, 0), 1.0, 99.0), Car(HERE)) == 0.0


def test_a_silence_of_the_link_is_no_loss_of_the_position() -> None:
    silent = replace(WELL, drone=replace(WELL.drone, heard_s=NOON.s))
    steady = Steady()
    for second in range(1, 30):
        now = Moment(NOON.s + second, NOON.utc_ms)
        steady = steadied(steady, silent, Limits(), now)
    heard = replace(silent, drone=replace(silent.drone, heard_s=NOON.s + 30.0))
    steady = steadied(steady, heard, Limits(), Moment(NOON.s + 30.0, NOON.utc_ms))
    assert (steady.position_s, steady.lost_s) == (None, NOON.s + 30.0)

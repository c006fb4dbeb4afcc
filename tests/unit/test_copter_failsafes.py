"""What the simulated copter does by itself when something is wrong."""

import pytest

from simulator.copter.copter import Settings
from simulator.copter.state import Landed, Mode, Result
from tests.unit.piloted import PLACE, PLANE, Pilot, square


def hovering(**parameters: float) -> Pilot:
    pilot = Pilot(Settings(*PLACE, ready_after_s=0.0, parameters=parameters))
    pilot.take_off()
    return pilot


def test_five_seconds_without_the_ground_station_it_returns() -> None:
    pilot = hovering(FS_GCS_ENABLE=1)
    pilot.beats = False
    pilot.fly(4)
    assert pilot.flies_in(Mode.GUIDED)
    pilot.fly(2.5)
    assert pilot.flies_in(Mode.RTL)
    assert "GCS Failsafe - RTL" in pilot.texts


def test_it_stays_in_the_return_when_the_ground_station_comes_back() -> None:
    pilot = hovering(FS_GCS_ENABLE=1)
    pilot.beats = False
    pilot.fly(7)
    pilot.beats = True
    pilot.fly(3)
    assert "GCS Failsafe Cleared" in pilot.texts
    assert pilot.flies_in(Mode.RTL)


def test_heartbeats_of_the_wrong_system_never_count() -> None:
    pilot = Pilot(Settings(*PLACE, ready_after_s=0.0, parameters={"FS_GCS_ENABLE": 1}))
    pilot.take_off()
    pilot.codec.srcSystem = 254
    pilot.fly(10)
    assert pilot.flies_in(Mode.RTL)


def test_the_failsafe_needs_a_first_heartbeat_to_be_armed() -> None:
    pilot = Pilot(system_id=254, FS_GCS_ENABLE=1)
    pilot.take_off()
    pilot.fly(20)
    assert pilot.flies_in(Mode.GUIDED)


def test_the_failsafe_is_off_where_its_parameter_is_zero() -> None:
    pilot = hovering()
    pilot.beats = False
    pilot.fly(20)
    assert pilot.flies_in(Mode.GUIDED)


@pytest.mark.parametrize(("action", "mode"), [(5, Mode.LAND), (7, Mode.BRAKE), (99, Mode.RTL)])
def test_the_parameter_says_what_it_does_without_the_ground(action: int, mode: Mode) -> None:
    pilot = hovering(FS_GCS_ENABLE=action)
    pilot.beats = False
    pilot.fly(7)
    assert pilot.flies_in(mode)


def test_a_mission_goes_on_where_the_failsafe_lets_it() -> None:
    pilot = Pilot(FS_GCS_ENABLE=1, FS_OPTIONS=2)
    pilot.upload(0, [(16, 0, 0, 0, 0), (22, 0, 0, 0, 20), (16, 0, 900, 0, 20)])
    pilot.take_off(20)
    pilot.mode(Mode.AUTO)
    pilot.command(224, 2)
    pilot.beats = False
    pilot.fly(8)
    assert pilot.flies_in(Mode.AUTO)
    assert "GCS Failsafe - Continuing Auto Mode" in pilot.texts


def test_brake_counts_as_a_pilots_mode_and_goes_on_where_the_failsafe_lets_it() -> None:
    pilot = hovering(FS_GCS_ENABLE=1)
    pilot.mode(Mode.BRAKE)
    pilot.beats = False
    pilot.fly(20)
    assert pilot.flies_in(Mode.BRAKE)
    strict = hovering(FS_GCS_ENABLE=1, FS_OPTIONS=0)
    strict.mode(Mode.BRAKE)
    strict.beats = False
    strict.fly(8)
    assert strict.flies_in(Mode.RTL)


def test_a_landing_goes_on_where_the_failsafe_lets_it() -> None:
    pilot = hovering(FS_GCS_ENABLE=1, FS_OPTIONS=8)
    pilot.mode(Mode.LAND)
    pilot.beats = False
    pilot.fly(6.5)
    assert pilot.flies_in(Mode.LAND)
    assert "GCS Failsafe - Continuing Landing" in pilot.texts


def test_on_the_ground_the_failsafe_disarms_and_disarmed_it_only_says_so() -> None:
    pilot = Pilot(FS_GCS_ENABLE=1, DISARM_DELAY=0)
    pilot.arm()
    pilot.beats = False
    pilot.fly(7)
    assert not pilot.copter.truth.is_armed
    idle = Pilot(FS_GCS_ENABLE=1)
    idle.beats = False
    idle.fly(7)
    assert "GCS Failsafe" in idle.texts


LOW = {"BATT_LOW_MAH": 1_500, "BATT_FS_LOW_ACT": 2, "BATT_CRT_MAH": 500, "BATT_FS_CRT_ACT": 1}


def test_a_low_battery_returns_after_two_seconds() -> None:
    pilot = hovering(**LOW)
    pilot.copter.drain(25)
    pilot.fly(1.5)
    assert pilot.flies_in(Mode.GUIDED)
    pilot.fly(1)
    assert pilot.flies_in(Mode.RTL)


def test_a_low_battery_is_not_armed_again() -> None:
    pilot = hovering(**LOW)
    pilot.copter.drain(25)
    pilot.fly(3)
    pilot.fly_until_landed()
    pilot.mode(Mode.GUIDED)
    assert pilot.arm() is Result.FAILED
    assert "Arm: Battery 1 low capacity failsafe" in pilot.texts


def test_a_battery_below_what_arming_needs_is_not_armed() -> None:
    for parameters, what in (
        ({"BATT_ARM_MAH": 4_000}, "capacity"),
        ({"BATT_ARM_VOLT": 16}, "voltage"),
    ):
        pilot = Pilot(Settings(*PLACE, ready_after_s=0.0, parameters=parameters))
        assert pilot.arm() is Result.ACCEPTED
        pilot.command(400, 0)
        pilot.copter.drain(50)
        assert pilot.arm() is Result.FAILED
        assert f"Arm: Battery 1 below minimum arming {what}" in pilot.texts


def test_a_low_battery_on_the_ground_starts_nothing() -> None:
    pilot = Pilot(Settings(*PLACE, ready_after_s=0.0, parameters=LOW))
    pilot.copter.drain(25)
    pilot.fly(4)
    assert pilot.flies_in(Mode.STABILIZE)
    assert any(text.startswith("Battery 1 is low") for text in pilot.texts)


def test_who_needs_no_position_flies_on_without_gnss() -> None:
    pilot = hovering()
    pilot.mode(Mode.ALT_HOLD)
    pilot.copter.lose_gnss()
    pilot.fly(10)
    assert pilot.flies_in(Mode.ALT_HOLD)


def test_a_critical_battery_lands() -> None:
    pilot = hovering(**LOW)
    pilot.copter.drain(8)
    pilot.fly(3)
    assert pilot.flies_in(Mode.LAND)


def test_a_low_voltage_waits_for_its_timer() -> None:
    pilot = hovering(BATT_LOW_VOLT=14.0, BATT_FS_LOW_ACT=2)
    pilot.copter.drain(15)
    pilot.fly(9)
    assert pilot.flies_in(Mode.GUIDED)
    pilot.fly(2)
    assert pilot.flies_in(Mode.RTL)


def test_a_battery_that_is_not_watched_or_without_an_action_changes_nothing() -> None:
    for parameters in ({"BATT_MONITOR": 0, **LOW}, {**LOW, "BATT_FS_LOW_ACT": 0}):
        pilot = hovering(**parameters)
        pilot.copter.drain(25)
        pilot.fly(5)
        assert pilot.flies_in(Mode.GUIDED)


def test_an_action_of_stopping_stops_in_the_air() -> None:
    pilot = hovering(**{**LOW, "BATT_FS_LOW_ACT": 5})
    pilot.copter.drain(25)
    pilot.fly(12)
    assert pilot.copter.truth.has_crashed


def test_an_empty_battery_lets_it_fall() -> None:
    pilot = hovering()
    pilot.copter.drain(0)
    pilot.fly(8)
    truth = pilot.copter.truth
    assert truth.has_crashed
    assert truth.is_on_ground
    assert not truth.is_armed


def test_without_gnss_it_lands_where_it_drifts_to() -> None:
    pilot = Pilot(Settings(*PLACE, ready_after_s=0.0, wind_mps=5.0, wind_from_deg=180.0))
    pilot.take_off()
    pilot.copter.lose_gnss()
    pilot.copter.lose_gnss()
    pilot.command(512, 24)
    assert pilot.last("GPS_RAW_INT").fix_type == 1
    pilot.fly(6)
    assert pilot.flies_in(Mode.GUIDED)
    pilot.fly(2)
    assert pilot.flies_in(Mode.LAND)
    assert "EKF Failsafe: changed to LAND Mode" in pilot.texts
    assert pilot.mode(Mode.GUIDED) is Result.FAILED
    pilot.fly_until_landed()
    assert pilot.north_east[0] > 10
    assert pilot.arm() is Result.FAILED


def test_it_knows_its_place_again_when_gnss_comes_back() -> None:
    pilot = hovering()
    pilot.copter.lose_gnss()
    pilot.fly(8)
    pilot.copter.restore_gnss()
    pilot.fly(1)
    assert "EKF Failsafe Cleared" in pilot.texts
    assert pilot.flies_in(Mode.LAND)
    assert pilot.mode(Mode.GUIDED) is Result.ACCEPTED


@pytest.mark.parametrize(
    ("action", "mode"),
    [(0, Mode.GUIDED), (1, Mode.RTL), (2, Mode.LAND), (4, Mode.BRAKE)],
)
def test_the_fence_acts_as_its_parameter_says(action: int, mode: Mode) -> None:
    pilot = Pilot(FENCE_ENABLE=1, FENCE_TYPE=4, FENCE_ACTION=action)
    pilot.upload(1, square(60, 0, 20))
    pilot.take_off()
    pilot.go_to(100, 0)
    pilot.fly(7.5)
    assert pilot.copter.truth.breaches == 1
    assert pilot.flies_in(mode)


def test_leaving_the_circle_and_the_ceiling_at_once_is_said_in_one_sentence() -> None:
    pilot = Pilot(FENCE_ENABLE=1, FENCE_TYPE=7, FENCE_RADIUS=60, FENCE_ALT_MAX=80)
    pilot.take_off()
    pilot.copter.state.body.north_m = 70.0
    pilot.copter.state.body.up_m = 90.0
    pilot.fly(0.2)
    assert "Max Alt and Circle fences breached" in pilot.texts
    assert pilot.flies_in(Mode.RTL)


def test_far_outside_the_fence_it_lands_instead_of_returning() -> None:
    pilot = Pilot(FENCE_TYPE=3, FENCE_RADIUS=60)
    pilot.take_off()
    pilot.copter.state.body.north_m = 500.0
    pilot.command(207, 1)
    pilot.fly(0.2)
    assert pilot.flies_in(Mode.LAND)
    assert pilot.command(207, 7) is Result.FAILED


def test_inside_a_zone_it_is_not_armed() -> None:
    pilot = Pilot(FENCE_ENABLE=1, FENCE_TYPE=4)
    pilot.upload(1, square(0, 0, 20))
    pilot.mode(Mode.GUIDED)
    assert pilot.arm() is Result.FAILED
    pilot.upload(1, [])
    assert pilot.arm() is Result.ACCEPTED


def test_an_inclusion_must_not_be_left_and_circles_count_as_zones() -> None:
    pilot = Pilot(FENCE_ENABLE=1, FENCE_TYPE=4)
    assert pilot.upload(1, [*square(0, 0, 200, 5001), (5004, 30, 100, 0, 0)]) == 0
    pilot.take_off()
    assert pilot.go_to(100, 0) is Result.FAILED
    assert pilot.go_to(201, 0) is Result.FAILED
    assert pilot.go_to(0, 199) is Result.ACCEPTED
    pilot.target((100, 0))
    assert pilot.copter.state.guided.kind == "position"


def test_stabilize_in_the_air_comes_down_and_touches_the_ground() -> None:
    pilot = hovering()
    pilot.mode(Mode.STABILIZE)
    pilot.fly(30)
    truth = pilot.copter.truth
    assert truth.landed is Landed.ON_GROUND
    assert not truth.is_armed


def test_altitude_hold_keeps_the_height_and_drifts() -> None:
    pilot = Pilot(Settings(*PLACE, ready_after_s=0.0, wind_mps=5.0, wind_from_deg=270.0))
    pilot.take_off()
    pilot.mode(Mode.ALT_HOLD)
    pilot.fly(10)
    assert pilot.copter.truth.height_m == pytest.approx(30, abs=0.2)
    assert pilot.north_east[1] > 10
    assert PLANE.place(0, 0) == PLACE

from hypothesis import given
from hypothesis import strategies as st

from services.drone.mavlink.clock import RealClock
from services.drone.mavlink.vehicle_clock import VehicleClock
from services.drone.moment import Moment
from tests.unit.drone_mavlink_vehicle import Vehicle, mav

START = Moment(100.0, 1_800_000_000_000)
SIMULATED_US = 1_700_000_000_000_000


def real(passed_s: float) -> Moment:
    return Moment(START.s + passed_s, START.utc_ms + round(passed_s * 1000))


def told(boot_ms: int, utc_us: int = 0, vehicle: Vehicle | None = None) -> bytes:
    return (vehicle or Vehicle()).say(mav.MAVLink_system_time_message(utc_us, boot_ms))


def test_before_the_simulator_speaks_time_goes_on_as_it_really_does() -> None:
    clock = VehicleClock(START)
    assert clock.now(real(0.0)) == START
    assert clock.now(real(2.5)) == real(2.5)


def test_time_runs_as_fast_as_the_simulators() -> None:
    clock = VehicleClock(START)
    clock.hear(told(5_000, SIMULATED_US), real(0.0))
    assert clock.now(real(0.1)) == Moment(100.0, SIMULATED_US // 1000)
    clock.hear(told(7_000, SIMULATED_US + 2_000_000), real(0.2))
    assert clock.now(real(0.25)) == Moment(102.0, SIMULATED_US // 1000 + 2000)
    clock.hear(told(9_500), real(0.3))
    assert clock.now(real(0.3)) == Moment(104.5, SIMULATED_US // 1000 + 4500)


def test_a_silent_simulator_does_not_stop_the_time() -> None:
    clock = VehicleClock(START)
    clock.hear(told(5_000), real(0.0))
    assert clock.now(real(0.9)).s == 100.0
    assert clock.now(real(1.5)).s == 100.5
    assert clock.now(real(4.0)).s == 103.0
    clock.hear(told(9_000), real(4.0))
    assert clock.now(real(4.0)).s == 104.0
    clock.hear(told(9_500), real(4.1))
    assert clock.now(real(4.1)).s == 104.5


def test_a_simulator_that_was_halted_goes_on_from_where_our_time_is() -> None:
    clock = VehicleClock(START)
    clock.hear(told(5_000), real(0.0))
    assert clock.now(real(61.0)).s == 160.0
    clock.hear(told(5_100), real(61.0))
    clock.hear(told(5_600), real(61.1))
    assert clock.now(real(61.1)).s == 160.5


def test_a_restart_goes_on_and_a_late_packet_changes_nothing() -> None:
    clock = VehicleClock(START)
    clock.hear(told(50_000), real(0.0))
    clock.hear(told(49_800), real(0.1))
    clock.hear(told(1_000), real(0.2))
    assert clock.now(real(0.2)).s == 100.0
    clock.hear(told(1_500), real(0.3))
    assert clock.now(real(0.3)).s == 100.5


def test_the_date_of_a_simulator_that_was_started_anew_or_halted_is_its_own() -> None:
    clock = VehicleClock(START)
    clock.hear(told(50_000, SIMULATED_US + 50_000_000), real(0.0))
    clock.hear(told(90_000, SIMULATED_US + 90_000_000), real(4.0))
    clock.hear(told(2_000, SIMULATED_US + 14_000_000), real(12.0))
    assert clock.now(real(12.0)).utc_ms == SIMULATED_US // 1000 + 14_000
    assert clock.now(real(40.0)).utc_ms == SIMULATED_US // 1000 + 41_000
    clock.hear(told(2_100, SIMULATED_US + 14_100_000), real(40.0))
    assert clock.now(real(40.0)).utc_ms == SIMULATED_US // 1000 + 14_100


def test_only_one_autopilots_time_counts() -> None:
    clock = VehicleClock(START)
    vehicle = Vehicle()
    clock.hear(told(5_000, vehicle=Vehicle(component=154)), real(0.0))
    clock.hear(told(5_000, vehicle=vehicle), real(0.0))
    vehicle.heartbeat()
    clock.hear(vehicle.out[-1], real(0.0))
    clock.hear(told(90_000, vehicle=Vehicle(system=2)), real(0.1))
    assert clock.now(real(0.1)).s == 100.0


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 2_000), st.integers(0, 1 << 50))))
def test_time_never_goes_back(events: list[tuple[int, int, int]]) -> None:
    clock = VehicleClock(START)
    passed_s, last_s = 0.0, START.s
    for boot_ms, real_ms, utc_us in events:
        passed_s += real_ms / 1000
        clock.hear(told(boot_ms, utc_us), real(passed_s))
        now = clock.now(real(passed_s))
        assert now.s >= last_s
        last_s = now.s


def test_the_real_clock_is_the_machines() -> None:
    clock = RealClock()
    first, second = clock.now(), clock.now()
    assert first.s <= second.s
    assert first.utc_ms > 1_700_000_000_000

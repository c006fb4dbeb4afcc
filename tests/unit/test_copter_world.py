"""The world around the simulated copter: a bad radio, the roof of a car, a firmware that hangs."""

import random

import pytest

from internetcar.contract.message import InputError
from simulator.copter.copter import Settings, SimCopter
from simulator.copter.endpoints import TcpServer, open_endpoint
from simulator.copter.faults import Line
from simulator.copter.process import parse_arguments
from simulator.copter.roof import CarAt, Roof
from simulator.copter.state import Mode
from tests.unit.piloted import PLACE, PLANE, Pilot, square


def through(line: Line, count: int) -> list[bytes]:
    for number in range(count):
        line.send(b"%d" % number, number * 0.1)
    return line.arrived(1e9)


def test_a_good_line_brings_all_in_order_after_its_delay() -> None:
    line = Line(random.Random(1), delay_s=0.3)
    line.send(b"a", 1.0)
    assert line.arrived(1.2) == []
    assert line.arrived(1.3) == [b"a"]
    assert through(line, 3) == [b"0", b"1", b"2"]


def test_a_bad_line_loses_its_share_and_mixes_by_its_seed() -> None:
    first, second = (
        through(Line(random.Random(5), loss=0.2, jitter_s=0.5), 1_000) for _ in range(2)
    )
    assert first == second
    assert len(first) == pytest.approx(800, abs=50)
    assert first != sorted(first, key=int)


def test_a_cut_line_brings_only_what_was_in_the_air() -> None:
    line = Line(random.Random(1), delay_s=1.0)
    line.send(b"a", 0.0)
    line.is_cut = True
    line.send(b"b", 0.1)
    assert line.arrived(5.0) == [b"a"]
    assert line.lost == 1


def test_a_firmware_that_hangs_is_silent_and_deaf_and_flies_on() -> None:
    pilot = Pilot()
    pilot.take_off()
    pilot.go_to(50, 0)
    pilot.copter.is_hung = True
    pilot.heard.clear()
    pilot.fly(30)
    assert not pilot.heard
    assert pilot.north_east == pytest.approx((50, 0), abs=0.2)


def test_time_that_comes_in_crumbs_is_the_same_time() -> None:
    flown = []
    for step_s in (0.007, 0.1):
        copter = SimCopter(Settings(*PLACE, ready_after_s=0.0), random.Random(1))
        for _ in range(round(7.0 / step_s)):
            copter.advance(step_s)
        flown.append(copter.now_s)
    assert flown == pytest.approx([7.0, 7.0], abs=0.03)


def test_before_it_is_armed_it_travels_on_the_car() -> None:
    pilot, roof = Pilot(), Roof()
    for metres in range(0, 5_000, 50):
        roof.carry(pilot.copter, CarAt(*PLANE.place(metres, 10), 45.0))
        pilot.fly(0.1)
    assert pilot.north_east == pytest.approx((4_950, 10), abs=0.01)
    assert pilot.copter.state.body.heading_deg == 45.0


def test_in_the_air_the_car_drives_without_it_and_takes_it_as_it_landed_on_it() -> None:
    pilot, roof = Pilot(), Roof()
    pilot.take_off()
    pilot.go_to(50, 0)
    roof.carry(pilot.copter, CarAt(*PLACE))
    pilot.fly(30)
    pilot.mode(Mode.LAND)
    pilot.fly_until_landed()
    roof.carry(pilot.copter, CarAt(*PLANE.place(60, 0)))
    assert pilot.north_east == pytest.approx((50, 0), abs=0.3)
    beside_m = pilot.north_east[0] - 52
    roof.carry(pilot.copter, CarAt(*PLANE.place(52, 0)))
    assert pilot.north_east == pytest.approx((50, 0), abs=0.3)
    roof.carry(pilot.copter, CarAt(*PLANE.place(90, 0)))
    assert pilot.north_east[0] == pytest.approx(90 + beside_m, abs=0.01)


def test_carried_far_away_home_and_fence_stay_where_they_are() -> None:
    pilot = Pilot(FENCE_ENABLE=1, FENCE_TYPE=4)
    pilot.upload(1, square(20_000, 30_000, 100))
    pilot.set_home(5, 5)
    pilot.copter.carry_to(*PLANE.place(20_000, 29_000))
    pilot.copter.carry_to(*PLANE.place(20_000, 30_000))
    pilot.fly(0.2)
    assert pilot.copter.truth.home == pytest.approx(PLANE.place(5, 5), abs=1e-7)
    assert pilot.copter.state.breaches == 4


def test_it_may_be_carried_far_before_it_has_a_home() -> None:
    pilot = Pilot(Settings(*PLACE))
    pilot.copter.carry_to(*PLANE.place(9_000, 0))
    assert pilot.copter.truth.home is None
    assert pilot.north_east == pytest.approx((9_000, 0), abs=0.01)


def test_words_that_nobody_fetches_do_not_pile_up() -> None:
    state = Pilot().copter.state
    for number in range(1_000):
        state.say(6, str(number))
    assert len(state.said) == 100


def test_in_the_air_it_is_not_carried() -> None:
    pilot = Pilot()
    pilot.take_off()
    pilot.copter.carry_to(*PLANE.place(50, 0))
    assert pilot.north_east == pytest.approx((0, 0), abs=0.1)


@pytest.mark.parametrize("url", ["", "http://x:1", "udpout:127.0.0.1", "tcp:127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(InputError, match="not an address"):
        open_endpoint(url)


def test_a_port_that_is_taken_is_refused_in_words() -> None:
    server = TcpServer("127.0.0.1", 0)
    port = server.sockets()[0].getsockname()[1]
    with pytest.raises(InputError, match="in use"):
        open_endpoint(f"tcp:127.0.0.1:{port}")
    server.close()


def test_the_command_line_says_what_is_simulated() -> None:
    run = parse_arguments(
        [
            *("--place", "48.1,11.5", "--wind", "270,6", "--battery", "4000", "--seed", "9"),
            *("--parameter", "FS_GCS_ENABLE=1", "--ready-after", "2", "--url", "tcp:127.0.0.1:1"),
            *("--follow-car", "mqtt://127.0.0.1:1883", "--vehicle-id", "car"),
        ]
    )
    assert (run.copter.lat_deg, run.copter.wind_mps, run.copter.battery_mah) == (48.1, 6, 4_000)
    assert run.copter.parameters == {"FS_GCS_ENABLE": 1}
    assert run.car is not None
    assert not run.awaits_car


@pytest.mark.parametrize(
    "wrong",
    [
        ["--place", "north"],
        ["--place", "1,nan"],
        ["--place", "99,0"],
        ["--parameter", "NO_SUCH=1"],
        ["--parameter", "RTL_ALT=high"],
        ["--speed-factor", "0"],
        ["--follow-car", "mqtt://127.0.0.1"],
    ],
)
def test_a_wrong_argument_ends_it_at_once(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(wrong)
    assert "error" in capsys.readouterr().err

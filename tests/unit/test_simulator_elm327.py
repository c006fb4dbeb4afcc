"""The simulated adapter has the chips' manners, the dangerous ones too."""

from internetcar.socketcan import EXTENDED
from simulator.ecu import Ecu
from simulator.elm327 import SimulatedElm
from tests.unit.obd_car import PETROL


def petrol_elm() -> SimulatedElm:
    return SimulatedElm([Ecu(0, lambda: PETROL)], stn="STN1110 v4.2.0")


def test_it_echoes_until_it_is_told_not_to() -> None:
    chip = petrol_elm()
    assert chip.feed(b"at i\r\n") == b"ATI\rELM327 v1.5\r\r>"
    assert chip.feed(b"ATE0\r") == b"ATE0\rOK\r\r>"
    assert chip.feed(b"ATI\r") == b"ELM327 v1.5\r\r>"
    assert chip.feed(b"ATE1\rXY\r") == b"OK\r\r>XY\r?\r\r>"


def test_a_bare_return_repeats_the_last_request_on_the_bus() -> None:
    chip = petrol_elm()
    chip.feed(b"ATE0\r02010D\r")
    assert chip.feed(b"\r") == b"7E803410D32AAAAAAAA\r\r>"
    assert len(chip.sent) == 2


def test_it_says_what_it_hears_only_while_it_monitors() -> None:
    chip = petrol_elm()
    assert chip.hear(0x123, b"\x01") == b""
    chip.feed(b"ATE0\rATSP6\rSTMA\r")
    assert chip.hear(0x123, b"\x01") == b"12301\r"
    assert chip.hear(EXTENDED | 0x18FEEC00, b"\x01") == b""
    assert chip.feed(b" ") == b"STOPPED\r\r>"
    assert chip.hear(0x123, b"\x01") == b""


def test_a_question_nobody_answers_has_no_data() -> None:
    chip = SimulatedElm()
    assert chip.feed(b"0100\r") == b"0100\rNO DATA\r\r>"
    assert chip.sent == [(0x7DF, b"\x01\x00")]

"""A stranger's text is one line and steers no terminal, wherever in the drone it came from."""

import pytest

from services.drone.flight.cockpit import line
from services.drone.interlocks.situation import told
from services.drone.mavlink.codec import mavlink
from services.drone.mavlink.texts import Texts
from services.drone.words import printable

NASTY = "a\nb\x1b[2Jc\u202ed"


def test_what_steers_a_terminal_becomes_a_blank() -> None:
    assert printable(NASTY) == "a b [2Jc d"
    assert printable("Wind 8 m/s, größer") == "Wind 8 m/s, größer"


def autopilots() -> str:
    texts = Texts()
    texts.heard(mavlink.MAVLink_statustext_message(4, NASTY.encode("ascii", "ignore")), 0.0)
    return texts.last(0.0)[0]


@pytest.mark.parametrize(
    "said", [line(NASTY), told("wind", NASTY, is_good=True).words, autopilots()]
)
def test_no_way_to_a_message_lets_it_through(said: str) -> None:
    assert said.isprintable()
    assert said.startswith("a b [2Jc")

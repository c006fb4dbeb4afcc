"""Whatever is sent to the simulated copter, it goes on."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as dialect

from simulator.copter.state import Result
from tests.unit.piloted import Pilot


@given(st.binary(max_size=600))
def test_any_bytes_are_ignored_or_understood(data: bytes) -> None:
    pilot = Pilot()
    pilot.copter.receive(data)
    pilot.copter.outgoing()
    pilot.copter.advance(1.1)
    assert pilot.copter.outgoing(), "it says nothing any more"


def test_junk_is_counted_and_what_follows_is_still_heard() -> None:
    pilot = Pilot()
    pilot.copter.receive(b"hello")
    assert pilot.copter.junk == 1
    assert pilot.arm() is Result.ACCEPTED


FLOATS = st.floats(width=32) | st.sampled_from([0.0, 1.0, -1.0, 4.0, 33.0, 1e30])


@settings(deadline=None)
@given(
    st.sampled_from([17, 20, 21, 22, 115, 176, 178, 179, 185, 192, 207, 224, 300, 400, 401])
    | st.sampled_from([510, 511, 512, 520, 2000])
    | st.integers(0, 65_535),
    st.lists(FLOATS, min_size=7, max_size=7),
    st.booleans(),
)
def test_any_command_is_answered(number: int, values: list[float], is_flying: bool) -> None:
    pilot = Pilot()
    if is_flying:
        pilot.take_off(5)
    pilot.heard.clear()
    pilot.send(dialect.MAVLink_command_long_message(1, 1, number, 0, *values))
    assert pilot.last("COMMAND_ACK").command == number
    pilot.fly(1)
    assert all(abs(place) < 1e7 for place in pilot.north_east)


@settings(deadline=None)
@given(st.binary(min_size=53, max_size=53))
def test_any_target_leaves_it_somewhere(payload: bytes) -> None:
    pilot = Pilot()
    pilot.take_off(5)
    fields = list(struct.unpack("<Iii9fHBBB", payload))
    message = dialect.MAVLink_set_position_target_global_int_message(
        fields[0], 1, 1, fields[15], fields[12], *fields[1:12]
    )
    pilot.send(message)
    pilot.fly(2)
    assert all(abs(place) < 1e7 for place in pilot.north_east)

"""J1939 transport: a truck's broadcasts put together, equal to can-j1939, unharmed by any bytes."""

from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from j1939.j1939_21 import J1939_21

from gateway.j1939 import GLOBAL, T1_NS, T2_NS, J1939Message, J1939Reassembler, parse_id
from gateway.recordings import open_recording
from internetcar.socketcan import EXTENDED
from tests.data import data_path

MS = 1_000_000
ENGINE, TOOL = 0x00, 0xF9
VIN = 0xFEEC
Frame = tuple[int, bytes]


def control(kind: int, size: int, pgn: int, source: int, to: int, packets: int = -1) -> Frame:
    packets = -(-size // 7) if packets < 0 else packets
    body = bytes((kind, size & 0xFF, size >> 8, packets, 0xFF)) + pgn.to_bytes(3, "little")
    return EXTENDED | 0x1CEC0000 | to << 8 | source, body


def packets(payload: bytes, source: int, to: int) -> list[Frame]:
    can_id = EXTENDED | 0x1CEB0000 | to << 8 | source
    parts = (payload[at : at + 7].ljust(7, b"\xff") for at in range(0, len(payload), 7))
    return [(can_id, bytes((number,)) + part) for number, part in enumerate(parts, 1)]


def broadcast(payload: bytes, pgn: int = VIN, source: int = ENGINE) -> list[Frame]:
    start = control(32, len(payload), pgn, source, GLOBAL)
    return [start, *packets(payload, source, GLOBAL)]


def complete(reassembler: J1939Reassembler, frames: Iterable[Frame]) -> list[J1939Message]:
    fed = (reassembler.feed(0, *frame, number * MS) for number, frame in enumerate(frames))
    return [message for message in fed if message is not None]


def test_the_truck_says_16_long_messages() -> None:
    reassembler = J1939Reassembler()
    messages = []
    for _, can_id, payload, at_ns in open_recording(data_path("can/j1939/truck-bam.log")):
        message = reassembler.feed(0, can_id, payload, at_ns)
        messages += [] if message is None else [message]
    pgns = [message.pgn for message in messages]
    assert (len(pgns), pgns.count(0xFEE3), pgns.count(VIN)) == (16, 13, 3)
    assert len({message.payload for message in messages if message.pgn == VIN}) == 1
    assert not reassembler.faults


long_messages = st.binary(min_size=9, max_size=1_785)


@given(st.lists(st.binary(min_size=9, max_size=60), max_size=4), st.randoms(use_true_random=False))
def test_interleaved_senders_do_not_disturb_each_other(sent: list[bytes], random: Random) -> None:
    queues = [broadcast(payload, source=source) for source, payload in enumerate(sent)]
    frames = []
    while any(queues):
        frames.append(random.choice([queue for queue in queues if queue]).pop(0))
    messages = complete(J1939Reassembler(), frames)
    assert {message.source: message.payload for message in messages} == dict(enumerate(sent))


def oracle(frames: Iterable[Frame]) -> list[tuple[int, int, bytes]]:
    """What can-j1939 receives: its state machine alone, without its threads."""
    received: list[tuple[int, int, bytes]] = []

    def notify(priority: int, pgn: int, source: int, to: int, at: float, data: Any) -> None:
        received.append((pgn, source, bytes(data)))

    stack = J1939_21(lambda *frame: None, lambda: None, notify, 255, None, None, lambda to: True)
    for can_id, payload in frames:
        stack.notify(can_id & 0x1FFF_FFFF, bytearray(payload), 0.0)
    return received


@settings(max_examples=50)
@given(long_messages, long_messages)
def test_can_j1939_receives_the_same_broadcasts(one: bytes, other: bytes) -> None:
    frames = [*broadcast(one), *broadcast(other, 0xFEE3, 3)]
    ours = complete(J1939Reassembler(), frames)
    assert [(each.pgn, each.source, each.payload) for each in ours] == oracle(frames)


@given(long_messages)
def test_can_j1939_receives_the_same_between_two(payload: bytes) -> None:
    start = control(16, len(payload), 0xEF00, ENGINE, TOOL)
    frames = [start, *packets(payload, ENGINE, TOOL)]
    ours = complete(J1939Reassembler(), frames)
    assert [(each.pgn, each.source, each.payload) for each in ours] == oracle(frames)
    assert ours[0].destination == TOOL


@given(st.lists(st.tuples(st.integers(0, 0x1FFF_FFFF), st.binary(max_size=9)), max_size=20))
def test_any_frames_harm_nothing(junk: list[Frame]) -> None:
    reassembler = J1939Reassembler(max_sessions=2)
    for can_id, payload in junk:
        assert reassembler.feed(0, can_id, payload, 0) is None
        assert reassembler.feed(0, can_id | EXTENDED, payload, 0) is None
        assert reassembler.waiting <= 2


transport = st.tuples(
    st.sampled_from((0x1CECFF00, 0x1CEBFF00, 0x1CEC0100, 0x1CEB0100, 0x1CEC0001)),
    st.one_of(
        st.binary(min_size=8, max_size=8),
        st.tuples(st.sampled_from((16, 17, 19, 32, 255, 1, 2)), st.integers(9, 14)).map(
            lambda each: bytes((each[0], each[1], 0, 2, 255, 0xEC, 0xFE, 0))
        ),
    ),
)


@given(st.lists(st.tuples(transport, st.integers(0, 3_000)), max_size=30))
def test_any_packets_are_messages_or_faults(junk: list[tuple[Frame, int]]) -> None:
    reassembler = J1939Reassembler(max_sessions=2)
    for (can_id, payload), at_ms in junk:
        message = reassembler.feed(0, can_id | EXTENDED, payload, at_ms * MS)
        assert message is None or 8 < len(message.payload) <= 1_785
        assert reassembler.waiting <= 2


SENT = bytes(range(20))
BETWEEN = [control(16, 20, 0xEF00, ENGINE, TOOL), *packets(SENT, ENGINE, TOOL)]


def test_what_has_no_29_bit_id_is_not_j1939() -> None:
    reassembler = J1939Reassembler()
    for can_id, payload in broadcast(SENT):
        assert reassembler.feed(0, can_id & ~EXTENDED, payload, 0) is None
    assert reassembler.waiting == 0
    assert not reassembler.faults


def test_a_packet_asked_for_again_is_taken_in_its_place() -> None:
    start, one, two, three = BETWEEN
    again = control(17, 0, 0xEF00, TOOL, ENGINE)
    (message,) = complete(J1939Reassembler(), [start, one, three, again, two])
    assert message.payload == SENT


def test_a_clear_to_send_prolongs_the_wait() -> None:
    start, one, two, three = BETWEEN
    for wait, count in ((control(17, 0, 0xEF00, TOOL, ENGINE), 1), (control(17, 0, 1, TOOL, 0), 0)):
        reassembler = J1939Reassembler()
        times = [0, 0, T2_NS, T2_NS + MS, T2_NS + MS]
        fed = [
            reassembler.feed(0, *frame, at_ns)
            for frame, at_ns in zip([start, one, wait, two, three], times, strict=True)
        ]
        assert len([message for message in fed if message]) == count


@pytest.mark.parametrize("frame", [(EXTENDED | 0x1CECF900, 1), (EXTENDED | 0x1CEC00F9, 1)])
def test_either_side_may_abort(frame: tuple[int, int]) -> None:
    abort = (frame[0], bytes((255, 1, 255, 255, 255)) + (0xEF00).to_bytes(3, "little"))
    reassembler = J1939Reassembler()
    assert complete(reassembler, [BETWEEN[0], abort, *BETWEEN[1:]]) == []
    assert reassembler.faults == {"aborted": 1, "stray": 3}


def test_what_ends_nothing_is_passed_over() -> None:
    other = (EXTENDED | 0x1CEC00F9, bytes((255, 1, 255, 255, 255, 1, 0, 0)))
    end = control(19, 20, 0xEF00, TOOL, ENGINE)
    reassembler = J1939Reassembler()
    assert len(complete(reassembler, [BETWEEN[0], other, *BETWEEN[1:], end])) == 1
    assert not reassembler.faults


@pytest.mark.parametrize(
    ("frames", "fault"),
    [
        ([(EXTENDED | 0x1CECFF00, bytes(7))], "malformed"),
        ([control(32, 8, VIN, 0, GLOBAL)], "malformed"),
        ([control(32, 1_786, VIN, 0, GLOBAL, 255)], "malformed"),
        ([control(32, 20, VIN, 0, GLOBAL, 4)], "malformed"),
        ([control(32, 20, 0x4_0000, 0, GLOBAL)], "malformed"),
        ([control(16, 20, VIN, 0, GLOBAL)], "malformed"),
        ([control(32, 20, VIN, 0, TOOL)], "malformed"),
        ([control(18, 20, VIN, 0, TOOL)], "malformed"),
        ([broadcast(SENT)[1]], "stray"),
        ([*broadcast(SENT)[:2], broadcast(SENT)[3]], "lost"),
        ([*broadcast(SENT)[:2], broadcast(SENT)[1]], "lost"),
        ([BETWEEN[0], (BETWEEN[1][0], b"\x04" + bytes(7))], "malformed"),
        ([BETWEEN[0], (BETWEEN[1][0], bytes(8))], "malformed"),
        ([broadcast(SENT)[0], *broadcast(SENT)], "interrupted"),
    ],
)
def test_what_is_wrong_is_counted(frames: list[Frame], fault: str) -> None:
    reassembler = J1939Reassembler()
    complete(reassembler, frames)
    assert reassembler.faults == {fault: 1}


def test_a_gap_ends_a_broadcast() -> None:
    start, *rest = broadcast(SENT)
    for gap_ns, fault in ((T1_NS, {}), (T1_NS + 1, {"timed_out": 1})):
        reassembler = J1939Reassembler()
        reassembler.feed(0, *start, 0)
        reassembler.feed(0, *rest[0], gap_ns)
        assert reassembler.faults == fault
    reassembler = J1939Reassembler()
    reassembler.feed(0, *start, 0)
    reassembler.feed(0, *start, T1_NS + 1)
    assert reassembler.faults == {"timed_out": 1}


def test_what_waits_longer_than_it_may_expires() -> None:
    reassembler = J1939Reassembler()
    reassembler.feed(0, *broadcast(SENT)[0], 0)
    reassembler.expire(T1_NS)
    assert reassembler.waiting == 1
    reassembler.expire(T1_NS + 1)
    assert reassembler.waiting == 0


def test_the_one_that_waits_longest_is_crowded_out() -> None:
    reassembler = J1939Reassembler(max_sessions=2)
    for source in (1, 2, 3):
        reassembler.feed(0, *broadcast(SENT, source=source)[0], source)
    assert reassembler.faults == {"crowded_out": 1}
    assert reassembler.waiting == 2


def test_an_id_says_who_to_whom_and_what() -> None:
    assert parse_id(EXTENDED | 0x0CF00400) == (3, 0xF004, 0, GLOBAL)
    assert parse_id(EXTENDED | 0x18EAF912) == (6, 0xEA00, 0x12, TOOL)


def test_a_message_has_the_id_a_dbc_gives_it() -> None:
    assert J1939Message(0, VIN, 0x21, GLOBAL, b"", 0).can_id == EXTENDED | 0x18FEEC21
    assert J1939Message(0, 0xEF00, 0x21, TOOL, b"", 0).can_id == EXTENDED | 0x18EFF921

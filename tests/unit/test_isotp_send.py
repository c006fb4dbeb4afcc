"""Sending ISO-TP: what can-isotp receives, at the pace the receiver allows, or a stated refusal."""

import isotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.isotp_send import (
    MAX_WAITS,
    N_BS_NS,
    IsoTpError,
    IsoTpSender,
    flow_control,
    segment,
    separation_ns,
)

MS = 1_000_000


def receiver(block_size: int) -> tuple[isotp.TransportLayerLogic, list[bytes], list[bytes]]:
    """can-isotp, what it is given and what it sends."""
    given_frames: list[bytes] = []
    sent: list[bytes] = []

    def receive(timeout_s: float) -> isotp.CanMessage | None:
        if not given_frames:
            return None
        return isotp.CanMessage(arbitration_id=0x7E0, data=given_frames.pop(0))

    address = isotp.Address(isotp.AddressingMode.Normal_11bits, rxid=0x7E0, txid=0x7E8)
    layer = isotp.TransportLayerLogic(
        receive,
        lambda message: sent.append(bytes(message.data)),
        address,
        params={"blocksize": block_size, "stmin": 5},
    )
    return layer, given_frames, sent


@given(st.binary(min_size=1, max_size=400), st.integers(0, 6))
def test_can_isotp_receives_what_is_sent_under_its_flow_control(
    payload: bytes, block_size: int
) -> None:
    layer, frames, answers = receiver(block_size)
    sender, now_ns = IsoTpSender(segment(payload), 0), 0
    while not sender.is_done:
        due_ns = sender.next_due_ns
        assert due_ns is not None
        now_ns = max(now_ns, due_ns)
        taken = sender.take(now_ns)
        assert len(taken) == 1
        frames += taken
        layer.process()
        while answers:
            sender.feed(answers.pop(0), now_ns)
    assert sender.next_due_ns is None
    received = layer.recv()
    assert received is not None
    assert bytes(received) == payload
    assert now_ns == max(0, len(segment(payload)) - 2 - _blocks(payload, block_size)) * 5 * MS


def _blocks(payload: bytes, block_size: int) -> int:
    """How many flow controls came after the first: each lets the next frame go at once."""
    followers = len(segment(payload)) - 1
    return (followers - 1) // block_size if block_size and followers else 0


def test_the_gap_between_frames_is_kept() -> None:
    sender = IsoTpSender(segment(bytes(20)), 0)
    assert len(sender.take(0)) == 1
    assert sender.take(1) == []
    sender.feed(flow_control(separation=10), 2 * MS)
    assert len(sender.take(2 * MS)) == 1
    assert sender.take(12 * MS - 1) == []
    assert len(sender.take(12 * MS)) == 1
    assert sender.is_done
    assert sender.take(99 * MS) == []


@pytest.mark.parametrize(
    ("written", "gap_ns"),
    [
        (0, 0),
        (0x7F, 127 * MS),
        (0x80, 127 * MS),
        (0xF1, 100_000),
        (0xF9, 900_000),
        (0xFA, 127 * MS),
    ],
)
def test_the_gap_is_read_as_iso_writes_it(written: int, gap_ns: int) -> None:
    assert separation_ns(written) == gap_ns


def test_a_receiver_that_says_nothing_is_given_up_after_a_second() -> None:
    sender = IsoTpSender(segment(bytes(20)), 0)
    sender.take(0)
    assert sender.next_due_ns == N_BS_NS
    assert sender.take(N_BS_NS - 1) == []
    with pytest.raises(IsoTpError, match="no flow control after frame 1 of 3"):
        sender.take(N_BS_NS)


def test_a_receiver_may_say_wait_but_not_for_ever() -> None:
    sender = IsoTpSender(segment(bytes(20)), 0)
    sender.take(0)
    for _ in range(MAX_WAITS):
        sender.feed(b"\x31\x00\x00", MS)
    assert sender.next_due_ns == MS + N_BS_NS
    with pytest.raises(IsoTpError, match="status 1"):
        sender.feed(b"\x31\x00\x00", MS)
    assert sender.is_done


def test_a_receiver_may_refuse() -> None:
    sender = IsoTpSender(segment(bytes(20)), 0)
    sender.take(0)
    with pytest.raises(IsoTpError, match="status 2"):
        sender.feed(b"\x32\x00\x00", MS)
    assert sender.take(MS) == []


@pytest.mark.parametrize("payload", [b"", b"\x30\x00", b"\x02\x01\x00", b"\xf1\x30\x00\x00"])
def test_what_is_no_flow_control_is_passed_over(payload: bytes) -> None:
    sender = IsoTpSender(segment(bytes(20)), 0)
    sender.take(0)
    sender.feed(payload, 0)
    assert sender.take(0) == []


def test_a_flow_control_nobody_waits_for_is_passed_over() -> None:
    sender = IsoTpSender(segment(bytes(20)), 0)
    sender.feed(flow_control(), 0)
    assert len(sender.take(0)) == 1


def test_with_extended_addressing_the_address_comes_first() -> None:
    sender = IsoTpSender(segment(bytes(20), extension=0x10), 0, extension=0x10)
    assert sender.take(0)[0][:1] == b"\x10"
    sender.feed(flow_control(), 0)
    assert sender.take(0) == []
    sender.feed(flow_control(extension=0x10), 0)
    assert len(sender.take(0)) == 3


@pytest.mark.parametrize(("payload", "frame_bytes"), [(b"", 8), (b"\x00", 9), (b"\x00", 7)])
def test_what_cannot_be_sent_is_refused(payload: bytes, frame_bytes: int) -> None:
    with pytest.raises(IsoTpError, match="cannot send"):
        segment(payload, frame_bytes)


def test_short_frames_stay_short_without_padding() -> None:
    assert segment(b"\x01\x00", padding=None) == [b"\x02\x01\x00"]
    assert segment(b"\x01\x00") == [b"\x02\x01\x00\x00\x00\x00\x00\x00"]

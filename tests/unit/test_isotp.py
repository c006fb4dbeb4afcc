"""ISO-TP: real messages put together again, equal to can-isotp, and unharmed by any bytes."""

from collections.abc import Iterable, Iterator, Sequence
from random import Random

import isotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.isotp import FLOW_CONTROL, N_CR_NS, Begun, IsoTpReassembler, Pdu
from gateway.isotp_send import segment
from gateway.recordings import open_recording
from tests.data import data_path

MS = 1_000_000
Frame = tuple[int, bytes]

messages = st.binary(min_size=1, max_size=300)


def recorded(relative: str) -> Iterator[tuple[int, bytes, int]]:
    for _, can_id, payload, at_ns in open_recording(data_path(relative)):
        yield can_id, payload, at_ns


def complete(reassembler: IsoTpReassembler, frames: Iterable[tuple[int, bytes, int]]) -> list[Pdu]:
    found = (reassembler.feed(0, *frame) for frame in frames)
    return [each for each in found if isinstance(each, Pdu)]


def in_time(frames: Iterable[bytes], can_id: int = 0x7E8) -> list[tuple[int, bytes, int]]:
    return [(can_id, frame, number * MS) for number, frame in enumerate(frames)]


def test_the_recorded_diagnosis_has_1814_messages() -> None:
    reassembler = IsoTpReassembler()
    frames = list(recorded("can/kona-ev/car-scanner.obd-uds.candump.log"))
    pdus = complete(reassembler, frames)
    assert (len(frames), len(pdus)) == (1_845, 1_814)
    assert reassembler.faults == {"timed_out": 2}  # nobody let these two senders go on
    assert reassembler.waiting == 0
    name = b"\x49\x02\x01" + b"OSEV__ BMS ".ljust(17, b"\0")
    assert [pdu.can_id for pdu in pdus if pdu.payload == name] == [0x7EC]


def test_the_recorded_battery_has_270_messages() -> None:
    pdus = complete(IsoTpReassembler(), recorded("can/uds/kona-uds.log"))
    lengths = [len(pdu.payload) for pdu in pdus]
    assert (len(pdus), lengths.count(62), lengths.count(38)) == (270, 120, 150)
    charges = [pdu.payload[7] / 2 for pdu in pdus if pdu.payload.startswith(b"\x62\x01\x01")]
    assert charges.count(50.0) == 120


@given(st.lists(messages, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_interleaved_senders_do_not_disturb_each_other(sent: list[bytes], random: Random) -> None:
    queues = [(0x7E8 + number, segment(payload)) for number, payload in enumerate(sent)]
    frames: list[Frame] = []
    while any(queue for _, queue in queues):
        can_id, queue = random.choice([each for each in queues if each[1]])
        frames.append((can_id, queue.pop(0)))
    timed = [(can_id, payload, number * MS) for number, (can_id, payload) in enumerate(frames)]
    reassembler = IsoTpReassembler()
    pdus = complete(reassembler, timed)
    assert {pdu.can_id: pdu.payload for pdu in pdus} == {
        0x7E8 + number: payload for number, payload in enumerate(sent)
    }
    assert not reassembler.faults


@given(
    messages | st.binary(min_size=4_090, max_size=5_000),
    st.sampled_from((8, 12, 64)),
    st.sampled_from((None, 0, 0xAA)),
    st.sampled_from((None, 0, 0xF1)),
)
def test_what_was_cut_up_is_put_together(
    payload: bytes, frame_bytes: int, padding: int | None, extension: int | None
) -> None:
    frames = segment(payload, frame_bytes, padding, extension)
    reassembler = IsoTpReassembler(has_extension=extension is not None)
    (pdu,) = complete(reassembler, in_time(frames))
    assert (pdu.payload, pdu.extension) == (payload, extension)
    assert pdu.at_ns == (len(frames) - 1) * MS
    assert not reassembler.faults
    assert all(len(frame) in (*range(9), 12, 16, 20, 24, 32, 48, 64) for frame in frames)


class Oracle:
    """can-isotp, without its threads: what it receives of these frames."""

    def __init__(self, extension: int | None) -> None:
        mode = isotp.AddressingMode
        self.address = (
            isotp.Address(mode.Normal_11bits, rxid=0x7E8, txid=0x7E0)
            if extension is None
            else isotp.Address(
                mode.Extended_11bits,
                rxid=0x7E8,
                txid=0x7E0,
                source_address=extension,
                target_address=0x10,
            )
        )
        self.queue: list[bytes] = []
        self.sent: list[bytes] = []
        self.errors: list[Exception] = []
        self.layer = isotp.TransportLayerLogic(
            self._receive, self._send, self.address, self.errors.append, {"can_fd": True}
        )

    def _receive(self, timeout_s: float) -> isotp.CanMessage | None:
        if not self.queue:
            return None
        return isotp.CanMessage(arbitration_id=0x7E8, data=self.queue.pop(0))

    def _send(self, message: isotp.CanMessage) -> None:
        self.sent.append(bytes(message.data))

    def receive(self, frames: Sequence[bytes]) -> list[bytes]:
        received = []
        for frame in frames:
            self.queue.append(frame)
            self.layer.process()
            while (payload := self.layer.recv()) is not None:
                received.append(bytes(payload))
        return received


@st.composite
def disturbed(draw: st.DrawFn) -> list[bytes]:
    """Frames of real messages, some lost or doubled, or of another message."""
    frames: list[bytes] = []
    for payload in draw(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4)):
        frames += segment(payload, draw(st.sampled_from((8, 64))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(frames) - 1))
        what = draw(st.sampled_from(("lose", "double", "junk")))
        if what == "lose" and len(frames) > 1:
            del frames[at]
        elif what == "double":
            frames.insert(at, frames[at])
        else:
            frames.insert(at, draw(st.binary(min_size=8, max_size=8)))
    return frames


def is_well_formed(frame: bytes) -> bool:
    """Whether a listener hears it: can-isotp drops its message for a frame that is not."""
    alone = IsoTpReassembler()
    alone.feed(0, 0x7E8, frame, 0)
    return not alone.faults["malformed"] and frame[0] >> 4 != FLOW_CONTROL


@settings(max_examples=300)
@given(disturbed())
def test_can_isotp_receives_the_same(frames: list[bytes]) -> None:
    frames = [frame for frame in frames if is_well_formed(frame)]
    ours = complete(IsoTpReassembler(max_bytes=4_095), in_time(frames))
    assert [pdu.payload for pdu in ours] == Oracle(None).receive(frames)


@given(messages)
def test_can_isotp_understands_extended_addressing_alike(payload: bytes) -> None:
    frames = segment(payload, extension=0xF1)
    assert Oracle(0xF1).receive(frames) == [payload]


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=64), st.integers(0, 3_000))))
def test_any_bytes_are_a_message_or_a_fault_and_memory_is_bounded(
    junk: list[tuple[int, bytes, int]],
) -> None:
    reassembler = IsoTpReassembler(max_bytes=100, max_senders=2)
    for can_id, payload, at_ms in junk:
        found = reassembler.feed(0, can_id, payload, at_ms * MS)
        assert found is None or found.can_id == can_id
        if isinstance(found, Pdu):
            assert 0 < len(found.payload) <= 100
        assert reassembler.waiting <= 2


def first(length: int) -> bytes:
    return (0x1000 | length).to_bytes(2, "big") + bytes(6)


def test_a_first_frame_says_what_it_begins() -> None:
    begun = IsoTpReassembler().feed(1, 0x7E8, bytes.fromhex("1014490201574155"), 5)
    assert begun == Begun(1, 0x7E8, bytes.fromhex("490201574155"), 20)


def test_a_sender_that_comes_again_much_later_was_not_interrupted() -> None:
    reassembler = IsoTpReassembler()
    complete(reassembler, [(1, first(20), 0), (1, first(20), N_CR_NS + 1)])
    assert reassembler.faults == {"timed_out": 1}


def test_a_gap_of_more_than_a_second_ends_a_message() -> None:
    for gap_ns, count in ((N_CR_NS, 1), (N_CR_NS + 1, 0), (-N_CR_NS - 1, 0)):
        reassembler = IsoTpReassembler()
        start_ns = 10 * N_CR_NS
        frames = [(1, first(8), start_ns), (1, b"\x21" + bytes(7), start_ns + gap_ns)]
        assert len(complete(reassembler, frames)) == count
        assert reassembler.faults["timed_out"] == 1 - count


@pytest.mark.parametrize(
    ("frames", "fault"),
    [
        ([b""], "malformed"),
        ([b"\x00"], "malformed"),
        ([b"\x05ab"], "malformed"),
        ([b"\x00\x05" + bytes(6)], "malformed"),
        ([b"\x40" + bytes(7)], "malformed"),
        ([b"\x10\x09" + bytes(5)], "malformed"),
        ([first(7)], "malformed"),
        ([b"\x10\x00\x00\x00\x0f\xff\x00\x00"], "malformed"),
        ([b"\x10\x00\xff\xff\xff\xff\x00\x00"], "too_long"),
        ([b"\x21" + bytes(7)], "stray"),
        ([first(20), b"\x22" + bytes(7)], "wrong_sequence"),
        ([first(20), b"\x21" + bytes(3)], "malformed"),
        ([first(20), first(20)], "interrupted"),
        ([first(20), b"\x01\x00"], "interrupted"),
    ],
)
def test_what_is_wrong_is_counted(frames: list[bytes], fault: str) -> None:
    reassembler = IsoTpReassembler()
    complete(reassembler, in_time(frames))
    assert reassembler.faults == {fault: 1}


def test_a_flow_control_is_passed_over() -> None:
    reassembler = IsoTpReassembler()
    assert reassembler.feed(0, 0x7E0, b"\x30\x00\x00", 0) is None
    assert not reassembler.faults


def test_an_extended_frame_needs_more_than_its_address() -> None:
    reassembler = IsoTpReassembler(has_extension=True)
    assert reassembler.feed(0, 1, b"", 0) is None
    assert reassembler.feed(0, 1, b"\xf1", 0) is None
    assert reassembler.faults == {"malformed": 2}


def test_the_one_that_waits_longest_is_crowded_out() -> None:
    reassembler = IsoTpReassembler(max_senders=2)
    for can_id in (1, 2, 3):
        reassembler.feed(0, can_id, first(8), can_id)
    assert reassembler.faults == {"crowded_out": 1}
    assert len(complete(reassembler, [(i, b"\x21" + bytes(7), 4) for i in (1, 2, 3)])) == 2


def test_what_waits_longer_than_it_may_expires() -> None:
    reassembler = IsoTpReassembler()
    reassembler.feed(0, 1, first(8), 0)
    reassembler.expire(N_CR_NS)
    assert reassembler.waiting == 1
    reassembler.expire(N_CR_NS + 1)
    assert reassembler.waiting == 0
    assert reassembler.faults == {"timed_out": 1}

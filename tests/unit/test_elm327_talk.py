"""The talk with an ELM327 or STN chip: silent unless asked, understood whatever it writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.elm327_talk import MAX_WAITING, SECOND_NS, CanFrame, ElmError, ElmTalk
from gateway.isotp import IsoTpReassembler
from gateway.obd_leaves import ObdLeaves, ObdValue
from gateway.obd_poller import ObdPoller
from internetcar.socketcan import EXTENDED
from simulator.ecu import Ecu
from simulator.elm327 import SimulatedElm
from tests.unit.obd_car import PETROL, VIN

STN = "STN1110 v4.2.0"
SPEED = b"\x02\x01\x0d\0\0\0\0\0"


class Session:
    """A talk and its chip, on one clock; what the host writes arrives at once."""

    def __init__(self, chip: SimulatedElm, *, may_send: bool, bitrate: int = 500_000) -> None:
        self.chip = chip
        self.talk = ElmTalk(may_send=may_send, bitrate=bitrate)
        self.now_ns = 0
        self.heard: list[CanFrame] = []
        self.written = b""

    def run(self, seconds: float = 0.5) -> None:
        until_ns = self.now_ns + round(seconds * SECOND_NS)
        while self.now_ns < until_ns:
            self.now_ns += SECOND_NS // 20
            while text := self.talk.take(self.now_ns):
                self.written += text
                self.heard += self.talk.feed(self.chip.feed(text))

    def hear(self, can_id: int, payload: bytes) -> None:
        self.heard += self.talk.feed(self.chip.hear(can_id, payload))


def petrol(is_29_bit: bool = False) -> list[Ecu]:
    return [Ecu(0, lambda: PETROL, is_29_bit=is_29_bit)]


def test_an_elm_is_asked_and_its_answers_are_frames() -> None:
    session = Session(SimulatedElm(petrol()), may_send=True)
    session.run()
    assert session.talk.description == "ELM327 v1.5: answers requests, cannot listen to the bus"
    assert session.chip.sent == []
    session.talk.send(0x7DF, SPEED)
    session.run()
    assert session.chip.sent == [(0x7DF, SPEED)]
    assert session.heard == [CanFrame(0x7E8, bytes.fromhex("03410d32aaaaaaaa"))]


def test_a_long_answer_comes_whole_and_the_chip_lets_it_go_on() -> None:
    session = Session(SimulatedElm(petrol()), may_send=True)
    session.run()
    session.talk.send(0x7DF, b"\x02\x09\x02")
    session.talk.send(0x7E0, b"\x30\x00\x00")
    session.run()
    assert b"".join(payload[1:] for _, payload in session.heard)[1:].startswith(
        b"\x49\x02\x01" + VIN.encode()
    )
    assert [can_id for can_id, _ in session.chip.sent] == [0x7DF, 0x7E0]


def test_29_bit_requests_change_the_protocol_and_back() -> None:
    session = Session(SimulatedElm(petrol(is_29_bit=True)), may_send=True)
    session.run()
    for can_id in (EXTENDED | 0x18DB33F1, EXTENDED | 0x18DA00F1, 0x7DF):
        session.talk.send(can_id, SPEED)
    session.run()
    assert [can_id for can_id, _ in session.chip.sent] == [
        EXTENDED | 0x18DB33F1,
        EXTENDED | 0x18DA00F1,
        0x7DF,
    ]
    assert {can_id for can_id, _ in session.heard} == {EXTENDED | 0x18DAF100}


def test_without_transmit_an_elm_is_refused_and_told_why() -> None:
    chip = SimulatedElm(petrol())
    session = Session(chip, may_send=False)
    with pytest.raises(ElmError, match=r"cannot listen to the bus.*set transmit = true"):
        session.run()
    assert chip.sent == []


def test_without_transmit_a_stn_listens_and_an_hour_sends_nothing() -> None:
    chip = SimulatedElm(petrol(), stn=STN)
    session = Session(chip, may_send=False)
    session.run(1)
    session.hear(0x123, b"\x01\x02")
    session.run(3_600)
    session.hear(0x123, b"\x03")
    assert chip.sent == []
    assert session.talk.description == f"{STN}: only listens"
    assert session.heard == [CanFrame(0x123, b"\x01\x02"), CanFrame(0x123, b"\x03")]
    with pytest.raises(ElmError, match="only listens"):
        session.talk.send(0x7DF, SPEED)


def test_a_stn_that_hears_nothing_listens_for_the_other_ids() -> None:
    chip = SimulatedElm(stn=STN)
    session = Session(chip, may_send=False)
    session.run(15)
    session.hear(EXTENDED | 0x18FEEC00, b"\x01")
    assert session.heard == [CanFrame(EXTENDED | 0x18FEEC00, b"\x01")]
    session.run(100)  # it has heard some: it stays with them
    assert chip.commands.count("ATSP7") <= 5


def test_a_stn_listens_between_requests() -> None:
    chip = SimulatedElm(petrol(), stn=STN)
    session = Session(chip, may_send=True)
    session.run(1.5)
    session.hear(0x123, b"\x01")
    session.talk.send(0x7DF, SPEED)
    session.run(1.5)
    session.hear(0x123, b"\x02")
    assert [can_id for can_id, _ in session.heard] == [0x123, 0x7E8, 0x123]
    assert session.talk.description == f"{STN}: listens, and answers requests"


@pytest.mark.parametrize("per_second", [1, 2, 5])
def test_a_stn_that_asks_listens_most_of_the_time(per_second: int) -> None:
    chip = SimulatedElm(petrol(), stn=STN)
    session = Session(chip, may_send=True)
    session.run(1.5)
    listened = 0
    for turn in range(1_000):
        if turn % (20 // per_second) == 0:
            session.talk.send(0x7DF, SPEED)
        session.run(0.05)
        listened += chip.is_monitoring
        session.hear(0x123, b"\x01")
    assert listened > 900
    assert len(chip.sent) == 50 * per_second
    assert len(session.heard) == listened + len(chip.sent)


def test_a_stn_that_stops_at_once_is_left_alone_for_a_second() -> None:
    chip = SimulatedElm(stn=STN)
    session = Session(chip, may_send=False)
    session.run(1.5)
    for _ in range(200):
        if chip.is_monitoring:
            session.heard += session.talk.feed(chip.feed(b"\0"))  # as with no bus
        session.run(0.05)
    assert chip.commands.count("STMA") < 13


def test_the_voltage_is_asked_for() -> None:
    chip = SimulatedElm()
    session = Session(chip, may_send=True)
    session.run(1)
    assert session.talk.volts == 12.6
    chip.volts = "11.9V"
    session.run(11)
    assert session.talk.volts == 11.9
    chip.volts = "lots"
    session.run(11)
    assert session.talk.volts == 11.9


def test_a_bare_return_is_never_written_for_it_would_repeat_a_request() -> None:
    session = Session(SimulatedElm(petrol(), stn=STN), may_send=True)
    session.run(1.5)
    session.talk.send(0x7DF, SPEED)
    session.run(70)
    assert not session.written.startswith(b"\r")
    assert b"\r\r" not in session.written
    assert b" \r" not in session.written
    assert len(session.chip.sent) == 1


def test_a_cheap_copy_that_lacks_some_commands_is_used() -> None:
    lacks = frozenset({"ATAL", "ATCSM1", "ATST32", "ATCFC1", "STI", "ATI"})
    session = Session(SimulatedElm(petrol(), unknown=lacks), may_send=True)
    session.run()
    session.talk.send(0x7DF, SPEED)
    session.run()
    assert len(session.heard) == 1


def test_a_chip_that_does_not_understand_is_given_up() -> None:
    chip = SimulatedElm(unknown=frozenset({"ATH1"}))
    with pytest.raises(ElmError, match="does not understand ATH1: is it an ELM327"):
        Session(chip, may_send=True).run()
    assert chip.commands.count("ATH1") == 3


def test_a_chip_that_cannot_listen_after_all_is_given_up() -> None:
    chip = SimulatedElm(stn=STN, unknown=frozenset({"STMA"}))
    with pytest.raises(ElmError, match="does not know STMA"):
        Session(chip, may_send=False).run(3)


def opened(may_send: bool = True, stn: str | None = None) -> Session:
    session = Session(SimulatedElm(stn=stn), may_send=may_send)
    session.run(1.5)
    return session


def test_a_chip_that_says_nothing_is_given_up() -> None:
    talk = ElmTalk(may_send=True)
    assert talk.take(0) == b"ATZ\r"
    assert talk.take(SECOND_NS) == b""
    assert talk.take(3 * SECOND_NS) == b"ATZ\r"
    assert talk.take(6 * SECOND_NS) == b"ATZ\r"
    with pytest.raises(ElmError, match="does not answer ATZ"):
        talk.take(9 * SECOND_NS)


def test_a_chip_that_falls_silent_is_given_up() -> None:
    session = opened()
    session.talk.send(0x7DF, SPEED)
    session.talk.feed(session.chip.feed(session.talk.take(session.now_ns)))
    assert session.talk.take(session.now_ns) == b"02010D0000000000\r"
    with pytest.raises(ElmError, match="does not answer 02010D"):
        session.talk.take(session.now_ns + 4 * SECOND_NS)


def test_too_many_requests_are_refused() -> None:
    talk = ElmTalk(may_send=True)
    for _ in range(MAX_WAITING):
        talk.send(0x7DF, SPEED)
    with pytest.raises(ElmError, match="wait for the adapter"):
        talk.send(0x7DF, SPEED)


def test_a_bit_rate_it_does_not_know_is_refused() -> None:
    ElmTalk(may_send=True, bitrate=250_000)
    with pytest.raises(ElmError, match="not 125000"):
        ElmTalk(may_send=True, bitrate=125_000)


@pytest.mark.parametrize(
    ("text", "errors", "lost", "junk"),
    [
        (b"CAN ERROR\r>", 1, 0, 0),
        (b"7E8 03 41 <RX ERROR\r>", 1, 0, 0),
        (b"BUFFER FULL\r>", 0, 1, 0),
        (b"NO DATA\r\r>", 0, 0, 0),
        (b"STOPPED\r>", 0, 0, 0),
        (b"UNABLE TO CONNECT\r>", 0, 0, 0),
        (b"what?\r", 0, 0, 1),
        (b"FFF0341\r", 0, 0, 1),
        (b"7E80\r", 0, 0, 1),
        (b"FFFFFFFF00\r", 0, 0, 1),
        (b"7E8" + b"00" * 9 + b"\r", 0, 0, 1),
        (b"\0\0\r\n", 0, 0, 0),
    ],
)
def test_what_the_chip_reports_is_counted(text: bytes, errors: int, lost: int, junk: int) -> None:
    talk = opened(may_send=False, stn=STN).talk
    assert talk.feed(text) == []
    assert (talk.errors, talk.lost, talk.junk) == (errors, lost, junk)


@pytest.mark.parametrize("text", [b"LV RESET\r", b"\rELM327 v1.5\r", b"ERR94\r"])
def test_a_chip_that_was_reset_is_begun_with_anew(text: bytes) -> None:
    talk = opened(may_send=False, stn=STN).talk
    with pytest.raises(ElmError, match="the adapter was reset"):
        talk.feed(text)


def test_frames_with_spaces_between_their_bytes_are_understood() -> None:
    talk = opened(may_send=False, stn=STN).talk
    assert talk.feed(b"?" * 1_000 + b"\r") == []
    assert talk.feed(b"7E8 03 41 0D 32\r18 FE EC 00 01\r123\r") == [
        CanFrame(0x7E8, b"\x03\x41\x0d\x32"),
        CanFrame(EXTENDED | 0x18FEEC00, b"\x01"),
        CanFrame(0x123, b""),
    ]


def test_a_prompt_that_nobody_asked_for_changes_nothing() -> None:
    talk = opened().talk
    assert talk.feed(b"\r>\r>") == []


def test_listening_is_taken_up_again_after_the_chip_could_not_keep_up() -> None:
    session = opened(may_send=False, stn=STN)
    session.run(30)
    session.talk.feed(b"BUFFER FULL\r>")
    session.run(0.1)
    session.chip.is_monitoring = False
    session.talk.feed(b"BUFFER FULL\r>")
    session.run(0.1)
    assert not session.chip.is_monitoring  # not at once: a chip without a bus stops each time
    session.run(2)
    assert session.chip.is_monitoring


@pytest.mark.parametrize("stn", [None, STN])
@pytest.mark.parametrize("is_29_bit", [False, True])
def test_a_car_is_asked_through_an_adapter_as_through_a_bus(
    stn: str | None, is_29_bit: bool
) -> None:
    session = Session(SimulatedElm(petrol(is_29_bit), stn=stn), may_send=True)
    session.run()
    poller, reassembler, leaves = ObdPoller(session.now_ns), IsoTpReassembler(), ObdLeaves({})
    said: dict[str, ObdValue] = {}
    for _ in range(400):
        for frame in poller.take(session.now_ns):
            session.talk.send(*frame)
        session.run(0.05)
        while session.heard:
            part = reassembler.feed(0, *session.heard.pop(0), session.now_ns)
            answer = None if part is None else poller.feed(part, session.now_ns)
            if part is not None and answer is not None:
                said |= {each.path: each for each in leaves.say(answer, part.can_id, 0)}
    assert set(poller.answered) == {*PETROL.current}
    assert said["Vehicle.VehicleIdentification.VIN"].value == VIN
    assert said["Vehicle.Speed"].value == 50
    assert said["Vehicle.Diagnostics.DTCCount"].value == 4


@given(st.lists(st.binary(max_size=40), max_size=10), st.booleans())
def test_any_text_is_frames_or_a_stated_end_and_sends_nothing(
    texts: list[bytes], is_stn: bool
) -> None:
    session = opened(stn=STN if is_stn else None)
    try:
        for text in texts:
            for can_id, payload in session.talk.feed(text):
                assert len(payload) <= 8
                assert can_id & 0x1FFF_FFFF == can_id & ~EXTENDED
            session.run(0.1)
    except ElmError:
        pass
    assert session.chip.sent == []


@given(st.lists(st.text(" >\r0123456789ABCDEFSTOPELM?", max_size=30), max_size=10))
def test_any_opening_ends_or_is_given_up(texts: list[str]) -> None:
    talk = ElmTalk(may_send=False)
    try:
        for number, text in enumerate(texts):
            said = talk.take(number * SECOND_NS)
            assert said == b"" or said[:2] in (b"AT", b"ST") or said == b" "
            talk.feed(text.encode())
    except ElmError:
        pass

"""The simulated controller answers as a real one, and is deaf to everything else."""

from hypothesis import given
from hypothesis import strategies as st

from internetcar.socketcan import EXTENDED
from simulator.ecu import Ecu, Facts, electric_car
from simulator.garage import reference_simulation

FACTS = Facts(current={0x0C: b"\x1a\xf8", 0x42: b"\x30\x00"}, stored=("P0301",), vin="W" * 17)
LATE = 1_000_000_000


def ask(ecu: Ecu, payload: bytes, can_id: int = 0x7DF) -> list[tuple[int, bytes]]:
    ecu.feed(can_id, payload, 0)
    return ecu.take(LATE)


def test_it_lists_its_pids_and_says_them() -> None:
    ecu = Ecu(0, lambda: FACTS)
    assert ask(ecu, b"\x02\x01\x00") == [(0x7E8, bytes.fromhex("06410080100001aa"))]
    assert ask(ecu, b"\x02\x01\x20") == [(0x7E8, bytes.fromhex("06412000000001aa"))]
    assert ask(ecu, b"\x02\x01\x40") == [(0x7E8, bytes.fromhex("06414040000000aa"))]
    assert ask(ecu, b"\x02\x01\x60") == []
    assert ask(ecu, b"\x02\x01\x0c", 0x7E0) == [(0x7E8, bytes.fromhex("04410c1af8aaaaaa"))]
    assert ask(ecu, b"\x02\x01\x01") == [(0x7E8, bytes.fromhex("06410181000000aa"))]


def test_it_thinks_before_it_answers() -> None:
    ecu = Ecu(0, lambda: FACTS, delay_ns=5)
    ecu.feed(0x7DF, b"\x02\x01\x0c", 10)
    assert ecu.take(14) == []
    assert len(ecu.take(15)) == 1


def test_it_waits_for_the_flow_control_of_a_long_answer() -> None:
    ecu = Ecu(1, lambda: FACTS, is_29_bit=True)
    first = ask(ecu, b"\x02\x09\x02", EXTENDED | 0x18DB33F1)
    assert first == [(EXTENDED | 0x18DAF101, bytes.fromhex("1014490201575757"))]
    assert ask(ecu, b"\x30\x00\x00", EXTENDED | 0x18DB33F1) == []
    rest = ask(ecu, b"\x30\x00\x00", EXTENDED | 0x18DA01F1)
    assert [payload[0] for _, payload in rest] == [0x21, 0x22]


def test_it_refuses_only_where_it_is_told_to() -> None:
    assert ask(Ecu(0, lambda: FACTS), b"\x02\x01\x0d") == []
    assert ask(Ecu(0, lambda: FACTS, refuses=True), b"\x02\x01\x0d") == [
        (0x7E8, bytes.fromhex("037f0112aaaaaaaa"))
    ]
    without = Ecu(0, Facts)
    assert ask(without, b"\x02\x09\x00") == [(0x7E8, bytes.fromhex("06490000000000aa"))]
    assert ask(without, b"\x02\x09\x02") == []
    assert ask(without, b"\x01\x07") == [(0x7E8, bytes.fromhex("024700aaaaaaaaaa"))]


@given(st.integers(0, 0xFFFF_FFFF), st.binary(max_size=8))
def test_any_frame_is_answered_or_ignored(can_id: int, payload: bytes) -> None:
    ecu = Ecu(0, lambda: FACTS)
    ecu.feed(can_id, payload, 0)
    ecu.feed(0x7DF, payload, 0)
    assert all(can_id == 0x7E8 for can_id, _ in ecu.take(LATE))


def test_asleep_it_hears_nothing() -> None:
    ecu = Ecu(0, lambda: FACTS)
    ecu.is_awake = False
    assert ask(ecu, b"\x02\x01\x0c") == []


def test_an_electric_car_stays_within_its_bytes() -> None:
    said = electric_car(speed_kmh=300, charge_pct=100, odometer_m=0, outside_c=-50)
    assert (said[0x0D], said[0x46], said[0x5B]) == (b"\xff", b"\x00", b"\xff")


def test_the_reference_car_answers_a_tester_and_says_nothing_unasked() -> None:
    car = reference_simulation()
    unasked = {frame.can_id for frame in car.frames_until(2.0)}
    assert 0x7E8 not in unasked
    car.receive("comfort", 0x7DF, bytes.fromhex("02010d0000000000"))
    car.receive("powertrain", 0x7DF, bytes.fromhex("02015b0000000000"))
    answers = [frame for frame in car.frames_until(2.1) if frame.can_id == 0x7E8]
    assert [(frame.bus, frame.is_fd, frame.payload[:3]) for frame in answers] == [
        ("powertrain", False, bytes.fromhex("03415b"))
    ]
    assert 0.5 < answers[0].payload[3] / 255 < 1.0  # a battery that is charged by 60 to 90 %

"""What shows that a car is in use, and that asking keeps none awake."""

from itertools import pairwise

import pytest

from gateway.obd_rest import LOOK_AGAIN_NS, ObdRest
from simulator.ecu import Ecu, Facts
from tests.unit.obd_car import SECOND, ObdCar

KONA = {0x21: b"\0\0", 0x30: b"\0", 0x31: b"\0\0", 0x5B: b"\x80"}
"""What the recorded Kona answers: neither engine speed nor voltage."""


def changing(**current: bytes) -> tuple[ObdCar, dict[int, bytes]]:
    known = {**KONA, **{int(name[1:], 16): data for name, data in current.items()}}
    return ObdCar([Ecu(3, lambda: Facts(current=known))]), known


@pytest.mark.parametrize("current", [KONA, {0x5B: b"\x80"}, {0x0D: b"\0", 0x05: b"\x40"}], ids=str)
def test_an_answer_alone_is_no_sign_that_a_car_is_in_use(current: dict[int, bytes]) -> None:
    car = ObdCar([Ecu(0, lambda: Facts(current=current))])
    car.run(61)
    assert car.poller.rest.reason == "the ignition seems to be off"
    before = len(car.sent)
    car.run(600)
    assert len(car.sent) == before


@pytest.mark.parametrize(
    ("pid", "step", "is_sign"),
    [
        (0x31, 1, True),
        (0x21, 1, True),
        (0xA6, 1, True),
        (0x5B, 1, True),
        (0x5B, -1, True),
        (0x05, 1, True),
        (0x05, -1, False),  # it cools down by itself, for hours
        (0x1F, 1, False),  # some count while they are awake, as our questions would keep them
        (0x4E, 1, False),
    ],
)
def test_a_value_that_only_a_used_car_changes_is_a_sign(pid: int, step: int, is_sign: bool) -> None:
    start = {0x05: b"\x80", 0x1F: b"\x10\0", 0x4E: b"\x10\0", 0xA6: b"\0\1\0\0"}
    car, known = changing(**{f"x{pid:02X}": start.get(pid, KONA.get(pid, b""))})
    for _ in range(8):
        car.run(20)
        size = len(known[pid])
        known[pid] = (int.from_bytes(known[pid], "big") + step).to_bytes(size, "big")
    assert car.poller.rest.is_asking is is_sign


def test_a_value_that_trembles_is_no_sign_for_long() -> None:
    car, known = changing(x46=b"\x40")
    for number in range(10):
        car.run(20)
        known[0x46] = (b"\x40", b"\x41")[number % 2]
    assert not car.poller.rest.is_asking


def test_a_parked_car_whose_bus_talks_is_looked_at_twice_an_hour() -> None:
    rest, asked_ns, was = ObdRest(0), 0, True
    starts = []
    for now_ns in range(0, 12 * 3_600 * SECOND, SECOND // 4):
        rest.traffic(20, now_ns)
        is_asking = rest.check(now_ns, 0)
        if is_asking:
            rest.answer(KONA, now_ns)
            asked_ns += SECOND // 4
            if not was:
                starts.append(now_ns)
        was = is_asking
    assert len(starts) == 23
    assert min(second - first for first, second in pairwise(starts)) > 1_800 * SECOND
    assert asked_ns <= (60 + 24 * 3.5) * SECOND


def test_a_look_asks_on_where_the_car_was_driven_since() -> None:
    car, known = changing()
    car.traffic_frames = 1
    car.run(61)
    assert not car.poller.rest.is_asking
    known[0x31] = b"\0\x05"
    sent = len(car.sent)
    while not car.poller.rest.is_asking:
        car.now_ns += SECOND
        car.poller.traffic(1, car.now_ns)
    car.run(20)
    assert car.poller.rest.is_asking
    assert car.sent[sent][0] >= LOOK_AGAIN_NS
    assert b"\x02\x01\x00" not in {frame.payload[:3] for _, frame in car.sent[sent:]}


def test_a_bus_without_talk_of_its_own_is_not_looked_at() -> None:
    car, _ = changing()
    car.run(61)
    before = len(car.sent)
    car.now_ns += 10 * LOOK_AGAIN_NS
    car.run(60)
    assert len(car.sent) == before


def test_a_frame_now_and_then_does_not_keep_a_parked_car_asked() -> None:
    rest, asked_ns = ObdRest(0), 0
    for now_ns in range(0, 24 * 3_600 * SECOND, SECOND):
        rest.traffic(now_ns % (20 * SECOND) == 0, now_ns)
        if rest.check(now_ns, 0):
            rest.answer(KONA, now_ns)
            asked_ns += SECOND
    assert asked_ns < 3_600 * SECOND

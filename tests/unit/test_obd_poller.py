"""Asking a car: it finds everything, keeps its budget, and lets the car sleep."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.isotp import Begun, Pdu
from gateway.obd import ObdError
from gateway.obd_plan import MAX_PENDING
from gateway.obd_poller import ObdPoller
from internetcar.socketcan import EXTENDED
from simulator.ecu import Ecu, Facts, electric_car
from tests.unit.obd_car import MS, PETROL, SECOND, VIN, ObdCar, petrol

ENGINE, GEARBOX = 0x7E8, 0x7E9


def petrol_car(is_29_bit: bool = False, facts: Facts = PETROL) -> ObdCar:
    return ObdCar([Ecu(0, lambda: facts, is_29_bit=is_29_bit)])


@pytest.mark.parametrize("is_29_bit", [False, True])
def test_a_car_is_asked_for_everything_it_has(is_29_bit: bool) -> None:
    car = petrol_car(is_29_bit)
    car.run(10)
    engine = EXTENDED | 0x18DAF100 if is_29_bit else ENGINE
    assert set(car.poller.answered) == {*PETROL.current}
    assert set(car.poller.answered.values()) == {engine}
    assert car.value("Vehicle.Speed") == 50
    assert car.value("Vehicle.Powertrain.CombustionEngine.Speed") == 1_726
    assert car.value("Vehicle.Diagnostics.DTCList") == ["C0035", "P0301", "P0420", "U0100"]
    assert car.value("Vehicle.Diagnostics.PendingDTCList") == ["P0171"]
    assert car.value("Vehicle.VehicleIdentification.VIN") == VIN
    assert car.value("Vehicle.OBD.Status.IsMILOn") is True
    assert car.value("Vehicle.TraveledDistance") == 12_345_600


def test_long_answers_are_let_go_on_by_the_controller_that_sends_them() -> None:
    car = petrol_car()
    car.run(10)
    controls = [frame for _, frame in car.sent if frame.payload[0] >> 4 == 3]
    assert {frame.can_id for frame in controls} == {0x7E0}
    assert len(controls) == 2  # the codes, and the VIN


@settings(max_examples=20, deadline=None)
@given(st.floats(1, 50))
def test_the_budget_holds_in_every_second(requests_per_second: float) -> None:
    car = ObdCar([Ecu(0, lambda: PETROL)], requests_per_second)
    car.run(20)
    times = [at_ns for at_ns, _ in car.requests()]
    assert len(times) == car.poller.requests
    for first, second in pairwise(times):
        assert second - first >= SECOND / requests_per_second - 1


def test_fast_values_come_often_and_slow_ones_seldom_and_none_never() -> None:
    car = petrol_car()
    car.run(130)
    counted: dict[bytes, int] = {}
    for _, frame in car.requests():
        question = frame.payload[1 : 1 + frame.payload[0]]
        counted[question] = counted.get(question, 0) + 1
    fast, medium, slow = counted[b"\x01\x0c"], counted[b"\x01\x42"], counted[b"\x01\x2f"]
    assert fast > 4 * medium > 20 * slow > 0
    assert counted[b"\x03"] == counted[b"\x07"] == counted[b"\x09\x02"] == 1


def test_of_two_controllers_the_first_is_asked_and_the_codes_of_both_are_heard() -> None:
    gearbox = Facts(current={0x0D: b"\x33", 0x5C: b"\x60"}, stored=("P0730",))
    car = ObdCar([Ecu(1, lambda: gearbox), Ecu(0, lambda: PETROL)])
    car.run(15)
    assert car.poller.answered[0x0D] == ENGINE
    assert car.poller.answered[0x5C] == GEARBOX
    assert car.value("Vehicle.Speed") == 50
    assert car.value("Vehicle.Diagnostics.DTCList") == [
        "C0035",
        "P0301",
        "P0420",
        "P0730",
        "U0100",
    ]


def test_codes_that_come_are_asked_for_at_once() -> None:
    facts = [petrol()]
    car = ObdCar([Ecu(0, lambda: facts[0])])
    car.run(20)
    facts[0] = Facts(PETROL.current, ("P0302",), (), VIN)
    car.run(32)
    assert car.value("Vehicle.Diagnostics.DTCList") == ["P0302"]
    assert car.value("Vehicle.Diagnostics.PendingDTCList") == []


def test_a_silent_bus_is_not_asked_and_is_asked_again_when_it_wakes() -> None:
    car = petrol_car()
    car.run(5)
    car.ecus[0].is_awake = False
    car.run(6)
    assert car.poller.rest.reason == "the bus is silent"
    before = len(car.sent)
    car.run(60)
    assert len(car.sent) == before
    car.ecus[0].is_awake = True
    car.traffic_frames = 3
    car.run(2)
    assert car.poller.rest.is_asking
    assert len(car.sent) > before


def test_a_car_that_never_answers_is_asked_few_times() -> None:
    car = ObdCar([])
    car.run(60)
    assert [frame.can_id for _, frame in car.sent] == [
        0x7DF,
        EXTENDED | 0x18DB33F1,
        0x7DF,
        EXTENDED | 0x18DB33F1,
    ]


def test_a_bus_that_talks_but_does_not_answer_is_left_alone_after_a_minute() -> None:
    car = ObdCar([])
    car.traffic_frames = 2
    car.run(90)
    assert car.poller.rest.reason == "the ignition seems to be off"
    assert len(car.sent) < 35


OFF = {"x0C": b"\0\0", "x0D": b"\0", "x42": b"\x30\xd4"}  # 12.5 V


def test_a_minute_with_the_ignition_off_ends_the_asking() -> None:
    car = petrol_car(facts=petrol(**OFF))
    car.traffic_frames = 2
    car.run(59)
    assert car.poller.rest.is_asking
    car.run(2)
    assert car.poller.rest.reason == "the ignition seems to be off"
    before = len(car.sent)
    car.run(600)
    assert len(car.sent) == before


@pytest.mark.parametrize(
    "sign", [{"x0C": b"\x0c\x00"}, {"x0D": b"\x01"}, {"x42": b"\x35\x00"}], ids=str
)
def test_a_turning_engine_a_speed_or_a_charger_mean_that_it_is_on(sign: dict[str, bytes]) -> None:
    car = petrol_car(facts=petrol(**OFF | sign))
    car.run(120)
    assert car.poller.rest.is_asking


def low_battery(volts: float) -> Facts:
    return petrol(x42=round(volts * 1_000).to_bytes(2, "big"))


def test_a_low_battery_ends_the_asking_but_not_the_dip_of_a_starting_engine() -> None:
    facts = [low_battery(11.0)]
    car = ObdCar([Ecu(0, lambda: facts[0])])
    car.run(9)
    facts[0] = low_battery(12.3)
    car.run(20)
    assert car.poller.rest.is_asking
    facts[0] = low_battery(12.19)
    car.run(25)
    assert car.poller.rest.reason == "the small battery has 12.19 V, less than 12.2 V"
    before = len(car.sent)
    car.run(300)
    assert len(car.sent) == before
    car.poller.voltage(12.8, car.now_ns)
    assert not car.poller.rest.is_asking
    car.poller.voltage(13.5, car.now_ns)
    car.run(2)
    assert len(car.sent) > before


def test_a_bus_that_grows_lively_is_asked_again() -> None:
    car = petrol_car(facts=petrol(**OFF))
    car.traffic_frames = 1
    car.run(62)
    assert not car.poller.rest.is_asking
    car.run(30)
    assert not car.poller.rest.is_asking
    car.traffic_frames = 3
    car.run(11)
    assert car.poller.rest.is_asking


def test_another_tester_has_the_car_to_itself() -> None:
    car = petrol_car()
    car.run(5)
    before = len(car.sent)

    def other_asks() -> None:
        car.hear(0x7DF, b"\x02\x01\x0c\0\0\0\0\0")
        car.hear(ENGINE, b"\x04\x41\x0c\x1a\xf8\xaa\xaa\xaa")

    car.run(10, other_asks)
    assert len(car.sent) == before
    car.hear(ENGINE, b"\x10\x14\x49\x02\x01\x57\x56\x57")
    car.run(0.1)
    assert len(car.sent) == before  # its long answer is not ours to let go on
    car.run(5)
    assert len(car.sent) > before


def test_what_a_controller_refuses_or_never_says_is_not_asked_for_again() -> None:
    says = Facts(current=dict(PETROL.current))

    class Liar(Ecu):
        """Lists two PIDs that it does not answer; one it refuses."""

        def _answer(self, request: bytes) -> bytes | None:
            if request == b"\x01\x04":
                return b"\x7f\x01\x12"
            if request == b"\x01\x05":
                return None
            return super()._answer(request)

    car = ObdCar([Liar(0, lambda: says)])
    car.run(60)
    assert 0x04 not in car.poller.answered
    assert 0x05 not in car.poller.answered
    assert 0x0C in car.poller.answered
    asked = [frame.payload[:3] for _, frame in car.requests()]
    assert (asked.count(b"\x02\x01\x04"), asked.count(b"\x02\x01\x05")) == (1, 3)


def test_a_promise_to_answer_is_waited_for_but_not_for_ever() -> None:
    poller = ObdPoller(0)
    (frame,) = poller.take(0)
    assert frame.payload[:3] == b"\x02\x01\x00"
    promise = Pdu(0, ENGINE, b"\x7f\x01\x78", 0)
    now_ns = 0
    for _ in range(MAX_PENDING):
        poller.feed(promise, now_ns)
        assert poller.take(now_ns + 4 * SECOND) == []
        now_ns += 4 * SECOND
    poller.feed(promise, now_ns)
    assert poller.next_due_ns == now_ns + SECOND
    assert len(poller.take(now_ns + SECOND)) == 1


def test_a_refusal_of_another_question_changes_nothing() -> None:
    poller = ObdPoller(0)
    poller.take(0)
    poller.feed(Pdu(0, ENGINE, b"\x7f\x03\x78", 0), 0)
    assert poller.next_due_ns == 500 * MS
    poller.feed(Pdu(0, ENGINE, b"\x7f\x01\x21", 0), 0)
    assert poller.next_due_ns == 500 * MS


def test_what_comes_unasked_is_learned_from() -> None:
    poller = ObdPoller(0)
    poller.feed(Pdu(0, ENGINE, b"\x41\x00\x00\x18\x00\x00", 0), 0)
    assert set(poller.answered) == {0x0C, 0x0D}
    assert poller.feed(Pdu(0, 0x123, b"\x41\x00\x00\x18\x00\x00", 0), 0) is None
    poller.feed(Begun(0, ENGINE, b"\x49\x02\x01", 20), 0)
    assert [frame.payload[0] >> 4 for frame in poller.take(0)] == [0]
    assert poller.answered[0x0C] == ENGINE
    poller.feed(Pdu(0, GEARBOX, b"\x41\x00\x00\x08\x00\x00", 0), 0)
    assert poller.answered[0x0D] == ENGINE


def test_the_answer_to_another_question_settles_nothing() -> None:
    poller = ObdPoller(0)
    poller.take(0)
    poller.feed(Pdu(0, ENGINE, b"\x43\x00", 0), 0)
    assert poller.take(400 * MS) == []  # it still waits for the list of PIDs
    assert poller.next_due_ns == 500 * MS


def test_a_flood_of_first_frames_is_let_go_on_once() -> None:
    poller = ObdPoller(0)
    poller.take(0)
    for _ in range(100):
        poller.feed(Begun(0, ENGINE, b"\x41\x00", 20), 0)
    assert len(poller.take(0)) == 1


def test_a_bus_full_of_first_frames_gets_no_more_than_the_budget() -> None:
    poller, sent = ObdPoller(0), 0
    for turn in range(20_000 // 5):
        now_ns = turn * 5 * MS
        for frame in poller.take(now_ns):
            sent += 1
            service = frame.payload[1] + 0x40
            if frame.payload[0] >> 4 == 0:
                for number in range(256):
                    answer_id = EXTENDED | 0x18DAF100 | number
                    poller.feed(Begun(0, answer_id, bytes((service, 0)), 20), now_ns)
    assert 9 <= sent <= 20 * 5 + 8


def test_a_status_that_changes_before_the_codes_are_known_is_no_matter() -> None:
    poller = ObdPoller(0)
    for count in (b"\x01", b"\x02"):
        poller.feed(Pdu(0, ENGINE, b"\x41\x01" + count + bytes(3), 0), 0)
    assert poller.answered == {}


def test_an_answer_that_says_nothing_is_refused_with_its_reason() -> None:
    with pytest.raises(ObdError, match="says nothing"):
        ObdPoller(0).feed(Pdu(0, ENGINE, b"\x41", 0), 0)


def test_a_car_whose_second_controller_is_slow_is_still_understood() -> None:
    slow = Facts(current={0x5C: b"\x60"}, stored=("P0730", "P0731", "P0732"))
    car = ObdCar([Ecu(0, lambda: PETROL), Ecu(1, lambda: slow, delay_ns=60 * MS)])
    car.run(15)
    assert "P0732" in str(car.value("Vehicle.Diagnostics.DTCList"))


def test_a_car_that_is_away_for_a_while_loses_none_of_its_values() -> None:
    car = petrol_car()
    car.traffic_frames = 1
    car.run(10)
    car.ecus[0].is_awake = False
    car.run(45)
    car.ecus[0].is_awake = True
    car.run(5)
    assert set(car.poller.answered) == {*PETROL.current}


def test_a_list_that_never_comes_is_given_up() -> None:
    car = petrol_car(facts=Facts(current={0x0C: b"\x01\x00"}))
    car.hear(ENGINE, b"\x06\x41\x00\x00\x10\x00\x01\xaa")  # 0C, and a list that is not there
    car.run(30)
    asked = [frame.payload[:3] for _, frame in car.requests()]
    assert 3 <= asked.count(b"\x02\x01\x20") <= 10
    assert asked[-20:].count(b"\x02\x01\x20") == 0


def test_a_pid_that_means_nothing_to_us_is_not_asked_for() -> None:
    poller = ObdPoller(0)
    poller.feed(Pdu(0, ENGINE, b"\x41\x60\xff\xff\xff\xff", 0), 0)
    assert poller.answered == {}


def test_a_car_that_is_known_is_found_again_with_its_own_ids() -> None:
    car = petrol_car()
    car.run(5)
    car.ecus[0].is_awake = False
    car.run(10)
    before = len(car.sent)
    car.traffic_frames = 1
    car.run(10)
    assert {frame.can_id for _, frame in car.sent[before:]} == {0x7DF}


def test_a_value_that_stays_away_is_overdue() -> None:
    car = petrol_car()
    car.traffic_frames = 1
    car.run(10)
    assert car.poller.overdue(car.now_ns) == []
    car.ecus[0].is_awake = False
    car.run(10)
    assert set(car.poller.overdue(car.now_ns)) == {(1, 0x04), (1, 0x0C), (1, 0x0D)}
    car.run(60)
    assert car.poller.rest.reason == "the ignition seems to be off"
    assert set(car.poller.overdue(car.now_ns)) == {(1, pid) for pid in (1, *PETROL.current)}
    car.hear(ENGINE, b"\x03\x41\x0d\x33\xaa\xaa\xaa\xaa")  # to another tester
    assert (1, 0x0D) not in car.poller.overdue(car.now_ns)


def test_a_controller_that_does_not_come_back_when_its_bus_wakes_is_overdue() -> None:
    car = petrol_car()
    car.run(10)
    car.ecus[0].is_awake = False
    car.run(20)
    assert car.poller.rest.reason == "the bus is silent"
    assert car.poller.overdue(car.now_ns) == []
    car.traffic_frames = 1
    car.run(10)
    assert set(car.poller.overdue(car.now_ns)) == {(1, 0x04), (1, 0x0C), (1, 0x0D)}


def test_the_next_time_to_look_is_never_missed() -> None:
    car = petrol_car()
    car.run(5)
    due_ns = car.poller.next_due_ns
    assert car.now_ns - SECOND < due_ns < car.now_ns + SECOND


@given(
    st.lists(st.tuples(st.sampled_from((0x7E8, 0x7E9, 0x7EF)), st.binary(max_size=12)), max_size=40)
)
def test_any_answers_leave_the_budget_and_the_poller_whole(junk: list[tuple[int, bytes]]) -> None:
    poller, frames = ObdPoller(0), 0
    for number, (can_id, payload) in enumerate(junk):
        for part in (Begun(0, can_id, payload or b"\0", 20), Pdu(0, can_id, payload, 0)):
            with suppress(ObdError):
                poller.feed(part, number * 10 * MS)
        frames += sum(frame.payload[0] >> 4 == 0 for frame in poller.take(number * 10 * MS))
    assert frames == poller.requests <= 1 + len(junk) // 20


def test_an_electric_car_says_its_charge() -> None:
    def facts() -> Facts:
        return Facts(electric_car(speed_kmh=72, charge_pct=64, odometer_m=1_234_500, outside_c=31))

    car = ObdCar([Ecu(4, facts, refuses=True)])
    car.run(10)
    charge = car.value("Vehicle.Powertrain.TractionBattery.StateOfCharge.Current")
    assert charge == pytest.approx(64, abs=0.4)
    assert car.value("Vehicle.Exterior.AirTemperature") == 31
    assert car.value("Vehicle.Speed") == 72
    assert "Vehicle.VehicleIdentification.VIN" not in car.said

"""OBD-II on one bus: what is told, what is asked, and what is passed on."""

from itertools import pairwise

import pytest

from gateway.obd_leaves import (
    CODE_TEXT,
)
from gateway.obd_plan import SECOND_NS
from simulator.ecu import Ecu
from tests.unit.obd_car import PETROL, SECOND, VIN, petrol
from tests.unit.obd_drive import CODES, ENGINE, SPEED, VIN_PATH, Drive, assembly_of


def test_a_car_without_a_database_tells_its_leaves() -> None:
    assembly = assembly_of()
    drive = Drive(assembly, Ecu(0, lambda: PETROL))
    sure = {path for leaves in assembly.catalog.values() for path in leaves}
    assert CODES in sure
    assert VIN_PATH in sure
    assert SPEED not in sure
    drive.run(8)
    assert drive.said[SPEED] == (50.0, "valid")
    assert drive.said[ENGINE] == (1_726.0, "valid")
    assert drive.said[VIN_PATH] == (VIN, "valid")
    assert drive.said[CODE_TEXT][0] == [
        "C0035: Fault in the chassis (brakes, steering, suspension)",
        "P0301: Cylinder 1 misfires",
        "P0420: Catalyst",
        "U0100: Fault in the network between the control units",
    ]
    assert set(assembly.pipeline.newly_told) == set(drive.said)
    assembly.introduce(assembly.pipeline.newly_told)
    assert assembly.catalog["Vehicle.Speed"[:7]][SPEED].source == "can0/OBD.01.0D"
    assert not assembly.pipeline.freshness.is_silent(0, drive.now_ns)


def test_no_more_is_asked_than_the_budget() -> None:
    drive = Drive(assembly_of(), Ecu(0, lambda: PETROL), per_second=2.0)
    drive.run(20)
    questions = [at_ns for at_ns, _, payload in drive.sent if payload[0] >> 4 == 0]
    assert len(questions) > 20
    assert all(later - sooner >= SECOND // 2 for sooner, later in pairwise(questions))


def test_without_leave_nothing_is_ever_asked_but_answers_are_heard() -> None:
    drive = Drive(assembly_of("listen"), per_second=None)
    sure = [path for leaves in drive.assembly.catalog.values() for path in leaves]
    assert sure == []
    drive.run(1)
    drive.hear(0x7DF, bytes.fromhex("02010d0000000000"))
    drive.hear(0x7E8, bytes.fromhex("03410d3700000000"))
    drive.hear(0x7E8, bytes.fromhex("1014490201575657"))
    drive.run(3_600 / 60)
    assert drive.said[SPEED] == (55.0, "valid")
    assert drive.sent == []
    assert drive.bus.poller is None
    assert (drive.bus.next_due_ns, drive.bus.pause) == (None, None)


def test_beside_a_database_both_are_said_and_the_databases_signal_wins() -> None:
    assembly = assembly_of(has_dbc=True)
    assert assembly.paths.count(SPEED) == 1
    drive = Drive(assembly, Ecu(0, lambda: PETROL))
    drive.run(8, lambda: drive.hear(0x100, b"\xe8\x03"))
    assert drive.said[SPEED] == (100.0, "valid")
    assert drive.said[ENGINE] == (1_726.0, "valid")
    answers = assembly.pipeline.decoder.state(0, 0x7E8)
    assert answers is not None
    assert answers.frames > 10
    assert {leaf[0] for leaf in assembly.pipeline.state()} == {
        assembly.paths.index(path) for path in drive.said
    }


def test_asking_stops_when_the_bus_falls_silent_and_goes_on_when_it_wakes() -> None:
    ecu = Ecu(0, lambda: PETROL)
    drive = Drive(assembly_of(), ecu)
    drive.run(8)
    ecu.is_awake = False
    drive.run(20)
    assert drive.bus.pause == "the bus is silent"
    assert drive.bus.next_due_ns is None
    asked = len(drive.sent)
    drive.run(600)
    assert len(drive.sent) == asked
    ecu.is_awake = True
    drive.run(2, lambda: drive.hear(0x100, b"\x01"))
    assert drive.bus.pause is None
    assert len(drive.sent) > asked


def test_asking_stops_when_the_ignition_is_off_or_the_battery_is_low() -> None:
    off = petrol(x0C=b"\0\0", x0D=b"\0", x42=b"\x30\xd4")
    drive = Drive(assembly_of(), Ecu(0, lambda: off))
    drive.run(70, lambda: drive.hear(0x100, b"\x01"))
    assert drive.bus.pause == "the ignition seems to be off"
    drive = Drive(assembly_of(), Ecu(0, lambda: petrol(x42=b"\x2e\xe0")))
    drive.volts = 12.0
    drive.run(20, lambda: drive.hear(0x100, b"\x01"))
    assert drive.bus.pause == "the small battery has 12.00 V, less than 12.2 V"


def test_a_bus_that_is_not_there_is_not_asked_and_asked_anew_when_it_comes() -> None:
    drive = Drive(assembly_of(), Ecu(0, lambda: PETROL))
    drive.is_up = False
    drive.run(30)
    assert drive.sent == []
    drive.is_up = True
    drive.run(1)
    assert len(drive.sent) > 3


def test_another_tester_is_let_be() -> None:
    drive = Drive(assembly_of(), Ecu(0, lambda: PETROL))
    drive.run(8)
    asked = len(drive.sent)
    drive.run(4, lambda: drive.hear(0x7DF, bytes.fromhex("02010d0000000000")))
    assert len(drive.sent) - asked <= 1


@pytest.mark.parametrize("per_second", [5.0, None])
def test_other_services_are_passed_over_and_a_broken_answer_is_counted(
    per_second: float | None,
) -> None:
    drive = Drive(assembly_of(), per_second=per_second)
    drive.run(0.01)
    for answer in ("0462f19041000000", "037f2231000000", "017f", "037f0112000000"):
        drive.hear(0x7E8, bytes.fromhex(answer))
    assert drive.assembly.pipeline.decoder.errors == [0]
    drive.hear(0x7E8, bytes.fromhex("02410d0000000000"))
    assert drive.assembly.pipeline.decoder.errors == [1]
    assert drive.assembly.pipeline.newly_told == []


def test_a_mapping_that_is_taken_up_keeps_what_was_told() -> None:
    before = assembly_of()
    drive = Drive(before, Ecu(0, lambda: PETROL))
    drive.run(8)
    after = assembly_of(has_dbc=True)
    after.pipeline.succeed_told(before.pipeline)
    assert VIN_PATH in after.pipeline.newly_told
    assert SPEED not in after.pipeline.newly_told
    told = {after.paths[leaf]: value for leaf, value, _, _ in after.pipeline.state()}
    assert told[VIN_PATH] == VIN
    assert after.pipeline.take() == []
    after.pipeline.doubt("Vehicle.NoSuch")
    after.pipeline.doubt(CODES)
    assert [sample.quality for sample in after.pipeline.take()] == ["stale"]
    assert drive.now_ns > 8 * SECOND_NS

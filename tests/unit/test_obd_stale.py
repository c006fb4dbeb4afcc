"""What OBD-II told is not said as valid when it is not answered any more."""

from collections.abc import Collection

from gateway.obd_leaves import (
    CODE_COUNT,
    CODE_LIST,
    CODE_TEXT,
    MIL,
    PATHS_OF,
    PENDING_LIST,
    PENDING_TEXT,
    SERVICE_DUE,
    STATUS_COUNT,
)
from simulator.ecu import Ecu, Facts
from tests.unit.obd_car import PETROL, VIN, petrol
from tests.unit.obd_drive import CODES, ENGINE, SPEED, VIN_PATH, Drive, assembly_of

WATCHED = [path for key, paths in PATHS_OF.items() if key[0] == 1 for path in paths]


def qualities(drive: Drive, paths: Collection[str] = WATCHED) -> set[str]:
    return {quality for path, (_, quality) in drive.said.items() if path in paths}


def lit() -> Facts:
    return Facts(PETROL.current, PETROL.stored, PETROL.pending, VIN)


def test_a_car_left_alone_for_its_ignition_or_battery_says_no_old_values_as_valid() -> None:
    for changed in ({"x0C": b"\0\0", "x0D": b"\0", "x42": b"\x30\xd4"}, {"x42": b"\x2e\xe0"}):
        facts = [lit()]
        drive = Drive(assembly_of(), Ecu(0, lambda facts=facts: facts[0]))  # type: ignore[misc]
        drive.run(8)
        assert qualities(drive) == {"valid"}
        facts[0] = petrol(**changed)
        drive.run(70, lambda drive=drive: drive.hear(0x100, b"\x01"))  # type: ignore[misc]
        assert drive.bus.pause
        assert qualities(drive) == {"stale"}
        assert qualities(drive, (CODES, VIN_PATH)) == {"valid"}
        drive.run(120)  # said again after a minute, and not as valid
        assert qualities(drive) == {"stale"}


def test_a_bus_that_falls_asleep_keeps_every_last_value() -> None:
    ecu = Ecu(0, lit)
    drive = Drive(assembly_of(), ecu)
    drive.run(8)
    ecu.is_awake = False
    drive.run(120)
    assert drive.bus.pause == "the bus is silent"
    assert qualities(drive, list(drive.said)) == {"valid"}


class Mute(Ecu):
    """A controller that answers only current data but for its status, when it is told so."""

    is_mute = False

    def _answer(self, request: bytes) -> bytes | None:
        is_code = request[0] in (3, 7) or request == b"\x01\x01"
        return None if self.is_mute and is_code else super()._answer(request)


def test_the_light_and_codes_that_are_not_answered_any_more_are_stale() -> None:
    ecu = Mute(0, lit)
    drive = Drive(assembly_of(), ecu)
    drive.run(8)
    assert drive.said[MIL] == (True, "valid")
    ecu.is_mute = True
    drive.run(200)
    light = (MIL, STATUS_COUNT, SERVICE_DUE)
    lists = (CODE_LIST, CODE_TEXT, CODE_COUNT, PENDING_LIST, PENDING_TEXT)
    assert [drive.said[path][1] for path in light] == ["stale"] * 3
    assert qualities(drive, lists) == {"valid"}
    drive.run(800)
    assert [drive.said[path][1] for path in lists] == ["stale"] * 5
    assert drive.said[SPEED][1] == "valid"


def test_a_pid_nobody_answers_any_more_is_stale_and_its_codes_are_not() -> None:
    facts = [PETROL]
    drive = Drive(assembly_of(), Ecu(0, lambda: facts[0]))
    drive.run(8)
    without = {pid: data for pid, data in PETROL.current.items() if pid != 0x0C}
    facts[0] = type(PETROL)(without, PETROL.stored, PETROL.pending, PETROL.vin)
    drive.run(10)
    assert drive.said[ENGINE] == (1_726.0, "stale")
    assert drive.said[SPEED] == (50.0, "valid")
    facts[0] = PETROL
    assert drive.said[CODES][1] == "valid"

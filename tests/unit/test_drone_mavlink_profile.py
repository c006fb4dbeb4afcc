from typing import Any

import pytest

from services.drone.autopilot import Mode
from services.drone.mavlink.parameters import Parameters, from_wire, to_wire
from services.drone.mavlink.profile import NAMES, ProfileError, Row, evaluate, parse_profile
from services.drone.mavlink.shipped import load_profile
from tests.unit.drone_mavlink_vehicle import mav

HEAD = """
[autopilot]
name = "X"
autopilot = 3
vehicle_types = [2]
parameters = "cast"
[modes.mean]
guided = [4]
[modes.names]
4 = "GUIDED"
"""


def test_the_shipped_profile_names_what_must_hold_and_why() -> None:
    profile = load_profile()
    assert (profile.name, profile.autopilot, profile.encoding) == ("ArduCopter", 3, "cast")
    assert 2 in profile.vehicle_types
    assert 1 not in profile.vehicle_types
    assert set(profile.modes) == {Mode.GUIDED, Mode.AUTO, Mode.BRAKE, Mode.RTL, Mode.LAND}
    names = {name for row in profile.rows for name in row.names}
    assert {
        "FS_GCS_ENABLE", "FS_GCS_TIMEOUT", "MAV_GCS_SYSID", "SYSID_MYGCS", "FENCE_ENABLE",
        "FENCE_TYPE", "FENCE_ACTION", "FENCE_ALT_MAX", "BATT_LOW_MAH", "BATT_CRT_MAH", "RTL_ALT",
        "BATT_FS_LOW_ACT", "BATT_FS_CRT_ACT", "GUID_TIMEOUT",
    } <= names  # fmt: skip
    assert all(len(name) <= 16 for name in names)
    assert all(row.why for row in profile.rows)


def test_the_levels_of_the_battery_lie_below_what_plans_leave() -> None:
    known = dict.fromkeys(NAMES, 0.0) | {"battery_capacity_mah": 100.0}
    rows = {name: row for row in load_profile().rows for name in row.names}
    low = rows["BATT_LOW_MAH"].allowed("BATT_LOW_MAH", 0.0, known)
    critical = rows["BATT_CRT_MAH"].allowed("BATT_CRT_MAH", 0.0, known)
    assert critical < low < 20.0


@pytest.mark.parametrize(("row", "value", "allowed"), [
    (Row(("A",), "", wanted="ceiling_m"), 4.0, 100.0),
    (Row(("A",), "", wanted="ceiling_m", scale={"A": 100}), 4.0, 10_000.0),
    (Row(("A",), "", wanted="ceiling_m", scale={"B": 100}), 100.0, 100.0),
    (Row(("A",), "", least="2", most="5"), 1.0, 2.0),
    (Row(("A",), "", least="2", most="5"), 6.0, 5.0),
    (Row(("A",), "", least="2", most="5"), 3.0, 3.0),
    (Row(("A",), "", least="2"), 1.9999999, 1.9999999),
    (Row(("A",), "", most="2"), 2.0000001, 2.0000001),
    (Row(("A",), "", clear_bits=2), 7.0, 5.0),
])  # fmt: skip
def test_a_row_says_what_a_value_should_be(row: Row, value: float, allowed: float) -> None:
    assert row.allowed("A", value, {"ceiling_m": 100.0}) == allowed


def test_expressions_are_arithmetic_and_nothing_else() -> None:
    assert evaluate("-(2 + 3 * ceiling_m - 1) / 2", {"ceiling_m": 5.0}) == -8.0
    for text in (
        "__import__('os')",
        "ceiling_m ** 2",
        "'a'",
        "[1]",
        "1 if 1 else 2",
        "(",
        "True()",
    ):
        with pytest.raises(ValueError, match=r"profile|expression"):
            evaluate(text, {"ceiling_m": 5.0})
    with pytest.raises(KeyError):
        evaluate("elsewhere", {})


@pytest.mark.parametrize("text", [
    "", "not toml", HEAD.replace('"cast"', '"other"'), HEAD.replace("guided", "hovering"),
    HEAD + '[[parameter]]\nnames = ["A"]\nwhy = "b"',
    HEAD + '[[parameter]]\nnames = ["A"]\nwanted = "1"',
    HEAD + '[[parameter]]\nnames = ["A"]\nwanted = "1"\nwhy = "b"\nwnated = 3',
    HEAD + '[[parameter]]\nnames = ["A"]\nwanted = "height"\nwhy = "b"',
    HEAD + '[[parameter]]\nnames = ["A"]\nwanted = "open(1)"\nwhy = "b"',
])  # fmt: skip
def test_a_profile_that_does_not_say_what_it_must_is_refused(text: str) -> None:
    with pytest.raises(ProfileError, match="safety profile"):
        parse_profile(text)


def test_a_profile_without_rows_is_one() -> None:
    assert parse_profile(HEAD).rows == ()


@pytest.mark.parametrize("kind", range(1, 7))
def test_an_integer_survives_either_way_of_sending_it(kind: int) -> None:
    assert from_wire(to_wire(100.0, kind, "cast"), kind, "cast") == 100.0
    assert from_wire(to_wire(100.0, kind, "bytes"), kind, "bytes") == 100.0
    assert to_wire(100.0, mav.MAV_PARAM_TYPE_REAL32, "bytes") == 100.0


def test_a_number_that_does_not_fit_its_type_is_sent_all_the_same_and_never_confirmed() -> None:
    sent: list[Any] = []
    parameters = Parameters(sent.append, "bytes")
    parameters.read(["A"], 0.0)
    parameters.heard(mav.MAVLink_param_value_message(b"A", 0.0, mav.MAV_PARAM_TYPE_UINT8, 1, 0), 0)
    parameters.write({"A": 300.0}, 0.0)
    assert sent[-1].param_value == 300.0
    parameters.heard(mav.MAVLink_param_value_message(b"A", 0.0, mav.MAV_PARAM_TYPE_UINT8, 1, 0), 0)
    assert parameters.is_busy


def test_a_value_that_is_no_number_is_none() -> None:
    parameters = Parameters(lambda _message: None)
    parameters.read(["A"], 0.0)
    kind = mav.MAV_PARAM_TYPE_REAL32
    parameters.heard(mav.MAVLink_param_value_message(b"A", float("nan"), kind, 1, 0), 0.0)
    parameters.heard(mav.MAVLink_param_value_message(b"B", 1.0, kind, 1, 0), 0.0)
    parameters.refused("B", 0.0)
    assert parameters.is_busy
    assert parameters.values == {}

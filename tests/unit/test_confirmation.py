"""Whether the car did it: what confirms a command, and what does not."""

from typing import Any

import pytest

from gateway.feedback import Feedback, is_shown
from internetcar.contract.message import Scalar, Value
from tests.unit.commanded import (
    DBC,
    FAN,
    LEAVES,
    MODE,
    TEMPERATURE,
    Bench,
    bound,
    changed,
    said,
    states,
)


def feedback_of(command: dict[str, Any], source: dict[str, Any] | None = None) -> Feedback | None:
    """Of a float leaf set by `Temperature_Request` and shown by `Temperature`."""
    leaf = {
        "datatype": "float",
        "dbc2vss": source or {"signal": "Temperature"},
        "vss2dbc": {"signal": "Temperature_Request", **command},
    }
    found = bound(DBC, {**LEAVES, TEMPERATURE: leaf})
    assert found.errors == []
    return found.by_path[TEMPERATURE].feedback


def tolerance(command: dict[str, Any], source: dict[str, Any] | None = None) -> float:
    feedback = feedback_of(command, source)
    assert feedback is not None
    return feedback.tolerance


def test_a_frame_after_the_send_that_shows_the_value_confirms_it() -> None:
    bench = Bench()
    bench.send(MODE, "SPORT")
    assert bench.after(100) == []
    bench.world.show(MODE, "SPORT")
    [report] = bench.after(1)
    assert (report.state, report.final, report.reason) == ("confirmed", True, None)
    assert bench.after(10_000) == []


def test_a_value_that_was_there_before_confirms_only_with_a_fresh_frame() -> None:
    bench = Bench()
    bench.world.show(MODE, "SPORT")
    bench.send(MODE, "SPORT")
    assert bench.after(100) == []
    bench.world.show(MODE, "SPORT")
    assert states(bench.after(1)) == ["confirmed"]


def test_feedback_that_shows_another_value_or_none_is_waited_for_until_its_time_is_over() -> None:
    bench = Bench()
    bench.send(MODE, "SPORT")
    for value in ("ECO", None, "OFF"):
        bench.world.show(MODE, value)
        assert bench.after(600) == []
    [report] = bench.after(200)
    assert (report.state, report.reason, report.final) == ("timeout", "no_feedback", True)
    assert report.detail == "Vehicle.Mode did not show it within 2000 ms"
    bench.world.show(MODE, "SPORT")
    assert bench.after(1) == []


def test_feedback_in_the_last_moment_still_confirms() -> None:
    bench = Bench(changed(Mode={"timeout_ms": 1}))
    bench.send(MODE, "SPORT")
    bench.world.show(MODE, "SPORT")
    assert states(bench.after(5000)) == ["confirmed"]


def test_the_old_value_one_step_away_does_not_confirm() -> None:
    for wanted in (16.0, 21.5, 30.0):
        bench = Bench()
        bench.send(TEMPERATURE, wanted)
        for old in (wanted - 0.5, wanted + 0.5):
            bench.world.show(TEMPERATURE, old)
            assert bench.after(1) == []
        bench.world.show(TEMPERATURE, wanted)
        assert states(bench.after(1)) == ["confirmed"]


def test_the_old_integer_one_away_does_not_confirm() -> None:
    bench = Bench()
    bench.send(FAN, 20)
    bench.world.show(FAN, 21)
    assert bench.after(1) == []
    bench.world.show(FAN, 20.0)
    assert states(bench.after(1)) == ["confirmed"]


def test_what_is_expected_is_the_nearest_that_could_be_sent() -> None:
    bench = Bench()
    bench.send(TEMPERATURE, 21.6)
    assert bench.world.sent[0][0] == 43
    bench.world.show(TEMPERATURE, 21.5)
    assert states(bench.after(1)) == ["confirmed"]


def test_another_leaf_may_confirm_and_its_tolerance_be_said() -> None:
    bench = Bench(changed(Fan={"confirm": {"path": "Vehicle.Speed", "tolerance": 5}}))
    bench.send(FAN, 20)
    bench.world.show("Vehicle.Speed", 25.5)
    assert bench.after(1) == []
    bench.world.show("Vehicle.Speed", 25.0)
    assert said(bench.after(1)) == [("confirmed", None)]


@pytest.mark.parametrize(
    ("wanted", "shown", "expected"),
    [
        (True, True, True),
        (True, False, False),
        (True, 1, False),
        (1, True, False),
        (0.0, False, False),
        ("ECO", "ECO", True),
        ("ECO", "eco", False),
        ("ECO", None, False),
        ("1", 1, False),
        (1, "1", False),
        (1, None, False),
        (1, [1], False),
        (21, 21.0, True),
        (0.0, -0.0, True),
        (21.5, 21.75, True),
        (21.5, 21.76, False),
        (2**64 - 1, 2**64 - 1, True),
        (1e300, -1e300, False),
    ],
)
def test_a_value_shows_what_was_wanted_or_not(wanted: Scalar, shown: Value, expected: bool) -> None:
    assert is_shown(wanted, shown, Feedback("Vehicle.X", 0, 0.25)) is expected


def test_the_tolerance_is_half_a_step_of_the_feedback() -> None:
    assert tolerance({}) == 0.25
    assert tolerance({"confirm": {"tolerance": 2}}) == 2
    assert tolerance({"confirm": {"path": TEMPERATURE}}) == 0.25
    assert tolerance({"confirm": FAN}) == 0.5


def test_the_tolerance_counts_in_the_leafs_unit() -> None:
    """Fahrenheit in the leaf: one step of the feedback is 0.9 of its degrees."""
    source = {"signal": "Temperature", "transform": {"math": "x*1.8+32"}}
    assert tolerance({}, source) == pytest.approx(0.45)
    assert tolerance({"transform": {"math": "(x-32)/1.8"}}, source) == pytest.approx(0.45)
    coarse = {"transform": {"math": "(x-32)/18"}}
    assert tolerance(coarse, source) == pytest.approx(4.5)  # no finer than what is sent


def test_an_integer_is_told_from_its_neighbour_however_fine_its_signal() -> None:
    leaf = {
        "datatype": "uint8", "dbc2vss": {"signal": "Temperature"},
        "vss2dbc": {"signal": "Temperature_Request"},
    }  # fmt: skip
    feedback = bound(DBC, {TEMPERATURE: leaf}).by_path[TEMPERATURE].feedback
    assert feedback is not None
    assert feedback.tolerance == 0.5
    assert not is_shown(21, 20, feedback)


def test_a_table_shows_a_number_or_not() -> None:
    source = {"signal": "Temperature", "transform": {"mapping": [{"from": 1, "to": 20.0}]}}
    assert tolerance({}, source) == 0


def test_there_is_no_feedback_where_the_mapping_says_so_or_nothing_is_heard() -> None:
    assert feedback_of({"confirm": ""}) is None
    found = bound(DBC, {MODE: {"datatype": "string", "vss2dbc": {"signal": "Mode_Request"}}})
    assert found.by_path[MODE].feedback is None
    assert found.warnings == []


def test_a_feedback_that_is_not_heard_is_warned_of() -> None:
    found = bound(DBC, changed(Mode={"confirm": "Vehicle.Absent"}))
    assert found.by_path[MODE].feedback is None
    others = [one for one in found.warnings if not one.endswith("sends its initial value")]
    assert others == ["Vehicle.Mode: confirm: Vehicle.Absent is not heard here; never confirmed"]


def test_the_commands_own_message_proves_nothing() -> None:
    leaves = {MODE: {"datatype": "string", "dbc2vss": {"signal": "Mode_Request"},
                     "vss2dbc": {"signal": "Mode_Request"}}}  # fmt: skip
    assert bound(DBC, leaves).by_path[MODE].feedback is None


FLOATS = """\
BO_ 300 Float_Command: 8 Gateway
 SG_ Wanted : 0|{bits}@1- (1,0) [0|0] "" Car
BO_ 301 Float_Status: 8 Car
 SG_ Shown : 0|{bits}@1- (1,0) [0|0] "" Gateway
SIG_VALTYPE_ 300 Wanted : {kind};
SIG_VALTYPE_ 301 Shown : {kind};
"""


@pytest.mark.parametrize(("bits", "kind"), [(32, 1), (64, 2)])
def test_a_float_is_confirmed_by_its_like_and_not_by_a_number_near_it(bits: int, kind: int) -> None:
    leaf = {"datatype": "double", "dbc2vss": {"signal": "Shown"}, "vss2dbc": {"signal": "Wanted"}}
    dbc = FLOATS.format(bits=bits, kind=kind)
    actuator = bound(dbc, {"Vehicle.X": leaf}).by_path["Vehicle.X"]
    assert actuator.step is None
    assert actuator.feedback is not None
    for value in (21.3, 1e-3, 123456.7, -0.1):
        expected = actuator.expected(value, actuator.to_raw(value))
        assert is_shown(expected, expected, actuator.feedback)
        assert not is_shown(expected, value * 1.001 + 0.001, actuator.feedback)
        assert is_shown(value, expected, actuator.feedback)

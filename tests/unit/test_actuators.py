"""A mapping's commands meet the databases: what can be set, and what stands in the way."""

import math
from typing import Any

import pytest

from gateway.actuators import DEFAULT_CYCLE_MS, Actuator, Actuators, allowed_paths
from tests.unit.commanded import (
    DBC,
    FAN,
    HORN,
    LEAVES,
    LEVEL,
    MODE,
    SPEED,
    TEMPERATURE,
    bound,
    changed,
)


def one(dbc: str, command: dict[str, Any], **leaf: Any) -> Actuators:
    """What one leaf comes to, `Vehicle.X`."""
    return bound(dbc, {"Vehicle.X": {"datatype": "float", "vss2dbc": command, **leaf}})


def error(dbc: str, command: dict[str, Any], **leaf: Any) -> str:
    found = one(dbc, command, **leaf)
    assert found.by_path == {}
    [text] = found.errors
    assert text.startswith("test.json: Vehicle.X: ")
    return text.removeprefix("test.json: Vehicle.X: ")


def actuator(dbc: str, command: dict[str, Any], **leaf: Any) -> Actuator:
    found = one(dbc, command, **leaf)
    assert found.errors == []
    return found.by_path["Vehicle.X"]


def message(lines: str, length: int = 8, frame_id: int = 300, more: str = "") -> str:
    return f"BO_ {frame_id} Other: {length} Gateway\n{lines}{more}"


def test_every_command_of_the_mapping_is_found() -> None:
    found = bound(DBC, LEAVES)
    others = [one for one in found.warnings if not one.endswith("sends its initial value")]
    assert (found.errors, others) == ([], [])
    assert found.by_path.keys() == {path for path, leaf in LEAVES.items() if "vss2dbc" in leaf}
    fan = found.by_path[FAN]
    assert (fan.path, fan.message.key, fan.signal.name) == (FAN, (0, 256), "Fan_Request")
    assert fan.target == found.by_path[FAN].target != found.by_path[TEMPERATURE].target
    assert fan.message is found.by_path[TEMPERATURE].message


def test_a_held_frame_has_the_cycle_of_its_database_or_a_usual_one() -> None:
    found = bound(DBC, LEAVES).by_path
    assert found[FAN].message.cycle_ms == 50
    assert found[MODE].message.cycle_ms == DEFAULT_CYCLE_MS


def test_the_settings_say_who_may_set_what_the_mapping_lets_be_set() -> None:
    found = bound(DBC, changed(Horn={"allow": False})).by_path
    allow = {"phone": ["Vehicle.*"], "radio": [MODE, "Vehicle.F?n"], "stranger": [], "x": [HORN]}
    warnings: list[str] = []
    assert allowed_paths(allow, found, warnings) == {
        "phone": found.keys() - {HORN},
        "radio": {MODE, FAN},
        "stranger": set(),
        "x": set(),
    }
    assert allowed_paths({"phone": ["vehicle.*"]}, found, warnings) == {"phone": set()}
    ending = "matches nothing that the mapping lets be set"
    assert warnings == [
        f"commands.allow: x: {HORN} {ending}", f"commands.allow: phone: vehicle.* {ending}",
    ]  # fmt: skip


def test_a_signal_that_no_database_has_is_a_warning() -> None:
    found = one(DBC, {"signal": "Fan_Requst"})
    assert (found.by_path, found.errors) == ({}, [])
    assert found.warnings == [
        "Vehicle.X: no Fan_Requst in these databases (there is Fan_Request, Seat_Request,"
        " Horn_Request); never set"
    ]


def test_a_signal_that_is_in_two_places_is_an_error_until_it_is_said_which() -> None:
    leaves = {"Vehicle.X": {"datatype": "uint8", "vss2dbc": {"signal": "Fan_Request"}}}
    found = bound(DBC, leaves, ["can0", "can1"])
    assert found.by_path == {}
    assert found.errors == [
        "test.json: Vehicle.X: vss2dbc: Fan_Request is ambiguous: it is in can0/Climate_Command,"
        " can1/Climate_Command; add `message` and `bus`"
    ]
    leaves["Vehicle.X"]["vss2dbc"] = {"signal": "Fan_Request", "bus": "can1"}
    chosen = bound(DBC, leaves, ["can0", "can1"]).by_path["Vehicle.X"]
    assert (chosen.message.bus, chosen.message.bus_name) == (1, "can1")


def test_one_leaf_says_how_the_message_is_protected_for_all() -> None:
    found = bound(DBC, LEAVES).by_path
    fan = found[FAN]
    assert fan.message.composer.compose({"Fan_Request": 9}, None, b"\0\0\x04\0")[2] == 5


def test_leaves_that_contradict_each_other_about_a_protection_are_all_left_out() -> None:
    found = bound(DBC, changed(Fan={"counter": "Count", "checksum": {"signal": "Sum"}}))
    words = "vss2dbc: Vehicle.Fan and another leaf of its message have another `counter` or"
    assert found.errors == [
        f"test.json: Vehicle.{name}: {words} `checksum`" for name in ("Temperature", "Fan")
    ]
    assert not {FAN, TEMPERATURE} & found.by_path.keys()


def test_where_nobody_knows_how_a_message_is_protected_no_leaf_sets_it() -> None:
    """Unprotected frames of a protected message are what no receiver expects."""
    leaves = changed(Temperature={"checksum": {"signal": "Sum", "rule": "md5"}})
    found = bound(DBC, leaves)
    assert len(found.errors) == 2
    assert all("no checksum rule 'md5'" in each for each in found.errors)
    assert not {FAN, TEMPERATURE} & found.by_path.keys()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({"counter": "Nobody"}, "no signal 'Nobody' in the message that a check is for"),
        ({"checksum": {"signal": "Sum", "rule": "md5"}}, "no checksum rule 'md5'"),
        ({"only_when": "Vehicle.Absent == 0"}, "Vehicle.Absent is not heard here"),
        ({"only_when": "Vehicle.Fan =="}, "`Vehicle.Fan ==`"),
        ({"only_when": ""}, "expected"),
        ({"transform": {"mapping": [{"from": 1, "to": "ON"}]}}, "it has no names"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_an_error_and_leaves_nothing_to_set(
    command: dict[str, Any], words: str
) -> None:
    assert words in error(DBC, {"signal": "Fan_Request", **command})


def test_a_leaf_of_text_needs_a_signal_with_names() -> None:
    assert "has no names" in error(DBC, {"signal": "Fan_Request"}, datatype="string")


def test_a_signal_of_scale_0_says_nothing() -> None:
    dbc = message(' SG_ S : 0|8@1+ (0,0) [0|0] "" Car\n')
    assert error(dbc, {"signal": "S"}) == "vss2dbc: S has the scale 0"


def test_no_frame_is_made_of_a_message_that_is_not_known_in_full() -> None:
    dbc = message(' SG_ S : 0|8@1+ (1,0) [0|0] "" Car\n SG_ F : 8|8@1- (1e999,0) [0|0] "" Car\n')
    assert "Other has signals that cannot be decoded" in error(dbc, {"signal": "S"})


@pytest.mark.parametrize("length", [0, 1])
def test_no_frame_is_made_of_a_message_that_is_shorter_than_its_signals(length: int) -> None:
    dbc = message(
        ' SG_ S : 0|8@1+ (1,0) [0|0] "" Car\n SG_ F : 4|8@1+ (1,0) [0|0] "" Car\n', length
    )
    assert f"reaches beyond the {length} bytes of Other" in error(dbc, {"signal": "S"})


def test_a_message_of_29_bits_and_one_of_can_fd_are_what_their_database_says() -> None:
    line = ' SG_ S : 0|8@1+ (1,0) [0|0] "" Car\n'
    extended = actuator(message(line, frame_id=0x98DAF110), {"signal": "S"})
    assert extended.message.definition.can_id == 0x98DAF110
    assert not extended.message.is_fd
    more = (
        'BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","StandardCAN_FD";\n'
        'BA_ "VFrameFormat" BO_ 300 2;\n'
    )
    assert actuator(message(line, 64, more=more), {"signal": "S"}).message.is_fd


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        ({}, (-math.inf, math.inf)),
        ({"min": 5, "max": 50}, (5, 50)),
        ({"datatype": "uint8"}, (0, 255)),
        ({"datatype": "int8", "min": -200, "max": 50}, (-128, 50)),
        ({"dbc2vss": {"signal": "Temperature"}}, (0, 100)),
        ({"dbc2vss": {"signal": "Temperature"}, "min": 5, "max": 500}, (5, 100)),
        ({"dbc2vss": {"signal": "Temperature", "transform": {"math": "x"}}}, (-math.inf, math.inf)),
        ({"dbc2vss": {"signal": "Absent"}}, (-math.inf, math.inf)),
    ],
)
def test_the_limits_are_the_leafs_its_datatypes_and_those_of_what_it_shows(
    leaf: dict[str, Any], expected: tuple[float, float]
) -> None:
    found = actuator(DBC, {"signal": "Fan_Request"}, **leaf)
    assert (found.low, found.high) == expected


def test_what_is_expected_is_what_the_raw_number_says() -> None:
    found = bound(DBC, LEAVES).by_path
    assert found[TEMPERATURE].expected(21.6, 43) == 21.5
    assert found[FAN].expected(20, 20) == 20
    assert found[MODE].expected("ECO", 1) == "ECO"
    assert found[HORN].expected(True, 1) is True
    coarse = message(' SG_ S : 0|8@1+ (4,0) [0|0] "" Car\n')
    assert actuator(coarse, {"signal": "S"}, datatype="uint8").expected(21, 5) == 20
    formula = {"signal": "S", "transform": {"math": "x*2"}}
    assert actuator(coarse, formula).expected(21.5, 11) == 21.5


def test_an_integer_leaf_of_a_scaled_signal_expects_a_whole_number() -> None:
    tenths = message(' SG_ S : 0|16@1+ (0.1,0) [0|0] "" Car\n')
    found = actuator(tenths, {"signal": "S"}, datatype="uint16")
    for value in range(0, 6000, 7):
        expected = found.expected(value, found.to_raw(value))
        assert isinstance(expected, int)
        assert abs(expected - value) <= 1


def test_the_step_is_that_of_the_signal_in_the_leafs_unit() -> None:
    found = bound(DBC, LEAVES).by_path
    assert (found[TEMPERATURE].step, found[LEVEL].step) == (0.5, 1)
    assert (found[MODE].step, found[HORN].step) == (None, None)


def test_leaves_that_undo_each_other_are_a_warning_unless_nothing_is_a_name() -> None:
    dbc = """\
BO_ 256 Climate: 2 Gateway
 SG_ Warm : 0|8@1+ (1,0) [0|0] "" Car
 SG_ Fan : 8|8@1+ (1,0) [0|0] "" Car
BA_DEF_ SG_ "GenSigStartValue" INT 0 255;
BA_ "GenSigStartValue" SG_ 256 Warm 20;
BA_ "GenSigStartValue" SG_ 256 Fan 255;
VAL_ 256 Fan 255 "NO_REQUEST" ;
"""
    leaves = {
        f"Vehicle.{name}": {
            "type": "actuator", "datatype": "uint8", "vss2dbc": {"signal": name, "allow": True},
        }
        for name in ("Warm", "Fan")
    }  # fmt: skip
    assert bound(dbc, leaves).warnings == [
        "Vehicle.Warm: each other leaf of Climate that is set sends its initial value"
    ]
    del leaves["Vehicle.Fan"]
    assert bound(dbc, leaves).warnings == []


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("only_when", f"{SPEED} == true", "a number is compared with a boolean"),
        ("only_when", SPEED, "a number is compared with a boolean"),
    ],
)
def test_a_command_that_could_only_go_wrong_is_an_error(key: str, value: str, says: str) -> None:
    found = bound(DBC, changed(Fan={key: value}))
    assert FAN not in found.by_path
    assert any(says in error for error in found.errors)


def test_a_leaf_is_not_the_counter_of_its_own_message() -> None:
    found = one(DBC, {"signal": "Fan_Request", "counter": "Fan_Request"})
    assert found.by_path == {}
    assert any("is the counter or checksum of its message" in error for error in found.errors)

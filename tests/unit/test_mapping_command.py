"""`car mapping`: a first mapping, a checked one, and KUKSA's beside ours."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.mapping import parse_mapping
from internetcar.contract.message import InputError
from internetcar.launcher import mapping
from tests.data import data_path

RUN = CliRunner().invoke
DBC = """\
VERSION ""
BS_:
BU_: A
BO_ 256 ESP: 8 A
 SG_ VEHICLE_SPEED : 0|16@1+ (0.01,0) [0|300] "km/h" A
"""
SPEED = {
    "Vehicle.Speed": {
        "type": "sensor",
        "datatype": "float",
        "unit": "km/h",
        "dbc2vss": {"signal": "VEHICLE_SPEED", "interval_ms": 1000},
    }
}


@pytest.fixture
def dbc(tmp_path: Path) -> str:
    path = tmp_path / "car.dbc"
    path.write_text(DBC)
    return str(path)


@pytest.fixture
def rules(tmp_path: Path) -> str:
    path = tmp_path / "kuksa.json"
    path.write_text(json.dumps(SPEED))
    return str(path)


def test_a_first_mapping_is_printed_or_written_but_replaces_nothing(
    tmp_path: Path, dbc: str
) -> None:
    printed = RUN(mapping.app, ["init", dbc])
    assert printed.exit_code == 0
    leaf = parse_mapping(printed.output, "printed").leaves["Vehicle.Speed"]
    assert leaf.source is not None
    assert (leaf.source.message, leaf.source.signal) == ("ESP", "VEHICLE_SPEED")
    assert leaf.max is None
    target = tmp_path / "mapping.json"
    assert "car mapping lint" in RUN(mapping.app, ["init", dbc, "--output", str(target)]).output
    assert json.loads(target.read_text()) == json.loads(printed.output)
    again = RUN(mapping.app, ["init", dbc, "--output", str(target)])
    assert "is there already" in str(again.exception)


def test_a_first_mapping_takes_its_leaves_from_a_release(tmp_path: Path, dbc: str) -> None:
    release = tmp_path / "vss.json"
    release.write_text(json.dumps({"Vehicle.Cabin.Speed": {"type": "sensor", "datatype": "float"}}))
    output = RUN(mapping.app, ["init", dbc, "--vss", str(release)]).output
    assert list(json.loads(output)) == ["Vehicle.Cabin.Speed"]


def test_a_sound_mapping_has_no_errors(rules: str, dbc: str) -> None:
    result = RUN(mapping.app, ["lint", rules, "--dbc", dbc])
    assert result.exit_code == 0
    assert result.output == "1 leaves: 0 errors, 0 warnings, 0 notes\n"


def test_what_cannot_be_used_is_named_with_its_line_and_ends_with_1(tmp_path: Path) -> None:
    path = tmp_path / "mapping.json"
    table = {"mapping": [{"from": 0, "to": "NEVER"}]}
    wrong = {"type": "sensor", "datatype": "string", "allowed": ["ON"], "dbc2vss": {
        "signal": "X", "transform": table}}  # fmt: skip
    path.write_text(json.dumps({**SPEED, "Vehicle.Light": wrong}, indent=1))
    result = RUN(mapping.app, ["lint", str(path)])
    assert result.exit_code == 1
    assert f"{path}:11: error: Vehicle.Light: `to: NEVER` is not allowed; use one of ON" in (
        result.output
    )


@pytest.mark.parametrize("text", ["{}", '{"Vehicle": {"type": "branch", "children": {}}}'])
def test_a_mapping_that_says_nothing_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(text)
    result = RUN(mapping.app, ["lint", str(path)])
    assert result.exit_code == 1
    assert "error: no leaf has a `dbc2vss`" in result.output


def test_a_mapping_is_held_against_a_release(tmp_path: Path, rules: str) -> None:
    release = tmp_path / "vss.json"
    release.write_text(
        json.dumps({"Vehicle.Speed": {"type": "sensor", "datatype": "double", "unit": "km/h"}})
    )
    result = RUN(mapping.app, ["lint", rules, "--vss", str(release)])
    assert result.exit_code == 0
    assert "warning: Vehicle.Speed: datatype is float, in this release double" in result.output


def test_what_kuksa_loses_within_an_interval_is_a_difference(
    tmp_path: Path, rules: str, dbc: str
) -> None:
    log = tmp_path / "drive.log"
    log.write_text(
        "(10.0) can0 100#0000000000000000\n"
        "(10.5) can0 100#6400000000000000\n"
        "(10.9) can0 100#C800000000000000\n"
        "(10.9) can1 100#C800000000000000\n"
    )
    result = RUN(mapping.app, ["diff", rules, "--log", str(log), "--dbc", f"can0={dbc}"])
    assert result.exit_code == 0, result.output
    assert "Vehicle.Speed: KUKSA sends 1 values, ours 2; the first difference 0." in result.output
    assert "KUKSA ends with 0.0, the car with 2.0" in result.output
    assert "1 of 1 leaves differ over drive.log" in result.output


def test_kuksas_own_mapping_is_compared_on_its_own_database(tmp_path: Path) -> None:
    folder = data_path("can/kuksa")
    log = tmp_path / "drive.log"
    log.write_text("(10.0) can0 257#0000000000000000\n(10.1) can0 257#00FF7F0000000000\n")
    arguments = [str(folder / "vss_4.0_dbc.json"), "--log", str(log)]
    result = RUN(mapping.app, ["diff", *arguments, "--dbc", f"can0={folder / 'Model3CAN.dbc'}"])
    assert result.exit_code == 0, result.output
    assert "of 32 leaves differ over drive.log" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["init", "absent.dbc"], "absent.dbc: No such file"),
        (["lint", "absent.json"], "absent.json: cannot be read"),
        (["lint", "RULES", "--vss", "absent.json"], "absent.json: cannot be read"),
        (["diff", "RULES", "--log", "LOG"], "car identify"),
        (["diff", "RULES", "--log", "LOG", "--dbc", "DBC"], "say of which channel"),
        (["diff", "RULES", "--log", "LOG", "--dbc", "can7=DBC"], "its channels are can0"),
    ],
)
def test_wrong_input_is_an_error_in_words(
    arguments: list[str], words: str, tmp_path: Path, rules: str, dbc: str
) -> None:
    log = tmp_path / "drive.log"
    log.write_text("(10.0) can0 100#0000000000000000\n")
    names = {"RULES": rules, "LOG": str(log), "DBC": dbc, "can7=DBC": f"can7={dbc}"}
    result = RUN(mapping.app, [names.get(argument, argument) for argument in arguments])
    assert isinstance(result.exception, InputError)
    assert words in str(result.exception)


def test_a_database_without_any_likeness_to_vss_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "odd.dbc"
    path.write_text('VERSION ""\nBS_:\nBU_: A\nBO_ 1 M: 8 A\n SG_ QQQ : 0|8@1+ (1,0) [0|0] "" A\n')
    assert "no signal's name is like a VSS leaf" in str(
        RUN(mapping.app, ["init", str(path)]).exception
    )


def test_help_of_each_is_there() -> None:
    for name in ("init", "lint", "diff"):
        assert RUN(mapping.app, [name, "--help"]).exit_code == 0

"""`car replay` with wrong input: one clear line, and nothing is sent."""

import os
import sys
from pathlib import Path

import pytest

from internetcar.launcher.broker import RunningBroker
from internetcar.launcher.command import main
from tests.e2e.small_car import DBC, log_lines, speed_frame
from tests.e2e.stage import Stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.dbc").write_text(DBC)
    (tmp_path / "small.log").write_text(log_lines([speed_frame(10)], period_s=0.02))
    for name in ("junk.log", "junk.blf", "junk.dbc"):
        (tmp_path / name).write_bytes(os.urandom(3000))
    (tmp_path / "empty.log").write_text("")
    (tmp_path / "notes.txt").write_text("no recording")
    (tmp_path / "broken.json").write_text('{"Vehicle": ')
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "odd.json").write_text('{"Vehicle": {"type": "branch", "children": {}}}')
    return tmp_path


LOG, DBC_OF = ["{}/small.log"], ["{}/small.log", "--dbc", "can0={}/small.dbc"]


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("nothing.log: No such file", ["{}/nothing.log"]),
        ("no CAN frame in this .log", ["{}/junk.log"]),
        ("no CAN frame in this .blf", ["{}/junk.blf"]),
        ("empty.log: no CAN frame", ["{}/empty.log"]),
        ("not a recording", ["{}/notes.txt"]),
        ("no --dbc: `car identify", LOG),
        ("say of which channel", [*LOG, "--dbc", "{}/small.dbc"]),
        ("write BUS=FILE", [*LOG, "--dbc", "="]),
        ("/nowhere.dbc: No such file", [*LOG, "--dbc", "can0=/nowhere.dbc"]),
        ("this is not a DBC file", [*LOG, "--dbc", "can0={}/junk.dbc"]),
        ("opendbc has no such database", [*LOG, "--dbc", "can0=opendbc:nothing"]),
        ("buses.0.name", [*LOG, "--dbc", "can 0={}/small.dbc"]),
        ("yesterday: write an instant", [*DBC_OF, "--start", "yesterday"]),
        ("add the time zone", [*DBC_OF, "--start", "2022-01-01T00:00:00"]),
        ("exclude each other", [*DBC_OF, "--fresh", "--state", "{}"]),
        ("only years from 1970", [*DBC_OF, "--start", "1969-01-01T00:00:00Z"]),
        ("to 2261", [*DBC_OF, "--start", "2300-01-01T00:00:00Z"]),
        ("empty.json: no leaf has a", [*DBC_OF, "--mapping", "{}/empty.json"]),
        ("odd.json: no leaf has a", [*DBC_OF, "--mapping", "{}/odd.json"]),
        ("--journal needs --fresh", [*DBC_OF, "--journal", "fixed"]),
        ("at most 64 characters", [*DBC_OF, "--fresh", "--journal", "x" * 65]),
        ("vehicle_id", [*DBC_OF, "--vehicle-id", "a/b"]),
        ("broken.json", [*DBC_OF, "--mapping", "{}/broken.json"]),
        ("no vehicle.toml there", [*LOG, "--vehicle", "nothing"]),
        ("bring pcan.dbc", [*LOG, "--vehicle", "hyundai_kona_ev"]),
        ("not with mqtt://", [*DBC_OF, "--broker", "http://127.0.0.1"]),
        ("cannot be written", [*DBC_OF, "--state", "{}/notes.txt"]),
    ],
)
def test_a_wrong_input_is_one_line_before_anything_is_sent(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: str,
    arguments: list[str],
) -> None:
    monkeypatch.setenv("INTERNETCAR_BROKER", "mqtt://127.0.0.1:1")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    given = [argument.replace("{}", str(folder)) for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["car", "replay", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    line = capsys.readouterr().err
    assert ended.value.code == 2
    assert line.startswith("car: ")
    assert said in line
    assert line.count("\n") == 1


def test_a_channel_that_is_not_in_the_recording_is_named_beside_those_that_are(
    mosquitto: RunningBroker, stage: Stage, folder: Path
) -> None:
    played = stage.ended(
        *("replay", str(folder / "small.log"), "--dbc", f"can7={folder / 'small.dbc'}"),
        *("--broker", mosquitto.url.secret, "--fast", "--fresh"),
    )
    assert played.process.returncode == 2
    assert "car: no frame of can7 in the recording; its channels: can0" in played.stderr
    assert "Traceback" not in played.stderr


def test_without_any_broker_the_line_says_how_to_name_one(stage: Stage, folder: Path) -> None:
    played = stage.ended(
        "replay", str(folder / "small.log"), "--dbc", f"can0={folder / 'small.dbc'}"
    )
    assert played.process.returncode == 2
    assert played.stderr.startswith("car: no broker: give --broker mqtt://HOST:PORT")


def test_a_recording_that_counts_from_its_start_is_said_to_be_of_1970(
    stage: Stage, folder: Path
) -> None:
    (folder / "relative.log").write_text("(1.0) can0 100#0000000000000000\n")
    line = ("replay", str(folder / "relative.log"), "--dbc", f"can0={folder / 'small.dbc'}")
    for more, is_said in ((), True), (("--start", "2026-05-01T08:00:00Z"), False):
        played = stage.ended(*line, *more)
        assert ("January 1970; --start" in played.stderr) == is_said


def test_the_command_line_names_the_vehicle_whatever_the_environment_says(
    mosquitto: RunningBroker, stage: Stage, folder: Path
) -> None:
    stage.environ["INTERNETCAR_GATEWAY_VEHICLE_ID"] = "kona"
    log, dbc = str(folder / "small.log"), f"can0={folder / 'small.dbc'}"
    more = ("--broker", mosquitto.url.secret, "--fast", "--fresh")
    assert stage.ended("replay", log, "--dbc", dbc, *more, "--vehicle-id", "two").wait() == 0
    vehicles = stage.ended("vehicles", "--broker", mosquitto.url.secret)
    assert [line.split()[0] for line in vehicles.stdout.splitlines()] == ["vehicle", "two"]

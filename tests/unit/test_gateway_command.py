"""`car gateway`: what the command line says holds, or is refused in one line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from internetcar.contract.message import InputError
from internetcar.launcher import gateway
from tests.e2e.small_car import DBC
from tests.e2e.small_car import mapping as small_mapping

RUN = CliRunner().invoke


@pytest.fixture
def dbc(tmp_path: Path) -> str:
    path = tmp_path / "small.dbc"
    path.write_text(DBC)
    return str(path)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "internetcar.toml"
    path.write_text("[[buses]]\nname = 'body'\n[[buses]]\nname = 'drive'\ndbc = ['absent.dbc']\n")
    return str(path)


def test_a_dbc_is_of_the_default_bus(dbc: str) -> None:
    for named in (dbc, f"can0={dbc}"):
        checked = RUN(gateway.app, ["--dbc", named, "--check"])
        assert checked.exit_code == 0, checked.exception
        assert f"can0: {dbc}" in checked.output


def test_a_dbc_goes_above_the_file(dbc: str, config: str) -> None:
    named = ["--dbc", f"body={dbc}", "--dbc", f"drive={dbc}"]
    checked = RUN(gateway.app, ["--config", config, *named, "--check"])
    assert checked.exit_code == 0, checked.exception
    assert f"body: {dbc}" in checked.output
    assert f"drive: {dbc}" in checked.output


def test_the_command_line_stands_above_the_environment(
    dbc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERNETCAR_GATEWAY_MAPPING", "/nowhere.json")
    monkeypatch.setenv("INTERNETCAR_GATEWAY_BUSES", '[{"name": "other"}]')
    mapping = Path(dbc).with_name("mapping.json")
    mapping.write_text(small_mapping())
    arguments = ["--bus", "body=loopback:x", "--dbc", dbc, "--mapping", str(mapping)]
    checked = RUN(gateway.app, [*arguments, "--check"])
    assert f"body: {dbc}" in checked.output, checked.exception
    assert "nowhere" not in str(checked.exception)


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("no bus can7; the buses are can0", ["--dbc", "can7=DBC"]),
        ("no bus can7; the buses are body, drive", ["--config", "CONFIG", "--dbc", "can7=DBC"]),
        ("no bus can0; the buses are body", ["--bus", "body=loopback:x", "--dbc", "can0=DBC"]),
        ("--bitrate goes with --bus", ["--config", "CONFIG", "--bitrate", "500000"]),
        ("--bitrate goes with --bus", ["--dbc", "DBC", "--bitrate", "500000"]),
    ],
)
def test_what_cannot_apply_is_refused(
    said: str, arguments: list[str], dbc: str, config: str
) -> None:
    given = [text.replace("DBC", dbc).replace("CONFIG", config) for text in arguments]
    refused = RUN(gateway.app, [*given, "--check"])
    assert isinstance(refused.exception, InputError)
    assert said in str(refused.exception)

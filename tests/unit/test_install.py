"""`car install` and `car init`: what they write, and that they replace nothing."""

import configparser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.settings import GatewaySettings, load_settings
from internetcar.launcher import init, install

RUN = CliRunner().invoke


def test_install_writes_a_unit_and_a_listen_only_interface_and_says_so(tmp_path: Path) -> None:
    result = RUN(install.app, ["--root", str(tmp_path), "--interface", "can1"])
    assert result.exit_code == 0
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # the documented way
    unit.read(tmp_path / "etc/systemd/system/internetcar-gateway.service")
    assert unit["Service"]["ExecStart"].startswith('"/')
    assert 'gateway --config "/etc/internetcar/internetcar.toml"' in unit["Service"]["ExecStart"]
    assert unit["Service"]["ProtectHome"] == "read-only"  # the clone may lie in /home
    assert unit["Service"]["SupplementaryGroups"] == "dialout"  # slcan
    network = (tmp_path / "etc/systemd/network/80-can1.network").read_text()
    assert "ListenOnly=yes" in network
    assert "BitRate=500000" in network
    assert result.output.count("wrote: ") == 2


def test_install_leaves_a_file_that_is_there(tmp_path: Path) -> None:
    network = tmp_path / "etc/systemd/network/80-can0.network"
    network.parent.mkdir(parents=True)
    network.write_text("mine")
    assert "left as it is" in RUN(install.app, ["--root", str(tmp_path)]).output
    assert network.read_text() == "mine"
    assert "unchanged: " in RUN(install.app, ["--root", str(tmp_path)]).output


def test_install_names_the_settings_by_their_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = RUN(install.app, ["--root", str(tmp_path / "root"), "--config", 'my "100%" $car.toml'])
    assert result.exit_code == 0, result.exception
    unit = (tmp_path / "root/etc/systemd/system/internetcar-gateway.service").read_text()
    assert f'--config "{tmp_path}/my \\"100%%\\" $$car.toml"\n' in unit


@pytest.mark.parametrize(
    "arguments",
    [
        ["--interface", "../../x y"],
        ["--interface", ".."],
        ["--interface", "c" * 16],
        ["--interface", "can0\n"],
        ["--bitrate", "-5"],
        ["--bitrate", "5000000"],
        ["--config", "a\nb.toml"],
    ],
)
def test_install_writes_nothing_where_something_is_wrong(
    tmp_path: Path, arguments: list[str]
) -> None:
    assert RUN(install.app, ["--root", str(tmp_path), *arguments]).exit_code != 0
    assert list(tmp_path.iterdir()) == []


def test_init_writes_the_defaults_and_does_not_replace(tmp_path: Path) -> None:
    path = tmp_path / "internetcar.toml"
    assert RUN(init.app, [str(path)]).exit_code == 0
    assert load_settings(path) == GatewaySettings()
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("mine")
    assert RUN(init.app, [str(path)]).exit_code != 0
    assert path.read_text() == "mine"
    assert RUN(init.app, [str(path), "--force"]).exit_code == 0

"""`car install` and `car init`: what they write, and that they replace nothing."""

import configparser
from pathlib import Path

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
    assert "gateway --config /etc/internetcar/internetcar.toml" in unit["Service"]["ExecStart"]
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


def test_init_writes_the_defaults_and_does_not_replace(tmp_path: Path) -> None:
    path = tmp_path / "internetcar.toml"
    assert RUN(init.app, [str(path)]).exit_code == 0
    assert load_settings(path) == GatewaySettings()
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("mine")
    assert RUN(init.app, [str(path)]).exit_code != 0
    assert path.read_text() == "mine"
    assert RUN(init.app, [str(path), "--force"]).exit_code == 0

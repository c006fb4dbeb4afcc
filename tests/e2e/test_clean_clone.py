"""What README.md says to type, typed: in a copy of the clone, with nothing installed."""

import os
import shlex
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.small_car import DBC, log_lines, mapping, speed_frame
from tests.e2e.stage import REPOSITORY, Actor, Stage
from tests.readme import blocks
from tests.waiting import eventually

INSTALLED_S = 600.0
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")


class Terminal:
    """A shell in the clone, of somebody whose only set-up is the one of pip."""

    def __init__(self, stage: Stage) -> None:
        self.clone = stage.folder / "clone"
        self._stage = stage
        shutil.copytree(REPOSITORY, self.clone, ignore=LEFT_OUT)
        del stage.environ["PYTHONPATH"]
        stage.environ |= {name: text for name, text in os.environ.items() if name[:4] == "PIP_"}
        own = Path.home() / ".config/pip/pip.conf"
        if own.exists():
            stage.environ.setdefault("PIP_CONFIG_FILE", str(own))
        stage.environ["PIP_NO_COMPILE"] = "1"  # most of what is installed is never imported
        stage.environ["PATH"] = f"{self.clone}/.venv/bin:{os.environ['PATH']}"
        stage.environ["PYTHON"] = sys.executable

    def start(self, line: str) -> Actor:
        return self._stage.start("sh", "-c", f"cd {shlex.quote(str(self.clone))} && exec {line}")

    def ended(self, line: str) -> Actor:
        actor = self.start(line)
        actor.wait()
        return actor


def lines(*beginning: str) -> Sequence[str]:
    """The commands of the README's shell blocks that begin so, as they stand there."""
    found = [
        line.strip()
        for block in blocks("sh")
        for line in block.splitlines()
        if tuple(line.split()[: len(beginning)]) == beginning
    ]
    assert found, beginning
    return found


@pytest.fixture
def terminal(stage: Stage) -> Terminal:
    return Terminal(stage)


def fill_in(settings: Path) -> None:
    """What a person changes in the file that `car init` wrote."""
    text = settings.read_text()
    for written, own in {
        '# vehicle_id = "car"': 'vehicle_id = "mine"',
        '# vehicle = ""': 'vehicle = "reference"',
        '# name = "can0"': 'name = "powertrain"',
        '# interface = "socketcan"': 'interface = "loopback"',
    }.items():
        assert written in text
        text = text.replace(written, own)
    settings.write_text(text)


def test_the_commands_work_in_a_clean_clone(terminal: Terminal) -> None:
    up_line = lines("./car", "up")[0]
    up = terminal.start(up_line)
    eventually(lambda: "\nVehicle.Speed = " in up.stdout or not up.is_running, INSTALLED_S)
    assert up.stdout.startswith("broker mqtt://"), up.stderr

    warm_line, wrong_line = lines("car", "set")
    warmed, refused = terminal.ended(warm_line), terminal.ended(wrong_line)
    assert (warmed.wait(), warmed.stdout) == (0, "accepted\nsent\nconfirmed\n")
    assert refused.wait() == 1
    assert refused.stdout.startswith("rejected: not_allowed: Vehicle.Speed")

    check_line, run_line = (line for line in lines("car", "gateway") if "--config" in line)
    (init_line,) = lines("car", "init")
    assert terminal.ended(init_line).wait() == 0
    refused = terminal.ended(check_line)
    assert refused.wait() == 2
    assert refused.stderr.startswith("car: bus can0: no DBC")
    fill_in(terminal.clone / "internetcar.toml")
    assert terminal.ended(check_line).stdout.splitlines()[-1].startswith("ok: ")
    gateway = terminal.start(run_line)
    eventually(lambda: "mine" in terminal.ended("car vehicles").stdout, turn_s=1.0)
    assert gateway.end() == 0

    (terminal.clone / "car.dbc").write_text(DBC)
    (terminal.clone / "mapping.json").write_text(mapping())
    frames = [speed_frame(speed_kmh) for speed_kmh in range(100)]
    (terminal.clone / "drive.log").write_text(log_lines(frames, 0.1))
    for replay_line in lines("car", "replay"):
        replay = terminal.ended(replay_line)
        assert replay.wait() == 0, replay.stderr

    up.send(signal.SIGINT)
    assert up.wait() == 0, up.stderr

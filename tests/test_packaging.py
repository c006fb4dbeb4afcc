"""What the Dockerfile installs, used outside the clone; and that all checks are the same check."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from tests.data import data_path

ROOT = Path(__file__).parent.parent
LOGICAL_LINE = re.compile(r"^([A-Z]+) ((?:.*\\\n)*.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Installed:
    """The project installed in an environment of its own, far from the clone."""

    folder: Path
    wheel: Path

    def run(self, *command: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """One of the environment's programs, in an empty folder that is its home, too."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return subprocess.run(
            [str(self.folder / "venv/bin" / command[0]), *command[1:]],
            cwd=home,
            env={"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


def dockerfile() -> Iterator[tuple[str, str]]:
    """Its instructions, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    for instruction, arguments in LOGICAL_LINE.findall(text):
        yield instruction, arguments.replace("\\\n", " ")


def ignored() -> list[str]:
    """What .dockerignore lets through, for it begins by refusing everything."""
    refused, *lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert refused == "*"
    return [line[1:] for line in lines if line.startswith("!")]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The Dockerfile's own lines, in a fresh environment and a copy of what it copies."""
    folder = tmp_path_factory.mktemp("image")
    venv.create(folder / "venv", with_pip=True)
    environ = {
        **os.environ, "PATH": f"{folder}/venv/bin:{os.environ['PATH']}",
        "PIP_NO_COMPILE": "1",  # most of what is installed is never imported
    }  # fmt: skip
    environ.pop("PYTHONPATH", None)
    for instruction, arguments in dockerfile():
        match instruction:
            case "COPY" if not arguments.startswith("--from"):
                _copy(shlex.split(arguments), folder / "src")
            case "RUN" if "pip" in arguments:
                command = arguments.replace("/wheels", f"{folder}/wheels")
                ended = subprocess.run(
                    ["sh", "-c", command],
                    cwd=folder / "src",
                    env=environ,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert ended.returncode == 0, ended.stderr
    shutil.rmtree(folder / "src")
    (wheel,) = (folder / "wheels").glob("*.whl")
    return Installed(folder, wheel)


def _copy(arguments: list[str], target: Path) -> None:
    *sources, place = arguments
    for source in sources:
        assert source in ignored(), f".dockerignore keeps {source} out"
        copied = target / place / source if place.endswith("/") else target / place
        copied.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            without = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, copied, ignore=without)
        else:
            shutil.copy(ROOT / source, copied)


def test_the_wheel_has_every_module_and_all_data_and_no_tests(installed: Installed) -> None:
    rooms = [ROOT / name for name in ("internetcar", "gateway", "services", "simulator", "dbc")]
    files = (path for room in rooms for path in room.rglob("*") if path.is_file())
    named = {path.relative_to(ROOT).as_posix() for path in files}
    wanted = {name for name in named if "__pycache__" not in name and not name.endswith(".md")}
    assert len(wanted) > 100
    names = set(ZipFile(installed.wheel).namelist())
    assert wanted <= names, wanted - names
    assert not [name for name in names if name.startswith("tests")]
    assert "dbc/reference/powertrain.dbc" in names
    assert "simulator/routes/singapore.json" in names


def test_the_command_works_outside_the_clone(installed: Installed) -> None:
    helped = installed.run("car", "--help")
    assert helped.returncode == 0, helped.stderr
    assert "replay" in helped.stdout
    version = installed.run("car", "--version")
    assert version.stdout.strip() == installed.wheel.name.split("-")[1]
    wrong = installed.run("car", "gateway", "--config", "absent.toml", "--check")
    assert wrong.returncode == 2
    assert len(wrong.stderr.splitlines()) == 1


def test_every_module_of_the_wheel_can_be_imported(installed: Installed) -> None:
    names = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in ZipFile(installed.wheel).namelist()
        if name.endswith(".py") and not name.endswith("__main__.py")
    ]
    script = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    ended = installed.run("python", "-W", "error", "-c", script, *names)
    assert ended.returncode == 0, ended.stderr


def test_up_shows_signals_outside_the_clone_and_leaves_nothing(installed: Installed) -> None:
    before = {path.name for path in installed.folder.iterdir()}
    up = ["up", "--plain", "--fresh", "--seconds", "8", "--broker", "embedded"]
    ended = installed.run("car", *up)
    assert ended.returncode == 0, ended.stderr
    first, *lines = ended.stdout.splitlines()
    assert first.startswith("broker mqtt://")
    assert any("Vehicle.Speed" in line for line in lines), ended.stdout + ended.stderr
    assert {path.name for path in installed.folder.iterdir()} == before | {"home"}


def test_python_can_finds_our_interface(installed: Installed) -> None:
    script = "import can; print(can.interfaces.BACKENDS['loopback'])"
    assert "LoopbackBus" in installed.run("python", "-c", script).stdout


def test_opendbc_is_in_the_image(installed: Installed) -> None:
    bus = ["--bus", "can0", "--dbc", "opendbc:vw_mqb"]
    ended = installed.run("car", "gateway", *bus, "--check")
    assert ended.returncode == 0, ended.stderr


SAME_FRAMES = """
import sys
from gateway.recordings import open_recording
measured, logged = ([frame[1:] for frame in open_recording(path)] for path in sys.argv[1:])
print(len(logged), measured == logged)
"""


def test_the_extra_mf4_reads_real_recordings_as_their_logs(installed: Installed) -> None:
    measured, logged = data_path("can/j1939/truck-bam.MF4"), data_path("can/j1939/truck-bam.log")
    absent = installed.run("python", "-c", SAME_FRAMES, str(measured), str(logged))
    assert "internetcar[mf4]" in absent.stderr
    extra = f"{installed.wheel}[mf4]"
    pip = ["python", "-m", "pip", "install", "-q", "--no-compile"]  # most of it is never imported
    added = installed.run(*pip, extra, timeout_s=300)
    assert added.returncode == 0, added.stderr
    read = installed.run("python", "-c", SAME_FRAMES, str(measured), str(logged))
    assert read.stdout == "1815 True\n", read.stderr


def test_the_image_starts_as_nobody_with_the_command() -> None:
    last = dict(dockerfile())
    assert last["ENTRYPOINT"] == '["car"]'
    assert last["USER"] == "internetcar"
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    users = [line for instruction, line in dockerfile() if "useradd" in line]
    (number,) = re.findall(r"--uid (\d+)", users[0])
    assert f"uid={number}," in compose["volumes"]["bus"]["driver_opts"]["o"]
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert compose["services"]["gateway"]["image"] == f"internetcar:{version[1]}"


def test_before_a_commit_the_same_is_checked_as_by_the_script() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    hooks = [hook["entry"] for hook in repository["hooks"]]
    script = (ROOT / "car").read_text().replace("$venv/", ".venv/").replace('"', "")
    checks = re.findall(
        r"\.venv/bin/(?:ruff (?:check|format)[^&\n]*|mypy|python -m pytest)", script
    )
    assert hooks == [check.strip() for check in checks]


def test_the_python_of_the_image_is_one_the_project_allows() -> None:
    (first, *others) = [line for instruction, line in dockerfile() if instruction == "FROM"]
    assert re.match(r"python:3\.11\.\d+-slim", first)
    assert all(other == first.removesuffix(" AS builder") for other in others)
    assert sys.version_info >= (3, 11)


@pytest.mark.parametrize("failing", ["ruff check", "ruff format", "mypy", "python -m pytest", ""])
def test_the_script_fails_where_one_check_does(failing: str, tmp_path: Path) -> None:
    script = shutil.copy(ROOT / "car", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("pip", "python", "ruff", "mypy"):
        stub = f'case "{name} $*" in "{failing or "nothing"}"*) exit 1 ;; esac\n'
        (programs / name).write_text(f"#!/bin/sh\n{stub}")
        (programs / name).chmod(0o755)
    environ = {"PATH": "/usr/bin:/bin", "PYTHON": sys.executable}
    ended = subprocess.run([script, "test"], env=environ, capture_output=True, check=False)
    assert ended.returncode == bool(failing), ended.stderr


def test_the_script_is_short() -> None:
    assert len((ROOT / "car").read_text().splitlines()) <= 40

"""`car`: wrong input is one line and exit code 2, whatever the subcommand."""

import logging
import sys
from collections.abc import Iterator

import pytest

from internetcar.launcher import command

ABSENT = "/nowhere/absent"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize(
    "line",
    [
        "simulate --bus comfort=can0",
        "simulate --bus nonsense",
        f"dbc lint {ABSENT}.dbc",
        f"dbc coverage {ABSENT}.log --dbc x.dbc",
        f"mapping init {ABSENT}.dbc",
        f"mapping lint {ABSENT}.json",
        f"mapping diff {ABSENT}.json --log {ABSENT}.log --dbc can0={ABSENT}.dbc",
        f"identify {ABSENT}.log",
        "identify =",
        f"explain Vehicle.Speed --log {ABSENT}.log --dbc can0={ABSENT}.dbc",
        "explain Vehicle.Speed --broker nonsense",
        "doctor --bus nosuch:x",
        f"secure list --folder {ABSENT}",
        "secure init --host a/b",
        "forget --vehicle-id # --broker mqtt://127.0.0.1:1",
        f"forget --vehicle-id x --folder {ABSENT}",
    ],
)
def test_wrong_input_is_one_line_on_stderr(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["car", *line.split()])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    said = [one for one in capsys.readouterr().err.splitlines() if one.startswith("car: ")]
    assert len(said) == 1
    assert "Traceback" not in said[0]


@pytest.mark.parametrize("name", command.SUBCOMMANDS)
def test_each_subcommand_has_help(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["car", name, "--help"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 0
    assert "Usage:" in capsys.readouterr().out

"""README.md keeps its word: its example, its commands, its paths."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer.main
from typer.core import TyperGroup

from internetcar.contract.link import Link
from internetcar.contract.message import Value
from internetcar.contract.signals import Quality, Signal
from internetcar.contract.subscriptions import Received
from internetcar.launcher.broker import RunningBroker
from internetcar.launcher.command import build
from services.payments.settings import PaymentsSettings
from services.recommendations.settings import RecommendationSettings
from services.settings import load_settings
from services.tolls.settings import TollSettings
from tests.readme import README, blocks, shell_lines, spans
from tests.waiting import PATIENCE_S, eventually

ROOT = Path(__file__).parent.parent
CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"


def is_car(words: list[str]) -> bool:
    return words[0] in ("car", "./car") and words[1:2] != ["test"]


CAR_LINES = [words for words in shell_lines() if is_car(words)]
CAR_SPANS = [span.split() for span in spans() if is_car(span.split())]


def subcommand(words: list[str]) -> tuple[Any, list[str]]:
    """The subcommand that the words after `car` name, and the words that are left for it."""
    command: Any = typer.main.get_command(build([]))
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        name, *words = words
        assert name in command.commands, f"no such command: {name}"
        command = command.commands[name]
    return command, words


def options(command: Any) -> set[str]:
    own = {option for parameter in command.params for option in parameter.opts}
    if isinstance(command, TyperGroup):
        own.update(*(options(child) for child in command.commands.values()))
    return own


@pytest.mark.parametrize("words", CAR_LINES, ids=" ".join)
def test_every_command_to_paste_is_one_that_exists(words: list[str]) -> None:
    command, arguments = subcommand(words[1:])
    command.make_context("car", arguments)


@pytest.mark.parametrize("words", CAR_SPANS, ids=" ".join)
def test_every_command_in_the_text_exists(words: list[str]) -> None:
    command, arguments = subcommand(words[1:])
    assert {word for word in arguments if word.startswith("--")} <= options(command) | {"--help"}


def test_every_option_in_the_text_exists() -> None:
    named = {span.split()[0] for span in spans() if span.startswith("--")}
    named -= {"--profile", "--speedup"}  # docker-compose's, and ArduPilot's simulation's
    assert named
    assert named <= options(subcommand([])[0])


def test_there_are_commands_to_check() -> None:
    assert {"up", "init", "gateway", "replay"} <= {words[1] for words in CAR_LINES}
    assert len(CAR_SPANS) > 15


def test_every_path_in_the_text_exists() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", README)
    paths = [span for span in spans() if re.fullmatch(r"[\w.-]+/[\w./-]*", span)]
    named = [path for path in (*links, *paths) if not path.startswith("v1/")]
    assert "dbc/" in named
    assert not [path for path in named if not (ROOT / path).exists()]


def test_every_module_in_the_text_exists() -> None:
    rooms = r"(?:internetcar|gateway|simulator|services|tests)"
    modules = [span for span in spans() if re.fullmatch(rf"{rooms}(\.\w+)+", span)]
    modules += [
        words[2] for words in shell_lines() if words[0].endswith("python") and words[1] == "-m"
    ]
    missing = [name for name in modules if not importlib.util.find_spec(name)]
    assert "internetcar.contract.reader" in modules
    assert not missing


def test_the_services_take_the_settings_of_the_text(tmp_path: Path) -> None:
    written = {block.split(",")[0].removeprefix("# "): block for block in blocks("toml")}
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    tolls = load_settings(TollSettings, tmp_path / "tolls.toml")
    assert tolls.facts_of("mycar").has_tag
    assert not tolls.facts_of("another").has_tag
    recommendations = load_settings(RecommendationSettings, tmp_path / "recommendations.toml")
    assert recommendations.allow["knob"] == ("feedback",)
    assert not recommendations.consent.positions
    payments = load_settings(PaymentsSettings, tmp_path / "payments.toml")
    assert payments.agreements().account_of("mycar") == "family"


class Hall:
    """A lamp's side of the broker, and the car's."""

    def __init__(self, broker: RunningBroker) -> None:
        self.colors: list[str] = []
        self.link = Link(broker.url, "hall")
        self.link.on_received("v1/vehicle/demo/home/lamp", self._hear, qos=1)
        self.link.start(wait_s=10.0)

    def say(self, value: Value, quality: Quality = "valid") -> None:
        at = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
        signal = Signal(vehicle_id="demo", path=CHARGE, value=value, at=at, quality=quality)
        self.link.publish(signal)

    def turns_red_at(self, value: Value) -> bool:
        self.say(value)
        return "red" in self.colors

    def say_junk(self) -> None:
        self.link.publish_now([(f"v1/vehicle/demo/signal/{CHARGE}", b"\xff{")], retain=False)

    def _hear(self, received: Received) -> None:
        self.colors.append(orjson.loads(received.payload)["color"])


@contextmanager
def running(
    script: str, broker: RunningBroker, folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """The README's service, started as the README says."""
    (folder / "lamp.py").write_text(script, encoding="utf-8")
    environ = {"INTERNETCAR_BROKER": broker.url.secret, "PYTHONPATH": str(ROOT)}
    service = subprocess.Popen(
        [sys.executable, "lamp.py", "demo"], cwd=folder, env=os.environ | environ
    )
    try:
        yield service
    finally:
        service.terminate()
        service.wait(PATIENCE_S)


def test_the_service_of_forty_lines_does_what_it_says(
    broker: RunningBroker, tmp_path: Path
) -> None:
    (script,) = blocks("python", README.partition("\n## Write your own service")[2])
    assert len(script.splitlines()) <= 40
    hall = Hall(broker)
    hall.say(55)
    with running(script, broker, tmp_path) as service:
        eventually(lambda: hall.colors == ["yellow"])
        hall.say(19.5)
        hall.say(80)
        hall.say(80, "stale")
        eventually(lambda: hall.colors == ["yellow", "red", "green", "off"])
        hall.say_junk()
        hall.say(None)
        broker.restart()
        hall.colors.clear()
        eventually(lambda: hall.link.is_connected)
        eventually(lambda: hall.turns_red_at(12))
        assert service.poll() is None
    hall.link.stop()

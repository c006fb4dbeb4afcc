"""`car simulate`: where the simulated cars speak, and what it says about their gateways."""

import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.bus_spec import parse_bus
from internetcar.contract.message import InputError
from internetcar.launcher import simulate

RUN = CliRunner().invoke


@pytest.fixture(autouse=True)
def aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loopback channels of our own, and signal handlers as they were."""
    monkeypatch.setenv("INTERNETCAR_RUN", str(tmp_path))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_command_of_each_gateway_is_ready_to_paste() -> None:
    result = RUN(simulate.app, ["--vehicles", "2", "--seconds", "0.1"])
    assert result.exit_code == 0, result.output
    lines = [shlex.split(line) for line in result.output.splitlines()]
    assert [line[:4] for line in lines] == [
        ["env", "INTERNETCAR_GATEWAY_ORIGIN=simulation", "car", "gateway"]
    ] * 2
    assert [line[line.index("--vehicle-id") + 1] for line in lines] == [
        "simulated-1",
        "simulated-2",
    ]
    buses = [parse_bus(word) for word in lines[1] if "=loopback:" in word]
    assert [(bus.name, bus.channel) for bus in buses] == [
        ("powertrain", "powertrain-2"),
        ("comfort", "comfort-2"),
        ("telematics", "telematics-2"),
    ]


def test_one_car_has_the_plain_names() -> None:
    result = RUN(simulate.app, ["--seconds", "0.1", "--vehicle-id", "mine"])
    assert "--vehicle-id mine --bus powertrain=loopback:powertrain " in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bus", "comfort=can0"], "--transmit-on-real-bus"),
        (["--bus", "comfort"], "NAME=INTERFACE:CHANNEL"),
        (["--bus", "engine=loopback:x"], "it has powertrain, comfort, telematics"),
        (["--vehicle-id", "a b"], "vehicle_id"),
        (["--vehicles", "10", "--vehicle-id", "x" * 34], "vehicle_id"),
        (["--vehicles", "2", "--bus", "comfort=loopback:x"], "cannot share a bus"),
        (["--broker", "here", "--seconds", "0.1"], "mqtt://"),
    ],
)
def test_wrong_input_is_an_error_in_words(arguments: list[str], words: str) -> None:
    result = RUN(simulate.app, arguments)
    assert isinstance(result.exception, InputError)
    assert words in str(result.exception)


def test_help_says_what_a_stranger_must_know() -> None:
    text = " ".join(RUN(simulate.app, ["--help"]).output.split())
    assert "The buses never leave this machine" in text

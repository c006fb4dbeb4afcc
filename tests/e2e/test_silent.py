"""Without `transmit` not one frame is sent in an hour, on every kind of source."""

import os
import sys
import tty
from pathlib import Path

import pytest

from gateway.recordings import open_recording
from gateway.replay import Replay
from gateway.settings import make_settings
from internetcar.launcher.broker import RunningBroker
from simulator.ecu import Ecu
from simulator.elm327 import SimulatedElm
from tests.conftest import need_mosquitto
from tests.e2e.command_car import DBC, TEMPERATURE, Desk, mapping
from tests.e2e.silent_hour import (
    HOUR_S,
    TRAFFIC,
    ElmSource,
    FastClock,
    LoopbackSource,
    SlcanSource,
    frames_sent_in_an_hour,
    running,
)
from tests.elm_line import serial_adapter
from tests.uml import run_in_uml
from tests.unit.obd_car import PETROL

STN = "STN2120 v5.6.5"


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERNETCAR_RUN", str(tmp_path / "run"))


def test_loopback_sends_nothing(mosquitto: RunningBroker, tmp_path: Path) -> None:
    source = LoopbackSource()
    assert frames_sent_in_an_hour(source, mosquitto.url, tmp_path) == 0
    source.close()


def test_the_same_car_is_asked_where_it_may_be(mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The counting counts: with `transmit` frames are seen."""
    source, clock = LoopbackSource(), FastClock()
    with running(source, mosquitto.url, tmp_path, clock, transmit=True, obd=True) as gateway:
        for _ in range(5):
            gateway.turn(0.0)
            clock.leap(1.0)
    assert source.sent() > 0
    source.close()


def test_an_adapter_of_python_can_sends_nothing(mosquitto: RunningBroker, tmp_path: Path) -> None:
    pytest.importorskip("serial", reason="needs pyserial: pip install 'python-can[serial]'")
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    source = SlcanSource(ours, os.ttyname(theirs))
    assert frames_sent_in_an_hour(source, mosquitto.url, tmp_path) == 0
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("stn", [None, STN])
def test_an_elm327_or_stn_sends_nothing(
    mosquitto: RunningBroker, tmp_path: Path, stn: str | None
) -> None:
    chip = SimulatedElm([Ecu(0, lambda: PETROL)], stn=stn)
    with serial_adapter(chip) as (adapter, name):
        source = ElmSource(chip, adapter, name)
        sent = frames_sent_in_an_hour(source, mosquitto.url, tmp_path, hears=stn is not None)
        assert sent == 0
    assert "ATZ" in chip.commands


def test_socketcan_sends_nothing() -> None:
    need_mosquitto()
    result = run_in_uml(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("--basetemp=/run/pytest", "tests/e2e/vcan_silence.py"),
        timeout_s=400,
        environment={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert result.returncode == 0, result.stdout
    assert "1 passed" in result.stdout, result.stdout


def test_a_recording_sends_nothing(mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Neither where a bus of its channel's name is, nor while commands come."""
    log, dbc, rules = (tmp_path / name for name in ("hour.log", "car.dbc", "mapping.json"))
    dbc.write_text(DBC)
    rules.write_text(mapping())
    log.write_text(
        "".join(
            f"({1_700_000_000 + second:.6f}) can0 {can_id:03X}#{payload.hex().upper()}\n"
            for second in range(HOUR_S)
            for can_id, payload in TRAFFIC
        )
    )
    witness = LoopbackSource(channel="can0")
    settings = make_settings(
        vehicle_id="settable",
        mapping=str(rules),
        buses=[{"name": "can0", "dbc": [str(dbc)], "obd": "listen"}],
        commands={"allow": {"car": ["*"]}, "trust_clock": True},
    )
    player = Replay(settings, open_recording(log), mosquitto.url, tmp_path / "state")
    with Desk(mosquitto.url) as desk:
        for number in range(10):
            desk.ask(f"c{number}", TEMPERATURE, 21.5)
        played = player.run(lambda done, total: None)
    assert played.frames == HOUR_S * len(TRAFFIC)
    assert witness.sent() == 0
    witness.close()

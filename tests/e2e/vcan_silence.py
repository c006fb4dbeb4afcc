"""The silent hour on a real SocketCAN: run by `test_silent.py` inside user-mode Linux."""

from pathlib import Path

from internetcar.launcher.broker import RunningBroker
from tests.e2e.silent_hour import LoopbackSource, frames_sent_in_an_hour


def test_socketcan_sends_nothing(mosquitto: RunningBroker, tmp_path: Path) -> None:
    source = LoopbackSource("socketcan", "vcan0")
    assert frames_sent_in_an_hour(source, mosquitto.url, tmp_path) == 0
    source.close()

"""A simulated fleet on a broker: each car with its own gateway."""

import signal
import subprocess
import sys
from pathlib import Path

from internetcar.contract.link import Link
from internetcar.contract.presence import Presence
from internetcar.contract.signals import Signal
from internetcar.launcher.broker import RunningBroker
from tests.waiting import eventually


def test_each_car_of_a_fleet_is_on_the_broker(mosquitto: RunningBroker, tmp_path: Path) -> None:
    speeds: dict[str, object] = {}
    presences: dict[str, Presence] = {}
    link = Link(mosquitto.url, "fleet-observer")
    link.on(Signal, lambda heard: speeds.update({heard.vehicle_id: heard.value}))
    link.on(Presence, lambda heard: presences.update({heard.vehicle_id: heard}))
    link.start(wait_s=10)
    fleet = subprocess.Popen(
        [
            *(sys.executable, "-m", "internetcar.launcher", "simulate", "--vehicles", "2"),
            *("--state", str(tmp_path / "state"), "--broker", mosquitto.url.secret),
        ],
        env={"INTERNETCAR_RUN": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    try:
        eventually(lambda: speeds.keys() == {"simulated-1", "simulated-2"}, 60)
        assert {presence.origin for presence in presences.values()} == {"simulation"}
    finally:
        fleet.send_signal(signal.SIGINT)
        assert fleet.wait(30) == 0
    eventually(lambda: not any(presence.online for presence in presences.values()))
    link.stop()

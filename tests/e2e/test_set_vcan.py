"""Commands on a real SocketCAN: classic frames and CAN FD, and the simulated car confirms them."""

import sys

from tests.conftest import need_mosquitto
from tests.uml import run_in_uml

SCRIPT = """
export HOME=/run INTERNETCAR_RUN=/run/internetcar
SMALL="--without tolls --without drone --without trips --without recommendations"
"$0" -m internetcar.launcher up --plain --fresh $SMALL >/run/up 2>&1 &
up=$!
until grep -q "^Vehicle.Speed = " /run/up; do sleep 1; done
"$0" -m internetcar.launcher set Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature 21.5
echo "classic: code $?"
"$0" -m internetcar.launcher set Vehicle.Cabin.Infotainment.Media.Volume 45
echo "fd: code $?"
"$0" -m internetcar.launcher set Vehicle.Speed 21
echo "no actuator: code $?"
kill $up; wait $up
grep "bus comfort" /run/up
"""


def test_a_command_on_a_real_vcan_is_confirmed() -> None:
    need_mosquitto()
    result = run_in_uml(
        *("sh", "-c", SCRIPT, sys.executable),
        timeout_s=200,
        environment={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    lines = result.stdout.splitlines()
    done = ["accepted", "sent", "confirmed"]
    assert lines[:8] == [*done, "classic: code 0", *done, "fd: code 0"], result.stdout
    assert lines[8].startswith("rejected: not_allowed: Vehicle.Speed")
    assert lines[9] == "no actuator: code 1"
    assert "is up" in lines[10]

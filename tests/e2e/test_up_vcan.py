"""`car up` where the kernel has vcan: the same car on SocketCAN, and no interface left behind."""

import sys

from tests.conftest import need_mosquitto
from tests.uml import run_in_uml

SCRIPT = """
export HOME=/run INTERNETCAR_RUN=/run/internetcar
before=$(ip -o link | wc -l)
"$0" -m internetcar.launcher up --plain --fresh --seconds 20
echo "code $?, $(($(ip -o link | wc -l) - before)) interfaces more than before"
"""


def test_up_makes_real_vcan_buses_and_takes_them_away() -> None:
    need_mosquitto()
    result = run_in_uml(
        "sh", "-c", SCRIPT, sys.executable, environment={"PYTHONDONTWRITEBYTECODE": "1"}
    )
    assert "code 0, 0 interfaces more than before" in result.stdout
    assert "demo is online (simulation)" in result.stdout
    assert "Vehicle.Speed = " in result.stdout
    assert "loopback" not in result.stdout
    assert "is missing" not in result.stdout

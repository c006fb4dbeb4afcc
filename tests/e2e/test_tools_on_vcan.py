"""`car doctor` and `car simulate` on a real vcan, inside user-mode Linux."""

import sys

from tests.uml import run_in_uml

SCRIPT = """
car() { PYTHON -m internetcar.launcher "$@"; }
car simulate --bus powertrain=socketcan:vcan0 --seconds 30 &
sleep 3
ip link set vcan1 down
car doctor --bus vcan0 --seconds 3
echo "first $?"
car doctor --bus vcan0 --bus vcan1 --seconds 0.1
echo "second $?"
kill %1
"""


def test_a_bus_that_speaks_and_one_that_is_down() -> None:
    ended = run_in_uml("sh", "-c", SCRIPT.replace("PYTHON", sys.executable))
    first, _, second = ended.stdout.partition("first 0")
    assert "ok      interfaces          vcan0 (vcan), vcan1 (vcan)" in first, ended.stdout
    assert "ok      vcan0 frames" in first
    assert "identifiers" in first
    assert "note    vcan1               down" in first
    assert "broken  vcan1               down" in second
    assert "fix: sudo ip link set vcan1 up" in second
    assert "second 1" in second

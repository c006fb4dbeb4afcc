"""`car up` where the kernel has vcan: the same car on SocketCAN, and no interface left behind."""

import sys

from tests.conftest import need_mosquitto
from tests.uml import run_in_uml

SCRIPT = """
export HOME=/run INTERNETCAR_RUN=/run/internetcar
SMALL="--without tolls --without drone --without trips --without recommendations"
count() { ip -o link | wc -l; }
before=$(count)
"$0" -m internetcar.launcher up --plain --fresh $SMALL >/run/shown 2>&1 &
until grep -q 'Vehicle.Speed = ' /run/shown || ! kill -0 $!; do sleep 1; done
kill -INT $!
wait $!
code=$?
cat /run/shown
echo "code $code, $(($(count) - before)) interfaces more than before"
"""
PATIENCE_S = 400


def test_up_makes_real_vcan_buses_and_takes_them_away() -> None:
    need_mosquitto()
    result = run_in_uml(
        "sh", "-c", SCRIPT, sys.executable,
        timeout_s=PATIENCE_S, environment={"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert "code 0, 0 interfaces more than before" in result.stdout
    assert "demo is online (simulation)" in result.stdout
    assert "Vehicle.Speed = " in result.stdout
    assert "loopback" not in result.stdout
    assert "is missing" not in result.stdout

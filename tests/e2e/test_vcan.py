"""The real SocketCAN, in a kernel of its own: the checks are in `vcan_checks.py`."""

import sys

from tests.uml import run_in_uml


def test_buses_on_a_real_vcan() -> None:
    result = run_in_uml(
        sys.executable,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/e2e/vcan_checks.py"),
        environment={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert result.returncode == 0, result.stdout
    assert " passed" in result.stdout
    assert "skipped" not in result.stdout


def test_the_status_of_the_command_comes_back() -> None:
    result = run_in_uml("sh", "-c", 'echo it\\\'s "$0"; exit 7', "a 'quoted' word")
    assert (result.returncode, result.stdout) == (7, "it's a 'quoted' word\n")

"""A service's sign of life, and what its health check makes of it."""

import os
import subprocess
import sys
from pathlib import Path

from services.alive import FILE_NAME, OFTEN_S, Heartbeat, trouble


def test_a_service_that_was_never_connected_is_not_well(tmp_path: Path) -> None:
    assert "never been connected" in str(trouble(tmp_path, 0.0))
    (tmp_path / "file").touch()
    assert "Not a directory" in str(trouble(tmp_path / "file", 0.0))


def test_a_heart_that_has_just_beaten_is_well_and_an_old_one_is_not(tmp_path: Path) -> None:
    Heartbeat(tmp_path).beat(1.0)
    beaten_s = (tmp_path / FILE_NAME).stat().st_mtime
    assert trouble(tmp_path, beaten_s + 29) is None
    assert trouble(tmp_path, beaten_s + 31) == "not connected for 31 s"
    assert trouble(tmp_path, beaten_s - 31) is not None, "a file from the future is no sign of life"


def test_it_does_not_wear_the_disk(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path)
    heartbeat.beat(100.0)
    os.utime(tmp_path / FILE_NAME, (7, 7))
    heartbeat.beat(100.0 + OFTEN_S - 0.1)
    assert (tmp_path / FILE_NAME).stat().st_mtime == 7
    heartbeat.beat(100.0 + OFTEN_S)
    assert (tmp_path / FILE_NAME).stat().st_mtime > 7


def test_the_health_check_reads_only_what_it_needs_of_the_settings(tmp_path: Path) -> None:
    settings = tmp_path / "tolls.toml"
    settings.write_text(f'state = "{tmp_path}"\nreplica = "b"\norigin = "live"\n[vehicle]\n')
    check = [sys.executable, "-m", "services.alive", "tolls", str(settings)]
    ended = subprocess.run(check, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "tolls" in ended.stderr
    assert "replica-b" in ended.stderr
    place = tmp_path / "tolls" / "replica-b"
    place.mkdir(parents=True)
    (place / FILE_NAME).touch()
    assert subprocess.run(check, check=False).returncode == 0
    settings.write_text("not toml")
    ended = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)

"""What the outbox keeps tells where a person was: nobody else on the machine may read it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.journals import Journals
from gateway.outbox import Limits
from tests.unit.test_outbox import batch


@pytest.fixture(autouse=True)
def _generous_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_folders_and_files_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "kona" / "telemetry.db"
    journals = Journals(path, "kona", Limits())
    journals.begin("j1")
    journals.write([batch(1)], 0)
    assert modes(tmp_path) == {"state": 0o700}
    assert modes(tmp_path / "state") == {"kona": 0o700}
    assert set(modes(path.parent)) >= {"telemetry.db", "telemetry.db-wal", "telemetry.db.lock"}
    assert set(modes(path.parent).values()) == {0o600}
    journals.close()


def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    path.touch(mode=0o644)
    folder = tmp_path.stat().st_mode
    Journals(path, "kona", Limits()).close()
    assert modes(tmp_path)["telemetry.db"] == 0o600
    assert tmp_path.stat().st_mode == folder

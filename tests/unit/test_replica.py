"""A gateway's client id: its own for ever, and not to be guessed."""

import stat
from pathlib import Path

import pytest

from gateway.outbox import StorageError
from gateway.replica import client_id


def test_it_is_the_same_after_a_restart_and_another_elsewhere(tmp_path: Path) -> None:
    first = client_id("kona", tmp_path / "a")
    assert first == client_id("kona", tmp_path / "a")
    assert len({first, client_id("kona", tmp_path / "b"), client_id("leaf", tmp_path / "a")}) == 3
    assert first.startswith("gateway-kona-")


def test_nobody_can_know_it_who_does_not_read_our_disk(tmp_path: Path) -> None:
    first = client_id("kona", tmp_path)
    file = tmp_path / "kona/client-id"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.unlink()
    assert client_id("kona", tmp_path) != first


@pytest.mark.parametrize("junk", [b"", b"half", b"x" * 33])
def test_what_a_power_cut_left_is_written_anew(tmp_path: Path, junk: bytes) -> None:
    file = tmp_path / "kona/client-id"
    file.parent.mkdir()
    file.write_bytes(junk)
    assert client_id("kona", tmp_path) == client_id("kona", tmp_path)
    assert len(file.read_text()) == 32


def test_a_disk_that_does_not_take_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "kona/client-id").mkdir(parents=True)
    with pytest.raises(StorageError, match="client-id"):
        client_id("kona", tmp_path)

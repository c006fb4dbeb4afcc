"""Fixtures of the tests that run whole processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A place for processes; frames the test itself sends reach them too."""
    for name in ("INTERNETCAR_BROKER", "INTERNETCAR_RUN"):
        monkeypatch.delenv(name, raising=False)
    with Stage(tmp_path / "stage") as prepared:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(prepared.run))
        yield prepared

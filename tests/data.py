"""Where the real recordings and databases are; a test that needs an absent one is skipped."""

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent


def data_path(relative: str) -> Path:
    folder = Path(os.environ.get("INTERNETCAR_DATA", _REPOSITORY.parent / "shared" / "data"))
    path = folder / relative
    if not path.exists():
        pytest.skip(f"no {relative} in {folder}: set INTERNETCAR_DATA to the folder of real data")
    return path

"""A toll service that dies while it makes its key finds or makes a whole one at the next start."""

from pathlib import Path

import pytest

from internetcar.contract.signature import private_key_text
from services.points import KEY_POINTS
from services.tolls.signing_key import load_key, load_or_make_key
from tests.services import CrashError, crashing_at


@pytest.mark.parametrize("point", KEY_POINTS)
def test_a_death_while_the_key_is_made_leaves_one_whole_key(tmp_path: Path, point: str) -> None:
    with crashing_at(point), pytest.raises(CrashError):
        load_or_make_key(tmp_path)
    key = private_key_text(load_or_make_key(tmp_path))
    assert private_key_text(load_key(tmp_path)) == key

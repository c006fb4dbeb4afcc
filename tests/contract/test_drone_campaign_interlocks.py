"""Launches that must not be do not take off; and that the campaign can tell one that does."""

import pytest

from services.drone.flight import safety
from tests.bench import drone_interlocks
from tests.bench.drone_interlocks import ASKED, KINDS, SUDDEN, VIOLATIONS

BEFORE = [KINDS.index("before") + len(KINDS) * at for at in range(len(VIOLATIONS))]
IN_PREFLIGHT = [KINDS.index("in_preflight") + len(KINDS) * at for at in range(len(SUDDEN))]
ASKED_WRONGLY = [KINDS.index("asked") + len(KINDS) * at for at in range(len(ASKED))]


@pytest.mark.parametrize("seed", [*BEFORE, *IN_PREFLIGHT, *ASKED_WRONGLY])
def test_a_launch_that_must_not_be_does_not_take_off(seed: int) -> None:
    row = drone_interlocks.run(seed)
    assert (row.figures["take_offs"], row.faults, row.differences) == (0, [], [])


def test_a_service_without_interlocks_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "check", lambda *_: ())
    names = list(VIOLATIONS)
    windy = KINDS.index("before") + len(KINDS) * names.index("wind 8.1")
    assert drone_interlocks.run(windy).faults

"""Whatever dies, it lands; and that the campaign can tell one that does not."""

import pytest

from tests.bench import drone_kills
from tests.drone_world import World

EACH_KIND = range(len(drone_kills.KINDS))
HEARD_AGAIN, DROVE_ON = 2051, 2003
"""Heard again after 28 s of silence; and killed while the car drove on."""
KILLED_FOR_GOOD = drone_kills.KINDS.index("killed_for_good")


@pytest.mark.parametrize("seed", [*EACH_KIND, HEARD_AGAIN, DROVE_ON])
def test_it_lands_whatever_dies(seed: int) -> None:
    row = drone_kills.run(seed)
    assert row.faults == []
    assert row.differences == []


def test_a_copter_without_its_failsafe_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kill = World.kill

    def weaken(self: World) -> None:
        kill(self)
        for name in ("FS_GCS_ENABLE", "BATT_FS_LOW_ACT", "BATT_FS_CRT_ACT"):
            self.copter.state.parameters[name] = 0
        self.copter.drain(20.0)

    monkeypatch.setattr(World, "kill", weaken)
    assert drone_kills.run(KILLED_FOR_GOOD).faults

"""Two replicas on one database, with messages dealt at random."""

from pathlib import Path
from random import Random

import pytest

from simulator.billing import Rule, Rules
from tests.postgres import Cluster
from tests.toll_stand import Drive, Stand

RULES = Rules(rules=(Rule(gate="g2", verdict="corrected", change_minor=-10, reason="smaller"),))


@pytest.mark.parametrize("seed", [1, 2])
def test_two_replicas_come_to_the_same_ledger(
    postgresql: Cluster, tmp_path: Path, seed: int
) -> None:
    alone = Stand(str(tmp_path / "alone.sqlite"))
    alone.rules = RULES
    alone.drive(Drive(step_m=500).until(5_000))
    alone.pump(20)
    chance, url = Random(seed), postgresql.database()
    replicas = [Stand(url), Stand(url)]
    replicas[1].bank = replicas[0].bank
    replicas[1].declarations = replicas[0].declarations
    for replica in replicas:
        replica.rules = RULES
    for batch in Drive(step_m=500).until(5_000):
        for _ in range(chance.randint(1, 2)):  # some come twice, to the same or another
            chance.choice(replicas).drive([batch], pumps=False)
        chance.choice(replicas).pump(1)
    for _ in range(20):
        for replica in replicas:
            replica.now_ms = max(each.now_ms for each in replicas)
            replica.pump(1)
    assert replicas[0].statement() == alone.statement()
    assert replicas[0].bank.net() == alone.bank.net()
    for each in (alone, *replicas):
        each.close()

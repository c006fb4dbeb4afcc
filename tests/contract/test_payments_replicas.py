"""However messages are dealt, doubled, shuffled and cut short by crashes: one ledger."""

import random
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from internetcar.contract.payments import PaymentRequest
from internetcar.contract.tolls import TollCharge
from services.points import AFTER_COMMIT, BEFORE_COMMIT
from tests.services import CrashError, crashing_at
from tests.wallet import NOW, Replica, charge, request

Asked = PaymentRequest | TollCharge


def drive(length: int, vehicle_id: str = "car") -> list[list[Asked]]:
    """What is asked on a drive: chains in which each needs the answer to the one before it."""
    chains: list[list[Asked]] = []
    for number in range(length):
        name = f"{vehicle_id}{number}"
        chains.append([charge(f"c-{name}", amount=100, passage_id=name, vehicle_id=vehicle_id)])
        # The toll service corrects without waiting: its charges may come in any order.
        chains.append([charge(f"d-{name}", "refund", 40, fee_minor=60, passage_id=name,
                              vehicle_id=vehicle_id)])  # fmt: skip
        chains.append(
            [
                request(f"h-{name}", "hold", 70, vehicle_id=vehicle_id),
                request(f"p-{name}", "post", 50, refers_to=f"h-{name}", vehicle_id=vehicle_id),
                request(
                    f"r-{name}",
                    "refund",
                    20,
                    refers_to=f"p-{name}",
                    reason="x",
                    vehicle_id=vehicle_id,
                ),
            ]
        )
    return chains


def funded(url: str) -> Replica:
    replica = Replica(url)
    replica.fund("alice")
    replica.fund("bob")
    replica.said()
    return replica


def straight(url: str, chains: list[list[Asked]]) -> tuple[object, ...]:
    """The ledger of one process that hears everything once, in order."""
    replica = funded(url)
    for asked in (each for chain in chains for each in chain):
        assert replica.ask(asked) is not None
    ledger = replica.ledger()
    assert replica.findings() == []
    replica.close()
    return ledger


def deal(replicas: list[Replica], chains: list[list[Asked]], chance: random.Random) -> None:
    """Give each message to a replica by chance, some twice, until all are answered."""
    waiting = [deque(chain) for chain in chains]
    while waiting:
        chain = chance.choice(waiting)
        heard = [chance.choice(replicas).ask(chain[0]) for _ in range(chance.choice((1, 1, 2)))]
        if chance.random() < 0.2:
            chance.choice(replicas).ask(chance.choice(chance.choice(chains)[:1]))
        if heard[-1] is not None:
            chain.popleft()
        waiting = [each for each in waiting if each]


@pytest.mark.parametrize("seed", range(3))
def test_replicas_with_messages_dealt_at_random_write_the_same_ledger(
    store_url: str, tmp_path: Path, seed: int
) -> None:
    chains = drive(6) + drive(2, "van")
    expected = straight(f"sqlite:///{tmp_path}/straight.sqlite", chains)
    replicas = [funded(store_url), Replica(store_url)]
    deal(replicas, chains, random.Random(seed))
    assert replicas[0].ledger() == expected
    assert replicas[1].findings() == []
    for each in replicas:
        each.close()


def test_replicas_at_the_same_moment_write_the_same_ledger(store_url: str, tmp_path: Path) -> None:
    chains = drive(8)
    expected = straight(f"sqlite:///{tmp_path}/straight.sqlite", chains)
    replicas = [funded(store_url), Replica(store_url)]
    asked = [
        each
        for step in range(3)
        for chain in chains
        if len(chain) > step
        for each in chain[step : step + 1]
    ]

    def hear(replica: Replica) -> None:
        for each in asked:
            replica.hear(each)

    for _ in range(2):  # a refund that overtook its charge is repeated
        with ThreadPoolExecutor(2) as pool:
            for each in [pool.submit(hear, replica) for replica in replicas]:
                each.result()
    assert replicas[0].ledger() == expected
    assert replicas[0].findings() == []
    for replica in replicas:
        replica.close()


@pytest.mark.parametrize("point", [BEFORE_COMMIT, AFTER_COMMIT])
def test_a_crash_at_every_transaction_and_redelivery_change_nothing(
    store_url: str, tmp_path: Path, point: str
) -> None:
    chains = drive(3)
    expected = straight(f"sqlite:///{tmp_path}/straight.sqlite", chains)
    replica = funded(store_url)
    for asked in (each for chain in chains for each in chain):
        with crashing_at(point), pytest.raises(CrashError):
            replica.hear(asked)
        replica.close()
        replica = Replica(store_url)
        assert replica.ask(asked) is not None
    assert replica.ledger() == expected
    assert replica.findings() == []
    replica.close()


@pytest.mark.parametrize("point", [BEFORE_COMMIT, AFTER_COMMIT])
def test_a_crash_while_holds_expire_gives_back_each_of_them_once(
    store_url: str, point: str
) -> None:
    replica = funded(store_url)
    for number in range(3):
        replica.ask(request(f"h{number}", "hold", 100))
    for _ in range(3):
        replica.now = NOW + timedelta(days=2)
        with crashing_at(point), pytest.raises(CrashError):
            replica.payments.turn()
        replica.close()
        replica = Replica(store_url)
    replica.now = NOW + timedelta(days=2)
    replica.payments.turn()
    assert replica.balance("driver:alice") == 10_000
    assert replica.findings() == []
    replica.close()

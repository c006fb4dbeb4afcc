"""The wallet as processes on a real broker: killed at every point, two at a time, one ledger."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.payments import PaymentResult, WalletBalance, WalletReceipt
from internetcar.launcher.broker import RunningBroker
from internetcar.launcher.child import dying_with_us, end_child
from services.points import POINTS
from tests.contract.test_link import running
from tests.waiting import PATIENCE_S, eventually
from tests.wallet import Replica, charge, request

SETTINGS = """
share = "payments"
replica = "{replica}"
broker = "{broker}"
store = "{store}"
state = "{state}"
unsigned_tolls = true
[accounts.alice]
vehicles = ["car"]
"""


class Wallet:
    """The wallet's replicas as processes of their own."""

    def __init__(self, broker: BrokerUrl, store: str, folder: Path) -> None:
        self._broker, self._store, self._folder = broker, store, folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, replica: str, die_at: str = "") -> "subprocess.Popen[bytes]":
        path = self._folder / f"{replica}.toml"
        path.write_text(
            SETTINGS.format(
                replica=replica,
                broker=self._broker.secret,
                store=self._store,
                state=self._folder / "state",
            )
        )
        for left in self._folder.glob(f"state/*/replica-{replica}/alive"):
            left.unlink()
        self._children[replica] = subprocess.Popen(
            [sys.executable, "-m", "tests.payments_service", str(path)],
            env={**os.environ, "DIE_AT": die_at},
            preexec_fn=dying_with_us(),
        )
        return self._children[replica]

    def serves(self, replica: str) -> bool:
        """Whether a replica has been connected since it was started."""
        return any(self._folder.glob(f"state/*/replica-{replica}/alive"))

    def kill(self, replica: str) -> None:
        """kill -9."""
        child = self._children[replica]
        child.send_signal(signal.SIGKILL)
        child.wait()

    def end(self) -> list[int]:
        """End them in order; their exit codes."""
        running = [each for each in self._children.values() if each.poll() is None]
        return [end_child(each, PATIENCE_S) for each in running]


@pytest.fixture
def wallet(mosquitto: RunningBroker, store_url: str, tmp_path: Path) -> Iterator[Wallet]:
    each = Wallet(mosquitto.url, store_url, tmp_path)
    yield each
    each.end()


@contextmanager
def asking(broker: RunningBroker) -> Iterator[tuple[Link, dict[str, set[bytes]], set[str]]]:
    """A link, the different answers to each id it hears, and the receipts."""
    link = Link(broker.url, "asker")
    answered: dict[str, set[bytes]] = {}
    receipts: set[str] = set()
    link.on(
        PaymentResult, lambda each: answered.setdefault(each.request_id, set()).add(each.encode())
    )
    link.on(WalletReceipt, lambda each: receipts.add(each.receipt_id))
    with running(link):
        yield link, answered, receipts


def funded(store_url: str) -> None:
    replica = Replica(store_url)
    replica.fund()
    replica.close()


def test_two_replicas_killed_at_every_point_pay_each_toll_once(
    wallet: Wallet, mosquitto: RunningBroker, store_url: str
) -> None:
    funded(store_url)
    names: list[str] = []
    with asking(mosquitto) as (link, answered, receipts):

        def ask() -> bool:
            names.append(f"c{len(names)}")
            link.publish(charge(names[-1], amount=1, passage_id=names[-1]))
            time.sleep(0.3)
            return link.drain(PATIENCE_S)

        wallet.start("one")
        wallet.start("two")
        eventually(lambda: link.publish(charge("first", amount=1)) and "first" in answered)
        for number, point in enumerate(POINTS):
            fatal = ("one", "two")[number % 2]
            wallet.kill(fatal)
            dying = wallet.start(fatal, die_at=point)
            while dying.poll() is None:
                assert ask()
            assert dying.returncode == -signal.SIGKILL
            wallet.start(fatal)
        assert link.drain(PATIENCE_S)

        eventually(lambda: set(names) <= answered.keys())
        eventually(lambda: len(receipts) == len(names) + 2)  # that of the top-up too
        for each in ("one", "two"):
            eventually(partial(wallet.serves, each))
        assert wallet.end() == [0, 0]
    assert all(len(payloads) == 1 for payloads in answered.values())
    replica = Replica(store_url)
    assert replica.balance("operator:lta") == len(names) + 1
    assert replica.findings() == []
    replica.close()


def test_a_retained_charge_costs_nothing_and_the_balance_is_there_for_who_comes_late(
    wallet: Wallet, mosquitto: RunningBroker, store_url: str
) -> None:
    funded(store_url)
    late = Link(mosquitto.url, "late")
    balances: list[WalletBalance] = []
    late.on(WalletBalance, balances.append)
    with asking(mosquitto) as (link, answered, _):
        kept = charge("kept")
        link.publish_bytes(kept.topic, kept.encode(), retain=True)
        link.publish_bytes(kept.topic.replace("car", "van"), b"{hostile", retain=False)
        assert link.drain(PATIENCE_S)
        wallet.start("one")
        eventually(lambda: link.publish(charge("news", amount=1)) and "news" in answered)
        link.publish_bytes(kept.topic, b"\xff\x00 no JSON")
        link.publish_bytes(request("odd").topic, b'{"request_id": "odd"}')
        eventually(lambda: "odd" in answered)
        link.publish(charge("more", amount=1, passage_id="p2"))
        eventually(lambda: "more" in answered)
        with running(late):
            eventually(lambda: balances and balances[-1].balances["SGD"].available_minor == 9998)
        assert wallet.end() == [0]
    assert "kept" not in answered
    assert balances[-1].entries == 3


def test_a_broker_that_forgot_the_balance_is_told_again(
    wallet: Wallet, mosquitto: RunningBroker, store_url: str
) -> None:
    funded(store_url)
    wallet.start("one")
    topic = WalletBalance.filter(account="alice")

    def is_told() -> bool:
        heard: list[WalletBalance] = []
        late = Link(mosquitto.url, "late")
        late.on(WalletBalance, heard.append, account="alice")
        with running(late):
            eventually(lambda: heard)
        return heard[-1].balances["SGD"].available_minor == 10_000

    assert is_told()
    forgetting = Link(mosquitto.url, "forgetting")
    with running(forgetting):
        forgetting.publish_bytes(topic, b"", retain=True)
        assert forgetting.drain(PATIENCE_S)
    mosquitto.stop()
    mosquitto.restart()
    assert is_told()
    assert wallet.end() == [0]

"""Tolls, payments, the toll charger and a car's log as processes and links around a broker."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.link import Link
from internetcar.contract.presence import Origin
from internetcar.contract.signature import key_id, public_key_text
from internetcar.contract.telemetry import RepairedTelemetry, TelemetryRequest
from internetcar.launcher.broker import RunningBroker
from services.database import open_existing
from services.payments.history import owner_balances
from services.tolls import inquiry
from services.tolls.passages.entry import Entry
from services.tolls.signing_key import load_or_make_key
from tests.e2e.stage import PYTHON, Actor, Stage
from tests.toll_road import SIGNER, TRUSTED, drive, write_road

CREDIT_MINOR = 10_000
PATIENCE_S = 90.0


class Log:
    """A car's log on its way, as a gateway's: what is not acknowledged is said again."""

    def __init__(self, url: BrokerUrl) -> None:
        self.batches = drive()
        self._deliveries: dict[int, Delivery | None] = {}
        self.link = Link(url, "log")
        self.link.on(TelemetryRequest, self._on_request)
        self.link.start(wait_s=20)

    def say(self, first: int, last: int) -> None:
        for index in range(first, last):
            self._deliveries[index] = self.link.publish(self.batches[index])

    def begin(self, tolls: "Tolls") -> None:
        """Say the first ten until they are read: a broker keeps nothing for who never asked."""

        def is_read() -> bool:
            self.say(0, 10)
            return tolls.has_begun()

        tolls.until(is_read, "the log is read")

    def say_again(self) -> None:
        """What the broker has not acknowledged, and the newest: holes show by it."""
        self._deliveries[len(self.batches) - 1] = None
        for index, delivery in self._deliveries.items():
            if delivery is None or delivery.outcome not in (None, Outcome.ACKNOWLEDGED):
                self._deliveries[index] = self.link.publish(self.batches[index])

    def _on_request(self, request: TelemetryRequest) -> None:
        for batch in self.batches[request.first - 1 : request.last]:
            repaired = RepairedTelemetry(requester=request.reply_to, **dict(batch))
            self.link.publish(repaired)


class Tolls:
    """The processes, each of which can be killed and started again."""

    def __init__(
        self,
        stage: Stage,
        broker: RunningBroker,
        rules: str = "",
        *,
        context: str = "",
        origin: Origin = "simulation",
    ) -> None:
        self.stage, self.broker, self.origin = stage, broker, origin
        self.folder = stage.folder / "tolls-test"
        self.folder.mkdir()
        self._settings(broker.url.secret, context or str(write_road(self.folder)))
        (self.folder / "rules.toml").write_text(rules)
        self.actors: dict[str, Actor] = {}
        for name in ("tolls", "payments", "charger"):
            self.start(name)

    def _settings(self, url: str, context: str) -> None:
        state = self.folder / "state"
        public = load_or_make_key(state / "tolls").public_key()
        self.tolls_toml, self.payments_toml = self.folder / "tolls.toml", self.folder / "pay.toml"
        self.tolls_toml.write_text(
            f'broker = "{url}"\nstate = "{state}"\norigin = "{self.origin}"\ndeclares = true\n'
            f'contexts = ["{context}"]\n'
            f'[trusted]\n{SIGNER} = "{TRUSTED[SIGNER]}"\n'
        )
        self.payments_toml.write_text(
            f'broker = "{url}"\nstate = "{state}"\n'
            f'[accounts.alice]\nvehicles = ["car"]\norigins = ["{self.origin}"]\n'
            f'credit = ["{CREDIT_MINOR // 100}.00 SGD"]\n'
            f'[toll_keys]\n{key_id(public)} = "{public_key_text(public)}"\n'
        )
        self.state = state

    def start(self, name: str) -> None:
        if name == "charger":
            command = ["simulator.toll_charger", "--broker", self.broker.url.secret, "--rules",
                       str(self.folder / "rules.toml")]  # fmt: skip
        else:
            settings = self.tolls_toml if name == "tolls" else self.payments_toml
            command = ["services", name, str(settings)]
        self.actors[name] = self.stage.start(PYTHON, "-m", *command)

    def kill(self, name: str) -> None:
        """kill -9, and again from the beginning."""
        self.actors[name].kill()
        self.start(name)

    def kill_broker(self) -> None:
        assert self.broker.pid is not None
        os.kill(self.broker.pid, signal.SIGKILL)
        self.broker.restart()

    def until_ready(self) -> None:
        """Until both services hear: the broker keeps for them what is said from now on."""
        for name in ("tolls", "payments"):
            self.until(lambda name=name: "connected to" in self.actors[name].stderr, name)  # type: ignore[misc]  # bound now

    def until(self, happened: Callable[[], object], what: str) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not happened():
            if time.monotonic() > deadline_s:
                told = "\n".join(f"{n}: {a.stderr[-1500:]}" for n, a in self.actors.items())
                raise AssertionError(f"{what} did not happen; {self.entries()}\n{told}")
            time.sleep(0.2)

    def has_begun(self) -> bool:
        """Whether the log is being read: from here on no part of it may be missed."""
        database = open_existing(str(self.state / "tolls" / "tolls.sqlite"), "tolls")
        try:
            with database.read() as connection:
                return bool(inquiry.stretches(connection, "car", 0))
        finally:
            database.close()

    def entries(self) -> list[Entry]:
        database = open_existing(str(self.state / "tolls" / "tolls.sqlite"), "tolls")
        try:
            with database.read() as connection:
                return inquiry.newest(connection, "car", 100)
        finally:
            database.close()

    def paid_minor(self) -> int:
        """What left the account of the car."""
        path: Path = self.state / "payments" / "payments.sqlite"
        database = open_existing(str(path), "payments")
        try:
            with database.read() as connection:
                return -owner_balances(connection, "alice").available_minor.get("SGD", 0)
        finally:
            database.close()

    def is_settled(self, gates: int) -> bool:
        """Every passage is there, its money has moved, and the operator has spoken."""
        entries = self.entries()
        return (
            len(entries) == gates
            and all(entry.declared and entry.declared[-1].is_answered for entry in entries)
            and all(m.state == "posted" for entry in entries for m in entry.account.movements)
            and all(entry.account.movements for entry in entries)
        )

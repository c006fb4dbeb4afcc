"""The toll service without a broker: telemetry in by hand, a bank and a charger that answer."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from internetcar.contract.message import Message, milliseconds
from internetcar.contract.payments import PaymentReason, PaymentResult
from internetcar.contract.presence import Clock, Origin
from internetcar.contract.reader import TelemetryReader
from internetcar.contract.signature import is_signed, key_id
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.tolls import (
    BillingDetails,
    ExceptionList,
    TollCharge,
    TollDeclaration,
    TollPassage,
)
from services.database import Database, open_database
from services.outgoing import Sender
from services.points import BEFORE_ACKNOWLEDGE, reach
from services.telemetry_log import LogReader
from services.tolls import store
from services.tolls.answers import Answers
from services.tolls.facts import Evidence, Finding, Sample, Verdict
from services.tolls.forgetting import Forgetting
from services.tolls.logs import Logs
from services.tolls.passages.entry import Entry
from services.tolls.passages.watching import Watcher
from services.tolls.posting import Poster, Terms
from services.tolls.tables import TOLLS, VERSION, toll_passage
from services.tolls.tariff.context import Context
from services.tolls.tariff.vehicle import VehicleFacts
from simulator.billing import CONFIRM_ALL, answer
from tests.services import CrashError, FakeLink
from tests.toll_statement import statement

START = datetime.fromisoformat("2026-05-01T08:00:00+08:00")
DAY_MS = 24 * 3_600_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = {key_id(KEY.public_key()): KEY.public_key()}
PLACES = {"g1": 1_000.0, "g2": 2_000.0, "g3": 3_000.0, "late": 4_000.0, "vague": 5_000.0}
"""Where each gate stands on the one road there is; a kilometre takes a minute."""


def context(version: str = "2026.1", **tariff: Any) -> Context:
    """Three gates of which the dearest within an hour is paid, and two that are hard to prove."""
    prices = {"g1": "1.00", "g2": "2.50", "g3": "3.00", "late": "0.40", "vague": "5.00"}
    rates = [{"places": [gate], "bands": [["00:00", "24:00", p]]} for gate, p in prices.items()]
    group = {"id": "cbd", "label": "centre", "places": ["g1", "g2", "g3"], "minutes": 60}
    return Context.model_validate(
        {
            "id": "testville",
            "version": version,
            "title": "Testville",
            "operator": {"id": "lta", "name": "Testville Tolls"},
            "currency": {"code": "SGD", "exponent": 2},
            "time_zone": "Asia/Singapore",
            "valid_from": date(2020, 1, 1),
            "tariff": {"rates": rates, "groups": [group], **tariff},
            "gates": [
                {"id": gate, "label": f"Gate {gate}", "bearing_deg": 0,
                 "line": [[1.3, 103.8], [1.3, 103.801]]}
                for gate in prices
            ],
        }
    )  # fmt: skip


def found(gate: str, sample: Sample, verdict: Verdict) -> Finding:
    ratio = {"proven": 20.0, "unresolved": 1.0, "rejected": -12.0}[verdict]
    fix = (sample.at_ms, 1.3, 103.8, 5.0)
    evidence = Evidence(ratio, "parallel road", 43.0, 5.0, (fix,), ("on the tolled road",))
    crossed_ms = milliseconds(START) + round(60 * PLACES[gate])
    return Finding(gate, crossed_ms, 200, PLACES[gate], verdict, evidence)


class OdometerDetector:
    """Proves a gate when the odometer says so; `late` only 500 m later, `vague` never."""

    def advance(self, state: str | None, samples: Sequence[Sample]) -> tuple[str, list[Finding]]:
        last_m, findings = float(state or -1.0), list[Finding]()
        for sample in samples:
            now_m = sample.odometer_m or 0.0
            for gate, place_m in PLACES.items():
                if last_m < place_m <= now_m:
                    is_clear = gate not in ("late", "vague")
                    findings.append(found(gate, sample, "proven" if is_clear else "unresolved"))
                if gate == "late" and last_m < place_m + 500 <= now_m:
                    findings.append(found(gate, sample, "proven"))
            last_m = max(last_m, now_m)
        return str(last_m), findings

    def finish(self, state: str) -> list[Finding]:
        return []


def samples_of(reading: str, batch: Telemetry) -> tuple[str, list[Sample]]:
    return reading, [
        Sample(
            milliseconds(batch.start_at) + sample[0], 1.3, 103.8, odometer_m=float(str(sample[1]))
        )
        for sample in batch.samples.get("Vehicle.TraveledDistance", [])
    ]


class Drive:
    """Writes the log of a car on that road: by default a batch each 100 m, so each six seconds."""

    def __init__(
        self,
        vehicle_id: str = "car",
        origin: Origin = "live",
        clock: Clock = "synchronized",
        step_m: int = 100,
    ) -> None:
        self.vehicle_id, self.origin, self.clock = vehicle_id, origin, clock
        self.step_m, self.sequence = step_m, 0

    def until(self, metres: int) -> list[Telemetry]:
        return [self.batch() for _ in range(self.sequence, metres // self.step_m)]

    def batch(self) -> Telemetry:
        step = timedelta(milliseconds=60 * self.step_m)
        at = START + self.sequence * step
        self.sequence += 1
        return Telemetry(
            vehicle_id=self.vehicle_id,
            journal="j1",
            sequence=self.sequence,
            kind="snapshot" if self.sequence % 10 == 1 else "changes",
            start_at=at,
            end_at=at + step,
            clock=self.clock,
            origin=self.origin,
            samples={"Vehicle.TraveledDistance": [(60 * self.step_m, self.sequence * self.step_m)]},
        )


class Bank:
    """Payments as tolls sees it: the same charge always gets the same answer."""

    def __init__(self) -> None:
        self.refuses: PaymentReason | None = None
        self.charges: dict[str, TollCharge] = {}
        self.results: dict[str, PaymentResult] = {}

    def hear(self, charge: TollCharge) -> PaymentResult:
        assert is_signed(charge, TRUSTED)
        known = self.charges.setdefault(charge.charge_id, charge)
        assert known == charge, "the same id with another body"
        moved = "posted" if charge.kind == "charge" else "refunded"
        fresh = PaymentResult(
            vehicle_id=charge.vehicle_id, request_id=charge.charge_id, requester="tolls",
            state="refused" if self.refuses else moved, reason=self.refuses,
            amount_minor=charge.amount_minor, currency=charge.currency, at=START,
        )  # fmt: skip
        return self.results.setdefault(charge.charge_id, fresh)

    def net(self) -> dict[str, int]:
        """What each gate has cost."""
        found: dict[str, int] = {}
        for charge_id, charge in self.charges.items():
            if self.results[charge_id].state != "refused":
                sign = 1 if charge.kind == "charge" else -1
                gate = charge.crossing.gate
                found[gate] = found.get(gate, 0) + sign * charge.amount_minor
        return found


class Stand:
    """A toll service process on a store, with what is around it."""

    def __init__(
        self,
        url: str,
        *,
        contexts: Sequence[Context] = (),
        origin: Origin = "live",
        tariff_time: datetime | None = None,
        pays_dearer: bool = False,
    ) -> None:
        self.url, self.origin, self.tariff_time = url, origin, tariff_time
        self.contexts = tuple(contexts) or (context(),)
        self.pays_dearer = pays_dearer
        self.vehicle = VehicleFacts()
        self.bank, self.rules = Bank(), CONFIRM_ALL
        self.is_bank_away = False
        self.passages: list[TollPassage] = []
        self.declarations: dict[str, TollDeclaration] = {}
        self.now_ms = milliseconds(START)
        self.restarts = -1
        self.database: Database
        self.restart()

    def restart(self) -> None:
        """End the process and begin another on the same store."""
        if self.restarts >= 0:
            self.database.close()
        self.restarts += 1
        self.database = open_database(self.url, TOLLS, service="tolls", version=VERSION)
        self.link = FakeLink()
        self.sender = Sender(self.database, self.link)
        terms = Terms(
            {"testville": self.contexts}, lambda vehicle_id: self.vehicle, KEY,
            pays_dearer=self.pays_dearer,
        )  # fmt: skip
        watcher = Watcher(
            {"testville": self.contexts}, lambda version: OdometerDetector(), samples_of,
            self.origin, self.tariff_time,
        )  # fmt: skip
        poster = Poster(terms)
        clock_ms = lambda: self.now_ms  # noqa: E731 - two uses
        self.answers = Answers(self.database, poster, frozenset(["lta"]), clock_ms)
        logs = Logs(watcher, poster, clock_ms)
        self.forgetting = Forgetting(self.database, logs, 90 * DAY_MS, clock_ms)
        self.logs = LogReader(
            self.database, TelemetryReader("tolls"), logs.apply,
            publish=lambda message: None, clock_s=lambda: self.now_ms / 1000,
        )  # fmt: skip

    def deliver(self, message: Message) -> None:
        """Give the service a message until it is acknowledged, whatever crashes meanwhile."""
        while True:
            try:
                self._handler(message)(message)
                reach(BEFORE_ACKNOWLEDGE)
            except CrashError:
                self.restart()
            else:
                return

    def _handler(self, message: Message) -> Callable[[Any], None]:
        if isinstance(message, PaymentResult):
            return self.answers.on_payment_result
        if isinstance(message, BillingDetails):
            return self.answers.on_billing_details
        if isinstance(message, ExceptionList):
            return self.answers.on_exception_list
        return self.logs.accept

    def pump(self, turns: int = 12) -> None:
        """Let what is said be heard and answered, and time pass: a second each turn."""
        for _ in range(turns):
            self.now_ms += 1_000
            try:
                self.logs.turn()
                self.answers.turn()
                self.forgetting.turn()
                self.sender.turn(self.now_ms)
            except CrashError:
                taken = self.link.sent
                self.restart()
                self.link.sent = taken
            said = list(self.link.sent)
            self.link.answer()
            for topic, payload, _ in said:
                self._hear(topic, payload)

    def _hear(self, topic: str, payload: bytes) -> None:
        if topic.endswith("/toll/charge") and self.is_bank_away:
            return
        if topic.endswith("/toll/charge"):
            self.deliver(self.bank.hear(TollCharge.decode(topic, payload)))
        elif topic.endswith("/toll/declaration"):
            declaration = TollDeclaration.decode(topic, payload)
            known = self.declarations.setdefault(declaration.declaration_id, declaration)
            assert known == declaration
            billed = answer(self.rules, declaration, TRUSTED)
            if billed is not None:
                self.deliver(billed)
        else:
            passage = TollPassage.decode(topic, payload)
            if passage not in self.passages:
                self.passages.append(passage)

    def drive(self, batches: Sequence[Telemetry], *, pumps: bool = True) -> None:
        """Deliver batches, and let everything be answered."""
        for batch in batches:
            self.now_ms = max(self.now_ms, milliseconds(batch.end_at))
            self.deliver(batch)
        if pumps:
            self.pump()

    def entries(self) -> list[Entry]:
        with self.database.read() as connection:
            return store.entries(connection, select(toll_passage))

    def entry(self, gate: str) -> Entry:
        (found_one,) = (e for e in self.entries() if e.account.known.finding.gate == gate)
        return found_one

    def statement(self) -> bytes:
        return statement(entry.account for entry in self.entries())

    def close(self) -> None:
        self.database.close()

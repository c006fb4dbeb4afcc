"""What is in the ledger when many processes have died while tolls were paid."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from services.database import Database
from services.payments import audit, desk
from services.payments.movements import Movement
from services.payments.store import open_store
from services.payments.tables import entries
from services.tolls.tables import toll_movement
from tests.bench.report import Figure, progress
from tests.bench.toll_crashes import Broker
from tests.bench.toll_services import SERVICES, open_tolls
from tests.bench.toll_town import OWNER, Town
from tests.bench.toll_worlds import Ground

FUNDS_MINOR = 10**9
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A kill -9 loses nothing that was written, so waiting for a disk would show nothing."""


@dataclass(frozen=True)
class Ledger:
    """What came of all the deaths.

    Attributes:
        passages: True ones that had to be paid.
        undecided: Of them those that the detector leaves open without any death too.
        double: Paid more than once or too much, or never driven.
        lost: Not paid, or not in full; or paid, and the toll service does not know.
        off: Sum of the ledger in every currency, and what its own audit finds.
    """

    crashes: int
    killed: int
    passages: int
    undecided: int
    double: int
    lost: int
    off: int

    def figures(self) -> list[Figure]:
        words = f"deaths, {self.killed} of them real kill -9, over {self.passages} paid passages"
        return [
            Figure("crashes", self.crashes, words),
            Figure("double_crashed", self.double, "passages paid twice", "0", not self.double),
            Figure("lost_crashed", self.lost, "passages not paid in full", "0", not self.lost),
            Figure("ledger_sum", self.off, "sum of the ledger, and its audit", "0", not self.off),
        ]


def measure(
    ground: Ground,
    crashes: int,
    *,
    urls: Mapping[str, str] | None = None,
    replicas: int = 1,
) -> Ledger:
    """What the ledger has when so many processes have died.

    Args:
        ground: With Singapore's gates.
        crashes: How many deaths.
        urls: Of the empty stores of `tolls` and `payments`; `None`: SQLite in files.
        replicas: How many processes of each service share its messages.
    """
    town = Town(ground)
    with tempfile.TemporaryDirectory(dir=_MEMORY) as name:
        folder = Path(name)
        stores = urls or {each: str(folder / f"{each}.sqlite") for each in SERVICES}
        with closing(open_store(stores["payments"])) as database:
            movement = Movement("cash", "start", OWNER, FUNDS_MINOR, "SGD")
            desk.take_in(database, movement, datetime.now(UTC))
        broker = Broker(town, stores, folder, crashes, replicas)
        broker.run()
        with (
            closing(open_store(stores["payments"])) as payments,
            closing(open_tolls(stores["tolls"])) as tolls,
        ):
            found = _ledger(town, broker, payments, tolls)
    progress(f"  deaths: {dict(broker.deaths)}, the broker restarted {broker.restarts} times")
    return found


def _ledger(town: Town, broker: Broker, payments: Database, tolls: Database) -> Ledger:
    with payments.read() as connection:
        off = sum(abs(value) for value in audit.sums(connection).values())
        off += len(audit.findings(connection))
        wanted = select(entries.c.request_id, entries.c.booked_change)
        booked = connection.execute(wanted.where(entries.c.requester == "tolls")).all()
    paid: Counter[tuple[str, str, str]] = Counter()
    for row in booked:
        charge = broker.charges[row.request_id]
        day = f"{charge.crossing.crossed_at:%Y-%m-%d}"
        paid[charge.vehicle_id, charge.crossing.gate, day] -= row.booked_change
    counts: Counter[str] = Counter()
    for one in broker.driven:
        day = f"{datetime.fromtimestamp(one.passed_at_ms / 1000, UTC):%Y-%m-%d}"
        minor = paid.pop((one.vehicle_id, one.gate, day), 0)
        if minor == one.fee_minor:
            continue
        what = "double" if minor > one.fee_minor else "lost"
        if minor == 0 and not town.is_proven(one):
            what = "undecided"
        counts[what] += 1
        progress(f"  {what}: {one.vehicle_id} {one.gate} {day}: {minor}, not {one.fee_minor}")
    for stray, minor in paid.items():
        if minor:
            counts["double"] += 1
            progress(f"  never driven, but paid: {stray}: {minor}")
    return Ledger(
        broker.crashes, broker.deaths["kill -9"], len(broker.driven), counts["undecided"],
        counts["double"], counts["lost"] + _unanswered(tolls), off,
    )  # fmt: skip


def _unanswered(tolls: Database) -> int:
    """How many movements of money the toll service does not know the end of."""
    with tolls.read() as connection:
        wanted = select(toll_movement).where(toll_movement.c.state != "posted")
        rows = connection.execute(wanted).mappings().all()
    for row in rows:
        progress(f"  not paid: {row['charge_id']}: {row['state']} {row['reason'] or ''}")
    return len(rows)

"""What is said of vehicles and contexts may change between two deliveries: whose money moves."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import permutations
from pathlib import Path

import pytest

from services.tolls.facts import Sample
from services.tolls.passages.matching import Place
from services.tolls.passages.watching import Found
from services.tolls.posting import Poster, Terms
from services.tolls.tariff.context import Context
from services.tolls.tariff.vehicle import VehicleFacts
from tests.toll_stand import DAY_MS, KEY, Drive, Stand, context, found

ASKS = [{"bands": [["00:00", "24:00", "9.00"]], "vehicle": {"weight_from_kg": 7500}}]
VAN = VehicleFacts(kind="light_goods")
VAN_PAYS = [
    {"bands": [["00:00", "24:00", "1.00"]]},
    {"bands": [["00:00", "24:00", "5.00"]], "vehicle": {"kinds": ["light_goods"]}},
]


@pytest.fixture
def stand(store_url: str) -> Iterator[Stand]:
    each = Stand(store_url)
    yield each
    each.close()


def test_what_a_vehicle_is_said_to_be_later_charges_nothing_old_anew(stand: Stand) -> None:
    stand.contexts = (context(rates=VAN_PAYS, groups=[]),)
    stand.restart()
    drive = Drive()
    stand.drive(drive.until(1_500))
    stand.vehicle = VAN
    stand.drive(drive.until(2_500))
    assert stand.bank.net() == {"g1": 100, "g2": 500}
    assert len(stand.bank.charges) == 2
    classes = {d.crossing.gate: d.vehicle_class for d in stand.declarations.values()}
    assert classes == {"g1": "car", "g2": "light_goods"}


def test_what_a_new_version_cannot_price_stays_paid_until_the_facts_are_said(
    stand: Stand,
) -> None:
    stand.vehicle = VehicleFacts(kind="heavy_goods")
    drive = Drive()
    stand.drive(drive.until(1_500))
    stand.contexts = (context(), context("2026.2", rates=ASKS, groups=[]))
    stand.restart()
    stand.drive(drive.until(2_500))
    assert stand.bank.net() == {"g1": 100}
    assert [entry.fee_minor for entry in stand.entries()] == [100, 0]
    assert {entry.words[0].split(":")[0] for entry in stand.entries()} == {"not priced"}
    assert [d.fee_minor for d in stand.declarations.values()] == [100]
    stand.vehicle = VehicleFacts(kind="heavy_goods", weight_kg=18_000)
    stand.drive(drive.until(3_500))
    assert stand.bank.net() == {"g1": 900, "g2": 900, "g3": 900}
    stand.vehicle = VehicleFacts(kind="heavy_goods", weight_kg=3_000)
    stand.drive(drive.until(4_800))
    assert stand.bank.net() == {"g1": 900, "g2": 900, "g3": 900}


def test_a_version_that_cannot_price_a_later_day_spoils_no_earlier_one(stand: Stand) -> None:
    old = context(accounting="all")
    new = context("2026.2", rates=ASKS, groups=[], accounting="all")
    new = new.model_copy(update={"valid_from": date(2026, 5, 2)})
    stand.contexts = (old, new)
    stand.vehicle = VehicleFacts(kind="heavy_goods")
    stand.restart()
    stand.drive(Drive().until(1_500))
    assert stand.bank.net() == {"g1": 100}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"accounting": "day"}, {"accounting": "month"}),
        ({"accounting": "month"}, {"accounting": "all"}),
        ({"accounting": "all"}, {"accounting": "day"}),
        ({"day_starts": "08:02"}, {"day_starts": "00:00"}),
    ],
)
def test_a_version_with_other_windows_between_two_deliveries_charges_a_group_once(
    tmp_path: Path, old: dict[str, str], new: dict[str, str]
) -> None:
    """Whatever is found first, the ledger is as if the new version had been there all the time."""
    versions = context(**old), context("2026.2", **new)
    ledgers: set[bytes] = set()
    for case, gates in enumerate(permutations(("g1", "g2"))):
        for since in (0, 1):
            stand = Stand(str(tmp_path / f"{case}-{since}.sqlite"))
            for number, gate in enumerate(gates):
                find(stand, gate, versions if number >= since else versions[:1])
            net = stand.bank.net()
            assert (net.get("g1", 0), net["g2"]) == (0, 250)
            ledgers.add(stand.statement())
            stand.close()
    assert len(ledgers) == 1


def test_a_passage_at_the_end_of_a_month_is_reckoned_with_the_first_of_it(stand: Stand) -> None:
    """They share a cap of 3.00, and what is crossed first is paid first."""
    most = {"label": "month", "amount": "3.00", "per": "month"}
    versions = (context(accounting="month", groups=[], caps=[most]),)
    find(stand, "g2", versions)
    find(stand, "g3", versions, days=30)
    find(stand, "g1", versions, days=31)
    find(stand, "late", versions, days=-1)
    assert stand.bank.net() == {"g2": 250, "g3": 50, "g1": 100, "late": 40}


def find(stand: Stand, gate: str, versions: Sequence[Context], days: int = 0) -> None:
    """Prove a passage to the service as it is with these versions, and let it be paid."""
    stand.contexts = tuple(versions)
    stand.restart()
    proven = found(gate, Sample(stand.now_ms), "proven")
    proven = replace(proven, crossed_at_ms=proven.crossed_at_ms + days * DAY_MS)
    place = Place("car", "testville", "live", 1)
    poster = Poster(Terms({"testville": versions}, lambda vehicle_id: stand.vehicle, KEY))
    news = [Found(place, proven, None, 0)]
    stand.database.run(lambda connection: poster.record(connection, news, stand.now_ms))
    stand.pump(4)

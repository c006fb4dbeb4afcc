"""What is said of vehicles and contexts may change between two deliveries: whose money moves."""

from collections.abc import Iterator
from datetime import date

import pytest

from services.tolls.tariff.vehicle import VehicleFacts
from tests.toll_stand import Drive, Stand, context

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

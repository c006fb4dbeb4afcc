"""What is said of vehicles and contexts may change between two deliveries: whose money moves."""

from collections.abc import Iterator

import pytest

from services.tolls.tariff.vehicle import VehicleFacts
from tests.toll_stand import Drive, Stand, context

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

"""The services of `car up`: what they are told, and whose money they touch."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import cast

import pytest

from internetcar.contract.broker_url import BrokerUrl
from internetcar.launcher.supervisor import Supervisor
from internetcar.launcher.up_parts import ACCOUNT, Part, start_parts
from internetcar.launcher.up_services import (
    start_recommendations,
    start_services,
    start_trips,
)
from services.payments.history import owner_balances
from services.payments.settings import PaymentsSettings
from services.payments.store import open_store
from services.recommendations.settings import RecommendationSettings
from services.settings import load_settings
from services.tolls.settings import TollSettings
from services.trips.settings import TripSettings


class Starts:
    """Instead of a supervisor: what would have been started."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(
        self, name: str, command: Sequence[str], environ: Mapping[str, str], *, without: str = ""
    ) -> None:
        self.names.append(name)


def started(folder: Path) -> list[str]:
    starts = Starts()
    start_services(cast(Supervisor, starts), BrokerUrl("127.0.0.1", 1883), "demo", folder)
    return starts.names


SERVICES = {
    Part.TOLLS: ["wallet", "toll charger", "toll service"],
    Part.RECOMMENDATIONS: ["recommendation service"],
    Part.TRIPS: ["trip service"],
    Part.DRONE: ["copter", "drone service"],
}
"""In the order of their start: who hears of trips begins before them."""


def parts_started(folder: Path, *without: Part) -> list[str]:
    starts = Starts()
    broker = BrokerUrl("127.0.0.1", 1883)
    folder.mkdir()
    assert start_parts(cast(Supervisor, starts), broker, "demo", folder, {"car"}, 1, without)
    return starts.names


@pytest.mark.parametrize("part", list(Part))
def test_what_is_left_out_is_not_started_and_all_else_is(tmp_path: Path, part: Part) -> None:
    others = [name for key, names in SERVICES.items() if key != part for name in names]
    assert parts_started(tmp_path / "one", part) == others
    alone = parts_started(tmp_path / "alone", *(other for other in Part if other != part))
    assert alone == SERVICES[part]


def test_all_parts_are_started_and_none_where_all_are_left_out(tmp_path: Path) -> None:
    assert parts_started(tmp_path / "all") == [*chain(*SERVICES.values())]
    assert parts_started(tmp_path / "none", *Part) == []


def test_gateway_and_car_do_not_wait_for_a_database_library() -> None:
    script = "import sys, internetcar.launcher.up; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_play_money_never_goes_into_a_store_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real.sqlite"
    monkeypatch.setenv("INTERNETCAR_PAYMENTS_STORE", str(real))
    started(tmp_path / "up")
    assert not real.exists()


def test_the_trip_service_is_told_whose_trips_and_where(tmp_path: Path) -> None:
    starts = Starts()
    broker = BrokerUrl("127.0.0.1", 1883)
    start_trips(cast(Supervisor, starts), broker, "demo", tmp_path)
    assert starts.names == ["trip service"]
    trips = load_settings(TripSettings, tmp_path / "trips.toml")
    assert (trips.vehicles, trips.state) == (("demo",), str(tmp_path))


def test_the_recommendation_service_learns_from_the_simulated_car_and_listens_to_its_people(
    tmp_path: Path,
) -> None:
    starts = Starts()
    broker = BrokerUrl("127.0.0.1", 1883)
    start_recommendations(cast(Supervisor, starts), broker, "demo", tmp_path, ("car", "node-red"))
    assert starts.names == ["recommendation service"]
    found = load_settings(RecommendationSettings, tmp_path / "recommendations.toml")
    assert (found.vehicles, found.origin, found.state) == (("demo",), "simulation", str(tmp_path))
    assert set(found.allow) == {"car", "node-red"}
    assert "forget" in found.allow["car"]
    assert not found.consent.positions


def test_play_money_is_given_once_however_often_it_starts(tmp_path: Path) -> None:
    for _ in range(2):
        assert started(tmp_path) == ["wallet", "toll charger", "toll service"]
    database = open_store(str(tmp_path / "payments" / "payments.sqlite"))
    with database.read() as connection:
        assert owner_balances(connection, ACCOUNT).available_minor == {"SGD": 5_000}
    database.close()


def test_the_wallet_believes_the_toll_service_and_both_mean_the_simulation(tmp_path: Path) -> None:
    started(tmp_path)
    payments = load_settings(PaymentsSettings, tmp_path / "payments.toml")
    tolls = load_settings(TollSettings, tmp_path / "tolls.toml")
    assert payments.store == str(tmp_path / "payments" / "payments.sqlite")
    assert len(payments.toll_keys) == 1
    assert payments.accounts[ACCOUNT].origins == [tolls.origin] == ["simulation"]
    assert tolls.only_listed
    assert tolls.tariff_time is not None

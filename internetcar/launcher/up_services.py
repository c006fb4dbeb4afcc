"""The services of `car up`: tolls, a wallet with play money, a charger, trips, recommendations."""

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.signature import key_id, public_key_text
from internetcar.launcher.supervisor import Supervisor
from internetcar.launcher.up_parts import ACCOUNT
from services.payments import desk
from services.payments.movements import Movement
from services.payments.store import open_store
from services.recommendations.settings import Right
from services.tolls.signing_key import load_or_make_key
from simulator.garage import SINGAPORE, load_route

CONTEXT = "singapore"
CREDIT_MINOR, CURRENCY = 5_000, "SGD"
CREDIT_WORDS = ("play money of `car up`",)


def start_services(
    supervisor: Supervisor, broker: BrokerUrl, vehicle_id: str, folder: Path
) -> None:
    """Start the wallet, the toll charger and the toll service for the simulated car.

    Fees are those of the route's own morning, whatever the time is: their words say so.

    Args:
        supervisor: Keeps them running.
        broker: A broker of our own: on another, services like these may run already.
        vehicle_id: The simulated car's.
        folder: For settings, stores and the key that signs charges.
    """
    key = load_or_make_key(folder / "tolls").public_key()
    store = folder / "payments" / "payments.sqlite"
    payments = _write_payments(folder, store, vehicle_id, key_id(key), public_key_text(key))
    _give_play_money(store)
    tolls = _write_tolls(folder, vehicle_id)
    environ = {"INTERNETCAR_BROKER": broker.secret}
    here = [sys.executable, "-m"]
    supervisor.start(
        "wallet",
        [*here, "services", "payments", str(payments)],
        environ,
        without="INTERNETCAR_PAYMENTS_",
    )
    supervisor.start(
        "toll charger",
        [*here, "simulator.toll_charger", "--confirm-all", "--trust", public_key_text(key)],
        environ,
    )
    supervisor.start(
        "toll service",
        [*here, "services", "tolls", str(tolls)],
        environ,
        without="INTERNETCAR_TOLLS_",
    )


def start_recommendations(
    supervisor: Supervisor, broker: BrokerUrl, vehicle_id: str, folder: Path, who: Iterable[str]
) -> None:
    """Start the recommendation service for the simulated car; before the trips it is to hear.

    Args:
        supervisor: Keeps it running.
        broker: A broker of our own.
        vehicle_id: The simulated car's.
        folder: For settings and store.
        who: Which requesters may do everything.
    """
    path = folder / "recommendations.toml"
    rights = json.dumps(get_args(Right))
    path.write_text(
        f"state = {json.dumps(str(folder))}\nvehicles = [{json.dumps(vehicle_id)}]\n"
        'origin = "simulation"\ntime_zone = "Asia/Singapore"\n[allow]\n'
        + "".join(f"{json.dumps(name)} = {rights}\n" for name in sorted(set(who))),
        encoding="utf-8",
    )
    supervisor.start(
        "recommendation service",
        [sys.executable, "-m", "services", "recommendations", str(path)],
        {"INTERNETCAR_BROKER": broker.secret},
        without="INTERNETCAR_RECOMMENDATIONS_",
    )


def start_trips(supervisor: Supervisor, broker: BrokerUrl, vehicle_id: str, folder: Path) -> None:
    """Start the trip service for the simulated car.

    It may come last: it asks for the minutes of the log that it missed.
    """
    path = folder / "trips.toml"
    path.write_text(
        f"state = {json.dumps(str(folder))}\nvehicles = [{json.dumps(vehicle_id)}]\n",
        encoding="utf-8",
    )
    supervisor.start(
        "trip service",
        [sys.executable, "-m", "services", "trips", str(path)],
        {"INTERNETCAR_BROKER": broker.secret},
        without="INTERNETCAR_TRIPS_",
    )


def _write_payments(
    folder: Path, store: Path, vehicle_id: str, key_name: str, key_text: str
) -> Path:
    path = folder / "payments.toml"
    path.write_text(
        f"state = {json.dumps(str(folder))}\n"
        f"store = {json.dumps(str(store))}\n"
        "[toll_keys]\n"
        f"{key_name} = {json.dumps(key_text)}\n"
        f"[accounts.{ACCOUNT}]\n"
        f"vehicles = [{json.dumps(vehicle_id)}]\n"
        'origins = ["simulation"]\n'
        'time_zone = "Asia/Singapore"\n',
        encoding="utf-8",
    )
    return path


def _write_tolls(folder: Path, vehicle_id: str) -> Path:
    starts_at = datetime.fromtimestamp(load_route(SINGAPORE).starts_at_ms / 1_000, UTC)
    path = folder / "tolls.toml"
    path.write_text(
        f"state = {json.dumps(str(folder))}\n"
        'origin = "simulation"\n'
        f"contexts = [{json.dumps(CONTEXT)}]\n"
        "only_listed = true\n"
        "declares = true\n"
        f"tariff_time = {json.dumps(starts_at.isoformat())}\n"
        f"[vehicles.{vehicle_id}]\n"
        'kind = "car"\n',
        encoding="utf-8",
    )
    return path


def _give_play_money(store: Path) -> None:
    """Once a store, however often it is opened; never into one that the environment names."""
    database = open_store(str(store))
    try:
        movement = Movement("play", "car-up", ACCOUNT, CREDIT_MINOR, CURRENCY, words=CREDIT_WORDS)
        desk.take_in(database, movement, datetime.now(UTC))
    finally:
        database.close()

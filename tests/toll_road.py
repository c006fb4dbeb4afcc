"""A straight road to the north with three gates, its toll context, and the log of a drive on it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from internetcar.contract.presence import Origin
from internetcar.contract.signature import public_key_text
from internetcar.contract.telemetry import Telemetry
from services.tolls.tariff.context import Context
from services.tolls.tariff.layout import written
from services.tolls.tariff.signing import sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
SIGNER = "road"
TRUSTED = {SIGNER: public_key_text(KEY.public_key())}
BEGIN = datetime(2026, 5, 1, 0, 0, tzinfo=UTC)
LAT_DEG, LON_DEG = 1.3, 103.8
DEG_M = 110_574.0
"""Metres of a degree of latitude at the equator (WGS 84)."""
SPEED_MPS = 20.0
GATES_M = {"north-1": 1_000.0, "north-2": 2_500.0, "north-3": 4_000.0}
PRICES = {"north-1": "1.00", "north-2": "2.50", "north-3": "0.40"}
LENGTH_M = 5_500.0
_LOCATION = "Vehicle.CurrentLocation."


def lat_of(metres: float) -> float:
    return LAT_DEG + metres / DEG_M


def road() -> Context:
    """Its gates charge whoever drives north; a tariff without any rule beside the price."""
    half = 12.0 / DEG_M
    gates = [
        {
            "id": gate,
            "label": f"Road {gate}",
            "bearing_deg": 0,
            "line": [[lat_of(at_m), LON_DEG - half], [lat_of(at_m), LON_DEG + half]],
        }
        for gate, at_m in GATES_M.items()
    ]
    rates = [{"places": [gate], "bands": [["00:00", "24:00", p]]} for gate, p in PRICES.items()]
    bare = Context.model_validate(
        {
            "id": "road",
            "version": "2026.1",
            "title": "A road",
            "operator": {"id": "road-tolls", "name": "Road Tolls"},
            "currency": {"code": "SGD", "exponent": 2},
            "time_zone": "Asia/Singapore",
            "valid_from": date(2020, 1, 1),
            "tariff": {"rates": rates},
            "gates": gates,
        }
    )
    return sign(bare, SIGNER, KEY)


def write_road(folder: Path) -> Path:
    """The context as a file."""
    path = folder / "road.json"
    path.write_text(written(road()))
    return path


def drive(vehicle_id: str = "car", origin: Origin = "simulation") -> list[Telemetry]:
    """The log of a drive from the beginning to the end: a batch and a fix each second."""
    return [
        Telemetry(
            vehicle_id=vehicle_id,
            journal=f"{vehicle_id}-journal",
            sequence=second + 1,
            kind="snapshot" if second % 60 == 0 else "changes",
            start_at=BEGIN + timedelta(seconds=second),
            end_at=BEGIN + timedelta(seconds=second + 1),
            clock="synchronized",
            origin=origin,
            samples={
                _LOCATION + "Latitude": [(500, lat_of(SPEED_MPS * (second + 0.5)))],
                _LOCATION + "Longitude": [(500, LON_DEG)],
                _LOCATION + "Heading": [(500, 0.0)],
                _LOCATION + "HorizontalAccuracy": [(500, 3.0)],
                "Vehicle.Speed": [(500, SPEED_MPS * 3.6)],
                "Vehicle.TraveledDistance": [(500, SPEED_MPS * (second + 0.5))],
            },
        )
        for second in range(round(LENGTH_M / SPEED_MPS))
    ]

"""The real car that benchmarks replay: the Kona's two-bus log and what explains it."""

import os
from pathlib import Path

from gateway.bus_settings import BusSettings
from gateway.recordings import open_recording
from gateway.settings import GatewaySettings
from tests.bench.report import CannotMeasureError

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ.get("INTERNETCAR_DATA", ROOT.parent / "shared" / "data"))
FOLDER = DATA / "can" / "kona-ev"
LOG = FOLDER / "power-off-on-ready-off.pcan0.ccan1.candump.log"
MAPPING = ROOT / "dbc" / "hyundai_kona_ev" / "mapping.json"
DATABASES = {"can0": str(FOLDER / "pcan.dbc"), "can1": "opendbc:hyundai_kia_generic"}

KonaFrame = tuple[str, int, bytes, int]
"""Channel, canid_t, payload, nanoseconds since the first frame."""


def frames() -> list[KonaFrame]:
    """The log, its time from 0.

    Raises:
        CannotMeasureError: The real data is not here.
    """
    if not LOG.exists():
        raise CannotMeasureError(f"no {LOG.name} in {FOLDER}: set INTERNETCAR_DATA")
    recorded = list(open_recording(LOG))
    first_ns = recorded[0][3]
    return [(channel, can_id, data, at_ns - first_ns) for channel, can_id, data, at_ns in recorded]


def settings() -> GatewaySettings:
    """A gateway for the Kona with its mapping and the shipped defaults."""
    buses = [BusSettings(name=name, dbc=[source]) for name, source in DATABASES.items()]
    return GatewaySettings(vehicle_id="kona", mapping=str(MAPPING), buses=buses)

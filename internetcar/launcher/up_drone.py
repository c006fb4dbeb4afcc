"""The drone of `car up`: a simulated copter on the roof of the simulated car, and its service."""

import json
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from internetcar.contract.broker_url import BrokerUrl
from internetcar.launcher.broker import free_port
from internetcar.launcher.supervisor import Supervisor

DRONE = "drone1"
RIGHTS = ("launch", "follow", "return")
WITHOUT = "no drone: it needs pymavlink (pip install 'internetcar[drone]'); all else runs"


def start_drone(
    supervisor: Supervisor,
    broker: BrokerUrl,
    vehicle_id: str,
    folder: Path,
    requesters: Iterable[str],
    seed: int,
) -> bool:
    """Start the copter and the drone service; false where pymavlink is not installed.

    Args:
        supervisor: Keeps them running.
        broker: A broker of our own: on another, a drone of this name may fly already.
        vehicle_id: The simulated car's.
        folder: For settings and store.
        requesters: Who may ask for everything.
        seed: Of the copter's noise.
    """
    if find_spec("pymavlink") is None:
        return False
    port = free_port()
    settings = _write_settings(folder, vehicle_id, requesters, port)
    environ = {"INTERNETCAR_BROKER": broker.secret}
    here = [sys.executable, "-m"]
    supervisor.start(
        "copter",
        [
            *here, "simulator.copter", "--url", f"udpout:127.0.0.1:{port}", "--seed", str(seed),
            "--follow-car", "--vehicle-id", vehicle_id,
        ],
        environ,
    )  # fmt: skip
    supervisor.start(
        "drone service",
        [*here, "services", "drone", str(settings)],
        environ,
        without="INTERNETCAR_DRONE_",
    )
    return True


def _write_settings(folder: Path, vehicle_id: str, requesters: Iterable[str], port: int) -> Path:
    """What nothing here measures is assumed, so that it flies at any hour; its answers say so."""
    path = folder / "drone.toml"
    lines = [
        f"vehicle_id = {json.dumps(vehicle_id)}",
        f"drone_id = {json.dumps(DRONE)}",
        f"state = {json.dumps(str(folder))}",
        f'url = "udpin://127.0.0.1:{port}"',
        'origin = "simulation"',
        "[assumed]",
        "wind_mps = 3.0",
        "temperature_c = 28.0",
        "clock_synchronized = true",
        "[limits]",
        "sun_deg = -90.0",
        "[rules.scout]",
        "cooldown_s = 60",
        'when = [{ condition = "jam", standing_s = 35 }]',
        "[tasks.scout]",
        "height_m = 20.0",
        "ahead_m = 100.0",
        "radius_m = 12.0",
        "pictures = 3",
        "[flight]",
        "return_height_m = 20.0",
        "[allow]",
        *(f"{json.dumps(name)} = {json.dumps(RIGHTS)}" for name in sorted(set(requesters))),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path

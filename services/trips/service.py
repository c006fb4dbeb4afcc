"""The trip service: telemetry in; trips that start, go on and end out."""

import time
from pathlib import Path

from services.runner import Runner, run_service
from services.settings import load_settings
from services.trips.forgetting import Forgetting
from services.trips.logs import Logs
from services.trips.settings import SERVICE, TripSettings
from services.trips.tables import TRIPS, VERSION

_DAY_MS = 24 * 3_600_000


def build(runner: Runner, settings: TripSettings) -> None:
    """Give a runner the handlers of the trip service."""
    logs = Logs(runner.database, settings.watched, _now_ms)
    forgetting = Forgetting(runner.database, settings.keep_days * _DAY_MS, _now_ms)
    runner.read_logs(logs.apply, vehicles=settings.vehicles or None)
    runner.on_turn(logs.turn)
    runner.on_turn(lambda: [runner.link.publish(each) for each in logs.moved()])
    runner.on_turn(forgetting.turn)


def main(path: Path | None) -> None:
    """Run the trip service until SIGTERM.

    Raises:
        InputError: A setting, the store or the broker cannot be used; one line.
    """
    settings = load_settings(TripSettings, path)
    run_service(SERVICE, settings, TRIPS, lambda runner: build(runner, settings), version=VERSION)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

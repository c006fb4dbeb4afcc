"""The recommendation service: trips in; where they may lead, and offers, out."""

import time
from pathlib import Path

from internetcar.contract.commands import CommandStatus
from internetcar.contract.recommendations import RecommendationControl, RecommendationFeedback
from internetcar.contract.trips import TripEnded, TripProgress, TripStarted
from services.recommendations.desk import Desk
from services.recommendations.forgetting import Forgetting
from services.recommendations.hearing import Hearing, Terms
from services.recommendations.settings import SERVICE, RecommendationSettings
from services.recommendations.tables import RECOMMENDATIONS, VERSION
from services.runner import Runner, run_service
from services.settings import load_settings

_DAY_MS = 24 * 3_600_000


def build(runner: Runner, settings: RecommendationSettings) -> None:
    """Give a runner the handlers of the recommendation service."""
    keep_ms = settings.keep_days * _DAY_MS
    terms = Terms(settings.vehicles or None, settings.origin, settings.zone, keep_ms)
    hearing = Hearing(runner.database, terms, _now_ms)
    desk = Desk(
        hearing, runner.database, settings.allow, _now_ms,
        shows_positions=settings.consent.positions,
    )  # fmt: skip
    forgetting = Forgetting(runner.database, keep_ms, _now_ms)
    runner.on(TripStarted, hearing.on_started)
    runner.on(TripProgress, hearing.on_progress)
    runner.on(TripEnded, hearing.on_ended)
    runner.on(RecommendationFeedback, desk.on_feedback, on_unreadable=desk.on_unreadable)
    runner.on(RecommendationControl, desk.on_control, on_unreadable=desk.on_unreadable)
    runner.on(CommandStatus, hearing.applying.on_status)
    runner.on_turn(desk.turn)
    runner.on_turn(hearing.applying.turn)
    runner.on_turn(forgetting.turn)


def main(path: Path | None) -> None:
    """Run the recommendation service until SIGTERM.

    Raises:
        InputError: A setting, the store or the broker cannot be used; one line.
    """
    settings = load_settings(RecommendationSettings, path)
    run_service(
        SERVICE, settings, RECOMMENDATIONS, lambda runner: build(runner, settings),
        version=VERSION,
    )  # fmt: skip


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

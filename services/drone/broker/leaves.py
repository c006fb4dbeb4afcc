"""Which of the car's leaves are listened to: a car has hundreds, and a flood has any (pure)."""

from collections.abc import Mapping

from services.drone.interlocks import weather
from services.drone.rules import signals
from services.drone.rules.book import paths
from services.drone.rules.settings import RuleSettings
from services.drone.tasks import beacon
from services.drone.view import SERIES

ALWAYS = frozenset(
    {
        signals.SPEED, signals.SELECTED_GEAR, signals.CURRENT_GEAR, signals.PARKING_BRAKE,
        weather.RAIN, weather.TEMPERATURE, beacon.HAZARD, *SERIES,
    }
)  # fmt: skip
"""What interlocks and tasks look at."""


def wanted(rules: Mapping[str, RuleSettings]) -> frozenset[str]:
    """All leaves that interlocks, tasks or these rules look at."""
    return ALWAYS | paths(rules)

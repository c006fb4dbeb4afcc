"""The kinds of advice that the service gives, in the order in which they are asked (pure)."""

from services.recommendations.advising import Adviser
from services.recommendations.climate.adviser import ClimateAdviser
from services.recommendations.eco.adviser import EcoAdviser
from services.recommendations.media.adviser import Media
from services.recommendations.seat.adviser import Seat

ADVISERS: tuple[Adviser, ...] = (ClimateAdviser(), EcoAdviser(), Seat(), Media())

"""The kinds of advice that the service gives, in the order in which they are asked (pure)."""

from services.recommendations.advising import Adviser
from services.recommendations.stops.adviser import StopAdviser

ADVISERS: tuple[Adviser, ...] = (StopAdviser(),)

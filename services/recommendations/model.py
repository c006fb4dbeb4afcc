"""All that is known of one driver, as the service holds it in memory (pure)."""

from dataclasses import dataclass, field

from services.recommendations.destination.places import Places
from services.recommendations.destination.predictor import Factors, Forecast, Predictor
from services.recommendations.destination.way import Ways
from services.recommendations.journey import Journey
from services.recommendations.rejections import Rejection, weighed
from services.recommendations.speaking import LEAST_TRIPS


@dataclass
class Model:
    """One driver of one vehicle.

    Attributes:
        version: What it derives from; that of the driver's row, or it is out of date.
        places: The driver's places.
        predictor: Where to.
        ways: The newest routes to each place.
        labels: What the driver calls places, by their ids.
        rejections: The newest ones.
    """

    version: str = ""
    places: Places = field(default_factory=Places)
    predictor: Predictor = field(default_factory=Predictor)
    ways: Ways = field(default_factory=Ways)
    labels: dict[str, str] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)

    def forecast(self, journey: Journey) -> Forecast | None:
        """Where a trip may lead; `None` where too little is known to say anything."""
        if len(self.predictor.visits) < LEAST_TRIPS:
            return None
        factors = self.ways.factors(journey.path, self.places)
        return self._weighed(journey, factors)

    def expected(self, journey: Journey) -> Forecast:
        """The same without the way so far."""
        return self._weighed(journey, None)

    def _weighed(self, journey: Journey, factors: Factors | None) -> Forecast:
        moment = journey.moment
        forecast = self.predictor.predict(moment, factors)
        return weighed(forecast, self.rejections, moment, self.predictor)

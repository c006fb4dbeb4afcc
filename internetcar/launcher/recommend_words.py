"""Where a trip may lead, as lines for who watches a car, and as rows of a table."""

from collections.abc import Mapping, Sequence

from internetcar.contract.advice import StopKind
from internetcar.contract.message import ContractError
from internetcar.contract.recommendations import (
    DestinationRecommendation,
    RecommendationAnswer,
    RecommendationOffer,
    SuggestedPlace,
)
from internetcar.contract.subscriptions import Received
from internetcar.launcher.tables import printable
from services.recommendations.settable import words_of

COLUMNS = ("place", "probability", "because")
_MOST_SHOWN = 4
_STOPS: Mapping[StopKind, str] = {"charge": "charge", "fuel": "fuel", "habit": "stop"}


def place_name(place: SuggestedPlace) -> str:
    """What the driver calls a place, else its id."""
    return place.label or place.place_id


def chance(share: float) -> str:
    """A probability in whole percent."""
    return f"{share * 100:.0f} %"


def rows(said: DestinationRecommendation) -> Sequence[tuple[str, str, str]]:
    """The likeliest places, and at the end a place that nobody knows yet."""
    found = [(place_name(each), chance(each.probability), each.because) for each in said.places]
    return [*found, ("somewhere new", chance(said.somewhere_new), "")]


def lines_of(said: DestinationRecommendation) -> list[str]:
    """The same as lines."""
    found = [f"where to: {share} {name}. {because}" for name, share, because in rows(said)]
    return [printable(each.rstrip()) for each in found]


def offer_words(offer: RecommendationOffer) -> str:
    """What accepting an offer means."""
    settings = [words_of(each.path, each.value) for each in offer.settings]
    if len(settings) > _MOST_SHOWN:
        settings[_MOST_SHOWN:] = [f"{len(settings) - _MOST_SHOWN} more"]
    if offer.guess is not None:
        return ", ".join([f"drive as {offer.guess}", *settings])
    if settings:
        return f"set {', '.join(settings)}"
    if offer.place is not None:
        return f"go to {place_name(offer.place)}"
    if offer.item is not None:
        return f"hear {offer.item.item}"
    if offer.stop is not None:
        where = offer.stop.label or offer.stop.place_id
        return f"{_STOPS[offer.stop.kind]}{f' at {where}' if where else ''}"
    return offer.kind


def offer_line(offer: RecommendationOffer) -> str:
    """An offer, with how it is answered."""
    what = f"{offer_words(offer)} ({chance(offer.probability)})"
    if offer.is_automatic:
        return printable(f"{what}: being done; car recommend reject {offer.offer_id}")
    return printable(f"{what}? car recommend accept|reject {offer.offer_id}")


def answer_line(answer: RecommendationAnswer) -> str:
    """What became of what was asked."""
    parts = [answer.status, answer.reason, answer.detail]
    if answer.erased:
        parts.append(f"{answer.erased} visits erased")
    return printable(": ".join(part for part in parts if part))


class SuggestionLines:
    """What is suggested now, a line each, and the offer last."""

    def __init__(self) -> None:
        self._places: list[str] = []
        self._offer: list[str] = []

    @property
    def lines(self) -> list[str]:
        """All that holds."""
        return [*self._places, *self._offer]

    def on_received(self, received: Received) -> list[str]:
        """Learn what is on the topic now; the lines that are news. Nothing on it is no news."""
        if not received.payload:
            self._places, self._offer = [], []
            return []
        try:
            said = DestinationRecommendation.decode(received.topic, received.payload)
        except ContractError:
            return []
        before, self._places = self._places, lines_of(said)
        return [] if self._places == before else self._places

    def on_offer(self, offer: RecommendationOffer) -> list[str]:
        """Learn of an offer; as a line, where that is news."""
        before, self._offer = self._offer, [offer_line(offer)]
        return [] if self._offer == before else self._offer

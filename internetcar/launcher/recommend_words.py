"""What is suggested, as lines for who watches a car, and as rows of a table."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from textwrap import wrap

from pydantic import TypeAdapter

from internetcar.contract.advice import (
    ClimateRecommendation,
    EcoAdvice,
    MediaRecommendation,
    SeatRecommendation,
    StopRecommendation,
)
from internetcar.contract.message import ContractError, Name, is_one
from internetcar.contract.recommendations import (
    DestinationRecommendation,
    RecommendationAnswer,
    RecommendationOffer,
    SuggestedPlace,
)
from internetcar.contract.subscriptions import Received
from internetcar.launcher.advice_words import STOPS, Advice, advice_lines
from internetcar.launcher.tables import printable
from services.recommendations.settable import words_of

COLUMNS = ("place", "probability", "because")
TALL = 36
"""A terminal of so many lines has room for whole sentences."""
_OFFERED = "bold yellow"
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_MOST_SHOWN = 4


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
        return f"{STOPS[offer.stop.kind]}{f' at {where}' if where else ''}"
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


def may_answer(name: str | None) -> bool:
    """Whether a user of the broker is one whom the service answers: its name stands in a topic."""
    return is_one(_NAME, name or "")


class SuggestionLines:
    """What is suggested now: where to, what else is advised, the offers, and the last trip."""

    TOPICS: Mapping[str, type[DestinationRecommendation] | type[Advice]] = {
        each.TOPIC.rpartition("/")[2]: each
        for each in (
            DestinationRecommendation, ClimateRecommendation, SeatRecommendation,
            MediaRecommendation, StopRecommendation, EcoAdvice,
        )
    }  # fmt: skip
    """What is remembered, by the end of its topic, in the order in which it is shown."""

    def __init__(self) -> None:
        self._said: dict[str, list[str]] = {}
        self._offers: dict[str, RecommendationOffer] = {}

    @property
    def lines(self) -> list[str]:
        """All that holds."""
        return [line for line, _ in self._styled()]

    def shown(self, width: int, rows: int | None) -> list[tuple[str, str]]:
        """Lines of a terminal of so many columns, each with its style.

        Where only so many `rows` have room: the likeliest place and the offers whole (an offer is
        never cut: its id is to be typed), then other places, then the first line of each kind.
        """
        if rows is None:
            return [(part, style) for line, style in self._styled()
                    for part in _wrapped(line, width)]  # fmt: skip
        places = self._said.get("destination", [])
        offers = [offer_line(each) for each in self._offers.values()]
        others = [topic for topic in self.TOPICS if topic != "destination"]
        groups = [
            [part for line in places[:1] for part in _wrapped(line, width)],
            places[1:-1],
            [lines[0] for topic in others if (lines := self._said.get(topic))],
            [part for line in offers for part in _wrapped(line, width)],
        ]
        left = rows
        for group, fewest in ((3, len(groups[3])), (0, 1), (1, 0), (2, 0)):
            groups[group] = groups[group][: max(fewest, left)]
            left -= len(groups[group])
        styles = "", "", "", _OFFERED
        return [
            (line, style) for lines, style in zip(groups, styles, strict=True) for line in lines
        ]

    def _styled(self) -> list[tuple[str, str]]:
        kept = {topic: self._said.get(topic, []) for topic in self.TOPICS}
        last = kept.pop("eco")
        said = [(line, "") for lines in kept.values() for line in lines]
        offers = [(offer_line(each), _OFFERED) for each in self._offers.values()]
        return [*said, *offers, *((line, "dim") for line in last)]

    def on_received(self, received: Received, since: datetime | None = None) -> list[str]:
        """Learn what is on a topic now; the lines that are news. Nothing on it is no news.

        Args:
            received: What was heard on one of the topics.
            since: What was said of before this is no news; `None`: all is.
        """
        topic = received.topic.rpartition("/")[2]
        if not received.payload:
            self._said.pop(topic, None)
            if topic == "destination":
                self._offers.clear()
            self._offers.pop(topic, None)
            return []
        try:
            said = self.TOPICS[topic].decode(received.topic, received.payload)
        except (ContractError, KeyError):
            return []
        before = self._said.get(topic)
        if isinstance(said, DestinationRecommendation):
            self._said[topic] = lines_of(said)
        else:
            self._said[topic] = advice_lines(said)
        is_old = since is not None and said.at < since
        return [] if is_old or self._said[topic] == before else self._said[topic]

    def on_offer(self, offer: RecommendationOffer) -> list[str]:
        """Learn of an offer; as a line, where that is news."""
        before, self._offers[offer.kind] = self._offers.get(offer.kind), offer
        is_known = before is not None and before.offer_id == offer.offer_id
        return [] if is_known else [offer_line(offer)]

    def on_answer(self, answer: RecommendationAnswer) -> list[str]:
        """Learn what came of an answer to an offer; as a line, where it is one of these."""
        for kind, offer in list(self._offers.items()):
            if offer.offer_id == answer.id:
                del self._offers[kind]
                return [f"{kind}: {answer_line(answer)}"]
        return []

    def end(self) -> None:
        """The trip is over: so are its offers."""
        self._offers.clear()


def _wrapped(line: str, width: int) -> list[str]:
    return wrap(line, max(20, width), subsequent_indent="    ", break_on_hyphens=False)

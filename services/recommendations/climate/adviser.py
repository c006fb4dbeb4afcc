"""The adviser of climate: set-point, fan and seat heating as the driver has them in such weather.

It follows the weather with a margin, so that a temperature that trembles says nothing new (pure).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from internetcar.contract.advice import ClimateRecommendation, SuggestedSetting
from internetcar.contract.message import ContractError, instant
from internetcar.contract.presence import Origin
from internetcar.contract.recommendations import OfferKind
from internetcar.contract.trips import SettingValue, TripEnded
from services.recommendations.advising import (
    MOST_EVIDENCE,
    Advice,
    Asked,
    Body,
    Evidence,
    Kind,
    Offer,
    Standing,
)
from services.recommendations.climate import words
from services.recommendations.climate.answers import (
    Answer,
    Change,
    counted,
    is_silent,
    is_withdrawn,
    key,
    read,
)
from services.recommendations.climate.leaves import LEAVES, Leaf, Scale, number, scale_of
from services.recommendations.climate.past import MARKS_S, OUTSIDE_C, Past, body_of, past_of
from services.recommendations.climate.vote import (
    LEAST_SIMILAR,
    SIMILAR_C,
    WATCHED,
    Question,
    Weights,
    believed,
    has_reached,
    log_likelihoods,
    middle,
    shares,
)
from services.recommendations.speaking import LEAST_TRIPS, OFFERED_AT

_MARGIN_C = 1.0
"""So far the weather has to move before it counts as another."""
_BY_HAND_MS = 600_000
_UNKNOWN = Standing("", 0)


@dataclass(frozen=True, slots=True)
class Learned:
    """What a driver's trips taught.

    Attributes:
        past: The trips.
        beliefs: How far each expert is believed, by the path of the leaf.
    """

    past: Past
    beliefs: Mapping[str, Weights]


@dataclass(frozen=True, slots=True)
class _Suggestion:
    """A setting as it is suggested.

    Attributes:
        leaf: Which.
        value: What, one that the driver has had.
        probability: The weight of the trips on which it was so, of the weight of all.
        scale: When another value differs.
        clear: From this difference on it may be all that is offered.
        now: How it stands, as the car tells it; `None` where that is not known or is no number.
        is_touched: It was changed in the last ten minutes.
    """

    leaf: Leaf
    value: float
    probability: float
    scale: Scale
    clear: float
    now: SettingValue | None
    is_touched: bool

    @property
    def stands(self) -> float | None:
        """How it stands, as a number."""
        return number(self.now)

    @property
    def differs(self) -> float:
        """By how much it differs from how it stands; 0 where that is not known."""
        stands = self.stands
        return 0.0 if stands is None else abs(self.value - stands)

    @property
    def may_be_offered(self) -> bool:
        """Whether it is likely, another than it stands, and the driver has not just chosen."""
        return (
            self.probability >= OFFERED_AT
            and self.differs > 0.0
            and self.differs >= self.scale.other
            and not self.is_touched
        )


class ClimateAdviser:
    """Advice about climate."""

    kind: Kind = "climate"
    offers: OfferKind | None = "climate"
    of_car = False
    speaks_after = False

    def kept(self, trip: TripEnded, day: float, place_id: str) -> Body | None:
        """The weather, and how things stood at the marks of the trip."""
        return body_of(trip)

    def learn(self, evidence: Sequence[Evidence]) -> Learned:
        """The trips as columns, and which experts to believe."""
        past = past_of(evidence[-MOST_EVIDENCE:])
        first = max(0, len(past) - WATCHED)
        likelihoods = log_likelihoods(past, first)
        return Learned(past, {path: believed(each) for path, each in likelihoods.items()})

    def advise(self, asked: Asked, learned: Learned) -> Advice:
        """How the driver has it in such weather, from ten trips on."""
        journey = asked.journey
        outside_c = _settled(asked, journey.advised.get(self.kind))
        if asked.trips < LEAST_TRIPS or outside_c is None or not len(learned.past):
            return Advice()
        past, answers = learned.past, read(asked.answered)
        mark = _mark(past, outside_c, (journey.at_ms - journey.started_ms) / 1_000)
        found = _suggestions(asked, learned, answers, Question(journey.day, outside_c, mark))
        values = {each.leaf.path: each.value for each in found}
        withdrawn = is_withdrawn(answers, outside_c, past, values)
        offer = None
        if not withdrawn and not is_silent(asked.answered, journey.at_ms):
            offer = _offer(past, found, outside_c, mark)
        return Advice(_state(asked, past, found, outside_c, mark, withdrawn), offer)

    def after(
        self, trip: TripEnded, learned: Learned, trips: int, day: float, origin: Origin
    ) -> None:
        """Nothing: what was set is seen on the next trip."""


def _settled(asked: Asked, said: str | None) -> float | None:
    """The temperature outside that counts, °C: what was said last, until it is another by a margin.

    Args:
        asked: The trip that is on.
        said: The last state of this trip, as it was encoded.
    """
    last, now = None, asked.outside_c
    if said is not None:
        topic = ClimateRecommendation.filter(vehicle_id=asked.vehicle_id)
        try:
            last = ClimateRecommendation.decode(topic, said.encode()).outside_c
        except ContractError:
            last = None
    if now is None or not OUTSIDE_C[0] <= now <= OUTSIDE_C[1]:
        return last
    return round(now, 1) if last is None or abs(now - last) >= _MARGIN_C else last


def _mark(past: Past, outside_c: float, elapsed_s: float) -> int:
    """The last mark that the trip, and a few in such weather, have come to."""
    near = np.abs(past.outside_c - outside_c) <= SIMILAR_C
    for mark in range(len(MARKS_S) - 1, 0, -1):
        if elapsed_s >= MARKS_S[mark] and (near & has_reached(past, mark)).sum() >= LEAST_SIMILAR:
            return mark
    return 0


def _suggestions(
    asked: Asked, learned: Learned, answers: Sequence[Answer], question: Question
) -> list[_Suggestion]:
    past, journey, mark = learned.past, asked.journey, question.mark
    near = np.abs(past.outside_c - question.outside_c) <= SIMILAR_C
    near &= has_reached(past, mark)
    whole = counted(past, answers, journey.day, journey.started_ms)
    found = []
    for leaf in LEAVES:
        setting = past.settings.get(leaf.path)
        if setting is None or (near & ~np.isnan(setting.at[:, mark])).sum() < LEAST_SIMILAR:
            continue
        own = setting.at[~np.isnan(setting.at[:, mark]), mark]
        column = whole.settings[leaf.path].at[:, mark]
        values, given = shares(whole, column, question, learned.beliefs[leaf.path])
        value = middle(values, given, own)
        standing = asked.settings.get(leaf.path, _UNKNOWN)
        stands = number(standing.value)
        scale = scale_of(leaf, setting.raw)
        clear = scale_of(leaf, (*setting.raw, value if stands is None else stands)).clear
        likely = float(given[np.abs(values - value) <= scale.same].sum())
        age_ms = journey.at_ms - standing.changed_ms
        found.append(
            _Suggestion(
                leaf=leaf,
                value=value,
                probability=min(likely, 1.0),
                scale=scale,
                clear=clear,
                now=None if stands is None else standing.value,
                is_touched=standing.changed_ms > 0 and age_ms < _BY_HAND_MS,
            )
        )
    return found


def _offer(past: Past, found: Sequence[_Suggestion], outside_c: float, mark: int) -> Offer | None:
    """An offer of what differs; a fan or a seat alone only where it differs clearly."""
    chosen = [each for each in found if each.may_be_offered]
    if not any(each.differs >= each.clear for each in chosen):
        return None
    wishes = [words.Wish(e.leaf, e.value, e.scale.same, e.stands) for e in chosen]
    changes = {each.leaf.path: Change(each.value, each.stands or 0.0) for each in chosen}
    return Offer(
        key=key(changes, outside_c),
        probability=min(each.probability for each in chosen),
        because=words.sentence(past, wishes, outside_c, mark),
        settings=tuple(_setting(past, each, each.now) for each in chosen),
    )


def _setting(past: Past, each: _Suggestion, now: SettingValue | None) -> SuggestedSetting:
    return SuggestedSetting(
        path=each.leaf.path,
        value=past.settings[each.leaf.path].raw[each.value],
        now=now,
        probability=round(each.probability, 2),
    )


def _state(
    asked: Asked,
    past: Past,
    found: Sequence[_Suggestion],
    outside_c: float,
    mark: int,
    withdrawn: bool,
) -> ClimateRecommendation:
    """What is retained; how a fan or a seat stands is not told, for they regulate themselves."""
    near = np.abs(past.outside_c - outside_c) <= SIMILAR_C
    similar = int((near & has_reached(past, mark)).sum())
    if withdrawn:
        because = words.WITHDRAWN
    elif found:
        wishes = [words.Wish(each.leaf, each.value, each.scale.same) for each in found]
        because = words.sentence(past, wishes, outside_c, mark)
    else:
        because = words.too_few(similar, outside_c)
    return ClimateRecommendation(
        vehicle_id=asked.vehicle_id,
        trip_id=asked.journey.trip_id,
        driver=asked.journey.driver,
        origin=asked.origin,
        at=instant(asked.journey.at_ms),
        settings=[_setting(past, e, e.now if e.leaf.is_set_point else None) for e in found],
        because=because,
        similar_trips=similar,
        outside_c=outside_c,
        is_withdrawn=withdrawn,
    )

"""What is kept, learned and said of seat, mirrors and steering wheel, and of who may drive (pure).

A seat that moves while driving is dangerous: it is offered in the first minute of a trip alone, and
only while the car has gone less than 50 m and was never faster than 5 km/h.
"""

import hashlib
from collections.abc import Sequence

from internetcar.contract.advice import SeatRecommendation, SuggestedSetting
from internetcar.contract.message import Message, instant
from internetcar.contract.presence import Origin
from internetcar.contract.recommendations import OfferKind
from internetcar.contract.trips import UNKNOWN_DRIVER, TripEnded
from services.recommendations.advising import Advice, Asked, Body, Evidence, Kind, Offer
from services.recommendations.answers import by_hand_ms, is_silent, is_withdrawn, rejected_ms
from services.recommendations.journey import Journey
from services.recommendations.seat import guessing, reasons, settled
from services.recommendations.seat.guessing import Signs
from services.recommendations.seat.habit import Habit, Wanted
from services.recommendations.speaking import LEAST_TRIPS, OFFERED_AT

KEY = "seat"
"""Of every offer that moves something."""
_FIRST_MS = 60_000
_GUESSED_AT = 0.5
"""From here on it is said who may drive; it is asked only from `OFFERED_AT` on."""
_DIGITS = 2


class SeatAdviser:
    """Where the driver has everything; and is it this driver?"""

    kind: Kind = "seat"
    offers: OfferKind | None = "seat"
    of_car: bool = False
    speaks_after: bool = False

    def kept(self, trip: TripEnded, day: float, place_id: str) -> Body | None:
        """How things stood, and how they were left."""
        return settled.written(trip)

    def learn(self, evidence: Sequence[Evidence]) -> Habit:
        """Where the driver has everything."""
        return Habit(evidence)

    def advise(self, asked: Asked, learned: Habit) -> Advice:
        """Everything that stands otherwise; where the car does not say who drives, a guess."""
        if asked.journey.driver == UNKNOWN_DRIVER:
            guessed = _guessed(asked)
            if guessed is not None:
                return guessed
        if asked.trips < LEAST_TRIPS:
            return Advice()
        rejected = rejected_ms(asked.answered, KEY)
        wanted = _otherwise(asked, learned.wanted(rejected))
        hands_ms = by_hand_ms(asked.answered, KEY, learned.moved_ms())
        withdrawn = is_withdrawn(asked.answered, KEY, hands_ms)
        if not wanted and not withdrawn:
            return Advice()
        state = _state(asked, wanted, is_withdrawn=withdrawn)
        sure = [each for each in wanted if each.probability >= OFFERED_AT]
        is_quiet = withdrawn or is_silent(asked.answered, KEY, asked.journey.at_ms)
        if not sure or is_quiet or not is_standing(asked.journey):
            return Advice(state)
        probability = min(each.probability for each in sure)
        because = reasons.why_seat(sure)
        return Advice(state, Offer(KEY, probability, because, _settings(asked, sure)))

    def after(
        self, trip: TripEnded, learned: Habit, trips: int, day: float, origin: Origin
    ) -> Message | None:
        """Nothing is said of a trip that has ended."""
        return None


def is_standing(journey: Journey) -> bool:
    """Whether a seat may be moved: the trip has just begun, and the car is where it stood."""
    return not journey.has_driven and journey.at_ms - journey.started_ms <= _FIRST_MS


def key_of(driver: str) -> str:
    """What stands for the question whether it is this driver, and does not name anybody."""
    return "is-" + hashlib.sha256(driver.encode()).hexdigest()[:32]


def _guessed(asked: Asked) -> Advice | None:
    """Who may drive; `None`: nobody is likely enough."""
    habits = {name: Habit(each) for name, each in asked.drivers.items() if name != UNKNOWN_DRIVER}
    habits = {name: habit for name, habit in habits.items() if habit.newest}
    rejected = {name: rejected_ms(asked.answered, key_of(name)) for name in habits}
    signs = _signs(asked)
    shares = guessing.shares(habits, signs, rejected)
    known = [name for name in shares if habits[name].trips >= LEAST_TRIPS]
    name = max(known, key=lambda name: (shares[name], name), default="")
    if not name or shares[name] < _GUESSED_AT:
        return None
    share, habit = shares[name], habits[name]
    wanted = [
        each._replace(probability=share * each.probability)
        for each in _otherwise(asked, habit.wanted())
        if each.probability >= OFFERED_AT
    ]
    because = reasons.why_guess(name, habits, signs)
    state = _state(asked, wanted, guess=name, probability=share, because=because)
    key = key_of(name)
    starts_ms = [trip.started_ms for trip in habit.newest]
    may_offer = (
        share >= OFFERED_AT
        and is_standing(asked.journey)
        and not is_silent(asked.answered, key, asked.journey.at_ms)
        and not is_withdrawn(asked.answered, key, by_hand_ms(asked.answered, key, starts_ms))
    )
    if not may_offer:
        return Advice(state)
    return Advice(state, Offer(key, share, because, _settings(asked, wanted), guess=name))


def _signs(asked: Asked) -> Signs:
    journey = asked.journey
    seat = {}
    is_moved = False
    for leaf in settled.LEAVES:
        standing = asked.settings.get(leaf)
        value = settled.number(standing.value) if standing is not None else None
        if standing is not None and value is not None:
            seat[leaf] = value
            is_moved = is_moved or standing.changed_ms > journey.started_ms
    return Signs(journey.day, journey.started_ms, seat, is_moved)


def _otherwise(asked: Asked, wanted: Sequence[Wanted]) -> list[Wanted]:
    """What stands otherwise than it is wanted."""
    found = []
    for each in wanted:
        standing = asked.settings.get(each.leaf)
        now = settled.number(standing.value) if standing is not None else None
        if now is not None and not settled.is_same(now, each.value):
            found.append(each)
    return found


def _settings(asked: Asked, wanted: Sequence[Wanted]) -> tuple[SuggestedSetting, ...]:
    return tuple(
        SuggestedSetting(
            path=each.leaf,
            value=each.value,
            now=asked.settings[each.leaf].value,
            probability=round(min(each.probability, 1.0), _DIGITS),
        )
        for each in wanted
    )


def _state(
    asked: Asked,
    wanted: Sequence[Wanted],
    *,
    guess: str | None = None,
    probability: float | None = None,
    because: str = "",
    is_withdrawn: bool = False,
) -> SeatRecommendation:
    journey = asked.journey
    return SeatRecommendation(
        vehicle_id=asked.vehicle_id,
        trip_id=journey.trip_id,
        driver=journey.driver,
        guess=guess,
        probability=None if probability is None else round(min(probability, 1.0), _DIGITS),
        settings=list(_settings(asked, wanted)),
        because=because or (reasons.why_seat(wanted) if wanted else ""),
        is_withdrawn=is_withdrawn,
        origin=asked.origin,
        at=instant(journey.at_ms),
    )

"""The drivers who do not exist stay who they are, and are as regular as real people."""

from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise

import pytest

from tests.drivers.generate import digest_of, life, rows_of
from tests.drivers.life import FIRST_DAY, Trip
from tests.drivers.more_personas import PERSONAS
from tests.drivers.personas import MOVE_DAY
from tests.drivers.town import distance_m

SEED = 1
FROZEN = "f8e4af5bc2340f943dd805fe65fc600d4d53cabac1d9e4ba2adc427567759726"
"""Of everything every persona does with this seed; set before anything was tuned."""


@cache
def trips(persona: str) -> list[Trip]:
    return life(persona, SEED)


def test_the_drivers_are_the_ones_that_nothing_was_tuned_on() -> None:
    assert digest_of(trips(persona) for persona in PERSONAS) == FROZEN


@pytest.mark.parametrize("persona", PERSONAS)
def test_drivers_repeat_themselves_as_often_as_real_people(persona: str) -> None:
    seen: Counter[str] = Counter()
    follows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    repeated, frequent, markov = [], [], []
    before = ""
    last_day = MOVE_DAY if persona == "house move" else 300
    for row in rows_of(persona, SEED, trips(persona)):
        if 30 <= (row.start - FIRST_DAY).days < last_day:
            commonest = seen.most_common(1)[0][0]
            repeated.append(row.place in seen)
            frequent.append(row.place == commonest)
            follower = follows[before].most_common(1)
            markov.append(row.place == (follower[0][0] if follower else commonest))
        seen[row.place] += 1
        follows[before][row.place] += 1
        before = row.place
    assert 0.80 <= sum(repeated) / len(repeated) <= 0.95
    assert 0.21 <= sum(frequent) / len(frequent) <= 0.37
    assert 0.29 <= sum(markov) / len(markov) <= 0.50


@pytest.mark.parametrize("persona", PERSONAS)
def test_a_life_has_its_trips_in_order_and_each_begins_where_the_last_ended(persona: str) -> None:
    lived = trips(persona)
    assert {trip.is_lost for trip in lived} == {True, False}
    for before, trip in pairwise(lived):
        assert before.departs_at < before.arrives_at <= before.leaves_at == trip.departs_at
        assert before.place == trip.origin != trip.place
        assert distance_m(before.end, trip.start) < 300
        assert trip.climate
        assert trip.climate[0].after_s == 0


def test_climate_and_music_are_each_drivers_own() -> None:
    cold = {
        persona: {
            trip.climate[-1].set_point_c for trip in trips(persona) if trip.outside_c < 0
        } | {trip.climate[0].seat_heating for trip in trips(persona) if trip.outside_c < 0}
        for persona in PERSONAS
    }  # fmt: skip
    assert len(set(map(frozenset, cold.values()))) > 3
    heard = {item.item for trip in trips("two drivers") for item in trip.media}
    skipped = [item for trip in trips("two drivers") for item in trip.media if item.heard_s < 30]
    assert len(heard) > 50
    assert skipped
    assert {trip.driver for trip in trips("two drivers")} == {"first", "second"}


def test_the_house_move_is_on_its_day() -> None:
    homes = [(trip.arrives_at - FIRST_DAY).days for trip in trips("house move")
             if trip.place == "new-home"]  # fmt: skip
    assert min(homes) == MOVE_DAY

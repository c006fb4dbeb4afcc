"""What a set of passages costs: a pure function of the set, the contexts and the vehicle.

The order they are given in, duplicates, and passages of other windows change nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from services.tolls.facts import Passage
from services.tolls.tariff.context import Context, at
from services.tolls.tariff.prices import prices_for
from services.tolls.tariff.sharing import (
    Item,
    Teller,
    allow_free_distance,
    cap,
    charge_once,
    join_journeys,
    transfer,
)
from services.tolls.tariff.vehicle import VehicleFacts

_LONGEST = 400
"""Of one line for a person: what a message carries."""


@dataclass(frozen=True, slots=True)
class Fee:
    """What a passage costs, among those it was reckoned with.

    Attributes:
        passage_id: Of the passage.
        amount_minor: In the currency's smallest unit, never negative.
        words: For a person: which band, and which rule made it what it is.
    """

    passage_id: str
    amount_minor: int
    words: tuple[str, ...]


def fees(
    passages: Iterable[Passage],
    contexts: Context | Iterable[Context],
    vehicle: VehicleFacts | Mapping[str, VehicleFacts],
) -> list[Fee]:
    """The fee of each passage, in the order of crossing.

    Args:
        passages: All of the windows they are in; of two with the same id the last crossed counts.
        contexts: Versions of one context.
        vehicle: What passed; or what it was at each passage, by the passage's id.

    Raises:
        VehicleError: A tariff that holds then asks what nobody has said of the vehicle.
    """
    versions = (contexts,) if isinstance(contexts, Context) else tuple(contexts)
    unique = {passage.passage_id: passage for passage in sorted(passages, key=_canonical)}
    by_key = {id(context): context for context in versions}
    windows: dict[tuple[int, str], list[Passage]] = {}
    found: dict[str, Fee] = {}
    for passage in sorted(unique.values(), key=_canonical):
        context = at(versions, passage.crossed_at)
        if context is None:
            found[passage.passage_id] = Fee(passage.passage_id, 0, ("no version holds then: free",))
        else:
            key = id(context), window(passage.crossed_at, context)
            windows.setdefault(key, []).append(passage)
    for (version, _), together in windows.items():
        for fee in _reckon(together, by_key[version], vehicle):
            found[fee.passage_id] = fee
    return [found[passage.passage_id] for passage in sorted(unique.values(), key=_canonical)]


def _canonical(passage: Passage) -> tuple[datetime, str, str, int]:
    return passage.crossed_at, passage.gate, passage.passage_id, passage.uncertainty_ms


def _reckon(
    passages: Sequence[Passage],
    context: Context,
    vehicle: VehicleFacts | Mapping[str, VehicleFacts],
) -> list[Fee]:
    """The fees of one window, in the order of crossing."""
    tariff = context.tariff
    items: list[Item] = []
    for one in passages:
        facts = vehicle if isinstance(vehicle, VehicleFacts) else vehicle[one.passage_id]
        items.append(Item(one, accounting_day(one.crossed_at, context), prices_for(context, facts)))
    tell = Teller(context)
    join_journeys(items, tell)
    allow_free_distance(items, tell)
    for item in items:
        tell.settle(item)
    here = frozenset[str]().union(*(context.places.get(one.gate, ()) for one in passages))
    for group in tariff.groups:
        if group.id in here:
            charge_once(items, group, tell)
    for link in tariff.transfers:
        transfer(items, link, tell)
    for limit in tariff.caps:
        cap(items, limit, tell)
    return [
        Fee(item.passage.passage_id, item.amount_minor, tuple(w[:_LONGEST] for w in item.words))
        for item in items
    ]


def window(instant: datetime, contexts: Context | Iterable[Context]) -> str:
    """What is reckoned together: passages of different windows never change each other's fees.

    Returns:
        The id of the context with its local day, its month, or `all`; or with `none` where no
        version holds.
    """
    versions = (contexts,) if isinstance(contexts, Context) else tuple(contexts)
    context = at(versions, instant)
    if context is None:
        return "none"
    accounting = context.tariff.accounting
    if accounting == "all":
        return f"{context.id}/all"
    day = accounting_day(instant, context)
    return f"{context.id}/{day:%Y-%m-%d}" if accounting == "day" else f"{context.id}/{day:%Y-%m}"


def around(
    instant: datetime, contexts: Context | Iterable[Context]
) -> tuple[datetime, datetime] | None:
    """Between which instants, UTC, everything in the window of one was; `None`: at any time.

    Wide enough for any time zone and beginning of the day; `window` decides on what is found.
    """
    versions = (contexts,) if isinstance(contexts, Context) else tuple(contexts)
    context = at(versions, instant)
    if context is None:
        return instant, instant
    if context.tariff.accounting == "all":
        return None
    is_day = context.tariff.accounting == "day"
    day = accounting_day(instant, context)
    first, days = (day, 1) if is_day else (day.replace(day=1), 31)
    midnight = datetime.combine(first, time(), UTC)
    return midnight - timedelta(days=1), midnight + timedelta(days=days + 2)


def accounting_day(instant: datetime, context: Context) -> date:
    """The local day an instant belongs to, where a day begins at `day_starts`."""
    local = instant.astimezone(context.zone).replace(tzinfo=None)
    return (local - timedelta(minutes=context.tariff.day_starts)).date()

"""What passages of one window do to each other's fees: the rules that need more than one (pure).

Each walks over the items in the order of crossing and lowers amounts or leaves them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from internetcar.contract.money import format_minor
from services.tolls.facts import Passage
from services.tolls.tariff.context import Context
from services.tolls.tariff.prices import Prices, Quote
from services.tolls.tariff.rounding import rounded
from services.tolls.tariff.tariff import Cap, Group, Matrix, Transfer


@dataclass(slots=True)
class Item:
    """A passage while its window is reckoned.

    Attributes:
        passage: What was passed when.
        day: The local day it counts to.
        prices: Of what the vehicle was then.
        quote: What it costs by itself.
        exact: What it costs by now, not rounded.
        amount_minor: The same once it is rounded.
        words: How it came about.
    """

    passage: Passage
    day: date
    prices: Prices
    quote: Quote = field(init=False)
    exact: Fraction = field(init=False)
    amount_minor: int = field(init=False, default=0)
    words: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.quote = self.prices.quote(self.passage)
        self.exact = self.quote.total
        self.words = list(self.quote.words)


class Teller:
    """Makes amounts whole and says them, as a context wants it."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def money(self, minor: int) -> str:
        """An amount for a person."""
        return format_minor(minor, self.context.currency.code)

    def is_at(self, item: Item, places: Sequence[str]) -> bool:
        """Whether a passage was at one of the places; none named: anywhere."""
        here = self.context.places.get(item.passage.gate, frozenset())
        return not places or not here.isdisjoint(places)

    def settle(self, item: Item) -> None:
        """Round what a passage costs by itself; a gate of unknown direction costs nothing."""
        gate = self.context.by_id.get(item.passage.gate)
        if gate is not None and gate.bearing_deg is None:
            item.exact = Fraction(0)
            item.words.append("its direction is unknown: never charged")
        item.amount_minor = rounded(item.exact, self.context.tariff.rounding)
        if len(item.words) > 1:
            item.words.append(f"makes {self.money(item.amount_minor)}")

    def lower(self, item: Item, minor: int, why: str) -> None:
        """Lower an amount, and say why."""
        item.amount_minor = minor
        item.words.append(f"{why}: {self.money(minor)}")


def join_journeys(items: Sequence[Item], teller: Teller) -> None:
    """Price each exit of a closed system by the entry that the journey began with."""
    matrix = teller.context.tariff.matrix
    if matrix is None:
        return
    entry: Item | None = None
    for item in items:
        gate = teller.context.by_id.get(item.passage.gate)
        if gate is not None and gate.kind == "entry":
            entry = item
            item.words.append("entry: paid at the exit")
        elif gate is not None and gate.kind == "exit":
            _leave(item, _fresh(entry, item, matrix), matrix, teller)
            entry = None


def _fresh(entry: Item | None, item: Item, matrix: Matrix) -> Item | None:
    """The entry, if the journey did not take longer than one may."""
    if entry is None:
        return None
    since = item.passage.crossed_at - entry.passage.crossed_at
    return entry if since <= timedelta(hours=matrix.hours) else None


def _leave(item: Item, entry: Item | None, matrix: Matrix, teller: Teller) -> None:
    if item.quote.is_free:
        return
    here = sorted(teller.context.places[item.passage.gate])
    ways = [one for place in here for one in matrix.by_exit.get(place, ())]
    if entry is None:
        item.words.append(f"its entry is not proven: {matrix.without_entry}")
        if matrix.without_entry == "free":
            return
        price = min((item.prices.journey(one.price) for one in ways), default=Fraction(0))
    else:
        way = next((one for one in ways if teller.is_at(entry, (one.entry,))), None)
        if way is None:
            item.words.append(f"no price from {_label(entry, teller)}: free")
            return
        item.words.append(f"from {_label(entry, teller)} to {_label(item, teller)}")
        price = item.prices.journey(way.price)
    item.exact += price * item.prices.factor(item.passage, item.words)


def _label(item: Item, teller: Teller) -> str:
    return teller.context.by_id[item.passage.gate].label[:100]


def allow_free_distance(items: Iterable[Item], teller: Teller) -> None:
    """Take the free kilometres of each day off its sections, the first driven first."""
    allowance = Fraction(teller.context.tariff.free_km_per_day) * 1000
    left: dict[date, Fraction] = {}
    for item in items:
        rest = left.get(item.day, allowance)
        free_m = min(rest, Fraction(item.quote.length_m))
        if free_m > 0:
            left[item.day] = rest - free_m
            item.exact -= item.quote.per_m * free_m
            item.words.append(f"{float(free_m) / 1000:g} km are within the day's free distance")


def charge_once(items: Iterable[Item], group: Group, teller: Teller) -> None:
    """Of a group's passages within the time from the first that costs, charge the dearest."""
    reach = None if group.minutes is None else timedelta(minutes=group.minutes)
    together: list[Item] = []
    for item in items:
        if item.amount_minor == 0 or not teller.is_at(item, (group.id,)):
            continue
        first = together[0].passage.crossed_at if together else None
        if first is not None and reach is not None and item.passage.crossed_at - first > reach:
            _keep_dearest(together, group, teller)
            together = []
        together.append(item)
    _keep_dearest(together, group, teller)


def _keep_dearest(together: Sequence[Item], group: Group, teller: Teller) -> None:
    if len(together) < 2:
        return
    dearest = max(together, key=lambda item: item.amount_minor)
    local = dearest.passage.crossed_at.astimezone(teller.context.zone)
    within = "" if group.minutes is None else f" within {group.minutes} min"
    for item in together:
        if item is not dearest:
            why = f"charged once{within}, the dearest at {local:%H:%M} ({group.label})"
            teller.lower(item, 0, why)


def transfer(items: Sequence[Item], link: Transfer, teller: Teller) -> None:
    """Lower what is passed soon after something that was paid for and is linked to it."""
    paid: Item | None = None
    for item in items:
        is_soon = paid is not None and item.passage.crossed_at - paid.passage.crossed_at <= (
            timedelta(minutes=link.minutes)
        )
        was_minor = item.amount_minor
        if is_soon and was_minor and teller.is_at(item, link.then):
            share = Fraction(item.amount_minor) * Fraction(link.pays_percent) / 100
            minor = rounded(share, teller.context.tariff.rounding)
            teller.lower(item, minor, f"{link.label}: {link.pays_percent:f} %")
        if was_minor and teller.is_at(item, link.after):
            paid = item


def cap(items: Iterable[Item], limit: Cap, teller: Teller) -> None:
    """Let a day or a month cost no more than the cap, what is crossed first being paid first."""
    most = int(Fraction(limit.amount) * 10**teller.context.currency.exponent)
    spent: dict[tuple[int, ...], int] = {}
    for item in items:
        if item.amount_minor == 0 or not teller.is_at(item, limit.places):
            continue
        day = item.day
        key = (day.year, day.month, day.day if limit.per == "day" else 0)
        left = most - spent.get(key, 0)
        if item.amount_minor > left:
            said = f"{limit.label}, at most {teller.money(most)} a {limit.per}"
            teller.lower(item, left, said)
        spent[key] = spent.get(key, 0) + item.amount_minor

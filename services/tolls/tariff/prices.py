"""What one passage costs by itself, before others are looked at (pure)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import takewhile

from internetcar.contract.message import InputError
from services.tolls.facts import Passage
from services.tolls.tariff.bands import Found, Line, holds, span
from services.tolls.tariff.calendar import fits_day
from services.tolls.tariff.context import Context
from services.tolls.tariff.rounding import decimal, rounded_length_m
from services.tolls.tariff.tariff import Exemption, Rate
from services.tolls.tariff.vehicle import Condition, VehicleFacts

SIGMAS = 2
"""A crossing may have been so many standard deviations earlier or later than it is said to be."""
_MOST_UNCERTAIN = timedelta(hours=12)
_MINUTE = timedelta(minutes=1)
_ZERO, _ONE = Fraction(0), Fraction(1)


class VehicleError(InputError):
    """The tariff asks what nobody has said of the vehicle: names the context and the facts."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a passage costs by itself, in smallest units, exact.

    Attributes:
        fixed: For the passage.
        per_m: For each metre of its section.
        length_m: Of the section, as the tariff rounds it.
        words: Why, for a person.
        is_free: Whether the vehicle or the time is free, whatever else is said.
    """

    fixed: Fraction
    per_m: Fraction
    length_m: int
    words: tuple[str, ...]
    is_free: bool = False

    @property
    def total(self) -> Fraction:
        """All of it."""
        return self.fixed + self.per_m * self.length_m


def grants(exemption: Exemption, vehicle: VehicleFacts) -> bool:
    """Whether an exemption is for a vehicle, some day."""
    if exemption.claims and set(exemption.claims).isdisjoint(vehicle.claims):
        return False
    if exemption.vehicle is None:
        return bool(exemption.claims)
    return exemption.vehicle.fits(vehicle)


def _up_to_first(conditions: Iterable[Condition], vehicle: VehicleFacts) -> Iterator[Condition]:
    """The conditions before the first that fits: only they can still be decided by a fact."""
    return takewhile(lambda condition: not condition.fits(vehicle), conditions)


class Prices:
    """The prices of a context for one vehicle.

    Raises:
        VehicleError: When it is made: the tariff asks what nobody has said of the vehicle.
    """

    def __init__(self, context: Context, vehicle: VehicleFacts) -> None:
        self.context = context
        self._vehicle = vehicle
        tariff = context.tariff
        self._unit: int = 10**context.currency.exponent
        self._exemptions = [one for one in tariff.exemptions if grants(one, vehicle)]
        asks = not any(one.valid_from is one.valid_until is None for one in self._exemptions)
        if asks:
            self._ask(_up_to_first((one.vehicle for one in tariff.classes), vehicle))
        self._class = next((one for one in tariff.classes if one.vehicle.fits(vehicle)), None)
        self._is_tolled = self._class is not None or not tariff.classes
        if asks and self._is_tolled:
            self._ask(tariff.conditions)
        self._discounts = [one for one in tariff.discounts if one.vehicle.fits(vehicle)]
        self._multiplier = Fraction(self._class.multiplier) if self._class is not None else _ONE
        self._lines: dict[str, dict[str, list[Line]]] = {}

    def _ask(self, conditions: Iterable[Condition]) -> None:
        missing = {fact for one in conditions for fact in one.missing(self._vehicle)}
        if missing:
            named = ", ".join(sorted(missing))
            raise VehicleError(
                f"the tariff of {self.context.id} asks for {named}: say it of the vehicle"
            )

    def quote(self, passage: Passage) -> Quote:
        """What a passage costs, at the cheapest instant at which it may have been."""
        if passage.gate not in self.context.by_id:
            return Quote(_ZERO, _ZERO, 0, (f"gate {passage.gate} is not in this context: free",))
        said = self._at(passage.gate, passage.crossed_at)
        best = said
        for instant in _possible(passage):
            other = self._at(passage.gate, instant)
            if other.total < best.total:
                best = other
        if best is said:
            return said
        within = f"{SIGMAS * passage.uncertainty_ms / 1000:g} s"
        why = f"a tariff boundary lies within {within} of it: the cheaper side counts"
        return replace(best, words=(*best.words, why))

    def journey(self, price: Decimal | dict[str, Decimal]) -> Fraction:
        """A cell of a matrix for this vehicle, before its factor, in smallest units."""
        return self._resolved(price) or _ZERO

    def factor(self, passage: Passage, words: list[str]) -> Fraction:
        """What the class and discounts make of a price at a passage; says so in the words."""
        day = passage.crossed_at.astimezone(self.context.zone).date()
        return self._factor(passage.gate, day, words)

    def _resolved(self, price: Decimal | dict[str, Decimal]) -> Fraction | None:
        """In smallest units; `None`: the tariff names no price for this class."""
        if isinstance(price, dict):
            named = price.get(self._class.id) if self._class is not None else None
            return None if named is None else Fraction(named) * self._unit
        return Fraction(price) * self._unit

    def _at(self, gate: str, instant: datetime) -> Quote:
        local = instant.astimezone(self.context.zone)
        day, minute = local.date(), local.hour * 60 + local.minute
        head = f"{local:%a} {local.day} {local:%b %Y %H:%M}, {self._vehicle.kind.replace('_', ' ')}"
        why = self._free(gate, day, minute)
        if why is not None:
            return Quote(_ZERO, _ZERO, 0, (f"{head}: {why}",), is_free=True)
        return self._priced(gate, day, minute, head)

    def _free(self, gate: str, day: date, minute: int) -> str | None:
        """Why it costs nothing; `None`: it does."""
        for exemption in self._exemptions:
            if holds(exemption.valid_from, exemption.valid_until, day):
                return f"free: {exemption.label}"
        if not self._is_tolled:
            return "free: no class of this tariff"
        types = self.context.tariff.calendar.types(day)
        for free in self.context.tariff.free:
            if (
                free.start <= minute < free.end
                and holds(free.valid_from, free.valid_until, day)
                and fits_day(types, free.days, free.except_days)
                and self._is_at(gate, free.places)
            ):
                return f"free: {free.label}"
        return None

    def _is_at(self, gate: str, places: tuple[str, ...]) -> bool:
        return not places or not self.context.places[gate].isdisjoint(places)

    def _priced(self, gate: str, day: date, minute: int, head: str) -> Quote:
        tariff = self.context.tariff
        types = tariff.calendar.types(day)
        fixed = per_km = _ZERO
        said: list[str] = []
        parts = self._lines_at(gate)
        for part, lines in reversed(parts.items()):
            found = next((one for line in lines if (one := line.price(day, types, minute))), None)
            if found is None:
                continue
            if found.is_per_km:
                per_km += found.price
            else:
                fixed += found.price
            said.append(f"{part} {found.text}" if len(parts) > 1 else found.text)
        if not said:
            return Quote(_ZERO, _ZERO, 0, (f"{head}: no toll at this time",))
        words = [f"{head}: {'; '.join(said)}"]
        length_m = self._length_m(gate, words) if per_km else 0
        if not (fixed or per_km):
            return Quote(_ZERO, _ZERO, 0, tuple(words))
        factor = self._factor(gate, day, words)
        per_m = per_km / 1000 if per_km else _ZERO
        if factor != 1:
            fixed, per_m = fixed * factor, per_m * factor
        return Quote(fixed, per_m, length_m, tuple(words))

    def _text(self, rate: Rate, start: int, end: int, price: Fraction) -> str:
        """A price and its band for a person."""
        amount = price / self._unit
        exact = decimal(amount)
        shown = max(f"{float(amount):.{self.context.currency.exponent}f}", exact, key=len)
        unit = self.context.currency.code + ("/km" if rate.per == "km" else "")
        return f"{shown} {unit} ({span(start, end, rate.label)})"

    def _length_m(self, gate: str, words: list[str]) -> int:
        section = self.context.sections.get(gate)
        if section is None:
            words.append("the length of this section is not known: nothing for kilometres")
            return 0
        length_m = rounded_length_m(section.length_m, self.context.tariff.rounding)
        words.append(f"{section.start} to {section.end}: {length_m / 1000:g} km")
        return length_m

    def _factor(self, gate: str, day: date, words: list[str]) -> Fraction:
        factor = self._multiplier
        if factor != 1 and self._class is not None:
            words.append(f"{self._class.label}: × {decimal(factor)}")  # noqa: RUF001 - times
        if not self._discounts:
            return factor
        percent = _ZERO
        for discount in self._discounts:
            if self._is_at(gate, discount.places) and holds(
                discount.valid_from, discount.valid_until, day
            ):
                percent += Fraction(discount.percent)
                words.append(f"{discount.label}: {discount.percent:f} % off")
        return factor * (1 - min(percent, Fraction(100)) / 100)

    def _lines_at(self, gate: str) -> dict[str, list[Line]]:
        """The rates of a gate for this vehicle by part, the last of the tariff first."""
        if gate not in self._lines:
            lines: dict[str, list[Line]] = {}
            for rate in self._rates_at(gate):
                lines.setdefault(rate.part, []).append(Line(rate, tuple(self._bands(rate))))
            self._lines[gate] = lines
        return self._lines[gate]

    def _bands(self, rate: Rate) -> Iterator[tuple[int, int, Found]]:
        for start, end, named in rate.bands:
            price = self._resolved(named)
            if price is not None:
                text = self._text(rate, start, end, price)
                yield start, end, Found(rate.per == "km", price, text)

    def _rates_at(self, gate: str) -> Iterator[Rate]:
        by_place = self.context.tariff.rates_by_place
        found = dict(by_place.get(None, ()))
        for place in self.context.places[gate]:
            found.update(by_place.get(place, ()))
        for _, rate in sorted(found.items(), key=lambda numbered: -numbered[0]):
            if rate.vehicle.fits(self._vehicle):
                yield rate


@lru_cache(maxsize=256)
def prices_for(context: Context, vehicle: VehicleFacts) -> Prices:
    """The prices of a context for a vehicle, made once.

    Raises:
        VehicleError: The tariff asks what nobody has said of the vehicle.
    """
    return Prices(context, vehicle)


def _possible(passage: Passage) -> Iterator[datetime]:
    """One instant in each other minute in which it may have been crossed.

    Bands, days and daylight saving all begin with a whole minute: within one nothing changes.
    """
    reach = min(timedelta(milliseconds=SIGMAS * passage.uncertainty_ms), _MOST_UNCERTAIN)
    crossed_at = passage.crossed_at.astimezone(UTC)
    said = crossed_at.replace(second=0, microsecond=0)
    minute = (crossed_at - reach).replace(second=0, microsecond=0)
    while minute <= crossed_at + reach:
        if minute != said:
            yield minute
        minute += _MINUTE

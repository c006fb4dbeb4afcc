"""A tariff as data: what a passage costs whom and when, and what becomes of several (pure).

A *place* is a gate, a station or a charge-once group, by its id. Amounts are decimal strings in
the currency's main unit. Dates are local, both ends within. The order is fixed: the last rate that
fits, part by part; the class's multiplier; discounts; rounding; charge-once; transfers; caps.
"""

from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from internetcar.contract.money import LINE
from services.tolls.objects import Described, GateId
from services.tolls.tariff.calendar import MINUTES_OF_DAY, Calendar, DayType, Minute
from services.tolls.tariff.vehicle import Claim, Condition

_Label = Annotated[str, Field(max_length=120, pattern=LINE)]


def _is_written(amount: object) -> object:
    if not isinstance(amount, str | Decimal):
        raise ValueError('write an amount as text, such as "2.50", never as a number')  # noqa: TRY004 - pydantic wants it
    return amount


Amount = Annotated[
    Decimal,
    BeforeValidator(_is_written),
    Field(ge=0, le=1_000_000, max_digits=12, decimal_places=6),
]
"""Money in the main unit of the currency, or a factor, exact."""

Price = Amount | dict[GateId, Amount]
"""The same for all, or by vehicle class."""

Band = tuple[Minute, Minute, Price]
"""From and to (not within) in local time, and what it costs."""


class VehicleClass(Described):
    """A class of the tariff; a vehicle is of the first that it fits."""

    id: GateId
    label: _Label
    vehicle: Condition
    multiplier: Amount = Decimal(1)


class Rate(Described):
    """What something costs; of several that fit a passage, the last in the tariff counts.

    Attributes:
        part: What of the fee it is; a fee is the sum of one rate for each part.
        places: For which; none: for all.
        valid_from: First day; `None`: from ever.
        valid_until: Last day; `None`: for ever.
        days: On which types of days; none: on all.
        except_days: On which not.
        vehicle: For which vehicles.
        bands: Times of day and prices.
        per: What the price is for; `km`: a kilometre of the section.
        label: What a person calls it, beside the times.
    """

    part: GateId = "toll"
    places: tuple[GateId, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    days: tuple[DayType, ...] = ()
    except_days: tuple[DayType, ...] = ()
    vehicle: Condition = Condition()
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    per: Literal["passage", "km"] = "passage"
    label: _Label = ""


class FreeTime(Described):
    """When nothing is charged, whatever the rates say."""

    label: _Label
    days: tuple[DayType, ...] = ()
    except_days: tuple[DayType, ...] = ()
    start: Minute = 0
    end: Minute = MINUTES_OF_DAY
    places: tuple[GateId, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None


class Exemption(Described):
    """Who is not charged: by a claim, or by being such a vehicle, or both where both are said."""

    label: _Label
    claims: tuple[Claim, ...] = ()
    vehicle: Condition | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class Group(Described):
    """Places that charge once: the dearest passage from one that costs something to `minutes`
    later, that instant within; never beyond the accounting period.
    """  # noqa: D205 - one sentence

    id: GateId
    label: _Label
    places: tuple[GateId, ...]
    minutes: Annotated[int, Field(ge=1, le=MINUTES_OF_DAY)] | None = None
    note: str = ""


class Section(Described):
    """How long the tolled road of a gate is."""

    place: GateId
    start: _Label
    end: _Label
    length_m: Annotated[int, Field(ge=1, le=1_000_000)]
    length: Literal["surveyed", "synthetic"] = "surveyed"
    note: str = ""


class Journey(Described):
    """One cell of a closed system's matrix: from an entry to an exit, by station or gate."""

    entry: GateId
    exit: GateId
    price: Price


class Matrix(Described):
    """A closed system: an exit costs by where the journey began; an entry costs nothing.

    Attributes:
        journeys: What each costs.
        hours: A journey takes no longer; an older entry is forgotten.
        without_entry: What an exit costs whose entry is not proven: nothing, or the cheapest.
    """

    journeys: Annotated[tuple[Journey, ...], Field(max_length=100_000)]
    hours: Annotated[int, Field(ge=1, le=168)] = 24
    without_entry: Literal["free", "cheapest"] = "free"

    @cached_property
    def by_exit(self) -> dict[GateId, tuple[Journey, ...]]:
        """Its journeys by where they end."""
        found: dict[GateId, list[Journey]] = {}
        for journey in self.journeys:
            found.setdefault(journey.exit, []).append(journey)
        return {place: tuple(journeys) for place, journeys in found.items()}


class Discount(Described):
    """So many per cent off, for these vehicles at these places; several add up, to 100 at most."""

    label: _Label
    percent: Annotated[Decimal, BeforeValidator(_is_written), Field(ge=0, le=100)]
    vehicle: Condition = Condition()
    places: tuple[GateId, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None


class Transfer(Described):
    """Linked: who has paid at `after` pays so many per cent at `then` within `minutes`."""

    label: _Label
    after: tuple[GateId, ...]
    then: tuple[GateId, ...]
    minutes: Annotated[int, Field(ge=1, le=MINUTES_OF_DAY)]
    pays_percent: Annotated[Decimal, BeforeValidator(_is_written), Field(ge=0, le=100)]


class Cap(Described):
    """No more than this a local day or month, at these places together."""

    label: _Label
    per: Literal["day", "month"]
    amount: Amount
    places: tuple[GateId, ...] = ()


class Rounding(Described):
    """How a fee becomes whole.

    Attributes:
        section_m: Lengths are rounded to a multiple of this, half up; 0: not at all.
        step_minor: Fees are rounded to a multiple of this many smallest units.
        mode: Which way, each passage for itself.
    """

    section_m: Annotated[int, Field(ge=0, le=10_000)] = 0
    step_minor: Annotated[int, Field(ge=1, le=100_000)] = 1
    mode: Literal["half_up", "half_even", "down", "up"] = "half_up"


class Tariff(Described):
    """All that makes a set of passages cost what it costs.

    Attributes:
        accounting: What is reckoned together, and never with another: a local day or month, or
            all. Charge-once windows and caps end with it, so it must not be shorter than a cap.
        day_starts: When a local day begins for accounting and caps.
        free_km_per_day: How far one drives free each day, on sections.
    """

    accounting: Literal["day", "month", "all"] = "day"
    day_starts: Minute = 0
    calendar: Calendar = Calendar()
    classes: Annotated[tuple[VehicleClass, ...], Field(max_length=100)] = ()
    rates: Annotated[tuple[Rate, ...], Field(max_length=20_000)] = ()
    free: Annotated[tuple[FreeTime, ...], Field(max_length=1_000)] = ()
    exemptions: Annotated[tuple[Exemption, ...], Field(max_length=1_000)] = ()
    groups: Annotated[tuple[Group, ...], Field(max_length=5_000)] = ()
    sections: Annotated[tuple[Section, ...], Field(max_length=20_000)] = ()
    matrix: Matrix | None = None
    free_km_per_day: Amount = Decimal(0)
    discounts: Annotated[tuple[Discount, ...], Field(max_length=100)] = ()
    transfers: Annotated[tuple[Transfer, ...], Field(max_length=1_000)] = ()
    caps: Annotated[tuple[Cap, ...], Field(max_length=100)] = ()
    rounding: Rounding = Rounding()

    @cached_property
    def rates_by_place(self) -> dict[GateId | None, tuple[tuple[int, Rate], ...]]:
        """The rates that name a place, with their ordinals; under `None` those for all places."""
        found: dict[GateId | None, list[tuple[int, Rate]]] = {}
        for ordinal, rate in enumerate(self.rates):
            for place in rate.places or (None,):
                found.setdefault(place, []).append((ordinal, rate))
        return {place: tuple(rates) for place, rates in found.items()}

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """What its rates ask of vehicles, each once."""
        return tuple({rate.vehicle: None for rate in self.rates})

"""A toll context: who charges what where, versioned, dated and signed (pure)."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import AfterValidator, Field, ValidationError, model_validator

from internetcar.contract.message import InputError, Name
from internetcar.contract.money import LINE, Currency, exponent_of
from services.tolls.objects import Described, Gate, Road
from services.tolls.tariff.tariff import Section, Tariff

MOST_BYTES = 16 << 20
"""A context of 20,000 gates, one a line, is below this."""
_MOST_SHOWN = 300


class ContextError(InputError):
    """A toll context is not one: names the file, the place in it and what belongs there."""


def _is_zone(key: str) -> str:
    try:
        ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{key[:40]!r} is no IANA time zone such as Asia/Singapore") from error
    return key


Version = Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,6}){0,3}$")]
"""Numbers with dots between: 2026.1 comes before 2026.12."""


class Operator(Described):
    """Who gets the money."""

    id: Name
    name: Annotated[str, Field(max_length=200, pattern=LINE)]


class CurrencyUnit(Described):
    """ISO 4217: a code and how many decimals its smallest unit is."""

    code: Currency
    exponent: Annotated[int, Field(ge=0, le=4)]

    @model_validator(mode="after")
    def _is_so_in_iso(self) -> "CurrencyUnit":
        if self.exponent != (right := exponent_of(self.code)):
            raise ValueError(f"the smallest unit of {self.code} has {right} decimals")
        return self


class Source(Described):
    """Where facts are from, under what licence, and which."""

    title: Annotated[str, Field(max_length=300)]
    url: Annotated[str, Field(max_length=500)] = ""
    licence: Annotated[str, Field(max_length=200)]
    what: Annotated[str, Field(max_length=1000)]


KeyId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
"""What a signing key is called."""


class Signature(Described):
    """Ed25519 over the canonical JSON of the context without its signature."""

    key_id: KeyId
    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]


class Context(Described):
    """Who charges what where.

    Attributes:
        id: Such as `singapore`; versions of one context share it.
        valid_from: First local day.
        valid_until: Last local day; `None`: until another version takes over.
        notes: What is ours and not the sources', for a person.
        roads: Ways free of toll near gates.
        signature: `None` where nobody vouches for it.
    """

    id: Name
    version: Version
    title: Annotated[str, Field(max_length=200)]
    operator: Operator
    currency: CurrencyUnit
    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_is_zone)]
    valid_from: date
    valid_until: date | None = None
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    tariff: Tariff = Tariff()
    roads: Annotated[tuple[Road, ...], Field(max_length=20_000)] = ()
    gates: Annotated[tuple[Gate, ...], Field(max_length=20_000)]
    signature: Signature | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Context":
        if len(self.by_id) < len(self.gates):
            ids = sorted(gate.id for gate in self.gates)
            twice = next(a for a, b in pairwise(ids) if a == b)
            raise ValueError(f"gate {twice!r} stands there twice: give each an id of its own")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until lies before valid_from")
        return self

    def __hash__(self) -> int:
        """Of what names it: quicker than all of it."""
        return hash((self.id, self.version))

    @cached_property
    def by_id(self) -> dict[str, Gate]:
        """Its gates."""
        return {gate.id: gate for gate in self.gates}

    @cached_property
    def places(self) -> dict[str, frozenset[str]]:
        """Of each gate: itself, its station, and the groups that either is in."""
        groups: dict[str, set[str]] = {}
        for group in self.tariff.groups:
            for place in group.places:
                groups.setdefault(place, set()).add(group.id)
        found = {}
        for gate in self.gates:
            own = {gate.id, gate.station or gate.id}
            found[gate.id] = frozenset(own.union(*(groups.get(place, ()) for place in own)))
        return found

    @cached_property
    def sections(self) -> dict[str, Section]:
        """Of each gate that has one: its section."""
        named = {section.place: section for section in self.tariff.sections}
        return {
            gate.id: named[place]
            for gate in self.gates
            for place in (gate.station, gate.id)
            if place in named
        }

    @cached_property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def ordinal(self) -> tuple[int, ...]:
        """Its version, to be compared."""
        return tuple(int(number) for number in self.version.split("."))

    def is_valid(self, instant: datetime) -> bool:
        """Whether it holds at an aware instant."""
        day = instant.astimezone(self.zone).date()
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


def load_context(text: bytes | str, name: str) -> Context:
    """Read a context from its JSON.

    Args:
        text: The JSON, UTF-8.
        name: What to call it in an error: its file.

    Raises:
        ContextError: It is none; names the first place that is wrong.
    """
    if len(text) > MOST_BYTES:
        raise ContextError(f"{name}: more than {MOST_BYTES >> 20} MiB; split the context")
    try:
        body: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ContextError(f"{name}: not JSON: {error}") from error
    try:
        return Context.model_validate(body)
    except ValidationError as error:
        raise ContextError(f"{name}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)
    place = ".".join(str(step)[:40] for step in found[0]["loc"])
    shown = repr(found[0].get("input"))[:60]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    said = f"{place or 'the context'}: {found[0]['msg']}, not {shown}{more}"
    return said.replace("\n", " ")[:_MOST_SHOWN]


def at(contexts: Iterable[Context], instant: datetime) -> Context | None:
    """The version that holds at an instant: the greatest of those valid; `None`: none is."""
    valid = [context for context in contexts if context.is_valid(instant)]
    return max(valid, key=lambda context: context.ordinal, default=None)

"""What is tolled, and where: the geographic objects of a toll context (ISO 17575: context data).

Every object that is passed is a *gate*: a line across one carriageway with the direction that is
charged. A gantry is one; a road section has one across its middle; a cordon one on each road into
it; a closed system one for each entry and exit. What a passage costs is the tariff's affair.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from internetcar.contract.money import LINE

GateId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]

LatLon = tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]]
"""Latitude and longitude in degrees, WGS 84."""


class Described(BaseModel):
    """A piece of a context: immutable, finite, strict about its keys: money hangs on it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values, and nothing kept that was worked out from the old ones."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


class Gate(Described):
    """A line across a carriageway; crossing it in the direction of `bearing_deg` is a passage.

    Attributes:
        id: Unique in its context.
        label: Where it is, in the operator's words.
        kind: What it belongs to.
        line: Its two ends, in any order.
        bearing_deg: Direction of travel that is charged, 0 = north, clockwise; `None`: unknown, so
            it is never charged.
        carriageway: The way of the vehicles through it, in the direction of travel, from the
            approach to the run-out; empty: straight along `bearing_deg`.
        station: What the operator counts as one place, where several gates are one.
        geometry: `synthetic` where the source lacks the line or its direction, and ours stands in.
        note: What is synthetic, and why.
    """

    id: GateId
    label: Annotated[str, Field(max_length=200, pattern=LINE)]
    kind: Literal["gantry", "section", "cordon", "entry", "exit"] = "gantry"
    line: tuple[LatLon, LatLon]
    bearing_deg: Annotated[float, Field(ge=0, lt=360)] | None
    carriageway: tuple[LatLon, ...] = ()
    station: GateId | None = None
    geometry: Literal["surveyed", "synthetic"] = "surveyed"
    note: str = ""


class Road(Described):
    """A way that is free of toll and near enough to be taken for one that is not."""

    id: GateId
    line: Annotated[tuple[LatLon, ...], Field(min_length=2)]
    note: str = ""

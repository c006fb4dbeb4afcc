"""What a tariff asks of a vehicle (pure)."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from services.tolls.objects import Described

VehicleKind = Literal[
    "motorcycle", "car", "taxi", "light_goods", "heavy_goods", "very_heavy_goods", "light_bus",
    "big_bus",
]  # fmt: skip
"""Goods vehicles: light up to 3.5 t; where the line between heavy and very heavy runs (Singapore:
more than two axles or 16 t) is said by the operator, and so is that between light and big buses."""

Emission = Literal["euro0", "euro1", "euro2", "euro3", "euro4", "euro5", "eev", "euro6", "cleaner"]
"""Emission class of heavy vehicles; `euro0`: none of them, `cleaner`: better than Euro VI."""

Claim = Literal[
    "emergency", "bus", "diplomat", "military", "foreign", "police", "civil_protection",
    "federal", "road_service", "showman", "humanitarian", "agricultural", "zero_emission",
    "natural_gas", "craftsman",
]  # fmt: skip
"""On what grounds a vehicle may be free of toll, if its keeper says so and the tariff grants it."""


class VehicleFacts(Described):
    """What is known of a vehicle; `None`: nothing.

    Attributes:
        kind: What it is.
        axles: Of the whole combination.
        weight_kg: Technically permissible maximum mass of the whole combination.
        emission: Its emission class.
        co2_class: 1 to 5 (Directive 1999/62/EC, article 7ga).
        has_tag: Whether it carries the operator's tag with a contract.
        claims: On what grounds it may be free.
    """

    kind: VehicleKind = "car"
    axles: Annotated[int, Field(ge=1, le=30)] | None = None
    weight_kg: Annotated[int, Field(ge=1, le=500_000)] | None = None
    emission: Emission | None = None
    co2_class: Annotated[int, Field(ge=1, le=5)] | None = None
    has_tag: bool = False
    claims: tuple[Claim, ...] = ()

    def completed(self, later: "VehicleFacts") -> "VehicleFacts":
        """These facts, and from later ones what nobody had said: no price rested on that."""
        unsaid = (name for name in type(self).model_fields if getattr(self, name) is None)
        return self.model_copy(update={name: getattr(later, name) for name in unsaid})


class Condition(Described):
    """Which vehicles something is for; what is left out is not asked."""

    kinds: tuple[VehicleKind, ...] = ()
    weight_from_kg: int | None = None
    weight_below_kg: int | None = None
    axles_from: int | None = None
    axles_to: int | None = None
    emissions: tuple[Emission, ...] = ()
    co2_classes: tuple[int, ...] = ()
    has_tag: bool | None = None

    def missing(self, vehicle: VehicleFacts) -> tuple[str, ...]:
        """The facts that nobody has said of this vehicle and that alone decide; none: decided."""
        checks = tuple(self._checks(vehicle))
        if any(is_met is False for _, is_met in checks):
            return ()
        return tuple(name for name, is_met in checks if is_met is None)

    def fits(self, vehicle: VehicleFacts) -> bool:
        """Whether a vehicle is one of them; a fact that is not known fits nothing that asks."""
        return all(is_met for _, is_met in self._checks(vehicle))

    def _checks(self, vehicle: VehicleFacts) -> Iterator[tuple[str, bool | None]]:
        """Each thing asked, and whether it is met; `None`: the fact is not known."""
        if self.kinds:
            yield "kind", vehicle.kind in self.kinds
        if self.has_tag is not None:
            yield "has_tag", vehicle.has_tag == self.has_tag
        weight, axles = vehicle.weight_kg, vehicle.axles
        if self.weight_from_kg is not None:
            yield "weight_kg", None if weight is None else weight >= self.weight_from_kg
        if self.weight_below_kg is not None:
            yield "weight_kg", None if weight is None else weight < self.weight_below_kg
        if self.axles_from is not None:
            yield "axles", None if axles is None else axles >= self.axles_from
        if self.axles_to is not None:
            yield "axles", None if axles is None else axles <= self.axles_to
        if self.emissions:
            yield "emission", _is_among(vehicle.emission, self.emissions)
        if self.co2_classes:
            yield "co2_class", _is_among(vehicle.co2_class, self.co2_classes)


def _is_among(fact: str | int | None, wanted: tuple[str, ...] | tuple[int, ...]) -> bool | None:
    return None if fact is None else fact in wanted

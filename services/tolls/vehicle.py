"""What a tariff asks of a vehicle (pure)."""

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
        """The facts it asks for that nobody has said of this vehicle."""
        asked = {
            "weight_kg": self.weight_from_kg is not None or self.weight_below_kg is not None,
            "axles": self.axles_from is not None or self.axles_to is not None,
            "emission": bool(self.emissions),
            "co2_class": bool(self.co2_classes),
        }
        return tuple(
            name for name, is_asked in asked.items() if is_asked and getattr(vehicle, name) is None
        )

    def fits(self, vehicle: VehicleFacts) -> bool:
        """Whether a vehicle is one of them; a fact that is not known fits nothing that asks."""
        return (
            not self.missing(vehicle)
            and (not self.kinds or vehicle.kind in self.kinds)
            and _within(vehicle.weight_kg, self.weight_from_kg, None)
            and (self.weight_below_kg is None or (vehicle.weight_kg or 0) < self.weight_below_kg)
            and _within(vehicle.axles, self.axles_from, self.axles_to)
            and (not self.emissions or vehicle.emission in self.emissions)
            and (not self.co2_classes or vehicle.co2_class in self.co2_classes)
            and (self.has_tag is None or vehicle.has_tag == self.has_tag)
        )


def _within(number: int | None, least: int | None, most: int | None) -> bool:
    return (least is None or (number or 0) >= least) and (most is None or (number or 0) <= most)

"""The reference car's pipeline, as the gateway builds it."""

from gateway.bus_settings import BusSettings
from gateway.pipeline import Pipeline
from gateway.settings import GatewaySettings
from gateway.setup import Setup
from gateway.vehicles import load_vehicle


def reference_pipeline() -> tuple[Pipeline, dict[str, int]]:
    """The pipeline, and the index of each bus by its name."""
    names = list(load_vehicle("reference").buses)
    buses = [BusSettings(name=name) for name in names]
    setup = Setup(GatewaySettings(vehicle="reference", buses=buses))
    return setup.assemble().pipeline, {name: index for index, name in enumerate(names)}

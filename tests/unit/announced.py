"""Builders for tests of what Home Assistant is told: catalogs, and the device they make."""

from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from gateway.bus_settings import BusSettings
from gateway.discovery import Announced, Device, announce
from gateway.settings import GatewaySettings
from gateway.setup import Setup, read_mapping
from gateway.vehicles import load_vehicle
from internetcar.contract.signals import Catalog, CatalogLeaf
from tests.home_assistant import check_device

CAR = Device("car", "homeassistant", "home-assistant", "", "internetcar 0.1.0")
SOC = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
HORN = "Vehicle.Body.Horn.IsActive"
TRUNK = "Vehicle.Body.Trunk.Rear.IsOpen"
TARGET = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
AIR = "Vehicle.Cabin.HVAC.IsAirConditioningActive"
CABIN = "Vehicle.Cabin.HVAC.AmbientAirTemperature"
WIPERS = "Vehicle.Body.Windshield.Front.Wiping.Mode"


@cache
def reference() -> tuple[list[Catalog], frozenset[str]]:
    """The reference car's catalog, and what its mapping can set."""
    vehicle = load_vehicle("reference")
    buses = [BusSettings(name=name) for name in vehicle.buses]
    setup = Setup(GatewaySettings(vehicle="reference", buses=buses))
    rules = read_mapping(Path(vehicle.mapping)).leaves
    settable = frozenset(path for path, rule in rules.items() if rule.command)
    return setup.assemble().messages("car"), settable


def catalog(**leaves: CatalogLeaf) -> list[Catalog]:
    named = {path.replace("_", "."): leaf for path, leaf in leaves.items()}
    return [Catalog(vehicle_id="car", group="Vehicle", leaves=named)]


def of(leaves: dict[str, CatalogLeaf], *may_set: str) -> dict[str, Any]:
    whole = [Catalog(vehicle_id="car", group="Vehicle", leaves=leaves)]
    return components(announce(whole, set(may_set), CAR))


def components(announced: Announced) -> dict[str, Any]:
    return check_device(announced.message.topic, announced.message.encode())


def enabled(found: dict[str, Any]) -> list[str]:
    return [key for key, made in found.items() if made.get("enabled_by_default", True)]


SCALARS = st.one_of(st.booleans(), st.integers(-9, 9), st.floats(-9, 9), st.text(max_size=9))
NUMBERS = st.none() | st.floats(-1e9, 1e9)
LEAVES = st.builds(
    CatalogLeaf,
    datatype=st.sampled_from(["boolean", "uint8", "int64", "float", "double", "string", "string[]",
                              "uint8[]", "nonsense"]),
    unit=st.none() | st.sampled_from(["percent", "Celsius", "m", "kWh", "degrees", "", "x" * 300]),
    min=NUMBERS, max=NUMBERS, step=st.none() | st.floats(0, 10),
    allowed=st.none() | st.lists(SCALARS, max_size=4), momentary=st.booleans(),
    max_interval_ms=st.none() | st.integers(0, 10**8),
)  # fmt: skip
PATHS = st.sampled_from([SOC, LOCK, HORN, TRUNK, TARGET, AIR, CABIN, "Vehicle.A.IsOn", "A.b"]) | (
    st.from_regex(r"[A-Za-z0-9_.@-]{1,200}", fullmatch=True)
)

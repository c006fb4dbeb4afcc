"""Units of VSS and of CAN databases as Home Assistant writes them, each with its class (pure)."""

from typing import NamedTuple


class Unit(NamedTuple):
    """A unit as Home Assistant writes it."""

    symbol: str
    device_class: str | None = None
    """The class whose documentation lists this unit; `None`: no class, or one it cannot tell."""


UNITS = {
    "percent": Unit("%"),
    "Celsius": Unit("°C", "temperature"),
    "celsius": Unit("°C", "temperature"),
    "degC": Unit("°C", "temperature"),
    "km/h": Unit("km/h", "speed"),
    "kph": Unit("km/h", "speed"),
    "m/s": Unit("m/s", "speed"),
    "mph": Unit("mph", "speed"),
    "m/s^2": Unit("m/s²"),
    "mm": Unit("mm", "distance"),
    "cm": Unit("cm", "distance"),
    "m": Unit("m", "distance"),
    "km": Unit("km", "distance"),
    "V": Unit("V", "voltage"),
    "mV": Unit("mV", "voltage"),
    "A": Unit("A", "current"),
    "mA": Unit("mA", "current"),
    "W": Unit("W", "power"),
    "kW": Unit("kW", "power"),
    "Wh": Unit("Wh", "energy_storage"),
    "kWh": Unit("kWh", "energy_storage"),
    "Pa": Unit("Pa", "pressure"),
    "kPa": Unit("kPa", "pressure"),
    "mbar": Unit("mbar", "pressure"),
    "bar": Unit("bar", "pressure"),
    "psi": Unit("psi", "pressure"),
    "Hz": Unit("Hz", "frequency"),
    "ms": Unit("ms", "duration"),
    "s": Unit("s", "duration"),
    "min": Unit("min", "duration"),
    "h": Unit("h", "duration"),
    "l": Unit("L", "volume_storage"),
    "ml": Unit("mL", "volume_storage"),
    "kg": Unit("kg", "weight"),
    "g": Unit("g", "weight"),
    "lux": Unit("lx", "illuminance"),
    "degrees": Unit("°"),
    "degree": Unit("°"),
    "deg": Unit("°"),
    "degrees/s": Unit("°/s"),
    "deg/s": Unit("°/s"),
    "rpm": Unit("rpm"),
    "Nm": Unit("N·m"),
}
"""By VSS 6.0's name, and by what databases write; stored energy is not the energy meter's class."""

MOST_UNIT = 20
"""A database's own unit is shown as it is, if it is short enough to be one."""


def unit_of(name: str | None) -> Unit | None:
    """The unit of a leaf; `None` where it has none."""
    if not name:
        return None
    known = UNITS.get(name)
    if known is not None:
        return known
    return next((unit for unit in UNITS.values() if unit.symbol == name), Unit(name[:MOST_UNIT]))

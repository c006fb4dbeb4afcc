"""What a trip used: energy out of the traction battery, and fuel, where the car tells (pure)."""

from pydantic import BaseModel

from services.trips import leaves
from services.trips.reading import Reading
from services.trips.travel import HOLD_MS

_ENOUGH = 0.8
"""Of the time that the car was on; of less, a sum says too little."""
_MOST_STEP_L = 5.0
_MOST_STEP_KWH = 20.0


class Energy(BaseModel):
    """Energy and fuel while they add up.

    Attributes:
        at_ms: Up to when.
        on_ms: How long the car was on.
        battery_ms: Of which the battery's power was known.
        battery_wh: What left the battery, what came back less.
        meter_kwh: The battery's own count of what left it, as last said.
        by_meter_wh: What that went on by.
        fuel_ms: How long the fuel rate was known.
        fuel_ml: What it adds up to.
        counter_l: The car's own count since its start, as last said.
        by_counter_ml: What that went on by.
    """

    at_ms: int = 0
    on_ms: int = 0
    battery_ms: int = 0
    battery_wh: float = 0.0
    meter_kwh: float | None = None
    by_meter_wh: float | None = None
    fuel_ms: int = 0
    fuel_ml: float = 0.0
    counter_l: float | None = None
    by_counter_ml: float | None = None

    def pass_time(self, at_ms: int, known: Reading) -> None:
        """Up to now all was as it is known, in a car that is on."""
        span_ms = at_ms - self.at_ms
        if not 0 < span_ms <= HOLD_MS:
            self.at_ms = max(at_ms, self.at_ms)
            return
        self.at_ms = at_ms
        self.on_ms += span_ms
        hours = span_ms / 3_600_000
        if known.known.get(leaves.IS_CHARGING) is not True:
            power_w = _battery_w(known)
            if power_w is not None:
                self.battery_ms += span_ms
                self.battery_wh -= power_w * hours
        rate_lph = _fuel_lph(known)
        if rate_lph is not None:
            self.fuel_ms += span_ms
            self.fuel_ml += max(0.0, rate_lph) * hours * 1_000

    def on_meter(self, meter_kwh: float) -> None:
        """The battery's count of the energy that left it."""
        if self.meter_kwh is not None and 0 <= meter_kwh - self.meter_kwh <= _MOST_STEP_KWH:
            added_wh = (meter_kwh - self.meter_kwh) * 1_000
            self.by_meter_wh = (self.by_meter_wh or 0.0) + added_wh
        self.meter_kwh = meter_kwh

    def on_counter(self, counter_l: float) -> None:
        """The fuel since the car was started; it begins anew with each start."""
        if self.counter_l is not None:
            step_l = counter_l - self.counter_l
            added_l = step_l if step_l >= 0 else counter_l
            if 0 <= added_l <= _MOST_STEP_L:
                self.by_counter_ml = (self.by_counter_ml or 0.0) + added_l * 1_000
        self.counter_l = counter_l

    def skip_to(self, at_ms: int) -> None:
        """What was up to now is not known, or the car was off."""
        self.at_ms = at_ms

    def total_wh(self) -> float | None:
        """Out of the battery, in Wh; `None` where the car does not tell enough."""
        if self.on_ms and self.battery_ms >= _ENOUGH * self.on_ms:
            return self.battery_wh
        return self.by_meter_wh

    def total_fuel_ml(self) -> float | None:
        """Fuel in ml; `None` where the car does not tell enough."""
        if self.by_counter_ml is not None:
            return self.by_counter_ml
        return self.fuel_ml if self.on_ms and self.fuel_ms >= _ENOUGH * self.on_ms else None


def _battery_w(known: Reading) -> float | None:
    """Into the battery, as VSS has it: negative while driving."""
    power_w = known.number(leaves.BATTERY_POWER)
    if power_w is not None:
        return power_w if abs(power_w) < 5e6 else None
    current, voltage = known.number(leaves.BATTERY_CURRENT), known.number(leaves.BATTERY_VOLTAGE)
    if current is None or voltage is None or not 0 < voltage < 2_000 or abs(current) > 5_000:
        return None
    return current * voltage


def _fuel_lph(known: Reading) -> float | None:
    rate_lph = known.number(leaves.FUEL_RATE)
    if rate_lph is not None:
        return rate_lph if rate_lph < 500 else None
    per_100_km, speed_kmh = known.number(leaves.FUEL_PER_100_KM), known.number(leaves.SPEED)
    if per_100_km is None or speed_kmh is None or not 0 <= per_100_km < 500:
        return None
    return per_100_km * abs(speed_kmh) / 100

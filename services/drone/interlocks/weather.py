"""Interlocks of the weather: the worst of what is fresh; else what a setting assumes (pure)."""

from internetcar.contract.drone import Interlock
from services.drone.autopilot import Wind
from services.drone.events import WeatherReport
from services.drone.interlocks.daylight import sun_elevation_deg
from services.drone.interlocks.situation import Situation, finite, shown, told, worst

RAIN = "Vehicle.Body.Raindetection.Intensity"
TEMPERATURE = "Vehicle.Exterior.AirTemperature"


def report(here: Situation) -> WeatherReport | None:
    """What a device says, while it is fresh."""
    seen = here.view.weather
    if seen is None or not here.is_fresh(seen.at_s, here.limits.weather_s):
        return None
    return seen.report


def strongest_wind(here: Situation) -> tuple[Wind | None, float | None]:
    """The strongest that was measured, with its direction where that is known; else assumed.

    Returns:
        The wind, and its speed; no wind: the direction is not known; no speed: nothing is.
    """
    own = here.view.drone.wind if here.is_flight and here.is_heard else None
    device = report(here)
    found: list[tuple[float, Wind | None]] = []
    if own is not None and finite(own.speed_mps) is not None:
        found.append((own.speed_mps, own if finite(own.from_deg) is not None else None))
    if device is not None and device.wind_mps is not None:
        known = device.from_deg is not None
        found.append(
            (device.wind_mps, Wind(device.from_deg or 0.0, device.wind_mps) if known else None)
        )
    if not found:
        return None, here.assumed.wind_mps
    speed, blows = max(found, key=lambda each: each[0])
    return blows, speed


def wind(here: Situation) -> Interlock:
    """The car has no sensor for it."""
    device = report(here)
    gust = device.gust_mps if device else None
    if gust is not None and gust > here.limits.gust_mps:
        words = f"gusts {shown(gust, here.limits.gust_mps)} m/s, at most {here.limits.gust_mps:g}"
        return told("wind", words, is_good=False, value=gust, limit=here.limits.gust_mps)
    _, speed = strongest_wind(here)
    own = here.view.drone.wind if here.is_flight and here.is_heard else None
    is_measured = own is not None or (device is not None and device.wind_mps is not None)
    return _at_most("wind", "wind", "m/s", speed, here.limits.wind_mps, is_assumed=not is_measured)


def rain(here: Situation) -> Interlock:
    """By the car's rain sensor, or a device's."""
    device = report(here)
    measured = worst([here.signal(RAIN), device.rain_pct if device else None])
    value = here.assumed.rain_pct if measured is None else measured
    return _at_most("rain", "rain", "%", value, here.limits.rain_pct, is_assumed=measured is None)


def temperature(here: Situation) -> Interlock:
    """Of the air outside the car; of two, the one that lies farther from the middle."""
    device = report(here)
    found = [here.signal(TEMPERATURE), device.temperature_c if device else None]
    known = [each for each in found if each is not None]
    low, high = here.limits.coldest_c, here.limits.hottest_c
    limit = f"{low:g}…{high:g}"
    is_assumed = not known and here.assumed.temperature_c is not None
    if here.assumed.temperature_c is not None and not known:
        known = [here.assumed.temperature_c]
    if not known:
        return told("temperature", "temperature is not known", is_good=False, limit=limit)
    value = max(known, key=lambda each: abs(each - (low + high) / 2))
    words = (
        f"{shown(value, low if value < low else high)} °C outside, allowed from {low:g} to {high:g}"
    )
    return told(
        "temperature",
        words,
        is_good=low <= value <= high,
        value=value,
        limit=limit,
        is_assumed=is_assumed,
    )


def daylight(here: Situation) -> Interlock:
    """The sun is high enough where it flies."""
    limit = here.limits.sun_deg
    if here.place is None:
        words = "without a position daylight is not known"
        return told("daylight", words, is_good=False, limit=limit)
    sun = sun_elevation_deg(here.place, here.now.utc_ms)
    words = f"the sun stands {shown(sun, limit)}° high, at least {limit:g}"
    return told("daylight", words, is_good=sun >= limit, value=sun, limit=limit)


def _at_most(
    name: str, what: str, unit: str, value: float | None, limit: float, *, is_assumed: bool
) -> Interlock:
    if value is None:
        return told(name, f"{what} is not known", is_good=False, limit=limit)
    return told(
        name,
        f"{what} {shown(value, limit)} {unit}, at most {limit:g}",
        is_good=value <= limit,
        value=value,
        limit=limit,
        is_assumed=is_assumed,
    )

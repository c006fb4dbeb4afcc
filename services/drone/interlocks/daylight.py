"""How high the sun stands (pure)."""

import math

from services.drone.geodesy import Place

_J2000_MS = 946_728_000_000
"""2000-01-01 12:00 UTC, in ms since 1970."""

_DAY_MS = 86_400_000


def sun_elevation_deg(place: Place, utc_ms: int) -> float:
    """Elevation of the sun's centre above the horizon in degrees, without refraction.

    The Astronomical Almanac's low-precision formulas for the sun (section C, "Low precision
    formulas"), within 0.01° from 1950 to 2050; UTC stands for UT1, and parallax (below 0.003°) is
    left out. Near the horizon refraction lifts the true sun by up to 0.6°: the safe side.
    """
    days = (utc_ms - _J2000_MS) / _DAY_MS
    mean_longitude = 280.460 + 0.985_647_4 * days
    anomaly = math.radians(357.528 + 0.985_600_3 * days)
    longitude = math.radians(
        mean_longitude + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    obliquity = math.radians(23.439 - 0.000_000_4 * days)
    ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    sine_declination = math.sin(obliquity) * math.sin(longitude)
    sidereal_deg = 280.460_618_37 + 360.985_647_366_29 * days
    hour = math.radians(sidereal_deg + place.lon_deg) - ascension
    lat = math.radians(place.lat_deg)
    cosine_declination = math.sqrt(1.0 - sine_declination * sine_declination)
    sine = math.sin(lat) * sine_declination + math.cos(lat) * cosine_declination * math.cos(hour)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))

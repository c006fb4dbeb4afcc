"""A road with a gate, and what a car that drives past it says."""

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.tolls.detection.detector import Detector
from services.tolls.detection.plane import Plane
from services.tolls.facts import Finding, Sample
from services.tolls.objects import Gate, LatLon

START_MS = 1_780_000_000_000
BEARING_DEG = 37.0
ORIGIN = (1.3, 103.85)
PLANE = Plane.at(*ORIGIN)


def at(along_m: float, right_m: float, bearing_deg: float = BEARING_DEG) -> LatLon:
    """A place by the way from the origin in a direction, and to the right of it."""
    sine, cosine = math.sin(math.radians(bearing_deg)), math.cos(math.radians(bearing_deg))
    east, north = along_m * sine + right_m * cosine, along_m * cosine - right_m * sine
    return (
        PLANE.lat_deg + north / PLANE.north_m_per_deg,
        PLANE.lon_deg + east / PLANE.east_m_per_deg,
    )


def gate(
    name: str = "g", along_m: float = 0.0, right_m: float = 0.0, half_m: float = 6.0,
    turned_deg: float = 0.0, **fields: object,
) -> Gate:  # fmt: skip
    """A gate across the road of the origin, or one beside it, or turned round."""
    values = {
        "id": name,
        "label": name,
        "line": (at(along_m, right_m - half_m), at(along_m, right_m + half_m)),
        "bearing_deg": (BEARING_DEG + turned_deg) % 360.0,
    }
    return Gate.model_validate(values | fields)


@dataclass(frozen=True)
class Leg:
    """A stretch of a drive.

    Attributes:
        seconds: How long.
        mps: Speed; below 0 in reverse.
        turn_deg_s: To the right.
        has_fix: Whether GNSS sees the sky.
    """

    seconds: float
    mps: float
    turn_deg_s: float = 0.0
    has_fix: bool = True


Noise = Callable[[random.Random, float], tuple[float, float]]


def silent(_: random.Random, __: float) -> tuple[float, float]:
    return 0.0, 0.0


def autoregressive(sigma_m: float, constant_s: float = 30.0) -> Noise:
    """First-order noise; each call of the result is a second later."""
    state: list[float] = []
    keep = math.exp(-1.0 / constant_s)

    def noise(chance: random.Random, _: float) -> tuple[float, float]:
        fresh = sigma_m * math.sqrt(1.0 - keep * keep)
        if not state:
            state.extend((chance.gauss(0, sigma_m), chance.gauss(0, sigma_m)))
        state[:] = [
            keep * state[0] + chance.gauss(0, fresh),
            keep * state[1] + chance.gauss(0, fresh),
        ]
        return state[0], state[1]

    return noise


def reflected(right_m: float, from_s: float, until_s: float, white_m: float = 1.0) -> Noise:
    """White noise, and a bias to the right between two instants of the drive."""

    def noise(chance: random.Random, at_s: float) -> tuple[float, float]:
        bias = right_m if from_s <= at_s < until_s else 0.0
        cosine, sine = math.cos(math.radians(BEARING_DEG)), math.sin(math.radians(BEARING_DEG))
        white = chance.gauss(0, white_m), chance.gauss(0, white_m)
        return white[0] + bias * cosine, white[1] - bias * sine

    return noise


def drive(
    legs: Iterable[Leg], along_m: float = -600.0, right_m: float = 0.0, turned_deg: float = 0.0,
    noise: Noise = silent, sigma_m: float = 5.0, every_s: int = 1, seed: int = 1,
    has_odometer: bool = True, has_speed: bool = True, has_heading: bool = True,
) -> list[Sample]:  # fmt: skip
    """What a car says each second, from a place on."""
    chance = random.Random(seed)
    lat, lon = at(along_m, right_m)
    heading, way, second = math.radians(BEARING_DEG + turned_deg), 12_345.0, 0
    found: list[Sample] = []
    for leg in legs:
        for _ in range(round(leg.seconds)):
            off = noise(chance, second)
            sees = leg.has_fix and second % every_s == 0
            course = heading + (math.pi if leg.mps < 0 else 0.0)
            found.append(
                Sample(
                    at_ms=START_MS + second * 1000,
                    lat_deg=lat + off[1] / PLANE.north_m_per_deg if sees else None,
                    lon_deg=lon + off[0] / PLANE.east_m_per_deg if sees else None,
                    accuracy_m=sigma_m if sees else None,
                    heading_deg=math.degrees(course) % 360.0
                    if sees and has_heading and leg.mps
                    else None,
                    speed_mps=abs(leg.mps) if has_speed else None,
                    odometer_m=float(math.floor(way)) if has_odometer else None,
                    is_reverse=leg.mps < 0,
                )
            )
            heading += math.radians(leg.turn_deg_s)
            lat += leg.mps * math.cos(heading) / PLANE.north_m_per_deg
            lon += leg.mps * math.sin(heading) / PLANE.east_m_per_deg
            way += abs(leg.mps)
            second += 1
    return found


def straight(mps: float = 20.0, seconds: float = 75.0) -> list[Leg]:
    return [Leg(seconds, mps)]


def findings(detector: Detector, samples: Iterable[Sample]) -> list[Finding]:
    state = detector.begin()
    found = [finding for sample in samples for finding in detector.advance(state, sample)]
    return found + detector.finish(state)


def verdicts(found: Iterable[Finding]) -> dict[str, list[str]]:
    """By gate, what was said of it, in order."""
    said: dict[str, list[str]] = {}
    for finding in found:
        said.setdefault(finding.gate, []).append(finding.verdict)
    return said

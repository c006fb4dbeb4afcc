"""Advice beside where to: climate, seat, what to hear, stops and eco, as lines for who watches."""

from collections.abc import Mapping, Sequence

from internetcar.contract.advice import (
    ClimateRecommendation,
    EcoAdvice,
    MediaRecommendation,
    SeatRecommendation,
    StopKind,
    StopRecommendation,
    SuggestedSetting,
    SuggestedStop,
)
from internetcar.launcher.tables import plain, printable

Advice = (
    ClimateRecommendation | SeatRecommendation | MediaRecommendation | StopRecommendation
    | EcoAdvice
)  # fmt: skip

_HINTS_SHOWN = 2
_SETTINGS_SHOWN = 4
_WITHDRAWN = (
    "withdrawn, for it was rejected twice; it comes back once it is done by hand"
)  # fmt: skip
STOPS: Mapping[StopKind, str] = {"charge": "charge", "fuel": "fuel", "habit": "stop"}
"""What a stop is for, as a person says it."""
_UNITS: Mapping[str, tuple[str, str]] = {
    "Temperature": ("", " °C"),
    "FanSpeed": ("fan ", " %"),
    "HeatingCooling": ("seat warmth ", ""),
    "Position": ("seat at ", ""),
    "Height": ("seat height ", ""),
}
"""By the last level of a path: what a person calls it, and its unit where VSS fixes that."""


def advice_lines(said: Advice) -> list[str]:
    """What is advised, a line each; none where nothing is."""
    if isinstance(said, ClimateRecommendation):
        lines = _settings("climate", said.settings, said.because, is_withdrawn=said.is_withdrawn)
    elif isinstance(said, SeatRecommendation):
        lines = _seat(said)
    elif isinstance(said, MediaRecommendation):
        items = ", ".join(f"{each.item} ({_chance(each.probability)})" for each in said.items)
        lines = [f"to hear: {items}. {said.items[0].because}"] if said.items else []
    elif isinstance(said, StopRecommendation):
        stops = ", ".join(map(_stop, said.stops))
        because = said.because or next((each.because for each in said.stops if each.because), "")
        lines = [f"on the way: {stops}. {because}"] if said.stops else []
    else:
        lines = _eco(said)
    return [printable(line.rstrip()) for line in lines]


def setting_words(path: str, value: object) -> str:
    """A setting as a person says it."""
    level = path.rpartition(".")[2]
    before, after = _UNITS.get(level, (f"{level} ", ""))
    return f"{before}{plain(value)}{after}"


def _settings(
    what: str, settings: Sequence[SuggestedSetting], because: str, *, is_withdrawn: bool
) -> list[str]:
    """What would be set otherwise than it stands; where that is not told, what would be on."""
    if is_withdrawn:
        return [f"{what}: {_WITHDRAWN}"]
    told = [each for each in settings if each.now is not None]
    if told and all(each.value == each.now for each in told):
        return []
    others = [each for each in settings if each.value != (each.now or 0)]
    words = ", ".join(setting_words(each.path, each.value) for each in others[:_SETTINGS_SHOWN])
    return [f"{what}: {words}. {because}"] if words else []


def _seat(said: SeatRecommendation) -> list[str]:
    guess = []
    if said.guess is not None:
        share = "" if said.probability is None else f" ({_chance(said.probability)})"
        guess = [f"who drives: maybe {said.guess}{share}. {'' if said.settings else said.because}"]
    return guess + _settings("seat", said.settings, said.because, is_withdrawn=said.is_withdrawn)


def _stop(stop: SuggestedStop) -> str:
    where = stop.label or stop.place_id
    at = f" at {where}" if where else ""
    return f"{STOPS[stop.kind]}{at} ({_chance(stop.probability)})"


def _eco(said: EcoAdvice) -> list[str]:
    expected = "" if said.expected is None else f", {_amount(said.expected, said.unit)} expected"
    lines = [f"last trip: {_amount(said.used, said.unit)}{expected}"]
    return lines + [f"eco: {each.words}" for each in said.hints[:_HINTS_SHOWN]]


def _amount(used: float, unit: str) -> str:
    return f"{used / 1_000:.2f} {'kWh' if unit == 'Wh' else 'l'}"


def _chance(share: float) -> str:
    return f"{share * 100:.0f} %"

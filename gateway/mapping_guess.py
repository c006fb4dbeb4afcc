"""A first mapping for a car nobody has mapped: VSS leaves guessed from names and units (pure)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.translation import SignalLike
from gateway.vss import VssLeaf

LEAST_SCORE = 0.55
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_MEANING = {
    "spd": "speed", "veh": "vehicle", "whl": "wheel", "rpm": "speed", "eng": "engine",
    "temp": "temperature", "te": "temperature", "strg": "steering", "steer": "steering",
    "str": "steering", "ang": "angle", "an": "angle", "brk": "brake", "prk": "parking",
    "park": "parking", "acc": "accelerator", "accel": "acceleration", "gas": "accelerator",
    "aped": "accelerator pedal", "apedpos": "accelerator pedal", "pos": "position",
    "drv": "driver", "drvr": "driver", "psng": "passenger", "psngr": "passenger",
    "pass": "passenger", "ast": "passenger", "dr": "door", "wdw": "window", "odo": "odometer",
    "batt": "battery", "bat": "battery", "soc": "charge", "volt": "voltage", "cur": "current",
    "turn": "direction", "blinker": "direction", "blinkers": "direction", "sig": "indicator",
    "lh": "left", "rh": "right", "fl": "front left", "fr": "front right", "rl": "rear left",
    "rr": "rear right", "lat": "lateral", "lng": "longitudinal", "long": "longitudinal",
    "yaw": "yaw", "amb": "exterior", "ambient": "exterior", "outside": "exterior",
    "clnt": "coolant", "trn": "transmission", "gear": "gear", "hood": "hood", "trunk": "trunk",
    "tailgate": "trunk", "tgate": "trunk", "buckle": "belted", "belt": "belted",
    "seatbelt": "seat belted", "buckled": "belted", "latched": "belted", "ajar": "open",
    "lamp": "light", "lights": "light", "headlight": "beam", "headlamp": "beam", "hi": "high",
    "lo": "low", "pres": "pressure", "prs": "pressure", "tyre": "tire", "lvl": "level",
    "fuel": "fuel", "wiper": "wiping", "ign": "lowvoltagesystemstate", "dte": "range",
}  # fmt: skip
_LEAF_WORDS = {
    "traveleddistance": "odometer traveled distance",
    "row1": "front", "row2": "rear",
    "driverside": "driver left", "passengerside": "passenger right",
    "issignaling": "indicator", "stateofcharge": "charge", "isbelted": "belted", "isopen": "open",
    "islocked": "locked", "ison": "light", "isengaged": "engaged", "parkingbrake": "parking brake",
    "steeringwheel": "steering", "directionindicator": "direction indicator",
    "angularvelocity": "rate", "currentgear": "gear", "selectedgear": "gear",
    "airtemperature": "temperature", "pedalposition": "pedal position", "lights": "light",
    "enginecoolant": "coolant", "combustionengine": "engine", "lowvoltagebattery": "low battery",
    "currentvoltage": "voltage", "currentcurrent": "current", "fuelsystem": "fuel",
    "relativelevel": "level", "lowvoltagesystemstate": "lowvoltagesystemstate",
}  # fmt: skip
_COMMON = frozenset({"vehicle", "powertrain", "body", "chassis", "cabin", "axle", "row", "actl"})
_FACTORS = {
    ("mph", "km/h"): "x*1.609344", ("km", "m"): "x*1000", ("rad/s", "degrees/s"): "x*180/PI",
    ("mile", "m"): "x*1609.344", ("miles", "m"): "x*1609.344", ("bar", "kPa"): "x*100",
    ("kw", "W"): "x*1000", ("min", "s"): "x*60", ("mv", "V"): "x/1000", ("degf", "Celsius"):
    "(x-32)/1.8", ("psi", "kPa"): "x*6.894757", ("g", "m/s^2"): "x*9.80665",
}  # fmt: skip
_UNITS = {
    "kph": "km/h", "km/h": "km/h", "mph": "km/h", "km": "m", "mile": "m", "rpm": "rpm",
    "1/min": "rpm", "degc": "Celsius", "°c": "Celsius", "c": "Celsius", "v": "V", "volt": "V",
    "a": "A", "amps": "A", "%": "percent", "percent": "percent", "deg": "degrees",
    "degrees": "degrees", "deg/s": "degrees/s", "m/s^2": "m/s^2", "m/s2": "m/s^2", "nm": "Nm",
    "rad/s": "degrees/s", "bar": "kPa", "kpa": "kPa", "psi": "kPa", "degf": "Celsius", "mv": "V",
}  # fmt: skip
_TRUE = frozenset({"on", "open", "opened", "true", "yes", "active", "belted", "locked", "ajar",
                   "applied", "engaged", "latched", "buckled", "pressed"})  # fmt: skip
_FALSE = frozenset({"off", "closed", "false", "no", "inactive", "unbelted", "unlocked", "released",
                    "disengaged", "unlatched", "unbuckled", "not_pressed"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guess:
    """A leaf that a signal may be."""

    leaf: VssLeaf
    signal_index: int
    score: float
    """0 … 1; 1 is the same words and unit."""


def guess(signals: Sequence[SignalLike], vss: Mapping[str, VssLeaf]) -> list[Guess]:
    """The likeliest signal for a leaf and the likeliest leaf for that signal, best first."""
    leaves = [(leaf, _leaf_words(leaf.path)) for leaf in vss.values() if leaf.kind != "attribute"]
    best: dict[str, Guess] = {}
    for index, signal in enumerate(signals):
        words = _words(f"{signal.message} {signal.signal}")
        own = _words(signal.signal)
        scores = [
            (_score(words, own, leaf_words) * _unit_factor(leaf, signal), leaf)
            for leaf, leaf_words in leaves
            if own & leaf_words
        ]
        most = max((score for score, _ in scores), default=0.0)
        for score, leaf in scores:
            known = best.get(leaf.path)
            if score == most >= LEAST_SCORE and (known is None or score > known.score):
                best[leaf.path] = Guess(leaf, index, score)
    return sorted(best.values(), key=lambda found: (-found.score, found.leaf.path))


def skeleton(guesses: Sequence[Guess], signals: Sequence[SignalLike]) -> dict[str, Any]:
    """A mapping to begin with, in KUKSA's form: every leaf says in `comment` that it is a guess."""
    return {
        found.leaf.path: _node(found, signals[found.signal_index])
        for found in sorted(guesses, key=lambda found: found.leaf.path)
    }


def _node(found: Guess, signal: SignalLike) -> dict[str, Any]:
    leaf = found.leaf
    node: dict[str, Any] = {"type": leaf.kind, "datatype": leaf.datatype}
    for key, value in (("unit", leaf.unit), ("min", leaf.min), ("max", leaf.max)):
        if value is not None:
            node[key] = value
    if leaf.allowed:
        node["allowed"] = list(leaf.allowed)
    node["description"] = leaf.description or ""
    node["comment"] = f"A guess, {found.score:.2f} of 1: check signal, unit and sign"
    source: dict[str, Any] = {"signal": signal.signal, "message": signal.message}
    if transform := _transform(leaf, signal):
        source["transform"] = transform
    node["dbc2vss"] = source
    return node


def _transform(leaf: VssLeaf, signal: SignalLike) -> dict[str, Any] | None:
    if math := _FACTORS.get(((signal.unit or "").lower(), leaf.unit or "")):
        return {"math": math}
    choices = signal.choices or {}
    if leaf.datatype != "boolean" or not choices:
        return None
    known = [(name, _is_true(name)) for name in choices.values()]
    entries = [{"from": name, "to": is_true} for name, is_true in known if is_true is not None]
    return {"mapping": entries} if entries else None


def _is_true(name: str) -> bool | None:
    last = name.lower().rsplit("_", 1)[-1].strip()
    if name.lower() in _FALSE or last in _FALSE:
        return False
    return True if last in _TRUE else None


def _score(words: set[str], own: set[str], leaf_words: set[str]) -> float:
    """How much of the leaf the names say, and how much of the signal's name the leaf explains."""
    said = len(words & leaf_words) / len(leaf_words)
    explained = len(own & leaf_words) / len(own)
    return 0.6 * said + 0.4 * explained


def _unit_factor(leaf: VssLeaf, signal: SignalLike) -> float:
    unit = _UNITS.get((signal.unit or "").lower())
    if unit is None or leaf.unit is None:
        return 0.9 if bool(signal.unit) == bool(leaf.unit) else 0.7
    return 1.0 if unit == leaf.unit else 0.3


def _words(name: str) -> set[str]:
    words: set[str] = set()
    for word in _WORD.findall(name):
        lower = word.lower()
        words.update(_MEANING.get(lower, lower).split())
    return (words - _COMMON) or words


def _leaf_words(path: str) -> set[str]:
    words: set[str] = set()
    for step in path.split(".")[1:]:
        known = _LEAF_WORDS.get(step.lower())
        words.update(known.split() if known else (word.lower() for word in _WORD.findall(step)))
    return (words - _COMMON - {"is"}) or words

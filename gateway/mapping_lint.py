"""What is wrong with a mapping, where it stands, and what mends it (pure)."""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass

from gateway.mapping import LeafRule, Mapping, SignalLike, bind
from gateway.translation import unmatched_choices
from gateway.vss import VssLeaf

_JSON_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\]]|\n')
_YAML_KEY = re.compile(r"""^["']?([A-Za-z0-9_.@-]+)["']?\s*:""", re.MULTILINE)
_SAME_UNIT = {
    "km/h": {"km/h", "kph", "kmh", "kilometerperhour", "kilometer/h"},
    "Celsius": {"celsius", "c", "°c", "degc", "deg", "deg c", "degrecelsi", "grad c"},
    "degrees": {"degrees", "deg", "°", "degree", "degreofarc"},
    "degrees/s": {"degrees/s", "deg/s", "°/s"},
    "percent": {"percent", "%", "percen"},
    "V": {"v", "volt", "volts"},
    "A": {"a", "amp", "amps", "ampere"},
    "m/s^2": {"m/s^2", "m/s2", "m/s²", "meterperseconsquar"},
    "rpm": {"rpm", "1/min", "u/min", "minutinver", "min-1"},
    "Nm": {"nm", "newtometer"},
    "kWh": {"kwh"},
    "l": {"l", "liter", "litre"},
    "m": {"m", "meter", "meters"},
    "km": {"km", "kilometer", "kilometers"},
    "kPa": {"kpa"},
    "s": {"s", "sec", "secon"},
}

_OTHER_UNITS = frozenset({"mph", "mile", "miles", "rad/s", "rad", "degf", "°f", "psi", "bar", "g"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend."""

    path: str
    """The leaf; empty where it concerns the whole file."""
    line: int | None
    severity: str
    """`error`: the leaf cannot be used; `warning`: it says something wrong, or nothing; `note`."""
    text: str
    fix: str


def lint(
    mapping: Mapping,
    text: str,
    signals: Sequence[SignalLike] | None = None,
    bus_names: Sequence[str] = (),
    vss: MappingOf[str, VssLeaf] | None = None,
) -> list[Finding]:
    """Check a mapping against its signals and a VSS release, as far as these are given.

    Args:
        mapping: The rules.
        text: What they were read from, to name lines.
        signals: Those of the databases it is meant for.
        bus_names: Names of their buses.
        vss: A release's leaves by path.
    """
    lines = _lines(text)
    found = [_about(mapping, lines, "warning", warning) for warning in mapping.warnings]
    if signals is not None:
        found += _against_signals(mapping, signals, bus_names, lines)
    for rule in mapping.leaves.values():
        line = lines.get(rule.path)
        found += [_at(rule, line, *problem) for problem in _within(rule)]
        if vss is not None:
            found += [_at(rule, line, *problem) for problem in _against_vss(rule, vss)]
    return sorted(found, key=lambda finding: (finding.line or 0, finding.path))


def _at(rule: LeafRule, line: int | None, severity: str, text: str, fix: str) -> Finding:
    return Finding(rule.path, line, severity, text, fix)


def _about(mapping: Mapping, lines: MappingOf[str, int], severity: str, text: str) -> Finding:
    """A finding from a text that begins with its leaf's path, perhaps after the file's name."""
    text = text.removeprefix(f"{mapping.name}: ")
    path = next((path for path in mapping.leaves if text.startswith(f"{path}: ")), "")
    return Finding(path, lines.get(path), severity, text.removeprefix(f"{path}: "), _fix_of(text))


def _against_signals(
    mapping: Mapping,
    signals: Sequence[SignalLike],
    bus_names: Sequence[str],
    lines: MappingOf[str, int],
) -> Iterator[Finding]:
    binding = bind(mapping, signals, bus_names)
    yield from (_about(mapping, lines, "error", text) for text in binding.errors)
    yield from (_about(mapping, lines, "warning", text) for text in binding.warnings)
    for leaf in binding.leaves:
        signal = signals[leaf.signal_index]
        line = lines.get(leaf.path)
        if names := unmatched_choices(leaf.rule.source, signal):
            text = f"{signal.signal} can also be {', '.join(names)}"
            yield _at(leaf.rule, line, "note", text, "add a `from`, else these are left out")
        wrong = leaf.rule.source and not leaf.rule.source.transform
        if wrong and not _is_same_unit(leaf.rule.unit, signal.unit):
            text = f"{signal.signal} is in {signal.unit!r}, the leaf in {leaf.rule.unit!r}"
            yield _at(leaf.rule, line, "warning", text, "convert it with `transform: math`")


def _fix_of(text: str) -> str:
    for words, fix in (
        ("ambiguous", "add the key that is named"),
        ("never matches", "use a name or number that the signal has"),
        ("never said", "correct the name, or give the database that has it"),
        ("taken from", "add `bus` where it matters"),
        ("nobody reads", "correct the key or remove it"),
        ("belong inside", "move it there"),
    ):
        if words in text:
            return fix
    return "see the text"


def _within(rule: LeafRule) -> Iterator[tuple[str, str, str]]:
    source = rule.source
    if source is None:
        return
    if source.deadband and rule.datatype in ("boolean", "string"):
        yield "warning", f"a deadband on a {rule.datatype}", "remove `deadband`"
    if rule.min is not None and rule.max is not None and source.deadband >= rule.max - rule.min:
        yield "warning", "a deadband as wide as the range", "make `deadband` smaller"
    entries = (source.transform and source.transform.mapping) or ()
    if rule.allowed is not None:
        for entry in entries:
            if entry.to not in rule.allowed:
                allowed = ", ".join(str(value) for value in rule.allowed)
                yield "error", f"`to: {entry.to}` is not allowed", f"use one of {allowed}"
    for twice in _repeated([entry.from_ for entry in entries]):
        yield "warning", f"`from: {twice}` stands there twice; the first holds", "remove one"


def _repeated(values: Iterable[object]) -> list[object]:
    seen: list[object] = []
    twice: list[object] = []
    for value in values:
        (twice if value in seen else seen).append(value)
    return twice


def _against_vss(rule: LeafRule, vss: MappingOf[str, VssLeaf]) -> Iterator[tuple[str, str, str]]:
    leaf = vss.get(rule.path)
    if leaf is None:
        similar = difflib.get_close_matches(rule.path, list(vss), n=2, cutoff=0.8)
        hint = f"perhaps {' or '.join(similar)}" if similar else "give your own tree with --vss"
        yield "warning", "not in this VSS release", hint
        return
    for what, mine, theirs in (
        ("type", rule.kind, leaf.kind),
        ("datatype", rule.datatype, leaf.datatype),
        ("unit", rule.unit, leaf.unit),
        ("allowed", rule.allowed, leaf.allowed),
    ):
        if mine != theirs and not (what == "unit" and mine is None):
            yield "warning", f"{what} is {mine}, in this release {theirs}", f"{what}: {theirs}"


def _is_same_unit(leaf: str | None, signal: str | None) -> bool:
    """Whether two units are the same thing, as far as they are known; unknown ones are."""
    if not leaf or not signal or leaf not in _SAME_UNIT:
        return True
    name = signal.lower().removeprefix("unit_").strip()
    known = _OTHER_UNITS.union(*_SAME_UNIT.values())
    return name in _SAME_UNIT[leaf] or name not in known


def _lines(text: str) -> dict[str, int]:
    """The line on which each leaf's definition begins."""
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return _json_lines(text)
    return {match[1]: text.count("\n", 0, match.start()) + 1 for match in _YAML_KEY.finditer(text)}


def _json_lines(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    keys: list[str] = []
    key, line = "", 1
    for match in _JSON_TOKEN.finditer(text):
        token = match[0]
        if token == "\n":
            line += 1
        elif token in "{[":
            keys.append(key)
            path = ".".join(name for name in keys if name and name != "children")
            lines.setdefault(path, line)
            key = ""
        elif token in "}]":
            key = keys.pop() if keys else ""
        else:
            key = token[1:-1]
    return lines

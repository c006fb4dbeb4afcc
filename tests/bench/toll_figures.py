"""From counts to the figures of the issue, and the table a person reads."""

import math
from dataclasses import dataclass

from tests.bench.report import Figure, progress
from tests.bench.toll_ledger import Ledger
from tests.bench.toll_verdicts import Tally

PEERS = ("circle", "line")
COMPARED = (
    "missed", "missed_b", "missed_bent", "missed_clear", "false_parallel", "false_parallel_18",
    "wrong_direction",
)  # fmt: skip
"""What a peer has too."""
SHOWN = 25


@dataclass(frozen=True)
class Row:
    """A figure beside the same of the peers; `None` where a peer has no such thing."""

    figure: Figure
    peers: tuple[float | None, ...] = (None, None)


def upper_bound(events: int, trials: int) -> float:
    """95 % upper bound of a rate (one-sided, Poisson, exact for rare events); 1 without trials."""
    if not trials:
        return 1.0
    low, high = 0.0, 10.0 + 3.0 * events

    def at_most(mean: float) -> float:
        term = total = math.exp(-mean)
        for index in range(1, events + 1):
            term *= mean / index
            total += term
        return total

    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(middle) > 0.05 else (low, middle)
    return min(1.0, high / trials)


def share(events: int, trials: int) -> float:
    return events / trials if trials else math.nan


def rows(tally: Tally, ledger: Ledger) -> list[Row]:
    """What the drives show; everything is a share of the drives it is about.

    Args:
        tally: What came of them.
        ledger: What was paid while processes died: its passages count for `double` too.
    """
    counts = tally.counts
    passed, parallel = counts["at_provable"], counts["parallel"]
    passed_b, bent = counts["at_provable_b"], counts["at_provable_bent"]
    wrong_ways = counts["wrong way"] + counts["pair"]

    def row(name: str, trials: int, meaning: str, bar: str = "", most: float | None = None) -> Row:
        value = share(counts[name], trials)
        holds = None if most is None or not trials else value <= most
        peers = tuple(
            share(counts[f"{peer}_{name}"], trials) if name in COMPARED else None for peer in PEERS
        )
        return Row(Figure(name, value, f"{meaning} ({trials} drives)", bar, holds), peers)

    bound = upper_bound(counts["missed"], passed)
    near, unlisted = counts["parallel_near"], counts["parallel_unlisted"]
    return [
        row("missed", passed, "not found at a provable gate", "< 1e-4", 1e-4),
        Row(Figure("missed_upper", bound, "its 95 % upper bound", "< 1e-4", bound < 1e-4)),
        row(
            "missed_clear", counts["at_provable_clear"],
            "not found or undecided, of those with a fix every second",
        ),
        row("unresolved", passed, "undecided at a provable gate", "≤ 1e-3", 1e-3),
        row("missed_b", passed_b, "the same of `missed` with the second generator"),
        row("unresolved_b", passed_b, "undecided with the second generator"),
        row("missed_bent", bent, "not found where the road bends as the context does not say"),
        row("unresolved_bent", bent, "undecided there: `provable` with bends says so"),
        row("false_parallel", parallel, "charged on a free road ≥ 8.5 sigma away", "0", 0),
        row("unresolved_parallel", parallel, "undecided there: no money"),
        row("false_parallel_near", near, "charged on a nearer one in the context", "0", 0),
        row("false_parallel_unlisted", unlisted, "charged on a nearer one nobody knows of"),
        row("false_parallel_18", counts["at_18_m"], "charged on a free road 16 to 20 m away"),
        row("wrong_direction", wrong_ways, "charged against the direction, or a group's", "0", 0),
        row(
            "ghost", wrong_ways,
            "wrong-way driver charged at the opposite gate within 8.5 sigma: to any receiver it is "
            "a proper one",
        ),
        row("false_elsewhere", counts["drives"], "charged at a gate it was not near", "0", 0),
        row("grazed", counts["drives"], "charged at another gate it passed within 8.5 sigma of"),
        row("turn_charged", counts["turn"], "charged though it turned or backed out", "0", 0),
        row("turn_missed", counts["turned_owing"], "passed, came back beside the line: not found"),
        row("turn_unresolved", counts["turned_owing"], "passed, came back beside it: undecided"),
        _double(tally, ledger),
    ]  # fmt: skip


def _double(tally: Tally, ledger: Ledger) -> Row:
    """Passages beyond the first: jams, redelivery, restarts, and those paid twice over deaths."""
    counts = tally.counts
    driven = sum(counts[f"at_provable{kind}"] for kind in ("", "_b", "_bent"))
    double = counts["double"] + ledger.double
    value = share(double, driven + ledger.passages)
    words = f"charged again: {counts['double']} of {driven} drives, {ledger.double} over deaths"
    peers = tuple(share(counts[f"{peer}_double"], driven) for peer in PEERS)
    return Row(Figure("double", value, words, "0", double == 0), peers)


def table(found: list[Row], title: str) -> str:
    """One line a figure: ours, the circle's, the line's, the bar."""
    width = max(len(row.figure.name) for row in found)
    lines = [title, f"  {'':<{width}}  {'ours':>10} {'circle':>10} {'line':>10}"]
    for row in found:
        figure = row.figure
        verdict = {True: "holds", False: "MISSED", None: ""}[figure.holds]
        bar = f"bar {figure.bar}: {verdict}" if figure.bar else ""
        peers = " ".join(f"{'' if peer is None else f'{peer:.3g}':>10}" for peer in row.peers)
        values = f"{figure.value:>10.4g} {peers}"
        lines.append(f"  {figure.name:<{width}}  {values}  {figure.meaning}  {bar}".rstrip())
    return "\n".join(lines)


def flat(found: list[Row]) -> dict[str, float | None]:
    """For `--json`; what could not be measured is null."""
    result: dict[str, float | None] = {}
    for row in found:
        result[row.figure.name] = row.figure.value
        for name, value in zip(PEERS, row.peers, strict=True):
            if value is not None:
                result[f"{name}_{row.figure.name}"] = value
    return {name: value if value == value else None for name, value in result.items()}


def explain(tally: Tally) -> None:
    """What fails, under which conditions, and the numbers of passages to make again."""
    by_condition: dict[str, dict[str, int]] = {}
    for (conditions, what), times in tally.conditions.items():
        by_condition.setdefault(conditions, {})[what] = times
    failing = [(c, f) for c, f in by_condition.items() if set(f) - {"at_provable"}]
    failing.sort(key=lambda found: -sum(v for k, v in found[1].items() if k != "at_provable"))
    for conditions, found in failing[:SHOWN]:
        passed = found.pop("at_provable", 0)
        said = ", ".join(f"{what} {times}" for what, times in sorted(found.items()))
        progress(f"  {conditions}: {said} (of {passed} passages at provable gates)")
    for failure in tally.failures[:SHOWN]:
        progress(f"  passage {failure.number}: {failure.what} {failure.gate}: {failure.conditions}")
    gates: dict[str, dict[str, int]] = {}
    for (gate, what), times in tally.gates.items():
        gates.setdefault(gate, {})[what] = times
    for gate, found in sorted(gates.items()):
        passed = found["passed"]
        undecided, missed = found.get("unresolved", 0), found.get("missed", 0)
        progress(f"  {gate}, not provable: {undecided} of {passed} undecided, {missed} missed")

"""The drone: the whole service against a simulated copter, by seed, in campaigns.

Run `python -m tests.bench.drone`; `--runs N` sets the size of each campaign, `--campaign NAME`
takes one of them. What fails is said on stderr, with its seed.
"""

import argparse
import importlib
import json
import math
import os
import time
from pathlib import Path

from tests.bench.drone_runs import Campaign, fly
from tests.bench.report import Figure, progress

CAMPAIGNS = ("deliveries", "landings", "follow", "zones", "kills", "interlocks", "wind")
REAL = ("real", "reply")
TITLE = "Drone: the whole service against a simulated copter"


def main() -> None:
    parser = argparse.ArgumentParser(description=TITLE)
    parser.add_argument("--runs", type=int, default=300, help="the size of each campaign")
    parser.add_argument("--json", metavar="FILE", help="one flat object, to a file or (-) stdout")
    parser.add_argument("--campaign", action="append", choices=(*CAMPAIGNS, *REAL))
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    parser.add_argument("--real", type=int, default=4, help="kills of real processes")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    found = measure(given)
    flat = {figure.name: None if math.isnan(figure.value) else figure.value for figure in found}
    if given.json == "-":
        print(json.dumps(flat))
        return
    if given.json:
        Path(given.json).write_text(json.dumps(flat) + "\n", encoding="utf-8")
    print(table(found))


def measure(given: argparse.Namespace) -> list[Figure]:
    """All figures of the campaigns that were asked for."""
    wanted = given.campaign or [*CAMPAIGNS, *REAL]
    found: list[Figure] = []
    flown: list[Campaign] = []
    for name in wanted:
        began, before = time.monotonic(), len(found)
        module = importlib.import_module(f"tests.bench.drone_{name}")
        if name in REAL:
            found += module.measure(given)
        else:
            size = getattr(module, "size", lambda runs: runs)(given.runs)
            campaign = fly(name, module.run, range(given.seed, given.seed + size), given.workers)
            flown.append(campaign)
            found += module.figures(campaign)
        progress(f"{name}: {time.monotonic() - began:.0f} s\n{table(found[before:])}")
    return [*found, *replayed(flown)] if flown else found


def replayed(flown: list[Campaign]) -> list[Figure]:
    """What was decided otherwise when it was decided anew."""
    rows = [row for campaign in flown for row in campaign.rows]
    wrong = [words for row in rows for words in row.differences]
    for words in wrong[:10]:
        progress(f"  replay: {words}")
    count = sum(row.replayed for row in rows)
    return [Figure("replay_differences", len(wrong), f"in {count} recorded runs", "0", not wrong)]


def table(found: list[Figure]) -> str:
    """For people."""
    width = max(len(figure.name) for figure in found)
    lines = [TITLE]
    for figure in found:
        if math.isnan(figure.value):
            lines.append(f"  {figure.name:<{width}}  {'-':>10}  not flown: too few runs")
            continue
        verdict = {True: "held", False: "MISSED", None: ""}[figure.holds]
        bar = f"bar {figure.bar}: {verdict}" if figure.bar else ""
        lines.append(
            f"  {figure.name:<{width}}  {figure.value:>10.4g}  {figure.meaning}  {bar}".rstrip()
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""What came of a simulated passage: findings of the detector and its peers, and the truth."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from services.tolls.detection.detector import Detector, dump, load
from services.tolls.facts import Finding, Sample, Verdict
from services.tolls.objects import Gate
from services.tolls.passages.matching import Known, Place, take
from tests.bench.toll_peers import circle_events, fixes, line_events
from tests.bench.toll_scenarios import SIGMAS_OF_SEPARATION, Mixture, Scenario
from tests.bench.toll_worlds import NEAR_M, Ground, distance_m
from tests.tolls_drive import Drive
from tests.tolls_site import Site

MOST_FAILURES = 400


@dataclass(frozen=True)
class Failure:
    """A passage that went wrong; its number makes it again."""

    number: int
    what: str
    gate: str
    conditions: str

    def rank(self) -> tuple[bool, int]:
        """Wrong money first, then by number."""
        return "unresolved" in self.what, self.number


@dataclass
class Tally:
    """Counts of many passages; two of them can be added."""

    counts: Counter[str] = field(default_factory=Counter)
    conditions: Counter[tuple[str, str]] = field(default_factory=Counter)
    gates: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.counts.update(other.counts)
        self.conditions.update(other.conditions)
        self.gates.update(other.gates)
        both = self.failures + other.failures
        self.failures = sorted(both, key=Failure.rank)[:MOST_FAILURES]

    def fails(self, scenario: Scenario, what: str, gate: str, times: int = 1) -> None:
        self.counts[what] += times
        self.conditions[scenario.conditions, what] += times
        if len(self.failures) < MOST_FAILURES:
            text = f"{scenario.kind}, {scenario.plan.motion}, {scenario.conditions}"
            self.failures.append(Failure(scenario.number, what, gate, text))


def detected(detector: Detector, samples: list[Sample], restarts: Iterable[float]) -> list[Finding]:
    """All findings of a drive, the detector's process ending and beginning where the plan says."""
    breaks = {int(share * len(samples)) for share in restarts}
    state = detector.begin()
    found: list[Finding] = []
    for index, sample in enumerate(samples):
        if index in breaks:
            state = load(dump(state))
        found += detector.advance(state, sample)
    found += detector.finish(state)
    return found


def passages(findings: Iterable[Finding], context: str) -> list[Known]:
    """Which passages the findings speak of, as the service has it."""
    known: dict[str, Known] = {}
    for finding in findings:
        same_gate = [one for one in known.values() if one.finding.gate == finding.gate]
        place = Place("bench", context, "simulation", 0)
        one = take(finding, place, list(known.values()), len(same_gate))
        known[one.passage_id] = one
    return list(known.values())


class Judge:
    """Drives scenarios and says what came of each.

    Args:
        ground: The contexts.
        mixture: What is driven.
        provable: By context, the gates where missed and unresolved passages have a bar.
    """

    def __init__(
        self, ground: Ground, mixture: Mixture, provable: dict[str, frozenset[str]]
    ) -> None:
        self._ground, self._mixture, self._provable = ground, mixture, provable

    def judge(self, number: int, tally: Tally) -> None:
        scenario = self._mixture.scenario(number)
        site, drive = self._mixture.drive(scenario)
        beside_m = scenario.world_beside_m
        if beside_m is None:
            detector = self._ground.shipped(scenario.context)
        else:
            detector = self._ground.beside(scenario.context, scenario.gate, beside_m)
        findings = detected(detector, drive.samples, scenario.plan.restarts)
        known = passages(findings, scenario.context)
        verdicts = Counter((one.finding.gate, one.finding.verdict) for one in known)
        gate = scenario.gate
        tally.counts["drives"] += 1
        tally.counts["samples"] += len(drive.samples)
        tally.counts[scenario.kind] += 1
        self._peers(scenario, site, drive, tally)
        self._elsewhere(scenario, site, drive, verdicts, tally)
        proven, unresolved = verdicts[gate, "proven"], verdicts[gate, "unresolved"]
        if scenario.kind in ("through", "pair"):
            self._through(scenario, proven, unresolved, tally)
        elif scenario.kind == "turn":
            self._turned(scenario, self._net(site, site.gate, drive), proven, unresolved, tally)
        elif scenario.kind == "wrong way":
            tally.counts["against"] += 1
            if proven:
                tally.fails(scenario, "wrong_direction", gate)
        else:
            self._beside(scenario, proven, unresolved, tally)

    def _is_on_bends(self, scenario: Scenario) -> bool:
        """Whether the road bends as the context does not say, where that is not provable."""
        on_bends = self._ground.provable_on_bends[scenario.context]
        return bool(scenario.bend) and scenario.gate not in on_bends

    def _through(self, scenario: Scenario, proven: int, unresolved: int, tally: Tally) -> None:
        gate = scenario.gate
        if gate in self._provable[scenario.context]:
            kind = scenario.row(is_on_bends=self._is_on_bends(scenario))
            tally.counts[f"at_provable{kind}"] += 1
            tally.conditions[scenario.conditions, "at_provable"] += 1
            tally.counts["at_provable_clear"] += scenario.is_clear and not kind
            if not proven:
                tally.counts["missed_clear"] += scenario.is_clear and not kind
                tally.fails(scenario, ("unresolved" if unresolved else "missed") + kind, gate)
        else:
            name = f"{scenario.context} {gate}"
            tally.gates[name, "passed"] += 1
            if not proven:
                tally.gates[name, "unresolved" if unresolved else "missed"] += 1
        if proven > 1:
            tally.fails(scenario, "double", gate, proven - 1)

    def _turned(
        self, scenario: Scenario, net: int, proven: int, unresolved: int, tally: Tally
    ) -> None:
        """By net crossings: who turns and comes back over the same line owes nothing.

        Who comes back beside it owes the passage.
        """
        tally.counts["turned_owing"] += net > 0
        if proven > max(0, net):
            tally.fails(scenario, "turn_charged", scenario.gate)
        elif proven < net and scenario.gate in self._provable[scenario.context]:
            tally.fails(scenario, "turn_unresolved" if unresolved else "turn_missed", scenario.gate)

    def _beside(self, scenario: Scenario, proven: int, unresolved: int, tally: Tally) -> None:
        if scenario.is_apart:
            name = "parallel"
        elif scenario.world_beside_m is not None:
            name = "parallel_near"
        else:
            name = "parallel_unlisted"
        tally.counts[name] += 1
        tally.counts["at_18_m"] += scenario.is_at_18_m
        tally.counts["false_parallel_18"] += scenario.is_at_18_m and proven > 0
        if proven:
            tally.fails(scenario, f"false_{name}", scenario.gate)
        elif unresolved:
            tally.counts[f"unresolved_{name}"] += 1

    def _elsewhere(
        self,
        scenario: Scenario,
        site: Site,
        drive: Drive,
        verdicts: Counter[tuple[str, Verdict]],
        tally: Tally,
    ) -> None:
        """Charges at gates that are not the one of the scenario.

        A wrong-way driver goes in the direction of a gate for the other one: where that is so near
        that no receiver can tell, the charge is a ghost's. Anybody else passes a gate of a pair on
        its own carriageway, and the other of the pair must not charge at all.
        """
        gates = self._ground.contexts[scenario.context].by_id
        partner = self._ground.partner(scenario.gate) if scenario.context == "singapore" else None
        for gate, verdict in verdicts:
            if gate == scenario.gate or verdict != "proven":
                continue
            other = gates[gate]
            is_other_of_pair = gate == partner and scenario.kind in ("through", "pair")
            if not is_other_of_pair and self._net(site, other, drive) > 0:
                continue
            beyond_m = SIGMAS_OF_SEPARATION * scenario.plan.sigma_m
            if not is_other_of_pair and self._passes(site, other, drive, beyond_m)[0] > 0:
                is_ghost = scenario.kind == "wrong way"
                tally.counts["ghost" if is_ghost else "grazed"] += 1
                continue
            is_near = distance_m(site.gate, other) <= NEAR_M
            tally.fails(scenario, "wrong_direction" if is_near else "false_elsewhere", gate)

    def _net(self, site: Site, gate: Gate, drive: Drive) -> int:
        """Crossings of a gate's line in its direction, less those against it."""
        forward, back = self._passes(site, gate, drive, 0.0)
        return forward - back

    @staticmethod
    def _passes(site: Site, gate: Gate, drive: Drive, beyond_m: float) -> tuple[int, int]:
        """Crossings of a gate's line, made longer at both ends, in its direction and against."""
        if gate.bearing_deg is None:
            return 0, 0
        line = site.plane.metres(gate.line)
        unit = (line[1] - line[0]) / np.hypot(*(line[1] - line[0]))
        line = line + beyond_m * np.array((-unit, unit))
        bearing = np.radians(gate.bearing_deg)
        along = line[1] - line[0]
        charged_to_right = float(along[1] * np.sin(bearing) - along[0] * np.cos(bearing)) > 0
        directions = [to_right == charged_to_right for _, to_right in drive.crosses(line)]
        return directions.count(True), directions.count(False)

    def _peers(self, scenario: Scenario, site: Site, drive: Drive, tally: Tally) -> None:
        points = fixes(drive.samples, site.plane)
        lines = {scenario.gate: site.line}
        partner = self._ground.partner(scenario.gate)
        if scenario.kind == "pair" and partner is not None:
            other = self._ground.contexts[scenario.context].by_id[partner]
            lines[partner] = site.plane.metres(other.line)
        for name, count in (("circle", circle_events), ("line", line_events)):
            events = {gate: count(points, where) for gate, where in lines.items()}
            here = events[scenario.gate]
            is_passed = scenario.kind in ("through", "pair")
            if is_passed and scenario.gate in self._provable[scenario.context]:
                kind = scenario.row(is_on_bends=self._is_on_bends(scenario))
                tally.counts[f"{name}_missed{kind}"] += here == 0
                tally.counts[f"{name}_missed_clear"] += here == 0 and scenario.is_clear and not kind
                tally.counts[f"{name}_double"] += max(0, here - 1)
            elif scenario.kind == "wrong way":
                tally.counts[f"{name}_wrong_direction"] += here > 0
            if scenario.kind == "pair":
                tally.counts[f"{name}_wrong_direction"] += events.get(partner or "", 0) > 0
            elif scenario.kind.startswith("beside") and scenario.is_apart:
                tally.counts[f"{name}_false_parallel"] += here > 0
            elif scenario.is_at_18_m:
                tally.counts[f"{name}_false_parallel_18"] += here > 0

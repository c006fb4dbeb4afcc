"""Which drive a passage number is: the mixture of the benchmark, the same in every run."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np

from tests.bench.toll_worlds import BESIDE_M, CONTEXTS, Ground, clear_m
from tests.tolls_drive import Drive, Jam, Motion, Plan, drive
from tests.tolls_noise import Generator
from tests.tolls_site import Path, Site

Kind = Literal["through", "beside known", "beside unknown", "wrong way", "pair", "turn"]

SEED = 20_260_608
FIRST_AT_MS = 1_780_000_000_000
APART_MS = 3_600_000
SIGMAS_OF_SEPARATION = 8.5
"""From here on a free road can be told from the tolled one, and must be."""

KINDS: tuple[tuple[Kind, float], ...] = (
    ("through", 0.76), ("beside known", 0.07), ("beside unknown", 0.05), ("wrong way", 0.04),
    ("pair", 0.04), ("turn", 0.04),
)  # fmt: skip
AT_PROVABLE = 0.94
"""Of the drives through a gate: those at gates that are said to be provable."""


@dataclass(frozen=True)
class Scenario:
    """One simulated passage: where, which road, how.

    Attributes:
        beside_m: How far right of the tolled road's middle the car's free road is; 0: on the
            tolled one.
        bend: Curvatures of the road beyond 100 m, see `Site.bent`; empty: as in the context.
    """

    number: int
    kind: Kind
    context: str
    gate: str
    beside_m: float
    plan: Plan
    bend: tuple[float, ...]

    @property
    def world_beside_m(self) -> float | None:
        """Which world the detector is of: where the context has the free road."""
        if self.kind != "beside known":
            return None
        return max(wanted for wanted in BESIDE_M if wanted <= self.beside_m + 1e-9)

    @property
    def is_apart(self) -> bool:
        """Whether the free road is so far off that it must not be unresolved, nor charged."""
        return abs(self.beside_m) >= SIGMAS_OF_SEPARATION * self.plan.sigma_m

    @property
    def is_at_18_m(self) -> bool:
        """On a free road about 18 m away, where a circle charges nearly everybody."""
        return 16.0 <= abs(self.beside_m) <= 20.0

    @property
    def is_clear(self) -> bool:
        """As easy as it gets: a fix every second and no outage."""
        return self.plan.period_s == 1.0 and not self.plan.outage_s

    def row(self, *, is_on_bends: bool) -> str:
        """Which rows of the table a passage at a provable gate counts in."""
        if self.plan.generator == "b":
            return "_b"
        return "_bent" if is_on_bends else ""

    @cached_property
    def conditions(self) -> str:
        """For a table of what fails."""
        plan = self.plan
        outage = (
            "no outage" if not plan.outage_s else f"outage ≤ {-(-plan.outage_s // 40) * 40:.0f} s"
        )
        receiver = "A" if plan.generator == "a" else "B"
        return ", ".join(
            (
                f"{receiver} sigma {plan.sigma_m:.0f} m", f"{1 / plan.period_s:g} Hz", outage,
                f"jam {plan.jam}", "bends" if self.bend else "straight",
            )
        )  # fmt: skip


class Mixture:
    """Draws scenarios.

    Args:
        ground: The contexts.
        provable: By context, the gates that can be proven at sigma 5 m and 1 Hz.
    """

    def __init__(self, ground: Ground, provable: dict[str, frozenset[str]]) -> None:
        self._ground = ground
        self._provable = {name: sorted(provable[name]) for name in CONTEXTS}
        self._others = {name: sorted(set(ground.sites[name]) - provable[name]) for name in CONTEXTS}
        self._all = {name: sorted(ground.sites[name]) for name in CONTEXTS}
        sites = ground.sites["singapore"]
        self._pairs = sorted({gate for pair in ground.pairs for gate in pair if gate in sites})

    def scenario(self, number: int) -> Scenario:
        """The same for the same number."""
        random = np.random.default_rng((SEED, number))
        kind = _drawn(random, KINDS)
        if kind == "pair" and not self._pairs:
            kind = "wrong way"
        context = CONTEXTS[int(random.random() < 0.4)]
        gates = self._all[context]
        if kind == "through":
            is_provable = random.random() < AT_PROVABLE
            gates = self._provable[context] if is_provable else self._others[context]
            gates = gates or self._all[context]
        elif kind == "pair":
            context, gates = "singapore", self._pairs
        gate = gates[int(random.integers(len(gates)))]
        site = self._ground.sites[context][gate]
        plan = _plan(random, kind, site, context)
        bend = _bend(random, plan, site)
        beside_m = _beside(random, kind, plan, site)
        if beside_m:
            plan = replace(plan, right_m=beside_m + float(random.uniform(-1.5, 1.5)))
        return Scenario(number, kind, context, gate, beside_m, plan, bend)

    def drive(self, scenario: Scenario) -> tuple[Site, Drive]:
        """What the car of a scenario says and does."""
        site = self._ground.sites[scenario.context][scenario.gate]
        path: Path = site.bent(np.array(scenario.bend)) if scenario.bend else site.centre
        random = np.random.default_rng((SEED, scenario.number, 1))
        at_ms = FIRST_AT_MS + scenario.number * APART_MS
        return site, drive(site, path, scenario.plan, random, at_ms)


T = TypeVar("T")


def _drawn(random: np.random.Generator, shares: tuple[tuple[T, float], ...]) -> T:
    value = float(random.random())
    for name, share in shares:
        value -= share
        if value < 0:
            return name
    return shares[-1][0]


JAMS: tuple[tuple[Jam, float], ...] = (
    ("none", 0.75), ("before", 0.1), ("on", 0.1), ("standing", 0.05),
)  # fmt: skip
TURNS: tuple[tuple[Motion, float], ...] = (
    ("turn before", 0.4), ("turn after", 0.4), ("reverse over", 0.2),
)  # fmt: skip


def _plan(random: np.random.Generator, kind: Kind, site: Site, context: str) -> Plan:
    generator: Generator = "b" if random.random() < 0.25 else "a"
    motion: Motion = "through"
    turn_at_m = 0.0
    if kind == "wrong way":
        motion = "wrong way"
    elif kind == "turn":
        motion = _drawn(random, TURNS)
        turn_at_m = float(random.uniform(15.0, 80.0))
        turn_at_m = -turn_at_m if motion == "turn before" else turn_at_m
    lanes = site.lanes_m
    is_turn = kind == "turn"
    return Plan(
        motion=motion,
        right_m=float(random.uniform(*lanes)),
        lane_change_m=3.5 if random.random() < 0.2 else 0.0,
        speed_mps=float(random.uniform(8.0, 28.0)),
        jam=_drawn(random, JAMS) if not is_turn else "none",
        turn_at_m=turn_at_m,
        turns_right=context == "singapore",
        generator=generator,
        sigma_m=3.0 if random.random() < 0.5 else 5.0,
        period_s=1.0 if random.random() < 0.7 else 10.0,
        outage_s=0.0 if is_turn or random.random() < 0.5 else float(random.uniform(1.0, 120.0)),
        scale=float(random.uniform(0.99, 1.01)),
        has_odometer=bool(random.random() < 0.95),
        has_heading=bool(random.random() < 0.95),
        copies=3 if random.random() < 0.3 else 1,
        late=0.05 if random.random() < 0.2 else 0.0,
        restarts=tuple(random.random(2).tolist()) if random.random() < 0.3 else (),
    )


def _beside(random: np.random.Generator, kind: Kind, plan: Plan, site: Site) -> float:
    """Where the car's free road is; known to the context at the distances of the worlds."""
    if kind == "beside known":
        return clear_m(site, float(random.choice(BESIDE_M)))
    if kind != "beside unknown":
        return 0.0
    share = random.uniform(1.0, 2.0) if random.random() < 0.8 else random.uniform(0.4, 1.0)
    distance_m = clear_m(site, SIGMAS_OF_SEPARATION * plan.sigma_m * float(share))
    return distance_m if random.random() < 0.5 else -distance_m


def _bend(random: np.random.Generator, plan: Plan, site: Site) -> tuple[float, ...]:
    """Bends of 800 m radius and more; none where the context says how the road runs.

    A way through a long outage is only known from the context, so there it is as the context says.
    """
    is_as_said = plan.outage_s > 20.0 or len(site.gate.carriageway) > 1 or plan.motion != "through"
    if is_as_said or random.random() < 0.5:
        return ()
    return tuple((random.uniform(-1.0, 1.0, 8) / 800.0).tolist())

"""Which rule is due now (pure).

The same events at the same moments give the same answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from internetcar.contract.drone_methods import FlightTask
from services.drone.moment import Moment
from services.drone.rules.settings import RuleSettings
from services.drone.view import View


@dataclass(frozen=True, slots=True)
class Due:
    """A rule wants its task flown, once for what happened."""

    rule: str
    task: str
    because: str
    """What holds, in words."""
    data: FlightTask
    tid: str
    """From the rule and the car's instant: the same happening has the same one for ever."""
    since_ms: int
    """UTC of that instant."""


class RuleBook:
    """All rules, what they remember, and which is due."""

    def __init__(
        self, rules: Mapping[str, RuleSettings], memory: Mapping[str, Any] | None = None
    ) -> None:
        """Begin, or go on after a restart.

        Args:
            rules: By name, as `rule_table` or a field of `RuleTable` gives them.
            memory: What `memory` was before the restart; what is not so is forgotten.
        """
        raise NotImplementedError

    @property
    def memory(self) -> dict[str, Any]:
        """What must be on disk before a due rule is acted on; JSON values only."""
        raise NotImplementedError

    def turn(self, view: View, now: Moment) -> list[Due]:
        """The rules that became due; call it with every turn, at least once a second."""
        raise NotImplementedError

    def refusal(self, task: str, now: Moment) -> str:
        """Why a request must not start a task now, in words; empty: it may."""
        raise NotImplementedError

    def started(self, task: str, now: Moment) -> None:
        """A request started a task: it counts for the limits of its rule."""
        raise NotImplementedError


def paths(rules: Mapping[str, RuleSettings]) -> set[str]:
    """The VSS paths that the rules read."""
    raise NotImplementedError

"""What is said of commands, in order, and what is remembered of each by its id (pure)."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gateway.requests import Key, Request
from gateway.world import Moment
from internetcar.contract.commands import State

_MOST_RECENT = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """What becomes of a request, for its sender and for the audit."""

    request: Request
    state: State
    final: bool
    at_ns: int
    """UTC nanoseconds since 1970."""
    reason: str | None = None
    detail: str | None = None
    digest: str | None = None
    """Of the body, where the same id gives the same answer from here on."""
    is_repeated: bool = False
    """It says again what is on disk already."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is remembered of a command by its id."""

    digest: str
    state: State
    final: bool
    reason: str | None = None
    detail: str | None = None


class Ledger:
    """Reports in their order, and the most recent outcomes.

    Attributes:
        reports: What is to be said and written down; whoever reads them clears them.
    """

    def __init__(self, known: Callable[[Key], Outcome | None]) -> None:
        """Begin; `known` is asked for what is not among the most recent."""
        self.reports: list[Report] = []
        self._known = known
        self._recent: OrderedDict[Key, Outcome] = OrderedDict()

    def outcome(self, key: Key) -> Outcome | None:
        """What became of a command; `None` if it is new."""
        return self._recent.get(key) or self._known(key)

    def say(
        self,
        request: Request,
        state: State,
        moment: Moment,
        reason: str | None = None,
        detail: str | None = None,
        *,
        final: bool = True,
        is_new: bool = True,
    ) -> None:
        """Report a state; `is_new` false for one that says nothing of the command by this id."""
        is_remembered = is_new and request.has_id and not request.dry_run
        digest = request.digest if is_remembered else None
        self.reports.append(Report(request, state, final, moment.wall_ns, reason, detail, digest))
        if digest is not None:
            self._recent[request.key] = Outcome(digest, state, final, reason, detail)
            self._recent.move_to_end(request.key)
            if len(self._recent) > _MOST_RECENT:
                self._recent.popitem(last=False)

    def repeat(self, request: Request, outcome: Outcome, moment: Moment) -> None:
        """Say again what became of a command."""
        self.reports.append(
            Report(
                request, outcome.state, outcome.final, moment.wall_ns, outcome.reason,
                outcome.detail, is_repeated=True,
            )
        )  # fmt: skip

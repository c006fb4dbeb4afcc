"""How far an account may go: its credit, and what it may spend for a purpose on one day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed for an account; the default is prepaid and without limits.

    Attributes:
        credit_minor: How far below 0 each currency may go.
        day_limits_minor: For each purpose and currency, what one day may cost.
        zone: Whose days those are.
    """

    credit_minor: Mapping[str, int] = field(default_factory=dict)
    day_limits_minor: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    zone: tzinfo = UTC

    def local_day(self, instant: datetime) -> str:
        """The account's calendar day of an instant, as 2026-05-04."""
        return instant.astimezone(self.zone).date().isoformat()

    def day_limit(self, purpose: str, currency: str) -> int | None:
        """What a day may cost for a purpose; `None` without a limit.

        Where a purpose is limited in some currencies, it is 0 in all others: a limit cannot be
        passed by in another currency.
        """
        limits = self.day_limits_minor.get(purpose)
        return None if limits is None else limits.get(currency, 0)

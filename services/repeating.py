"""When a message that is not settled yet is said again (pure; UTC milliseconds since 1970)."""

from internetcar.contract.delivery import Outcome

FIRST_MS = 1_000
LONGEST_MS = 300_000
LEASE_MS = 30_000
"""For so long a message that only the broker answers belongs to the replica that sent it."""


def delay_ms(attempts: int) -> int:
    """How long to wait for the answer after so many attempts: a second, doubling to 5 minutes."""
    return min(FIRST_MS << min(max(attempts - 1, 0), 20), LONGEST_MS)


def next_at_ms(attempts: int, now_ms: int, *, awaits_answer: bool) -> int:
    """When a message that goes out now, for the `attempts`-th time, is due again."""
    return now_ms + (delay_ms(attempts) if awaits_answer else LEASE_MS)


def again_at_ms(outcome: Outcome, attempts: int, now_ms: int) -> int | None:
    """When to try again what ended so; `None`: as planned when it was sent."""
    match outcome:
        case Outcome.LOST:
            return now_ms
        case Outcome.FULL:
            return now_ms + FIRST_MS
        case Outcome.NOT_PERMITTED | Outcome.REFUSED:
            return now_ms + delay_ms(attempts)
        case Outcome.ACKNOWLEDGED:
            return None

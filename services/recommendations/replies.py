"""What is answered to feedback and controls (pure)."""

from services.recommendations.settings import Right

_DETAIL = 200

Answer = dict[str, object]
"""Status, reason, detail and what was erased; it names neither a driver nor a place."""

DONE: Answer = {"status": "done"}


def refused(reason: str, detail: str) -> Answer:
    """It is not done, and why."""
    return {"status": "refused", "reason": reason, "detail": detail[:_DETAIL]}


def not_allowed(requester: str, right: Right) -> Answer:
    """The settings do not give somebody a right."""
    words = f"the settings of the recommendation service do not give {requester} {right}"
    return refused("not_allowed", words)

"""What an accepted offer asks of a car, setting by setting, and what came of all (pure)."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from internetcar.contract.commands import REASONS, CommandStatus
from internetcar.contract.trips import SettingValue
from services.recommendations.replies import DONE, Answer, refused
from services.recommendations.settable import words_of

Purpose = Literal["apply", "undo"]
OrderState = Literal["open", "taken", "confirmed", "failed", "dropped"]
"""open → taken (the gateway has said something) → confirmed or failed; `dropped`: it is rejected
before its end."""

WAITING: tuple[OrderState, ...] = ("open", "taken")
NOT_SETTABLE, NO_ANSWER, NO_END = "not_settable", "no_answer", "no_end"
DRIVES = "drives"
OWN_REASONS: Mapping[str, str] = {
    NOT_SETTABLE: "no offer may set this",
    DRIVES: "no seat is moved under who drives",
    NO_ANSWER: "nobody answered",
    NO_END: "the car has not shown it in time",
    "sent": "it was sent, and nothing in the car confirms it",
}
_REASON = re.compile(r"[a-z_]{1,64}")
_DETAIL = 200


class Order(NamedTuple):
    """One setting that is asked of a car.

    Attributes:
        command_id: Of the command; the same for the same offer, purpose and path.
        purpose: To apply the offer, or to put back how it stood.
        path: The VSS leaf.
        value: What it is to be; `None`: it was never asked, or cannot be read.
        before: How it stood; `None`: that is not known.
        state: What came of it.
        reason: Why it failed.
    """

    command_id: str
    purpose: Purpose
    path: str
    value: SettingValue | None
    before: SettingValue | None
    state: OrderState
    reason: str | None = None

    @property
    def words(self) -> str:
        """As a person reads it."""
        return words_of(self.path, self.value)


def state_after(status: CommandStatus) -> tuple[OrderState, str | None]:
    """What a gateway's word makes of an order, and why it failed."""
    if not status.final:
        return "taken", None
    if status.state == "confirmed":
        return "confirmed", None
    reason = status.reason if status.reason and _REASON.fullmatch(status.reason) else status.state
    return "failed", reason


def outcome(orders: Sequence[Order]) -> Answer | None:
    """What is answered to who accepted the offer, or rejected what was applied unasked.

    Returns:
        The same for ever once all has come to its end; `None`: the car has not said all yet.
    """
    undone = [each for each in orders if each.purpose == "undo"]
    if any(each.state in WAITING for each in undone or orders):
        return None
    failed = [each for each in undone or orders if each.state != "confirmed"]
    confirmed = ", ".join(each.words for each in undone or orders if each.state == "confirmed")
    what = "put back" if undone else "confirmed by the car"
    if not failed:
        return {**DONE, "detail": f"{what}: {confirmed}"[:_DETAIL]} if confirmed else DONE
    told = "; ".join(f"{each.words}: {_why(each.reason)}" for each in failed)
    return refused("not_applied", f"{told}; {what}: {confirmed}" if confirmed else told)


def to_put_back(orders: Sequence[Order], now: Mapping[str, SettingValue]) -> list[Order]:
    """What has to be set, and to what, so that it is as before an offer was applied.

    Args:
        orders: Of the offer.
        now: How settings stand; one that somebody has changed since is left alone.
    """
    return [
        each
        for each in orders
        if each.purpose == "apply"
        and each.state != "failed"
        and each.value is not None
        and each.before is not None
        and each.before != each.value
        and now.get(each.path, each.value) in (each.value, each.before)
    ]


def _why(reason: str | None) -> str:
    words = REASONS.get(reason or "") or OWN_REASONS.get(reason or "")
    return f"{reason} ({words})" if words else f"{reason}"

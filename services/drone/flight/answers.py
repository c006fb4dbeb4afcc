"""What is told to those who asked: replies, and how it goes on (pure)."""

from collections.abc import Sequence

from internetcar.contract.drone import (
    DroneReply,
    DroneRequest,
    Interlock,
    Progress,
    ReplyData,
    ReplyOutput,
)
from services.drone.flight.cockpit import Cockpit, line
from services.drone.flight.memory import Wish

PROGRESS = {
    "takeoff_to_point": "takeoff_to_point_progress",
    "flighttask_execute": "flighttask_progress",
    "fly_to_point": "fly_to_point_progress",
    "return_home": "return_home_progress",
}
"""Method → the event that tells how it goes; the other methods are done with their reply."""


def accept(
    cockpit: Cockpit,
    request: DroneRequest,
    detail: str = "",
    interlocks: Sequence[Interlock] = (),
) -> bool:
    """Say yes, and whether it is to be done: not for a dry run."""
    _reply(cockpit, request, None, detail, interlocks)
    if not request.dry_run and request.method in PROGRESS:
        wish = Wish(
            tid=request.tid, bid=request.bid, requester=request.requester, method=request.method
        )
        cockpit.memory.wishes.append(wish)
        tell(cockpit, wish, "sent")
    return not request.dry_run


def reject(
    cockpit: Cockpit,
    request: DroneRequest,
    reason: str,
    detail: str,
    interlocks: Sequence[Interlock] = (),
) -> None:
    """Say no, and why."""
    _reply(cockpit, request, reason, detail, interlocks)


def _reply(
    cockpit: Cockpit,
    request: DroneRequest,
    reason: str | None,
    detail: str,
    interlocks: Sequence[Interlock],
) -> None:
    output = ReplyOutput(
        status="accepted" if reason is None else "rejected",
        reason=reason, detail=line(detail) or None, dry_run=request.dry_run,
        interlocks=list(interlocks or cockpit.found),
    )  # fmt: skip
    cockpit.effects.append(
        DroneReply(
            vehicle_id=cockpit.vehicle_id, drone_id=cockpit.drone_id,
            requester=request.requester, tid=request.tid, bid=request.bid,
            timestamp=cockpit.now.utc_ms, method=request.method,
            data=ReplyData.of(output),
        )
    )  # fmt: skip


def tell(
    cockpit: Cockpit, wish: Wish, status: Progress, reason: str = "", detail: str = ""
) -> None:
    """Say how far a request has come."""
    data: dict[str, str] = {"status": status, "step": cockpit.memory.state}
    data |= {"reason": reason} if reason else {}
    data |= {"detail": line(detail)} if detail else {}
    cockpit.say(PROGRESS[wish.method], data, wish.tid, wish.bid)


def settle(
    cockpit: Cockpit, wish: Wish, status: Progress, reason: str = "", detail: str = ""
) -> None:
    """Say how a request ended, if that was not said yet."""
    if wish in cockpit.memory.wishes:
        cockpit.memory.wishes.remove(wish)
        tell(cockpit, wish, status, reason, detail)


def settle_flight(cockpit: Cockpit, status: Progress, reason: str, detail: str = "") -> None:
    """Say how the flight's own request, and any point on its way, ended; not of a task done."""
    flight = cockpit.memory.flight
    if flight is not None and flight.is_task_done:
        return
    for wish in list(cockpit.memory.wishes):
        if wish.method != "return_home":
            settle(cockpit, wish, status, reason, detail)


def in_progress(cockpit: Cockpit) -> None:
    """Tell every requester whose wish is open that a new state began."""
    for wish in cockpit.memory.wishes:
        tell(cockpit, wish, "in_progress", detail=cockpit.memory.detail)

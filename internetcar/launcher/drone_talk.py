"""Asking a drone, and hearing what becomes of it."""

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import typer
from pydantic import TypeAdapter, ValidationError

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.drone import (
    DroneEvent,
    DroneOsd,
    DronePresence,
    DroneReply,
    DroneRequest,
    DroneState,
)
from internetcar.contract.drone_health import DroneHealth
from internetcar.contract.link import Link
from internetcar.contract.message import InputError, Name
from internetcar.launcher.drone_words import event_line, interlock_rows, reply_lines
from internetcar.launcher.roll_call import CONNECT_S, PRESENCE_S
from internetcar.launcher.tables import print_table

LAUNCHES = ("takeoff_to_point", "flighttask_execute")
"""Their answers are about the interlocks; the others bear them, too."""
SILENCE_S = 2.0
"""A service that is there answers within a fraction of it."""
LONGEST_S = 3_600.0
"""No battery lasts as long: what takes longer is lost."""
REPEAT_S = 0.7
"""Without an answer it is said again: the same tid is the same request."""
FINAL = ("ok", "failed", "canceled", "timeout")


@dataclass
class Drones:
    """What a broker remembers of its drones, by vehicle and drone."""

    presences: dict[tuple[str, str], DronePresence] = field(default_factory=dict)
    states: dict[tuple[str, str], DroneState] = field(default_factory=dict)
    places: dict[tuple[str, str], DroneOsd] = field(default_factory=dict)
    healths: dict[tuple[str, str], DroneHealth] = field(default_factory=dict)


def look(broker: BrokerUrl, vehicle_id: str = "", drone_id: str = "") -> Drones:
    """All drones of a broker, of a vehicle or with an id where one is named.

    Raises:
        LinkError: No connection to the broker.
    """
    found = Drones()
    levels = {"vehicle_id": vehicle_id} if vehicle_id else {}
    levels |= {"drone_id": drone_id} if drone_id else {}
    link = Link(broker, f"drones-{time.monotonic_ns():x}")
    link.on(
        DronePresence,
        lambda each: found.presences.update({(each.vehicle_id, each.drone_id): each}),
        **levels,
    )
    link.on(
        DroneState,
        lambda each: found.states.update({(each.vehicle_id, each.drone_id): each}),
        **levels,
    )
    link.on(
        DroneOsd,
        lambda each: found.places.update({(each.vehicle_id, each.drone_id): each}),
        **levels,
    )
    link.on(
        DroneHealth,
        lambda each: found.healths.update({(each.vehicle_id, each.drone_id): each}),
        **levels,
    )
    link.start(wait_s=CONNECT_S)
    time.sleep(PRESENCE_S)
    link.stop()
    return found


def one_drone(broker: BrokerUrl, vehicle_id: str, drone_id: str) -> tuple[str, str]:
    """The drone a command is about: the one that is named, else the only one of the broker.

    Raises:
        InputError: There is none, or several: the text lists them.
        LinkError: No connection to the broker.
    """
    for option, name in (("--vehicle-id", vehicle_id), ("--drone-id", drone_id)):
        if name and not _is_name(name):
            raise InputError(f"{option} {name!r}: 1 to 36 letters, digits, - and _")
    if vehicle_id and drone_id:
        return vehicle_id, drone_id
    presences = look(broker, vehicle_id, drone_id).presences
    online = [key for key, presence in sorted(presences.items()) if presence.online]
    if len(online) == 1:
        return online[0]
    listed = ", ".join(f"{drone} of {vehicle}" for vehicle, drone in online)
    says = f"has {listed}" if online else "has no drone online"
    raise InputError(f"--vehicle-id and --drone-id: which drone? {broker} {says}")


def ask(broker: BrokerUrl, request: DroneRequest, *, is_waiting: bool) -> bool:
    """Ask, print what comes, and say whether it went as it was asked for.

    Args:
        broker: Where.
        request: What.
        is_waiting: Until its end, where it has one; else for the answer only.
    """
    heard: queue.SimpleQueue[DroneReply | DroneEvent | Delivery] = queue.SimpleQueue()
    link = Link(broker, f"drone-ask-{time.monotonic_ns():x}")
    levels = {"vehicle_id": request.vehicle_id, "drone_id": request.drone_id}
    link.on(DroneReply, heard.put, requester=request.requester, **levels)
    link.on(DroneEvent, heard.put, **levels)
    link.start(wait_s=CONNECT_S)
    try:
        return _Talk(request, heard, lambda: link.publish(request, heard.put)).run(is_waiting)
    finally:
        link.stop()


class _Talk:
    """One request, from its publishing to its end."""

    def __init__(
        self,
        request: DroneRequest,
        heard: "queue.SimpleQueue[DroneReply | DroneEvent | Delivery]",
        say: Callable[[], object],
    ) -> None:
        self._request = request
        self._heard = heard
        self._say = say

    def run(self, is_waiting: bool) -> bool:
        reply = self._answered()
        if reply is None:
            return False
        for line in reply_lines(reply):
            typer.echo(line)
        output = reply.data.output
        if output.interlocks and self._request.method in LAUNCHES:
            print_table(
                ("interlock", "value", "limit", "result", "words"),
                interlock_rows(output.interlocks),
                right="value limit",
            )
        if output.status != "accepted" or not is_waiting or output.dry_run:
            return output.status == "accepted"
        return self._followed()

    def _answered(self) -> DroneReply | None:
        give_up_s = time.monotonic() + SILENCE_S
        repeat_s = 0.0
        while (now_s := time.monotonic()) < give_up_s:
            if now_s >= repeat_s:
                repeat_s = now_s + REPEAT_S
                self._say()
            found = self._next(min(repeat_s, give_up_s) - now_s)
            if isinstance(found, Delivery) and found.outcome is Outcome.NOT_PERMITTED:
                name = self._request.requester
                typer.echo(f"refused: the broker's rules do not let {name} ask this")
                return None
            if isinstance(found, DroneReply) and found.tid == self._request.tid:
                return found
        typer.echo(
            f"no answer: the service of {self._request.drone_id} is away, or the broker's rules do"
            f" not let {self._request.requester} ask it; it may still act within ten seconds"
        )
        return None

    def _followed(self) -> bool:
        """Print how it goes on; whether it ends well."""
        deadline_s = time.monotonic() + LONGEST_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            found = self._next(left_s)
            if not isinstance(found, DroneEvent):
                continue
            is_ours = found.tid == self._request.tid
            if is_ours or found.tid is None:
                typer.echo(event_line(found))
            status = found.data.get("status")
            if is_ours and status in FINAL:
                return bool(status == "ok")
        typer.echo("lost: nothing more was heard")
        return False

    def _next(self, timeout_s: float) -> DroneReply | DroneEvent | Delivery | None:
        try:
            return self._heard.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None


def _is_name(text: str) -> bool:
    try:
        TypeAdapter(Name).validate_python(text)
    except ValidationError:
        return False
    return True

"""What a drone says, in words for a terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from internetcar.contract.drone import (
    DroneEvent,
    DroneOsd,
    DronePresence,
    DroneReply,
    DroneState,
    Interlock,
)
from internetcar.contract.drone_health import DroneHealth
from internetcar.launcher.tables import plain, printable

_PROGRESS = "_progress"
_LEVELS = ("well", "warning", "alarm")


def reply_lines(reply: DroneReply) -> list[str]:
    """An answer, without its interlocks."""
    output = reply.data.output
    word = f"would be {output.status}" if output.dry_run else output.status
    parts = (word, output.reason, output.detail)
    return [printable(": ".join(part for part in parts if part))]


def interlock_rows(interlocks: Iterable[Interlock]) -> list[tuple[str, str, str, str, str]]:
    """Id, value, limit, result and words of each."""
    return [
        (each.id, plain(each.value, 6), plain(each.limit, 6), _result(each), each.words)
        for each in interlocks
    ]


def state_line(state: DroneState) -> str:
    """What the drone does now, as one line."""
    parts = [f"drone {state.state}"]
    if state.task:
        parts.append(f"task {state.task}")
    if state.requester:
        parts.append("by its rule" if state.requester == "drone" else f"for {state.requester}")
    words = ", ".join(parts)
    tripped = "; ".join(each.words for each in state.interlocks)
    line = ": ".join(part for part in (words, state.detail) if part)
    word = "not ready" if state.state == "docked" else "tripped"
    return printable(f"{line}; {word}: {tripped}" if tripped else line)


def osd_line(osd: DroneOsd) -> str:
    """Where the drone is, as one line."""
    parts = [osd.mode or "no mode", "armed" if osd.armed else "not armed"]
    if osd.latitude is not None and osd.longitude is not None:
        parts.append(f"{osd.latitude:.6f},{osd.longitude:.6f}")
    for value, unit, what in (
        (osd.elevation, "m", "high"),
        (osd.horizontal_speed, "m/s", "fast"),
        (osd.home_distance, "m", "from the car"),
        (osd.battery.capacity_percent, "%", "battery"),
        (osd.battery.predicted_percent, "%", "predicted at the landing"),
    ):
        if value is not None:
            parts.append(f"{value:.0f} {unit} {what}")
    return printable(", ".join(parts))


def presence_line(presence: DronePresence) -> str:
    """Whether the service is there, as one line."""
    word = "online" if presence.online else "offline"
    autopilot = presence.autopilot or "no autopilot heard"
    return printable(f"{presence.drone_id} of {presence.vehicle_id} is {word} ({autopilot})")


def health_lines(health: DroneHealth) -> list[str]:
    """What its service did not take in, and what to look at; nothing where all is well."""
    found = [
        f"{value:,} {words}"
        for value, words in (
            (health.requests_dropped, "requests dropped"),
            (health.states_dropped, "states dropped"),
            (health.unreadable, "messages unreadable"),
            (health.strangers, "datagrams of strangers"),
            (health.foreign, "packets of other MAVLink systems"),
            (health.unsigned, "packets wrongly signed"),
            (health.junk_bytes, "bytes of junk"),
        )
        if value
    ]
    counted = [f"not taken in: {', '.join(found)}"] if found else []
    return [*counted, *(printable(f"look: {each}") for each in health.problems)]


def event_line(event: DroneEvent) -> str:
    """An event as one line."""
    data = event.data
    if event.method == "rule_decision":
        because = ", ".join(_texts(data.get("because"))) or "it is due"
        line = f"rule {data.get('rule')}: {because} → {data.get('outcome')}"
        return printable(_with(line, _interlock_words(data) or _held(data)))
    if event.method == "interlock_trip":
        line = f"interlock: {_interlock_words(data)} → {data.get('then')}"
        return printable(line)
    if event.method == "hms":
        found = [each for each in _list(data.get("list")) if isinstance(each, Mapping)]
        return printable("health: " + "; ".join(_health(each) for each in found))
    if event.method == "scout_report":
        return printable(_scout(data))
    if event.method == "driver_request":
        return printable(_with(f"asks the driver to {data.get('ask')}", data.get("detail")))
    if event.method == "return_home_info":
        points = len(_list(data.get("planned_path_points")))
        return printable(_with(f"returns over {points} points", data.get("reason")))
    name = event.method.removesuffix(_PROGRESS).replace("_", " ")
    status = str(data.get("status") or "")
    if status == "in_progress" and data.get("step"):
        status = str(data["step"])
    return printable(_with(_with(f"{name}: {status}", data.get("reason")), data.get("detail")))


def _scout(data: Mapping[str, Any]) -> str:
    parts = [f"scout report: {len(_list(data.get('points')))} points"]
    for key, unit in (("length_m", "m"), ("duration_s", "s")):
        if isinstance(data.get(key), int | float):
            parts.append(f"{data[key]:.0f} {unit}")
    if data.get("pictures"):
        parts.append(f"{plain(data['pictures'])} pictures")
    return ", ".join(parts)


def _health(one: Mapping[str, Any]) -> str:
    level = one.get("level")
    is_known = isinstance(level, int) and 0 <= level < len(_LEVELS)
    return (
        f"{one.get('code')} {_LEVELS[level] if is_known and level is not None else level}: "
        + str(one.get("detail") or "")
    )


def _interlock_words(data: Mapping[str, Any]) -> str:
    found = [each for each in _list(data.get("interlocks")) if isinstance(each, Mapping)]
    return "; ".join(str(each.get("words")) for each in found if each.get("result") != "ok")


def _held(data: Mapping[str, Any]) -> str:
    """That all interlocks hold, and which of them only because a setting assumes it."""
    found = [each for each in _list(data.get("interlocks")) if isinstance(each, Mapping)]
    assumed = ", ".join(str(each.get("id")) for each in found if each.get("assumed"))
    words = f"all {len(found)} interlocks hold" if found else ""
    return f"{words} (assumed: {assumed})" if assumed else words


def _result(interlock: Interlock) -> str:
    if interlock.result == "tripped":
        return "TRIPPED"
    return "assumed" if interlock.assumed else "ok"


def _with(line: str, more: object) -> str:
    return f"{line}: {more}" if more else line


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [str(each) for each in _list(value)]

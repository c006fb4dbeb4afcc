"""Parameters by name, read and written with repetition (pure)."""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from services.drone.mavlink.codec import mavlink

ANSWER_S = 0.4
TRIES = 8
"""Many and short: a link that loses a fifth each way hides none of a profile's rows."""
KNOWN_TRIES = 20
"""Of a name that has answered before: it is there, so the link is to blame."""
AT_ONCE = 16
"""Requests on their way at the same time: autopilots keep a short queue."""

Encoding = Literal["cast", "bytes"]
"""How an integer travels in the float of a message: as its value, or as its 32 bits."""

_FORMATS = {
    mavlink.MAV_PARAM_TYPE_UINT8: "<Bxxx",
    mavlink.MAV_PARAM_TYPE_INT8: "<bxxx",
    mavlink.MAV_PARAM_TYPE_UINT16: "<Hxx",
    mavlink.MAV_PARAM_TYPE_INT16: "<hxx",
    mavlink.MAV_PARAM_TYPE_UINT32: "<I",
    mavlink.MAV_PARAM_TYPE_INT32: "<i",
}


def from_wire(value: float, kind: int, encoding: Encoding) -> float:
    """The number that a message's float stands for."""
    layout = _FORMATS.get(kind)
    if layout is None or encoding == "cast":
        return value
    return float(struct.unpack(layout, struct.pack("<f", value))[0])


def to_wire(value: float, kind: int, encoding: Encoding) -> float:
    """The float of a message that stands for a number; integers are rounded.

    Raises:
        struct.error: The number does not fit its type.
    """
    layout = _FORMATS.get(kind)
    if layout is None:
        return value
    if encoding == "cast":
        return float(round(value))
    return float(struct.unpack("<f", struct.pack(layout, round(value)))[0])


def _fit(value: float, kind: int | None) -> float:
    return float(round(value)) if kind in _FORMATS else value


def is_same(left: float, right: float) -> bool:
    """The same number, after a journey through 32 bits."""
    return abs(left - right) <= 1e-6 * max(1.0, abs(left), abs(right))


@dataclass(slots=True)
class _Request:
    name: str
    value: float | None
    """To write; `None`: only read."""
    sent: int = 0
    due_s: float = 0.0


class Parameters:
    """What is known of the autopilot's parameters, and what was asked."""

    def __init__(self, send: Callable[[Any], None], encoding: Encoding = "cast") -> None:
        self.values: dict[str, float] = {}
        self.unanswered: set[str] = set()
        """Asked for in vain: it has none of this name, or the link is bad."""
        self._encoding = encoding
        self._kinds: dict[str, int] = {}
        self._send = send
        self._target = (0, 0)
        self._requests: dict[str, _Request] = {}

    @property
    def is_busy(self) -> bool:
        """An answer is still awaited."""
        return bool(self._requests)

    def aim(self, system_id: int, component_id: int) -> None:
        """Whose they are; what was known of another one, or of an earlier start, is forgotten."""
        self._target = (system_id, component_id)
        self._kinds.clear()
        self.values.clear()
        self.unanswered.clear()
        self._requests.clear()

    def read(self, names: list[str], now_s: float) -> None:
        """Ask for the values anew."""
        self._ask([_Request(name, None) for name in names], now_s)

    def write(self, values: dict[str, float], now_s: float) -> None:
        """Set them; whether that was done is known after another `read` only."""
        self._ask([_Request(name, value) for name, value in values.items()], now_s)

    def _ask(self, requests: list[_Request], now_s: float) -> None:
        for request in requests:
            self.values.pop(request.name, None)
            self.unanswered.discard(request.name)
            self._requests[request.name] = request
        self.turn(now_s)

    def fits(self, name: str, value: float) -> float:
        """The value as the parameter can hold it: whole, where it is an integer."""
        return _fit(value, self._kinds.get(name))

    def heard(self, message: Any, now_s: float) -> None:
        """A PARAM_VALUE; a late one with the old value is no answer to a write."""
        name = message.param_id
        value = from_wire(message.param_value, message.param_type, self._encoding)
        request = self._requests.get(name)
        if request is None or not math.isfinite(value):
            return
        if request.value is not None and not is_same(
            value, _fit(request.value, message.param_type)
        ):
            return
        del self._requests[name]
        self._kinds[name] = message.param_type
        self.values[name] = value
        self.turn(now_s)

    def refused(self, name: str, now_s: float) -> None:
        """A PARAM_ERROR: newer autopilots say at once that there is none of this name."""
        if self._requests.pop(name, None) is not None:
            self.unanswered.add(name)
            self.turn(now_s)

    def turn(self, now_s: float) -> None:
        """Send what is due, give up what has no answer."""
        for request in list(self._requests.values()):
            tries = KNOWN_TRIES if request.name in self._kinds else TRIES
            if request.sent >= tries and now_s >= request.due_s:
                del self._requests[request.name]
                self.unanswered.add(request.name)
        for request in list(self._requests.values())[:AT_ONCE]:
            if not request.sent or now_s >= request.due_s:
                self._send(self._message(request))
                request.sent += 1
                request.due_s = now_s + ANSWER_S

    def _message(self, request: _Request) -> Any:
        name = request.name.encode()
        if request.value is None:
            return mavlink.MAVLink_param_request_read_message(*self._target, name, -1)
        kind = self._kinds.get(request.name, mavlink.MAV_PARAM_TYPE_REAL32)
        try:
            value = to_wire(request.value, kind, self._encoding)
        except struct.error:
            value = request.value
        return mavlink.MAVLink_param_set_message(*self._target, name, value, kind)

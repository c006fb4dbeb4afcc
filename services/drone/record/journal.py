"""A flight as lines: every event with what was decided on it, and the same decided anew (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, get_args

import orjson
from pydantic import TypeAdapter, ValidationError

from internetcar.contract.message import InputError, Message
from services.drone.autopilot import Intent
from services.drone.events import Effect, Event, Perform
from services.drone.moment import Moment

EVENTS: dict[str, type[Event]] = {cls.__name__: cls for cls in get_args(Event)}
_SHOWN = 300


class JournalError(InputError):
    """A line is none of a recording."""


class Decides(Protocol):
    """What is asked again: a pilot."""

    def handle(self, event: Event, now: Moment) -> Sequence[Effect]:
        """What it does about an event."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, when it was heard, and the lines of what was decided on it."""

    now: Moment
    event: Event
    effects: tuple[str, ...]


def effect_text(effect: Effect) -> str:
    """An effect as text, equal for equal effects."""
    if isinstance(effect, Perform):
        kind = type(effect.intent).__name__
        return (
            f"{effect.id} {kind} {_adapter(type(effect.intent)).dump_json(effect.intent).decode()}"
        )
    assert isinstance(effect, Message)
    return f"{effect.topic} {effect.encode().decode()}"


def line(event: Event, now: Moment, effects: Sequence[Effect]) -> bytes:
    """An event and its effects as one line of JSON, with its end."""
    kind = type(event).__name__
    head = {
        "s": now.s,
        "utc_ms": now.utc_ms,
        "kind": kind,
        "effects": [effect_text(effect) for effect in effects],
        "event": orjson.Fragment(_adapter(EVENTS[kind]).dump_json(event)),
    }
    return orjson.dumps(head) + b"\n"


def read_line(text: bytes) -> Entry:
    """What a line says.

    Raises:
        JournalError: It is no line of a recording.
    """
    try:
        body = orjson.loads(text)
        event: Event = _adapter(EVENTS[body["kind"]]).validate_json(orjson.dumps(body["event"]))
        now = Moment(float(body["s"]), int(body["utc_ms"]))
        return Entry(now, event, tuple(map(str, body["effects"])))
    except (orjson.JSONDecodeError, ValidationError, KeyError, TypeError, ValueError) as error:
        raise JournalError(f"not a line of a recording: {str(error)[:_SHOWN]}") from error


def replay(lines: Iterable[bytes], pilot: Decides) -> list[str]:
    """Decide everything anew; what differs from what was decided, in words.

    Args:
        lines: Of a recording, without its first.
        pilot: As it was when the recording began.

    Raises:
        JournalError: A line cannot be read.
    """
    differences = []
    for number, text in enumerate(lines, start=2):
        entry = read_line(text)
        decided = tuple(effect_text(effect) for effect in pilot.handle(entry.event, entry.now))
        if decided != entry.effects:
            differences.append(_difference(number, entry, decided))
    return differences


def _difference(number: int, entry: Entry, decided: tuple[str, ...]) -> str:
    was = next((each for each in entry.effects if each not in decided), "nothing more")
    now = next((each for each in decided if each not in entry.effects), "nothing more")
    kind = type(entry.event).__name__
    return f"line {number}, {kind}: it was {was[:_SHOWN]}; now it is {now[:_SHOWN]}"


def _adapter(cls: type[object]) -> TypeAdapter[Any]:
    return _adapters()[cls]


@cache
def _adapters() -> dict[type[object], TypeAdapter[Any]]:
    return {cls: TypeAdapter(cls) for cls in (*get_args(Event), *get_args(Intent))}

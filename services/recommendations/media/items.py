"""What is heard in a car, and how it is called (pure)."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from internetcar.contract.message import milliseconds
from internetcar.contract.trips import SettingValue, TripEnded

_MEDIA = "Vehicle.Cabin.Infotainment.Media."
URIS = (_MEDIA + "Played.URI", _MEDIA + "SelectedURI")
ARTIST, TRACK = _MEDIA + "Played.Artist", _MEDIA + "Played.Track"
SOURCE = _MEDIA + "Played.Source"
LEAVES = frozenset((*URIS, ARTIST, TRACK, SOURCE))
BELTS = frozenset(
    f"Vehicle.Cabin.Seat.{seat}.IsBelted"
    for seat in ("Row1.PassengerSide", "Row2.DriverSide", "Row2.Middle", "Row2.PassengerSide")
)

SKIPPED_S = 30.0
"""What is heard for less was skipped."""
MOST_LETTERS = 200
_NO_SOURCES = frozenset(("UNKNOWN", "VOICE", "BEEP"))
"""Sources of VSS that are nothing to hear."""
_SETTLED_S = 2.0
"""Artist and track of one item come one after the other; what is shorter was never on."""
_SEATED_S = 120.0
"""Until then whoever rides along has fastened the belt."""


class Heard(NamedTuple):
    """An item by its name, and for how many seconds it was heard."""

    item: str
    heard_s: float

    @property
    def is_skipped(self) -> bool:
        """Whether it was not wanted."""
        return self.heard_s < SKIPPED_S


def name_of(standing: Mapping[str, SettingValue]) -> str:
    """What is on is called: its URI, else artist and track, else its source; empty: nothing is.

    Args:
        standing: How things stand, by VSS leaf.
    """
    for leaf in URIS:
        if uri := _words(standing.get(leaf)):
            return uri
    artist, track = _words(standing.get(ARTIST)), _words(standing.get(TRACK))
    if track:
        return (f"{artist} - {track}" if artist else track)[:MOST_LETTERS].strip()
    source = _words(standing.get(SOURCE))
    return "" if source in _NO_SOURCES else source


def key_of(item: str) -> str:
    """What stands for an item where its name need not be kept."""
    return "item-" + hashlib.sha256(item.encode()).hexdigest()[:32]


def passengers(standing: Mapping[str, SettingValue]) -> int | None:
    """How many ride along, by their belts; `None`: the car does not say."""
    told = [standing[leaf] for leaf in BELTS if isinstance(standing.get(leaf), bool)]
    return sum(map(bool, told)) if told else None


def passengers_on(trip: TripEnded) -> int | None:
    """How many rode along as it began."""
    ordered = sorted(trip.settings, key=lambda each: each.offset_s)
    seated = {each.path: each.value for each in ordered if each.offset_s <= _SEATED_S}
    return passengers(seated)


def heard_on(trip: TripEnded) -> list[Heard]:
    """What was heard on a trip, in order; an item is heard until the next change."""
    lasted_s = (milliseconds(trip.ended_at) - milliseconds(trip.started_at)) / 1_000
    standing: dict[str, SettingValue] = {}
    found: list[Heard] = []
    on, since_s = "", 0.0
    changes = [each for each in trip.settings if each.path in LEAVES]
    for each in sorted(changes, key=lambda each: each.offset_s):
        standing[each.path] = each.value
        name, at_s = name_of(standing), min(each.offset_s, lasted_s)
        if name != on:
            _add(found, on, at_s - since_s)
            on, since_s = name, at_s
    _add(found, on, lasted_s - since_s)
    return found


def _add(found: list[Heard], item: str, heard_s: float) -> None:
    if not item or heard_s < _SETTLED_S:
        return
    if found and found[-1].item == item:
        found[-1] = Heard(item, found[-1].heard_s + heard_s)
    else:
        found.append(Heard(item, heard_s))


def _words(value: SettingValue | None) -> str:
    return " ".join(value.split())[:MOST_LETTERS] if isinstance(value, str) else ""

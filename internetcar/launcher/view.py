"""What a terminal shows of one vehicle: its signals, its buses, and where to hear them."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from internetcar.contract.commands import CommandStatus
from internetcar.contract.drone import DroneEvent, DroneState
from internetcar.contract.payments import WalletBalance
from internetcar.contract.presence import Health, Presence
from internetcar.contract.signals import Catalog, CatalogLeaf, Signal
from internetcar.contract.tolls import TollPassage
from internetcar.launcher.drone_words import event_line, state_line
from internetcar.launcher.recommend_words import TALL, SuggestionLines
from internetcar.launcher.tables import plain, printable
from internetcar.launcher.trip_words import TripLines
from internetcar.launcher.view_words import balance_line, command_line, passed, rules

_FRESH_S = 1.0
_COMMANDS_SHOWN = 3
_PASSAGES_SHOWN = 3
_DRONE_SHOWN = 4
_LINES_AROUND_SIGNALS = 9
"""The header's frame, the heads of both tables, and a line to spare."""
_FEWEST_SIGNALS = 3
_QUALITY_STYLE = {"valid": "green", "stale": "yellow", "out_of_range": "magenta"}


@dataclass
class VehicleView:
    """Everything heard of one vehicle so far; fed by the link's handlers."""

    vehicle_id: str
    signals: dict[str, Signal] = field(default_factory=dict)
    leaves: dict[str, CatalogLeaf] = field(default_factory=dict)
    presence: Presence | None = None
    health: Health | None = None
    notices: deque[str] = field(default_factory=lambda: deque(maxlen=3))
    commands: OrderedDict[tuple[str, str], CommandStatus] = field(default_factory=OrderedDict)
    """The newest state of the newest commands, by requester and id."""
    passages: OrderedDict[str, TollPassage] = field(default_factory=OrderedDict)
    """The newest revision of the newest passages, by id."""
    wallet: WalletBalance | None = None
    drone: DroneState | None = None
    drone_lines: deque[str] = field(default_factory=lambda: deque(maxlen=_DRONE_SHOWN))
    """The newest of what the drone did and decided."""
    trips: TripLines = field(default_factory=TripLines)
    suggestions: SuggestionLines = field(default_factory=SuggestionLines)

    def on_drone_state(self, state: DroneState) -> str | None:
        """Learn what the drone does; as one line where a person should know it."""
        before, self.drone = self.drone, state
        same = before is not None and (before.state, before.detail) == (state.state, state.detail)
        return None if same else state_line(state)

    def on_drone_event(self, event: DroneEvent) -> str | None:
        """Learn what the drone decided; as one line, unless its state says the same."""
        if event.data.get("status") == "in_progress":
            return None
        line = f"drone: {event_line(event)}"
        self.drone_lines.append(line)
        return line

    def on_command(self, status: CommandStatus) -> None:
        """Learn what became of a command."""
        key = (status.requester, status.id or "")
        self.commands[key] = status
        self.commands.move_to_end(key)
        if len(self.commands) > _COMMANDS_SHOWN:
            self.commands.popitem(last=False)

    def on_passage(self, passage: TollPassage) -> bool:
        """Learn of a toll passage, or more of one; whether that is news."""
        known = self.passages.get(passage.passage_id)
        if known is not None and known.revision >= passage.revision:
            return False
        self.passages[passage.passage_id] = passage
        if len(self.passages) > _PASSAGES_SHOWN:
            self.passages.popitem(last=False)
        return True

    def on_balance(self, balance: WalletBalance) -> bool:
        """Learn what the wallet has; whether that is news."""
        if self.wallet is not None and self.wallet.entries >= balance.entries:
            return False
        self.wallet = balance
        return True

    def on_signal(self, signal: Signal) -> None:
        """Keep the newest value of a leaf."""
        self.signals[signal.path] = signal

    def on_catalog(self, catalog: Catalog) -> None:
        """Learn units and value names."""
        self.leaves.update(catalog.leaves)

    def on_presence(self, presence: Presence) -> None:
        """Learn whether the gateway is there."""
        self.presence = presence

    def on_health(self, health: Health) -> None:
        """Learn how the buses fare."""
        self.health = health

    def text(self, path: str) -> tuple[str, str]:
        """A leaf's value and unit as a person reads them."""
        leaf = self.leaves.get(path, CatalogLeaf())
        value = self.signals[path].value
        name = (leaf.value_names or {}).get(str(value))
        said = f"{plain(value)} {name}" if name else plain(value)
        return printable(said), printable(leaf.unit or "")

    def line(self, path: str, now: datetime) -> str:
        """One signal as one line of plain text."""
        signal = self.signals[path]
        value, unit = self.text(path)
        return f"{path} = {value} {unit}".rstrip() + f"  ({age(signal.at, now)}, {signal.quality})"


def _how_to_set(view: VehicleView) -> str | None:
    """What a person may type to set something here; `None` where nothing can be set."""
    settable = sorted(
        (path for path, leaf in view.leaves.items() if leaf.settable and not leaf.momentary),
        key=lambda path: (path not in view.signals or view.leaves[path].step is None, len(path)),
    )
    if not settable:
        return None
    value = view.signals[settable[0]].value if settable[0] in view.signals else "VALUE"
    return f"car set {printable(settable[0])} {plain(value)}"


def render(
    view: VehicleView, now: datetime, height: int, broker: str, subscribe: str, width: int = 80
) -> Group:
    """The live view for a terminal of `height` lines and `width` columns."""
    to_set = _how_to_set(view)
    commands = [command_line(status, width) for status in list(view.commands.values())]
    notices = sum(-(-len(notice) // width) for notice in view.notices)
    others = _LINES_AROUND_SIGNALS + notices + len(commands) + (to_set is not None)
    others += subscribe.count("\n") + (len(view.health.buses) if view.health else 0)
    is_low = height < TALL and bool(view.suggestions.lines)
    if is_low:  # what is suggested has the room of the buses
        others -= 1 + (len(view.health.buses) if view.health else 0) + (to_set is not None)
    beside = [*_tolls(view), *_drone(view), *map(_line, view.trips.lines)]
    room = None if height >= TALL else height - others - _FEWEST_SIGNALS
    suggested = [_line(*each) for each in view.suggestions.shown(width, room)]
    if room is None:
        beside += suggested
    else:
        beside = [*suggested, *beside[-max(1, room - len(suggested)) :]]
    return Group(
        _header(view, now, broker),
        Text(subscribe, no_wrap=True, overflow="ignore"),  # without a frame it can be pasted
        *([Text(to_set, no_wrap=True, overflow="ignore")] if to_set and not is_low else []),
        *([] if is_low else [_buses(view)]),
        _signals(view, now, max(_FEWEST_SIGNALS, height - others - len(beside))),
        *beside,
        *(Text(line, style="cyan", no_wrap=True) for line in commands),
        *(f"[yellow]{escape(notice)}[/]" for notice in view.notices),
    )


def _tolls(view: VehicleView) -> list[Text]:
    """What was passed, each fee's rules on a line of their own, and what the wallet has."""
    lines = []
    for passage in list(view.passages.values()):
        lines.append(_line(passed(passage), "bold"))
        lines.append(_line(f"     {rules(passage)}", "dim"))
    if view.wallet is not None:
        lines.append(Text(balance_line(view.wallet), style="bold", no_wrap=True))
    return lines


def _drone(view: VehicleView) -> list[Text]:
    """What the drone did and decided, and what it does now."""
    lines = [_line(line, "dim") for line in list(view.drone_lines)]
    if view.drone is not None:
        lines.append(_line(state_line(view.drone), "bold"))
    return lines


def _line(line: str, style: str = "") -> Text:
    return Text(line, style=style, no_wrap=True, overflow="ellipsis")


def _header(view: VehicleView, now: datetime, broker: str) -> Panel:
    presence = view.presence
    if presence is None:
        state = "waiting for the gateway …"
    else:
        word = "[red]offline[/]" if not presence.online else "[green]online[/]"
        asleep = ", asleep" if presence.asleep else ""
        state = f"{word}{asleep} · {presence.origin} · clock {presence.clock}"
    backlog = f" · backlog {batches(view.health.outbox_batches)}" if view.health else ""
    fresh = sum(
        (now - signal.at).total_seconds() < _FRESH_S for signal in list(view.signals.values())
    )
    return Panel(
        f"{state} · {len(view.signals)} signals, {fresh} new{backlog}\n"
        f"broker [bold]{escape(broker)}[/]",
        title=f"[bold]{view.vehicle_id}[/]",
        title_align="left",
    )


def _buses(view: VehicleView) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("bus")
    for column in ("state", "load", "frames/s", "frames", "unknown", "errors", "dropped"):
        table.add_column(column, justify="right")
    states = view.presence.buses if view.presence else {}
    for name, bus in (view.health.buses if view.health else {}).items():
        state = states[name].state if name in states else "?"
        table.add_row(
            escape(name), state, f"{bus.load:.1%}", f"{bus.frames_per_s:.0f}", f"{bus.frames}",
            f"{bus.unknown_ids}", f"{bus.decode_errors + bus.error_frames}", f"{bus.dropped}",
        )  # fmt: skip
    return table


def _signals(view: VehicleView, now: datetime, rows: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("signal", no_wrap=True, min_width=40)
    table.add_column("value", justify="right", no_wrap=True)
    for column in ("unit", "age", "quality"):
        table.add_column(column, no_wrap=True)
    paths = sorted(view.signals, key=_importance)
    for path in paths[: rows if len(paths) <= rows else rows - 1]:
        signal = view.signals[path]
        value, unit = view.text(path)
        style = "bold" if (now - signal.at).total_seconds() < _FRESH_S else ""
        quality = f"[{_QUALITY_STYLE.get(signal.quality, 'red')}]{signal.quality}[/]"
        table.add_row(
            escape(path), escape(value), escape(unit), age(signal.at, now), quality, style=style
        )
    if len(paths) > rows:
        table.add_row(f"[dim]… and {len(paths) - rows + 1} more (a taller terminal shows them)[/]")
    return table


def _importance(path: str) -> tuple[int, str]:
    """What a person looks for first has the shortest path: speed, range, position."""
    return path.count("."), path


def batches(count: int) -> str:
    """So many batches, in words."""
    return "1 batch" if count == 1 else f"{count} batches"


def age(at: datetime, now: datetime) -> str:
    """How long ago something was, in words."""
    age_s = (now - at).total_seconds()
    if age_s < 0:
        return "ahead of this clock"
    if age_s < 1:
        return "now"
    if age_s < 120:
        return f"{age_s:.0f} s"
    if age_s < 7200:
        return f"{age_s / 60:.0f} min"
    return f"{age_s / 3600:.0f} h" if age_s < 172_800 else f"{age_s / 86_400:.0f} days"

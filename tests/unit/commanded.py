"""A small car that takes commands, a world that notes what it is sent, and a bench for both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from typing_extensions import override

from gateway.actuation import Actuation
from gateway.actuators import Actuators, CommandMessage, bind_actuators
from gateway.condition import NoValueError
from gateway.databases import Database, parse_database
from gateway.decode import Decoder
from gateway.encoding import Refusal
from gateway.feedback import Feedback
from gateway.ledger import Outcome, Report
from gateway.mapping import bind, parse_mapping
from gateway.requests import Key, Request
from gateway.world import Moment, Sent, World
from internetcar.contract.message import Value

MS = 1_000_000
SECOND_NS = 1000 * MS
UTC_NS = 1_700_000_000 * SECOND_NS
"""The instant of a test's beginning, so that nobody takes one clock for the other."""

DBC = """\
BO_ 256 Climate_Command: 4 Gateway
 SG_ Temperature_Request : 0|8@1+ (0.5,0) [10|30] "degC" Car
 SG_ Fan_Request : 8|7@1+ (1,0) [0|100] "" Car
 SG_ Count : 16|4@1+ (1,0) [0|15] "" Car
 SG_ Sum : 24|8@1+ (1,0) [0|255] "" Car
BO_ 257 Climate_Status: 2 Car
 SG_ Temperature : 0|8@1+ (0.5,0) [0|100] "degC" Gateway
 SG_ Fan : 8|8@1+ (1,0) [0|255] "" Gateway
BO_ 258 Body_Command: 1 Gateway
 SG_ Horn_Request : 0|1@1+ (1,0) [0|1] "" Car
 SG_ Mode_Request : 1|2@1+ (1,0) [0|3] "" Car
 SG_ Level_Request : 3|5@1+ (1,0) [0|31] "percent" Car
BO_ 259 Body_Status: 1 Car
 SG_ Mode : 1|2@1+ (1,0) [0|3] "" Gateway
BO_ 260 Motion: 2 Car
 SG_ Speed : 0|16@1+ (0.01,0) [0|300] "km/h" Gateway
BO_ 261 Bare_Command: 2 Gateway
 SG_ Bare_Request : 0|8@1+ (1,0) [0|255] "" Car
 SG_ Bare_Other : 8|8@1+ (1,0) [0|255] "" Car
BO_ 262 Page_Command: 2 Gateway
 SG_ Page M : 0|4@1+ (1,0) [0|15] "" Car
 SG_ Seat_Request m1 : 8|8@1+ (1,0) [0|255] "" Car
 SG_ Mirror_Request m2 : 8|8@1+ (1,0) [0|255] "" Car
 SG_ Light_Request : 4|1@1+ (1,0) [0|1] "" Car
BA_DEF_ SG_ "GenSigStartValue" INT 0 1000;
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_ "GenMsgCycleTime" BO_ 256 50;
BA_ "GenSigStartValue" SG_ 256 Temperature_Request 40;
BA_ "GenSigStartValue" SG_ 256 Fan_Request 7;
BA_ "GenSigStartValue" SG_ 258 Horn_Request 0;
BA_ "GenSigStartValue" SG_ 258 Mode_Request 0;
BA_ "GenSigStartValue" SG_ 258 Level_Request 0;
BA_ "GenSigStartValue" SG_ 262 Seat_Request 0;
BA_ "GenSigStartValue" SG_ 262 Mirror_Request 0;
BA_ "GenSigStartValue" SG_ 262 Light_Request 0;
VAL_ 258 Mode_Request 0 "OFF" 1 "ECO" 2 "SPORT" ;
VAL_ 258 Level_Request 31 "SNA" ;
VAL_ 259 Mode 0 "OFF" 1 "ECO" 2 "SPORT" ;
"""
TEMPERATURE, FAN = "Vehicle.Temperature", "Vehicle.Fan"
HORN, MODE, LEVEL, BARE = "Vehicle.Horn", "Vehicle.Mode", "Vehicle.Level", "Vehicle.Bare"
SEAT, MIRROR, LIGHT = "Vehicle.Seat", "Vehicle.Mirror", "Vehicle.Light"
SPEED = "Vehicle.Speed"
SEAL = {"counter": "Count", "checksum": {"signal": "Sum", "rule": "crc8_sae_j1850"}}
LEAVES: dict[str, dict[str, Any]] = {
    TEMPERATURE: {
        "datatype": "float", "unit": "celsius", "min": 16,
        "dbc2vss": {"signal": "Temperature"},
        "vss2dbc": {"signal": "Temperature_Request", "only_when": f"{SPEED} < 100", **SEAL},
    },
    FAN: {
        "datatype": "uint8", "max": 100,
        "dbc2vss": {"signal": "Fan"}, "vss2dbc": {"signal": "Fan_Request", "hold_s": 1},
    },
    HORN: {"datatype": "boolean", "vss2dbc": {"signal": "Horn_Request", "momentary": True}},
    MODE: {
        "datatype": "string", "allowed": ["OFF", "ECO", "SPORT", "RACE"],
        "dbc2vss": {"signal": "Mode"}, "vss2dbc": {"signal": "Mode_Request"},
    },
    LEVEL: {"datatype": "uint8", "vss2dbc": {"signal": "Level_Request"}},
    BARE: {"datatype": "uint8", "vss2dbc": {"signal": "Bare_Request"}},
    SEAT: {"datatype": "uint8", "vss2dbc": {"signal": "Seat_Request", "hold_s": 1}},
    MIRROR: {"datatype": "uint8", "vss2dbc": {"signal": "Mirror_Request", "hold_s": 1}},
    LIGHT: {"datatype": "uint8", "vss2dbc": {"signal": "Light_Request", "hold_s": 1}},
    SPEED: {"type": "sensor", "datatype": "float", "dbc2vss": {"signal": "Speed"}},
}  # fmt: skip


def changed(**commands: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The car's leaves; `Fan={"hold_s": 0}` changes what the command of `Vehicle.Fan` says."""
    leaves = {path: dict(node) for path, node in LEAVES.items()}
    for name, more in commands.items():
        node = leaves[f"Vehicle.{name}"]
        node["vss2dbc"] = {**node["vss2dbc"], **more}
    return leaves


@cache
def database(dbc: str, bus: int) -> Database:
    """Read once: nobody changes what is read, and walks bind it again and again."""
    return parse_database(dbc, "test.dbc", "dbc")


def bound(
    dbc: str, leaves: Mapping[str, Mapping[str, Any]], bus_names: Sequence[str] = ("can0",)
) -> Actuators:
    """Commands on one database for each bus, the same; each is allowed unless it says not."""
    nodes: dict[str, Any] = {}
    for path, leaf in leaves.items():
        node = {"type": "actuator", **leaf}
        if "vss2dbc" in node:
            node["vss2dbc"] = {"allow": True, **node["vss2dbc"]}
        nodes[path] = node
    mapping = parse_mapping(json.dumps(nodes), "test.json")
    decoder = Decoder([[database(dbc, bus)] for bus, _ in enumerate(bus_names)])
    signals = decoder.signals
    return bind_actuators(
        mapping, signals, bus_names, bind(mapping, signals, bus_names).leaves,
        lambda index: decoder.messages[signals[index].bus][signals[index].can_id],
    )  # fmt: skip


class FakeWorld(World):
    """A car as a test wants it, and what was sent to it."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {SPEED: 0.0}
        self.seen: dict[int, bytes] = {}
        """Frames of other nodes, by `can_id`."""
        self.others: set[int] = set()
        """What another node sends, by `can_id`."""
        self.refusal: Refusal | None = None
        self.lost: Refusal | None = None
        self.sent: list[bytes] = []
        self.frames: dict[str, int] = {}
        self.showing: dict[str, Value] = {}

    def show(self, path: str, value: Value) -> None:
        """One frame of the message that has a feedback."""
        self.frames[path] = self.frames.get(path, 0) + 1
        self.showing[path] = value

    @override
    def value_of(self, path: str) -> Value:
        if path not in self.values:
            raise NoValueError(f"{path} was not heard yet")
        return self.values[path]

    @override
    def frames_of(self, feedback: Feedback) -> int:
        return self.frames.get(feedback.path, 0)

    @override
    def shown(self, feedback: Feedback, sent: Sent) -> Value:
        is_new = self.frames_of(feedback) > sent.frames
        return self.showing.get(feedback.path) if is_new else None

    @override
    def payload_of(self, message: CommandMessage) -> bytes | None:
        return self.seen.get(message.definition.can_id)

    @override
    def is_sent_by_others(self, message: CommandMessage) -> bool:
        return message.definition.can_id in self.others

    @override
    def why_not_send(self, message: CommandMessage) -> Refusal | None:
        return self.refusal

    @override
    def send(self, message: CommandMessage, payload: bytes) -> int:
        if self.lost is not None:
            raise self.lost
        self.sent.append(payload)
        return UTC_NS


class Bench:
    """The commands of the car, with time that goes only when told."""

    def __init__(
        self,
        leaves: Mapping[str, Mapping[str, Any]] | None = None,
        known: Mapping[Key, Outcome] | None = None,
        rate_hz: float = 1000.0,
    ) -> None:
        self.world = FakeWorld()
        self.now_ns = 50 * SECOND_NS
        self.is_trusted = True
        found = bound(DBC, LEAVES if leaves is None else leaves)
        assert found.errors == []
        self.actuators = found.by_path
        self.allowed = {"phone": frozenset(self.actuators), "radio": frozenset([MODE, FAN])}
        self.actuation = Actuation(self.world, (known or {}).get, rate_hz)
        self.use()

    @property
    def moment(self) -> Moment:
        return Moment(self.now_ns, UTC_NS + self.now_ns, self.is_trusted)

    def use(self) -> None:
        self.actuation.use(self.actuators, self.allowed, self.moment)

    def rebind(self, leaves: Mapping[str, Mapping[str, Any]]) -> None:
        """Another mapping is loaded."""
        self.actuators = bound(DBC, leaves).by_path
        self.use()

    @staticmethod
    def key(name: str | None, requester: str = "phone") -> Key:
        """Of a command that was given with this name or with none."""
        return requester, "~drawn" if name is None else name

    def request(self, path: str, value: Value, name: str | None = "c1", **more: Any) -> Request:
        fields = {"requester": "phone", "received_ns": self.now_ns, **more}
        return Request(
            path=path, value=value, id=name or "drawn", has_id=name is not None, **fields
        )

    def give(self, path: str, value: Value, name: str | None = "c1", **more: Any) -> list[Report]:
        """One command, judged."""
        self.actuation.receive(self.request(path, value, name, **more), self.moment)
        return self.actuation.take_reports()

    def send(self, path: str, value: Value, name: str = "c1", **more: Any) -> list[Report]:
        """One command, judged and on disk."""
        self.actuation.receive(self.request(path, value, name, **more), self.moment)
        self.actuation.durable((more.get("requester", "phone"), name), self.moment)
        return self.actuation.take_reports()

    def durable(self, name: str | None = "c1", requester: str = "phone") -> list[Report]:
        self.actuation.durable(self.key(name, requester), self.moment)
        return self.actuation.take_reports()

    def after(self, ms: float) -> list[Report]:
        """Let time go by, then look."""
        self.now_ns += int(ms * MS)
        self.actuation.advance(self.moment)
        return self.actuation.take_reports()


def said(reports: Sequence[Report]) -> list[tuple[str, str | None]]:
    """State and reason of each."""
    return [(report.state, report.reason) for report in reports]


def states(reports: Sequence[Report]) -> list[str]:
    return [report.state for report in reports]


def at(bench: Bench, s: float) -> int:
    """The UTC instant so many seconds from the bench's now."""
    return bench.moment.wall_ns + int(s * SECOND_NS)


def forged(request: Request, **more: Any) -> Request:
    """The same packet with something else in it."""
    return replace(request, **more)

"""Answers of OBD-II to leaves of VSS: what can be said, and what an answer says (pure).

These leaves have no signal of a DBC behind them; `PATHS` gives each its index, for pacing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from gateway.isotp import Pdu
from gateway.obd import (
    PENDING,
    STORED,
    VIN,
    Answer,
    Codes,
    Current,
    Vehicle,
    parse_answer,
    physical_id,
    vin,
)
from gateway.obd_pids import BY_PID, LEAVES, LENGTHS, STATUS_PID
from gateway.obd_plan import Key
from gateway.trouble_codes import explain
from gateway.vss import integer_range
from internetcar.contract.message import Value
from internetcar.contract.signals import CatalogLeaf, Quality

OWNER_NS = 10_000_000_000
"""A controller that has not said a PID for so long loses it to another that does."""
GONE_AFTER = 3
"""A controller that misses so many rounds, in each of which another answered, is gone."""
MAX_CODES = 255
"""Of each controller, kept and said; the count of an answer is a byte."""

MIL = "Vehicle.OBD.Status.IsMILOn"
STATUS_COUNT = "Vehicle.OBD.Status.DTCCount"
CODE_COUNT = "Vehicle.Diagnostics.DTCCount"
CODE_LIST = "Vehicle.Diagnostics.DTCList"
CODE_TEXT = "Vehicle.Diagnostics.DTCText"
PENDING_LIST = "Vehicle.Diagnostics.PendingDTCList"
PENDING_TEXT = "Vehicle.Diagnostics.PendingDTCText"
SERVICE_DUE = "Vehicle.Service.IsServiceDue"
VIN_PATH = "Vehicle.VehicleIdentification.VIN"
WMI = "Vehicle.VehicleIdentification.WMI"


class ObdValue(NamedTuple):
    """What an answer says of one leaf."""

    path: str
    value: Value
    quality: Quality
    at_ns: int


@dataclass(frozen=True, slots=True)
class ObdLeaf:
    """What is known of a leaf before anything was said."""

    path: str
    source: str
    """Service and item it is asked with: `OBD.01.0C`."""
    datatype: str
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    description: str | None = None

    @property
    def key(self) -> Key:
        """The question it is the answer to."""
        _, service, *item = self.source.split(".")
        return int(service, 16), int(item[0], 16) if item else None

    def catalog_leaf(self, bus_name: str, max_interval_ms: int | None = None) -> CatalogLeaf:
        """What a reader must know of it."""
        return CatalogLeaf(
            datatype=self.datatype,
            unit=self.unit,
            min=self.min,
            max=self.max,
            source=f"{bus_name}/{self.source}",
            description=self.description,
            max_interval_ms=max_interval_ms,
        )


_LIST = "string[]"
CATALOG: dict[str, ObdLeaf] = {
    leaf.path: leaf
    for leaf in (
        *(
            ObdLeaf(
                each.path,
                f"OBD.01.{each.pid:02X}",
                each.datatype,
                each.unit,
                each.min,
                each.max,
                each.description,
            )
            for each in LEAVES
        ),
        ObdLeaf(MIL, "OBD.01.01", "boolean", description="The engine's warning light is lit"),
        ObdLeaf(STATUS_COUNT, "OBD.01.01", "uint8", description="Codes behind the warning light"),
        ObdLeaf(CODE_COUNT, "OBD.03", "uint8", description="How many trouble codes there are"),
        ObdLeaf(CODE_LIST, "OBD.03", _LIST, description="Trouble codes, as P0301"),
        ObdLeaf(CODE_TEXT, "OBD.03", _LIST, description="What each of the codes means"),
        ObdLeaf(PENDING_LIST, "OBD.07", _LIST, description="Codes seen once, not yet confirmed"),
        ObdLeaf(PENDING_TEXT, "OBD.07", _LIST, description="What each of these means"),
        ObdLeaf(
            SERVICE_DUE,
            "OBD.01.01",
            "boolean",
            description="True: the warning light wants a workshop; OBD knows no service plan",
        ),
        ObdLeaf(VIN_PATH, "OBD.09.02", "string", description="Vehicle identification number"),
        ObdLeaf(WMI, "OBD.09.02", "string", description="The maker, as the VIN begins"),
    )
}
PATHS: tuple[str, ...] = tuple(CATALOG)
"""All leaves, in a fixed order."""
PATHS_OF: dict[Key, list[str]] = {}
"""The leaves that each question is for."""
for _leaf in CATALOG.values():
    PATHS_OF.setdefault(_leaf.key, []).append(_leaf.path)
INDEX: dict[str, int] = {path: index for index, path in enumerate(PATHS)}

Said = TypeVar("Said")
_CODE_PATHS = {STORED: (CODE_LIST, CODE_TEXT), PENDING: (PENDING_LIST, PENDING_TEXT)}


class _Rounds(Generic[Said]):
    """What each controller answered to a question that is put to all, until it is gone."""

    def __init__(self) -> None:
        self._said: dict[int, Said] = {}
        self._missed: dict[int, Counter[int]] = {}
        """Of each controller, how often each other has answered since it did."""

    def say(self, can_id: int, said: Said) -> list[Said]:
        """Take what one says; what all say that are still there."""
        self._said[can_id], self._missed[can_id] = said, Counter()
        for other, missed in tuple(self._missed.items()):
            missed[can_id] += other != can_id
            if missed[can_id] >= GONE_AFTER:
                del self._said[other], self._missed[other]
        return list(self._said.values())


class ObdLeaves:
    """Keeps what each controller said, where several of them make one leaf.

    A PID that several controllers know is the one's with the lowest id; codes and the warning
    light are those of all.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Begin with nothing said.

        Args:
            texts: What trouble codes mean.
        """
        self._texts = texts
        self._owners: dict[int, tuple[int, int]] = {}
        self._codes: dict[int, _Rounds[tuple[str, ...]]] = {STORED: _Rounds(), PENDING: _Rounds()}
        self._lights: _Rounds[tuple[bool, int]] = _Rounds()
        self._is_identified = False

    def feed(self, pdu: Pdu) -> list[ObdValue]:
        """What a message says; nothing for one that is no answer to a tester.

        Raises:
            ObdError: It is one, and says nothing that can be understood.
        """
        if physical_id(pdu.can_id) is None:
            return []
        return self.say(parse_answer(pdu.payload, LENGTHS), pdu.can_id, pdu.at_ns)

    def say(self, answer: Answer, can_id: int, at_ns: int) -> list[ObdValue]:
        """What a controller's answer says."""
        match answer:
            case Current(data):
                said: list[ObdValue] = []
                for pid, content in data.items():
                    said += self._current(pid, content, can_id, at_ns)
                return said
            case Codes(service, codes):
                return self._trouble(service, codes, can_id, at_ns)
            case Vehicle(kind, data) if kind == VIN:
                return self._identity(data, at_ns)
            case _:
                return []

    def _current(self, pid: int, data: bytes, can_id: int, at_ns: int) -> list[ObdValue]:
        said = self._status(data, can_id, at_ns) if pid == STATUS_PID else []
        owner, owned_ns = self._owners.get(pid, (can_id, at_ns))
        if owner < can_id and abs(at_ns - owned_ns) < OWNER_NS:
            return said
        self._owners[pid] = (can_id, at_ns)
        for leaf in BY_PID.get(pid, ()):
            value = leaf.read(data)
            said.append(ObdValue(leaf.path, value, _quality(value, leaf.datatype), at_ns))
        return said

    def _status(self, data: bytes, can_id: int, at_ns: int) -> list[ObdValue]:
        lights = self._lights.say(can_id, (bool(data[0] & 0x80), data[0] & 0x7F))
        is_lit = any(is_lit for is_lit, _ in lights)
        count = min(MAX_CODES, sum(count for _, count in lights))
        return [
            ObdValue(MIL, is_lit, "valid", at_ns),
            ObdValue(STATUS_COUNT, count, "valid", at_ns),
            ObdValue(SERVICE_DUE, is_lit or None, "valid" if is_lit else "not_available", at_ns),
        ]

    def _trouble(
        self, service: int, codes: tuple[str, ...], can_id: int, at_ns: int
    ) -> list[ObdValue]:
        said_by_all = self._codes[service].say(can_id, codes)
        found = sorted({code for each in said_by_all for code in each})
        found = found[:MAX_CODES]
        texts = [f"{code}: {explain(code, self._texts)}" for code in found]
        listed, explained = _CODE_PATHS[service]
        said = [
            ObdValue(listed, list(found), "valid", at_ns),
            ObdValue(explained, list(texts), "valid", at_ns),
        ]
        if service == STORED:
            said.append(ObdValue(CODE_COUNT, len(found), "valid", at_ns))
        return said

    def _identity(self, data: bytes, at_ns: int) -> list[ObdValue]:
        number = vin(data)
        self._is_identified |= number is not None
        if number is None and self._is_identified:  # another controller knows it
            return []
        quality: Quality = "not_available" if number is None else "valid"
        maker = None if number is None else number[:3]
        return [
            ObdValue(VIN_PATH, number, quality, at_ns),
            ObdValue(WMI, maker, quality, at_ns),
        ]


def _quality(value: Value, datatype: str) -> Quality:
    if value is None:
        return "not_available"
    limits = integer_range(datatype)
    if limits and isinstance(value, int) and not limits[0] <= value <= limits[1]:
        return "out_of_range"
    return "valid"

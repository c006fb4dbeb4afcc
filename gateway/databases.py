"""Reads the databases that say what a bus carries: DBC, KCD, SYM and ARXML files, or opendbc's."""

import importlib
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cantools.database
from cantools.database.can import Database as CanDatabase
from cantools.database.can import Message, Signal

from gateway.layout import field_mask
from gateway.repair import Mend, RepairError, repair
from internetcar.contract.message import InputError
from internetcar.socketcan import EXTENDED

MAX_FILE_BYTES = 64 * 1024 * 1024
"""The largest database in public use has a third of this."""
MAX_SIGNALS = 2048
"""Signals of one message; the most crowded multiplexed one in public use has a fifth of this."""
_MOST_OBJECTS = {"BO_": 20_000, "SG_": 100_000}
"""Messages and signals of one file; the largest in public use has a fifth of them."""
MAX_FRAME_BYTES = 64
"""The payload of one CAN FD frame."""
_PREFIX = "opendbc:"
_FORMATS = {".dbc": "dbc", ".kcd": "kcd", ".sym": "sym", ".arxml": "arxml"}
_HUGE = re.compile(r"\b(?:length|offset|count|Len|Sig|Var)\b[^\n<>]*?\b\d{6,}")


class DatabaseError(InputError):
    """A database that cannot be read; the message names the file and the fix."""


@dataclass(frozen=True)
class Notice:
    """Something about a message, or one of its signals, that a user should know.

    Attributes:
        message: its name in the database.
        signal: empty where it concerns the whole message.
        reason: in one sentence.
    """

    message: str
    signal: str
    reason: str


@dataclass(frozen=True)
class MessageDefinition:
    """What a database says about one frame identifier.

    Attributes:
        can_id: identifier, with bit 31 set when it has 29 bits.
        length: bytes of payload.
        cycle_time_ms: how often it is sent (GenMsgCycleTime); `None` if the database is silent.
        signals: those that can be decoded, in the database's order.
        source: what cantools read; it encodes and decodes this message.
    """

    name: str
    can_id: int
    length: int
    cycle_time_ms: int | None
    senders: tuple[str, ...]
    signals: tuple[Signal, ...]
    source: Message


@dataclass(frozen=True)
class Database:
    """One database, ready to decode with.

    Attributes:
        name: what the user called it.
        messages: those that can be decoded, in the file's order.
        mends: defects of the text, and what was done about them.
        refused: messages and signals that are left out, and why.
        overlaps: messages in which signals share bits or reach beyond the end; they are decoded.
    """

    name: str
    messages: tuple[MessageDefinition, ...]
    mends: tuple[Mend, ...]
    refused: tuple[Notice, ...]
    overlaps: tuple[Notice, ...]


def load_database(source: str) -> Database:
    """The database at a path, or opendbc's database of that name (`opendbc:NAME`).

    Raises:
        DatabaseError: it cannot be read; the message says why and what to do.
    """
    if source.startswith(_PREFIX):
        return parse_database(opendbc_text(source.removeprefix(_PREFIX)), source, "dbc")
    path = Path(source)
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise DatabaseError(f"{source}: give a file that ends in {', '.join(_FORMATS)}")
    try:
        if path.exists() and not path.is_file():
            raise DatabaseError(f"{source}: not a regular file")
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DatabaseError(f"{source}: {error.strerror or error}") from error
    if len(raw) > MAX_FILE_BYTES:
        raise DatabaseError(f"{source}: larger than {MAX_FILE_BYTES >> 20} MiB")
    return parse_database(_text(raw), source, form)


def parse_database(text: str, name: str, form: str) -> Database:
    """The database in a text of one form: `dbc`, `kcd`, `sym` or `arxml`.

    Raises:
        DatabaseError: the text cannot be read.
    """
    mends: list[Mend] = []
    if form == "dbc":
        _refuse_crowds(text, name)
        try:
            text, mends = repair(text)
        except RepairError as error:
            raise DatabaseError(f"{name}: {error}") from error
    elif huge := _HUGE.search(text):
        raise DatabaseError(f"{name}: no signal is that large: {huge[0][-60:]!r}")
    messages, refused, overlaps = _definitions(_parse(text, name, form))
    return Database(name, messages, tuple(mends), refused, overlaps)


def _refuse_crowds(text: str, name: str) -> None:
    """Refuse what no vehicle has and no parser ends with in time."""
    for kind, most in _MOST_OBJECTS.items():
        count = len(re.findall(rf"^[^\S\n]*{kind} ", text, re.MULTILINE))
        if count > most:
            raise DatabaseError(f"{name}: {count} {kind} lines, more than the {most} read here")
    for message in re.split(r"^BO_ ", text, flags=re.MULTILINE)[1:]:
        count = len(re.findall(r"^[^\S\n]+SG_ ", message, re.MULTILINE))
        if count > MAX_SIGNALS:
            title = " ".join(message.split(None, 2)[:2])[:60]
            raise DatabaseError(
                f"{name}: BO_ {title} has {count} signals, more than the {MAX_SIGNALS} read here"
            )


def opendbc_names() -> list[str]:
    """Every NAME that `opendbc:NAME` takes, sorted.

    Raises:
        DatabaseError: opendbc is not installed.
    """
    package = _opendbc()
    files = {path.stem for path in Path(package.DBC_PATH).glob("*.dbc")}
    return sorted(files | set(package.get_generated_dbcs()))


def _opendbc() -> Any:
    try:
        return importlib.import_module("opendbc")
    except ImportError as error:
        raise DatabaseError(
            "opendbc is not installed; in a clone: ./car installs it; "
            "else pip install 'internetcar[cars]'"
        ) from error


def opendbc_text(name: str) -> str:
    """The text of one of opendbc's databases, be it a file or generated by it.

    Raises:
        DatabaseError: opendbc is not installed or has none of that name.
    """
    package = _opendbc()
    name = name.removesuffix(".dbc")
    if name not in opendbc_names():
        raise DatabaseError(f"{_PREFIX}{name}: opendbc has no such database")
    path = Path(package.DBC_PATH) / f"{name}.dbc"
    return _text(path.read_bytes()) if path.exists() else str(package.get_generated_dbcs()[name])


def _text(raw: bytes) -> str:
    """The text in one of the encodings that tools write; CANdb++ writes Windows-1252."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _parse(text: str, name: str, form: str) -> CanDatabase:
    try:
        parsed = cantools.database.load_string(text, form, strict=False)
    except RecursionError as error:
        raise DatabaseError(f"{name}: nested too deeply") from error
    except Exception as error:  # a stranger's file makes the parser raise nearly anything
        raise DatabaseError(f"{name}: {_one_line(error)}") from error
    if not isinstance(parsed, CanDatabase):
        raise DatabaseError(f"{name}: it describes diagnostics, not the frames of a bus")
    return parsed


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _definitions(
    parsed: CanDatabase,
) -> tuple[tuple[MessageDefinition, ...], tuple[Notice, ...], tuple[Notice, ...]]:
    found: dict[int, MessageDefinition] = {}
    refused: list[Notice] = []
    overlaps: list[Notice] = []
    for message in parsed.messages:
        if reason := _why_not_message(message):
            refused.append(Notice(message.name, "", reason))
            continue
        definition = _definition(message, refused)
        if former := found.pop(definition.can_id, None):
            reason = f"{message.name} has the same identifier and comes later"
            refused.append(Notice(former.name, "", reason))
        found[definition.can_id] = definition
        overlaps.extend(_overlaps(definition))
    return tuple(found.values()), tuple(refused), tuple(overlaps)


def _definition(message: Message, refused: list[Notice]) -> MessageDefinition:
    signals: dict[str, Signal] = {}
    for signal in message.signals:
        reason = _why_not_signal(signal)
        if signal.name in signals:
            reason = "the message has another signal of that name"
        if reason:
            refused.append(Notice(message.name, signal.name, reason))
        else:
            signals[signal.name] = signal
    cycle = message.cycle_time
    return MessageDefinition(
        name=message.name,
        can_id=message.frame_id | EXTENDED * message.is_extended_frame,
        length=message.length,
        cycle_time_ms=int(cycle) if isinstance(cycle, int | float) and cycle > 0 else None,
        senders=tuple(message.senders),
        signals=tuple(signals.values()),
        source=message,
    )


def _why_not_message(message: Message) -> str:
    if message.is_container:
        return "a container of other messages, which the gateway does not unpack"
    if message.length > MAX_FRAME_BYTES:
        return f"{message.length} bytes need a transport protocol, which the gateway has not"
    return ""


def _why_not_signal(signal: Signal) -> str:
    conversion = signal.conversion
    try:
        finite = math.isfinite(conversion.scale) and math.isfinite(conversion.offset)
    except OverflowError:
        finite = False
    if not finite:
        return "its scale or its offset is not a finite number"
    if conversion.is_float and signal.length not in (16, 32, 64):
        return f"no float has {signal.length} bits"
    if signal.start + signal.length > 2 * 8 * MAX_FRAME_BYTES:
        return "it lies beyond the end of every frame"
    return ""


def _overlaps(definition: MessageDefinition) -> list[Notice]:
    """The signals of a message that share bits, unless a multiplexer keeps them apart."""
    notices: list[Notice] = []
    taken: list[tuple[Signal, int]] = []
    for signal in definition.signals:
        mask = field_mask(signal)
        if mask >> 8 * definition.length:
            notices.append(Notice(definition.name, signal.name, "it reaches beyond the message"))
        for other, bits in taken:
            if mask & bits and not _apart(signal, other):
                reason = f"it shares bits with {other.name}"
                notices.append(Notice(definition.name, signal.name, reason))
                break
        taken.append((signal, mask))
    return notices


def _apart(one: Signal, other: Signal) -> bool:
    """Whether the two are never in the same frame."""
    if one.multiplexer_signal != other.multiplexer_signal:
        return one.multiplexer_signal is not None and other.multiplexer_signal is not None
    return not set(one.multiplexer_ids or ()) & set(other.multiplexer_ids or (-1,)) and bool(
        one.multiplexer_ids and other.multiplexer_ids
    )

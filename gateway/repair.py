"""Mends a DBC text so that a strict reader accepts it, and says what was mended.

Real files lack headers, comment on objects that are not there, forget the flag of a 29-bit
identifier or begin a name with a digit. Loading leniently does not help with any of these.
"""

import re
from itertools import pairwise

from gateway.repair_references import References
from gateway.repair_text import (
    NUMBER,
    STRING,
    Mend,
    RepairError,
    Statement,
    as_word,
    is_word,
    statements,
)

__all__ = ["Mend", "RepairError", "repair"]

EXTENDED = 0x8000_0000
"""The bit by which a DBC marks a 29-bit identifier."""
UNASSIGNED = "VECTOR__INDEPENDENT_SIG_MSG"
"""The pseudo-message that holds the signals of no message; readers skip it."""
MAX_MESSAGE_BYTES = 1785
"""What the longest transport protocol of J1939 carries."""
MAX_SIGNAL_BITS = 512
"""The payload of one CAN FD frame."""
MAX_DIGITS = 64
"""Of a number; a longer whole number overflows the reader."""

_MESSAGE = re.compile(
    r"\s*+BO_\s++(?P<id>\d{1,10})\s++(?P<name>[^\s:]+)\s*+:\s*+(?P<length>0|[1-9]\d{0,8})"
    r"(?:\s++(?P<sender>\S+))?\s*+\Z"
)
_SIGNAL = re.compile(
    r"\s*+SG_\s++(?P<name>[^\s:]+)(?:\s++(?P<mux>\w+))?\s*+:"
    r"\s*+(?P<start>\d{1,9})\s*+\|\s*+(?P<length>\d{1,9})\s*+@\s*+(?P<order>[01])\s*+(?P<sign>[+-])"
    r"\s*+\((?P<scale>[^,()]*),(?P<offset>[^,()]*)\)\s*+\[(?P<minimum>[^|\]]*)\|(?P<maximum>[^\]]*)\]"
    rf"\s*+(?P<unit>{STRING})\s*+(?P<receivers>[^\"]*)\Z"
)
_SYMBOLS = re.compile(r"\s*+NS_\s*+:(?:\s++\w+)*+\s*+\Z")
_MULTIPLEXER = re.compile(r"m\d{1,10}M?\Z|M\Z")
_NUMBER = re.compile(NUMBER + r"\Z")
_BARE_FRACTION = re.compile(r"(?P<sign>[-+]?)(?P<fraction>\.\d+(?:[eE][+-]?\d+)?)\Z")


def repair(text: str) -> tuple[str, list[Mend]]:
    """The same DBC text as strict readers accept it, and what was mended, in the order of lines.

    Lines keep their numbers. A text without defects comes back as it was, but for its line ends.

    Raises:
        RepairError: the text cannot be read as statements at all.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    found = list(statements(text))
    if not any(statement.keyword == "BO_" for statement in found):
        raise RepairError("no message (BO_) in it: this is not a DBC file")
    workshop = _Workshop()
    for statement in found:
        workshop.mend_object(statement)
    workshop.add_headers(found)
    for statement in found:
        workshop.references.mend(statement)
    if not any(statement.keyword == "BO_" for statement in found):
        raise RepairError("no message (BO_) in it can be read")
    mends = sorted(workshop.references.mends, key=lambda mend: mend.line)
    return "\n".join(statement.text for statement in found), mends


class _Workshop:
    """One repair under way: first the objects, then what refers to them."""

    def __init__(self) -> None:
        self.references = References()
        self._message_names: set[str] = set()
        self._in_message = False

    def mend_object(self, statement: Statement) -> None:
        """Mends a statement that defines something; leaves the others alone."""
        match statement.keyword:
            case "BO_":
                self._in_message = self._mend_message(statement)
            case "SG_":
                self._mend_signal(statement)
            case "BU_":
                self._mend_nodes(statement)
            case "NS_" if not _SYMBOLS.match(statement.without_comments()):
                self.references.leave_out(statement, "NS_ cannot be read")
            case "BS_" if statement.text.strip() not in ("BS_:", "BS_ :"):
                statement.text = "BS_:"
            case "BA_DEF_":
                self.references.learn_attribute(statement)
            case "" if statement.text.strip() and not statement.text.lstrip().startswith("//"):
                self.references.leave_out(statement, "it is no statement of a DBC file")

    def add_headers(self, found: list[Statement]) -> None:
        """BS_ and BU_, without which the list after NS_ has no end."""
        for statement, following in pairwise(found):
            if statement.keyword == "NS_" and following.keyword not in ("BS_", "BU_"):
                statement.text += " BS_: BU_:"
                self.references.note(statement, "no BS_ and no BU_ after NS_", "both added, empty")

    def _mend_message(self, statement: Statement) -> bool:
        parts = _MESSAGE.match(statement.without_comments())
        if parts is None:
            return self._refuse(statement, "the message cannot be read")
        if int(parts["length"]) > MAX_MESSAGE_BYTES:
            return self._refuse(statement, f"no message has {parts['length']} bytes")
        written = int(parts["id"])
        if parts["name"] == UNASSIGNED:
            self.references.open_unassigned(written)
            return True
        frame_id = written
        if written > 0x7FF:
            frame_id = EXTENDED | written & 0x1FFF_FFFF
        name = self._message_name(parts["name"])
        sender = parts["sender"] or "Vector__XXX"
        self.references.open_message(written, frame_id)
        if (str(frame_id), name) != (parts["id"], parts["name"]) or not is_word(sender):
            sender = sender if is_word(sender) else as_word(sender)
            statement.text = f"BO_ {frame_id} {name}: {parts['length']} {sender}"
        elif parts["sender"] is None:
            statement.text = f"{statement.text.rstrip()} {sender}"
        self._note_message(statement, parts, frame_id, name)
        return True

    def _message_name(self, written: str) -> str:
        name = written if is_word(written) else as_word(written, self._message_names)
        self._message_names.add(name)
        return name

    def _note_message(
        self, statement: Statement, parts: re.Match[str], frame_id: int, name: str
    ) -> None:
        note = self.references.note
        if name != parts["name"]:
            note(statement, f"{parts['name']!r} cannot be a name", f"called {name}")
        if str(frame_id) != parts["id"]:
            defect = f"identifier {parts['id']} of {name} is none of 11 bits, nor marked as of 29"
            note(statement, defect, f"written as {frame_id}")
        if parts["sender"] is None:
            note(statement, f"{name} has no sender", "Vector__XXX added")
        elif not is_word(parts["sender"]):
            note(statement, f"{parts['sender']!r} cannot be a name", "the sender is renamed")

    def _refuse(self, statement: Statement, defect: str) -> bool:
        self.references.leave_out(statement, defect)
        return False

    def _mend_signal(self, statement: Statement) -> None:
        if not self._in_message:
            statement.text, statement.keyword = "", ""
            return
        parts = _SIGNAL.match(statement.without_comments())
        if parts is None:
            self.references.leave_out(statement, "the signal cannot be read")
            return
        defect = self._defect(parts)
        if defect:
            self.references.leave_out(statement, defect)
            return
        fixed = {
            "name": self.references.add_signal(parts["name"], int(parts["length"])),
            "scale": _number(parts["scale"]) or "1",
            "offset": _number(parts["offset"]) or "0",
            "minimum": _number(parts["minimum"]) or "0",
            "maximum": _number(parts["maximum"]) or "0",
            "receivers": _receivers(parts["receivers"]),
        }
        mux = parts["mux"] or ""
        fixed["mux"] = mux if _MULTIPLEXER.match(mux) else ""
        changed = [key for key, value in fixed.items() if value != (parts[key] or "").strip()]
        if not changed:
            return
        for key in changed:
            defect = f"{key} {parts[key].strip()!r} of {parts['name']} cannot be read"
            self.references.note(statement, defect, f"written as {fixed[key] or 'nothing'}")
        statement.text = (
            f" SG_ {fixed['name']} {fixed['mux']} : "
            f"{parts['start']}|{parts['length']}@{parts['order']}{parts['sign']} "
            f"({fixed['scale']},{fixed['offset']}) [{fixed['minimum']}|{fixed['maximum']}] "
            f"{parts['unit']} {fixed['receivers']}"
        )

    def _defect(self, parts: re.Match[str]) -> str:
        """Why the signal cannot stay, or nothing."""
        name = parts["name"]
        if not 0 < int(parts["length"]) <= MAX_SIGNAL_BITS:
            return f"signal {name} cannot have {parts['length']} bits"
        if int(parts["start"]) >= 8 * MAX_MESSAGE_BYTES:
            return f"signal {name} cannot begin at bit {parts['start']}"
        if self.references.has_signal(name):
            return f"signal {name} is there twice in its message"
        for key in ("scale", "offset"):
            if _number(parts[key]) is None:
                return f"{key} {parts[key].strip()!r} of signal {name} is no number"
        return ""

    def _mend_nodes(self, statement: Statement) -> None:
        _, colon, names = statement.without_comments().partition(":")
        words = names.replace(",", " ").split()
        if colon and all(map(is_word, words)) and "," not in names:
            return
        fixed = [word if is_word(word) else as_word(word) for word in words]
        statement.text = f"BU_: {' '.join(fixed)}"
        self.references.note(statement, "the list of nodes cannot be read", "nodes renamed")


def _number(written: str) -> str | None:
    """The number as strict readers want it; `None` if it is none."""
    written = written.strip()
    if bare := _BARE_FRACTION.match(written):
        return f"{bare['sign']}0{bare['fraction']}"
    return written if len(written) <= MAX_DIGITS and _NUMBER.match(written) else None


def _receivers(written: str) -> str:
    """The list of receivers as strict readers want it."""
    written = written.strip()
    words = [word for word in re.split(r"[,\s]+", written) if word]
    if words and all(map(is_word, words)) and re.fullmatch(r"\w+(?:\s*+,\s*+\w+)*", written):
        return written
    return ",".join(word if is_word(word) else as_word(word) for word in words) or "Vector__XXX"

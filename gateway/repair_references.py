"""Mends the statements of a DBC text that say something about messages and signals."""

import math
import re
from dataclasses import dataclass, field

from gateway.repair_text import ENDED_BY_LINE, NUMBER, STRING, Mend, Statement, as_word, is_word

MAX_SELECTORS = 4096
"""Values in the ranges of one multiplexed signal; readers expand them one by one."""
MAX_BRANCHES = 4096
"""Branches of one message's tree of multiplexers, which readers build whole."""

_SIGNAL_REFERENCE = re.compile(
    rf"(?P<head>\s*+(?:VAL_|SIG_VALTYPE_|SG_MUL_VAL_|(?:CM_|BA_\s++{STRING})\s++SG_)\s++)"
    r"(?P<id>\d+)\s++(?P<name>[^\s:;\"]+)(?P<rest>.*)\Z",
    re.DOTALL,
)
_MESSAGE_REFERENCE = re.compile(
    rf"(?P<head>\s*+(?:BO_TX_BU_|SIG_GROUP_|(?:CM_|BA_\s++{STRING})\s++BO_)\s++)"
    r"(?P<id>\d+)(?P<rest>.*)\Z",
    re.DOTALL,
)
_MISPLACED_COMMENT = re.compile(
    rf"\s*+CM_\s++(?:SG_\s++)?(?P<id>\d+)\s++(?P<rest>{STRING}.*)\Z", re.DOTALL
)
_RANGE = re.compile(r"(\d+)\s*+-\s*+(\d+)")
_WHOLE = re.compile(r"[-+]?\d{1,18}(?:\.0*)?\Z")
_PLAIN = re.compile(r"[-+]?\d{1,30}(?:\.\d*)?(?:[eE][-+]?\d{1,3})?\Z")
_VALUES = rf"(?:\s*+[-+]?\d+\s*+{STRING})*+"
_VALUE = rf"(?:{NUMBER}|{STRING})"
_LIMITS = rf"(?:\s*+{STRING}(?:\s*+,\s*+{STRING})*+|(?:\s++{NUMBER})*+)"
_GRAMMAR = {
    "VERSION": rf"VERSION\s*+{STRING}",
    "CM_": rf"CM_\s++(?:(?:SG_\s++\d+\s++\w+|BO_\s++\d+|(?:EV_|BU_)\s++\w+)\s*+)?{STRING}\s*+;",
    "VAL_": rf"VAL_\s++(?:\d+\s++)?[A-Za-z_]\w*{_VALUES}\s*+;",
    "VAL_TABLE_": rf"VAL_TABLE_\s++[A-Za-z_]\w*{_VALUES}\s*+;",
    "SIG_VALTYPE_": r"SIG_VALTYPE_\s++\d+\s++\w+\s*+:\s*+(?P<type>[0-3])\s*+;",
    "SG_MUL_VAL_": r"SG_MUL_VAL_\s++\d+\s++(?P<signal>\w+)\s++(?P<multiplexer>\w+)\s++"
    r"(?P<ranges>\d+\s*+-\s*+\d+(?:\s*+,\s*+\d+\s*+-\s*+\d+)*+)\s*+;",
    "BO_TX_BU_": r"BO_TX_BU_\s++\d+\s*+:\s*+[A-Za-z_]\w*(?:\s*+,\s*+[A-Za-z_]\w*)*\s*+;",
    "SIG_GROUP_": r"SIG_GROUP_\s++\d+\s++[A-Za-z_]\w*\s++\d+\s*+:(?:\s*+\w+)*+\s*+;",
    "BA_DEF_": rf"BA_DEF_\s++(?:(?:SG_|BO_|EV_|BU_)\s*+)?{STRING}\s*+\w+{_LIMITS}\s*+;",
    "BA_DEF_DEF_": rf"BA_DEF_DEF_\s++(?P<attribute>{STRING})\s*+(?P<value>{_VALUE})\s*+;",
    "BA_": rf"BA_\s++(?P<attribute>{STRING})\s*+"
    rf"(?:BO_\s++\d+|SG_\s++\d+\s++\w+|(?:BU_|EV_)\s++\w+)?\s*+(?P<value>{_VALUE})\s*+;",
    "BA_DEF_REL_": rf"BA_DEF_REL_\s++(?:BU_(?:SG|BO|EV)_REL_\s*+)?{STRING}\s*+\w+{_LIMITS}\s*+;",
    "BA_DEF_DEF_REL_": rf"BA_DEF_DEF_REL_\s++{STRING}\s*+{_VALUE}\s*+;",
    "BA_REL_": rf"BA_REL_\s++{STRING}\s*+(?:BU_SG_REL_\s++\w+\s++SG_\s++\d+\s++\w+|"
    rf"BU_BO_REL_\s++\w+\s++\d+)\s*+{_VALUE}\s*+;",
    "EV_": rf"EV_\s++\w+\s*+:\s*+\d+\s*+\[\s*+{NUMBER}\s*+\|\s*+{NUMBER}\s*+\]\s*+{STRING}\s*+"
    rf"{NUMBER}\s++\d+"
    r"\s++\w+\s++\w+(?:\s*+,\s*+\w+)*\s*+;",
    "ENVVAR_DATA_": r"ENVVAR_DATA_\s++\w+\s*+:\s*+\d+\s*+;",
}
_ATTRIBUTE = re.compile(
    rf"\s*+BA_DEF_\s++(?:(?:SG_|BO_|EV_|BU_)\s*+)?(?P<name>{STRING})\s*+(?P<type>\w+)(?P<limits>.*)\Z",
    re.DOTALL,
)
_NEEDS_NUMBER = ('"GenSigStartValue"', '"SPN"', '"GenMsgCycleTime"')
"""Attributes that readers take for numbers whatever their definition says."""


@dataclass
class _Signal:
    name: str
    bits: int


@dataclass
class _Message:
    """A message as it is called once mended, and its signals by the names in the file."""

    frame_id: int
    signals: dict[str, _Signal] = field(default_factory=dict)
    selectors: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Attribute:
    kind: str
    choices: int


class References:
    """The objects of one DBC text, and the mends made so far."""

    def __init__(self) -> None:
        self.mends: list[Mend] = []
        self._messages: dict[int, _Message] = {}
        self._current = _Message(0)
        self._unassigned: set[int] = set()
        self._attributes: dict[str, _Attribute] = {}

    def note(self, statement: Statement, defect: str, mend: str) -> None:
        """Remembers a mend."""
        self.mends.append(Mend(statement.line, defect, mend))

    def leave_out(self, statement: Statement, defect: str) -> None:
        """Takes the statement out of the text, keeping its lines."""
        statement.text = "\n" * statement.text.count("\n")
        statement.keyword = ""
        self.note(statement, defect, "left out")

    def open_message(self, written: int, frame_id: int) -> None:
        """The signals that follow belong to this message."""
        self._current = _Message(frame_id)
        self._messages[written] = self._current

    def open_unassigned(self, written: int) -> None:
        """The signals that follow belong to no message; readers skip what is said of them."""
        self._current = _Message(0)
        self._unassigned.add(written)

    def has_signal(self, written: str) -> bool:
        """Whether the open message has a signal of that name."""
        return written in self._current.signals

    def add_signal(self, written: str, bits: int) -> str:
        """Adds a signal to the open message; its name once mended."""
        taken = {signal.name for signal in self._current.signals.values()}
        name = written if is_word(written) and written not in taken else as_word(written, taken)
        self._current.signals[written] = _Signal(name, bits)
        return name

    def learn_attribute(self, statement: Statement) -> None:
        """What values the attribute may have."""
        if parts := _ATTRIBUTE.match(statement.text):
            choices = len(re.findall(STRING, parts["limits"]))
            self._attributes[parts["name"]] = _Attribute(parts["type"], choices)

    def mend(self, statement: Statement) -> None:
        """Mends a statement about objects; leaves definitions of objects alone."""
        keyword = statement.keyword
        if not keyword or (keyword in ENDED_BY_LINE and keyword != "VERSION"):
            return
        if keyword not in _GRAMMAR:
            self.leave_out(statement, f"{keyword} is read by nobody")
            return
        if keyword != "VERSION" and ";" not in statement.without_strings():
            end = len(statement.text.rstrip())
            statement.text = statement.text[:end] + ";" + statement.text[end:]
            self.note(statement, f"{keyword} without a semicolon", "added")
        if not self._mend_target(statement):
            return
        parts = re.fullmatch(_GRAMMAR[keyword], statement.without_comments().strip())
        if parts is None:
            self.leave_out(statement, f"{keyword} cannot be read")
        elif defect := self._defect(keyword, statement.text, parts):
            self.leave_out(statement, defect)

    def _mend_target(self, statement: Statement) -> bool:
        """Lets the statement name its message and signal as they are called now."""
        if statement.keyword in ("CM_", "BA_") and self._is_of_unassigned(statement):
            return True
        if misplaced := _MISPLACED_COMMENT.match(statement.text):
            statement.text = f"CM_ BO_ {misplaced['id']} {misplaced['rest']}"
            self.note(statement, "a comment without its object", "taken for the message's")
        if parts := _SIGNAL_REFERENCE.match(statement.text):
            return self._mend_signal_reference(statement, parts)
        if parts := _MESSAGE_REFERENCE.match(statement.text):
            message = self._message(parts["id"])
            if message is None:
                what = f"{statement.keyword} of message {parts['id']}, which is not there"
                self.leave_out(statement, what)
                return False
            if message.frame_id != int(parts["id"]):
                statement.text = f"{parts['head']}{message.frame_id}{parts['rest']}"
        return True

    def _is_of_unassigned(self, statement: Statement) -> bool:
        parts = _SIGNAL_REFERENCE.match(statement.text) or _MESSAGE_REFERENCE.match(statement.text)
        return parts is not None and int(parts["id"][:12]) in self._unassigned

    def _mend_signal_reference(self, statement: Statement, parts: re.Match[str]) -> bool:
        message = self._message(parts["id"])
        signal = message.signals.get(parts["name"]) if message else None
        if message is None or signal is None:
            name = f"{parts['id']} {parts['name']}"
            what = f"{statement.keyword} of signal {name}, which is not there"
            self.leave_out(statement, what)
            return False
        rest = parts["rest"]
        if statement.keyword == "SG_MUL_VAL_":
            for word in rest.split()[:1]:
                if multiplexer := message.signals.get(word):
                    rest = rest.replace(word, multiplexer.name, 1)
        if (message.frame_id, signal.name) != (int(parts["id"]), parts["name"]):
            statement.text = f"{parts['head']}{message.frame_id} {signal.name}{rest}"
        return True

    def _message(self, written: str) -> _Message | None:
        frame_id = int(written[:12])
        return self._messages.get(frame_id) or self._messages.get(frame_id ^ 0x8000_0000)

    def _defect(self, keyword: str, text: str, parts: re.Match[str]) -> str:
        """Why readers would stumble over a statement that is well formed, or nothing."""
        match keyword:
            case "SIG_VALTYPE_":
                return self._float_defect(text, parts["type"])
            case "SG_MUL_VAL_":
                return self._multiplexer_defect(text, parts["multiplexer"], parts["ranges"])
            case "BA_" | "BA_DEF_DEF_":
                return self._attribute_defect(keyword, parts["attribute"], parts["value"])
            case "BA_DEF_" if not all(map(_PLAIN.match, parts[0].rsplit('"', 1)[-1].split()[1:-1])):
                return "the limits of the attribute are no plain numbers"
        return ""

    def _float_defect(self, text: str, kind: str) -> str:
        target = _SIGNAL_REFERENCE.match(text)
        message = self._message(target["id"]) if target else None
        for signal in message.signals.values() if message and target else ():
            if target and signal.name == target["name"] and signal.bits not in (16, 32, 64):
                return f"{signal.name} cannot be a float of {signal.bits} bits" * (kind in "12")
        return ""

    def _multiplexer_defect(self, text: str, name: str, ranges: str) -> str:
        target = _SIGNAL_REFERENCE.match(text)
        message = self._message(target["id"]) if target else None
        if message is None:
            return "a multiplexer of no message"
        count = 0
        for lower, upper in _RANGE.findall(ranges):
            if len(upper) > 10 or int(upper) < int(lower):
                return f"range {lower}-{upper} of a multiplexer"
            count += int(upper) - int(lower) + 1
        selectors = message.selectors | {name: message.selectors.get(name, 0) + count}
        if count > MAX_SELECTORS or math.prod(selectors.values()) > MAX_BRANCHES:
            return f"{count} values of multiplexer {name}, too many branches"
        message.selectors = selectors
        return ""

    def _attribute_defect(self, keyword: str, name: str, value: str) -> str:
        attribute = self._attributes.get(name)
        if attribute is None:
            return f"attribute {name} is not defined" if keyword == "BA_" else ""
        plain = value.strip('"')
        match attribute.kind:
            case "INT" | "HEX":
                readable = _WHOLE.match(plain) is not None
            case "FLOAT":
                readable = _PLAIN.match(plain) is not None
            case "ENUM" if keyword == "BA_":
                readable = bool(_WHOLE.match(plain)) and 0 <= int(float(plain)) < attribute.choices
            case "ENUM":
                readable = True
            case _:
                readable = name not in _NEEDS_NUMBER
        return "" if readable else f"{value} is no value of attribute {name}"

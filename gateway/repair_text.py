"""The statements of a DBC text: where each begins, where it ends, and what a name may look like."""

import hashlib
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

STRING = r'"(?:\\"|[^"])*+"'
NUMBER = r"[-+]?\d++(?:\.\d*+)?(?:[eE][+-]?\d++)?"

_KEYWORDS = """
    BA_ BA_DEF_ BA_DEF_DEF_ BA_DEF_DEF_REL_ BA_DEF_REL_ BA_DEF_SGTYPE_ BA_REL_ BA_SGTYPE_ BO_
    BO_TX_BU_ BS_ BU_ BU_BO_REL_ BU_EV_REL_ BU_SG_REL_ CAT_ CAT_DEF_ CM_ ENVVAR_DATA_ EV_
    EV_DATA_ FILTER NS_ NS_DESC_ SG_ SG_MUL_VAL_ SGTYPE_ SGTYPE_VAL_ SIG_GROUP_ SIG_TYPE_REF_
    SIG_VALTYPE_ SIGTYPE_VALTYPE_ VAL_ VAL_TABLE_ VERSION
"""
KEYWORDS = frozenset(_KEYWORDS.split())
ENDED_BY_LINE = frozenset(("VERSION", "NS_", "BS_", "BU_", "BO_", "SG_"))
"""Statements without a semicolon."""

_START = re.compile(r"[ \t]*(?P<keyword>[A-Z_]+)(?=[ \t:]|$)")
_STRINGS = re.compile(rf"{STRING}|//[^\n]*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class RepairError(ValueError):
    """A database text that cannot be mended; the message names the line."""


@dataclass(frozen=True)
class Mend:
    """One defect of a database text and what was done about it.

    Attributes:
        line: counted from 1, in the text as it was given.
        defect: what was wrong.
        mend: what was done.
    """

    line: int
    defect: str
    mend: str


@dataclass
class Statement:
    """One statement of a DBC text.

    Attributes:
        line: of its first word, counted from 1.
        keyword: its first word; empty for a line that belongs to no statement.
        text: from its first line to its last, without the last line end.
    """

    line: int
    keyword: str
    text: str

    def without_strings(self) -> str:
        """The text with every quoted part and comment taken out."""
        return _STRINGS.sub("", self.text)

    def without_comments(self) -> str:
        """The text with every `//` comment taken out."""
        return _STRINGS.sub(lambda part: part[0] if part[0][0] == '"' else "", self.text)


def statements(text: str) -> Iterator[Statement]:
    """The statements of a DBC text in order; their lines together are all of its lines.

    Raises:
        RepairError: a quoted text never ends.
    """
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        keyword = _keyword(lines[at])
        if keyword in ("NS_", "BU_"):
            count = _lines_of_words(lines, at)
        elif keyword:
            count = _lines_of_statement(lines, at, keyword)
        else:
            count = 1
        yield Statement(at + 1, keyword, "\n".join(lines[at : at + count]))
        at += count


_PLAIN_TRIES = 16
"""Underscores added before a digest of the name tells it apart: a crowd would take for ever."""


def is_word(name: str) -> bool:
    """Whether every reader of DBC files accepts it as a name."""
    return _WORD.match(name) is not None and name not in KEYWORDS


def as_word(name: str, taken: Container[str] = ()) -> str:
    """The nearest name that is a word and not yet taken."""
    word = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if word[0].isdigit():
        word = "_" + word
    for _ in range(_PLAIN_TRIES):
        if word not in KEYWORDS and word not in taken:
            return word
        word += "_"
    return word + hashlib.sha256(name.encode(errors="replace")).hexdigest()[:16]


def _keyword(line: str) -> str:
    start = _START.match(line)
    return start["keyword"] if start and start["keyword"] in KEYWORDS else ""


def _lines_of_words(lines: list[str], at: int) -> int:
    """How many lines a list takes whose further lines are single, indented words."""
    count = 1
    while at + count < len(lines) and re.fullmatch(r"\s++\w+\s*+|\s*+", lines[at + count]):
        count += 1
    return count


def _lines_of_statement(lines: list[str], at: int, keyword: str) -> int:
    count, pending, is_ended = 1, lines[at], False
    while True:
        outside, quote, _ = _STRINGS.sub("", pending).partition('"')
        is_ended = is_ended or ";" in outside
        if not quote:
            if keyword in ENDED_BY_LINE or is_ended:
                return count
            if at + count < len(lines) and _keyword(lines[at + count]):
                return count
        if at + count >= len(lines):
            if quote:
                raise RepairError(f"line {at + 1}: a text in quotes begins here and never ends")
            return count
        pending = quote + lines[at + count]
        count += 1

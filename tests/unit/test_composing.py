"""Raw numbers to the payload of a frame; cantools is the oracle."""

import struct
from typing import Any

import cantools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.checks import CheckRule, Seal
from gateway.databases import parse_database
from gateway.encoding import Composer, physical_number, raw_number
from gateway.layout import insert
from tests.data import data_path
from tests.unit.test_encoding import FLOAT, refusal, signals_of


def composer(*lines: str, length: int = 8, more: str = "", seal: Seal | None = None) -> Composer:
    return Composer("M", length, signals_of(*lines, length=length, more=more), seal)


TWO = ('A : 0|8@1+ (1,0) [0|0] "" X', 'B : 15|12@0- (1,0) [0|0] "" X')
START = 'BA_DEF_ SG_ "GenSigStartValue" FLOAT -9 9;\n'


def test_further_signals_and_bits_of_none_keep_what_was_seen() -> None:
    both = composer(*TWO, length=4)
    assert both.compose({"A": 5}, b"\xff\x12\x34\x56", None) == b"\x05\x12\x34\x56"
    assert both.compose({"B": -2}, b"\xff\x12\x34\x56", None) == b"\xff\xff\xe4\x56"


def test_a_frame_has_the_length_of_its_message_whatever_was_seen() -> None:
    both = composer(*TWO, length=4)
    assert both.compose({"A": 5}, b"\xff\x12\x34", None) == b"\x05\x12\x34\0"
    assert both.compose({"A": 5}, bytes(range(9)), None) == b"\x05\x01\x02\x03"


def test_a_signal_that_was_not_seen_whole_was_not_seen() -> None:
    both = composer(*TWO, length=4)
    assert refusal(both.compose, {"A": 5}, b"\xff\x12", None)[0] == "missing_signal"
    begun = composer(*TWO, length=4, more=START + 'BA_ "GenSigStartValue" SG_ 1 B 3;\n')
    assert begun.compose({"A": 5}, b"\xff\x12", None) == b"\x05\x00\x30\0"


def test_what_was_never_seen_is_as_the_database_begins_or_missing_by_name() -> None:
    assert refusal(composer(*TWO).compose, {"A": 5}, None, None) == (
        "missing_signal",
        "M: B was never seen and has no initial value",
    )
    begun = composer(*TWO, length=3, more=START + 'BA_ "GenSigStartValue" SG_ 1 B -1;\n')
    assert begun.compose({"A": 5}, None, None) == b"\x05\xff\xf0"
    assert begun.compose({"A": 5}, b"\x00\x00\x10", None) == b"\x05\x00\x10"


def test_many_missing_signals_are_named_in_part() -> None:
    lines = [f'S{n} : {n}|1@1+ (1,0) [0|0] "" X' for n in range(20)]
    detail = refusal(composer(*lines).compose, {"S0": 1}, None, None)[1]
    assert detail.count("S") == 8


@pytest.mark.parametrize("start", ["256", "-1", "1e999"])
def test_an_initial_value_that_the_signal_cannot_say_is_none(start: str) -> None:
    more = START + f'BA_ "GenSigStartValue" SG_ 1 B {start};\n'
    lines = ('A : 0|8@1+ (1,0) [0|0] "" X', 'B : 8|8@1+ (1,0) [0|0] "" X')
    assert refusal(composer(*lines, more=more).compose, {"A": 5}, None, None)[0] == "missing_signal"


def test_the_initial_value_of_a_float_is_its_raw_number() -> None:
    more = FLOAT.format(1) + 'BA_ "GenSigStartValue" SG_ 1 S 3;\n'
    lines = ('S : 0|32@1- (0.5,1) [0|0] "" X', 'A : 32|8@1+ (1,0) [0|0] "" X')
    payload = composer(*lines, more=more).compose({"A": 5}, None, None)
    assert struct.unpack("<fB", payload[:5]) == (3.0, 5)


PAGES = (
    'Page M : 0|4@1+ (1,0) [0|0] "" X',
    'Everywhere : 4|4@1+ (1,0) [0|0] "" X',
    'One m1 : 8|8@1+ (1,0) [0|0] "" X',
    'Beside m1 : 16|8@1+ (1,0) [0|0] "" X',
    'Two m2 : 8|16@1+ (1,0) [0|0] "" X',
    'Three m3 : 8|8@1+ (1,0) [0|0] "" X',
)


def test_a_signal_of_a_page_selects_it() -> None:
    pages = composer(*PAGES, length=3)
    assert pages.page("One", None) == {"Page": 1}
    assert pages.page("Everywhere", None) == {}
    assert pages.compose({"One": 7}, b"\x31\x00\x09", None) == b"\x31\x07\x09"


def test_of_another_page_only_what_is_in_every_page_is_kept() -> None:
    pages = composer(*PAGES, length=3)
    assert pages.compose({"Two": 7}, b"\x31\xee\xee", None) == b"\x32\x07\x00"
    assert pages.compose({"Three": 7}, b"\x31\xee\xee", None) == b"\x33\x07\x00"
    assert refusal(pages.compose, {"One": 7}, b"\x32\xee\xee", None)[1].startswith("M: Beside was")
    assert refusal(pages.compose, {"Two": 7}, None, None)[1].startswith("M: Everywhere was")


def test_of_several_pages_that_have_a_signal_the_one_that_was_seen_is_kept() -> None:
    lines = ('Page M : 0|8@1+ (1,0) [0|0] "" X', 'Own m3 : 8|8@1+ (1,0) [0|0] "" X')
    several = composer(*lines, length=2, more="SG_MUL_VAL_ 1 Own Page 3-5, 9-9;\n")
    assert several.page("Own", None) == {"Page": 3}
    assert several.page("Own", b"\x04\x00") == {"Page": 4}
    assert several.page("Own", b"\x06\x00") == {"Page": 3}
    assert several.compose({"Own": 7}, b"\x09\x00", None) == b"\x09\x07"
    assert several.compose({"Own": 7}, b"\x01\x00", None) == b"\x03\x07"


def test_a_signal_of_every_page_needs_to_know_the_page() -> None:
    pages = composer(*PAGES, length=3)
    assert pages.compose({"Everywhere": 5}, b"\x31\x04\x09", None) == b"\x51\x04\x09"
    assert refusal(pages.compose, {"Everywhere": 5}, None, None)[1].startswith("M: Page was")


def test_a_selector_that_the_database_does_not_call_a_multiplexer_selects_all_the_same() -> None:
    """As in opendbc's vw_pq."""
    lines = [line.replace("Page M", "Page") for line in PAGES]
    pages = (("One", 1), ("Beside", 1), ("Two", 2), ("Three", 3))
    more = "".join(f"SG_MUL_VAL_ 1 {name} Page {page}-{page};\n" for name, page in pages)
    found = composer(*lines, length=3, more=more)
    assert found.compose({"Three": 7}, b"\x31\xee\xee", None) == b"\x33\x07\x00"


def test_pages_within_pages_are_all_selected() -> None:
    path = data_path("can/formats/issue_184_extended_mux_cascaded.dbc")
    database = parse_database(path.read_text(encoding="utf-8"), path.name, "dbc")
    [message] = [m for m in database.messages if any(s.multiplexer_ids for s in m.signals)]
    cascade = Composer(message.name, message.length, message.signals, None)
    by_name = {s.name: s for s in message.signals}
    deep = [s for s in message.signals if len(cascade.page(s.name, None)) > 1]
    assert deep
    for inner in deep:
        page = cascade.page(inner.name, None)
        for name, raw in page.items():
            above = by_name[name].multiplexer_signal
            assert above is None or page[above] in (by_name[name].multiplexer_ids or ())
            assert raw >= 0
        seen = bytes(message.length)
        for name, raw in page.items():
            seen = insert(by_name[name], raw, seen)
        payload = cascade.compose({inner.name: 1}, seen, None)
        decoded = message.source.decode(payload, decode_choices=False, scaling=False)
        assert isinstance(decoded, dict)
        assert decoded[inner.name] == 1
        assert payload == insert(inner, 1, seen)


def test_where_signals_share_bits_what_is_wanted_holds() -> None:
    over = composer('A : 0|8@1+ (1,0) [0|0] "" X', 'B : 4|8@1+ (1,0) [0|0] "" X', length=2)
    assert over.compose({"A": 0xAB}, b"\0\0", None) == b"\xab\x00"
    assert over.compose({"B": 0xCD}, b"\0\0", None) == b"\xd0\x0c"


def test_counter_and_checksum_are_neither_seen_nor_missing() -> None:
    rule = CheckRule("B", "sum", counter="C")
    lines = (
        'A : 0|8@1+ (1,0) [0|0] "" X',
        'B : 8|8@1+ (1,0) [0|0] "" X',
        'C : 16|4@1+ (1,0) [0|0] "" X',
    )
    sealed = composer(*lines, length=3, seal=Seal(rule, signals_of(*lines, length=3)))
    assert sealed.compose({"A": 5}, None, None) == b"\x05\x05\x00"
    assert sealed.compose({"A": 5}, b"\x01\x02\x07", b"\x01\x02\x0f") == b"\x05\x05\x00"
    assert sealed.compose({"A": 5}, b"\x01\x02\x07", b"\x01\x02\x07") == b"\x05\x0d\x08"


def test_an_empty_message_is_an_empty_frame() -> None:
    assert composer(length=0).compose({}, None, None) == b""
    assert composer(length=2).compose({}, b"\1\2", None) == b"\1\2"


def test_a_multiplexer_that_selects_itself_ends() -> None:
    [own] = signals_of('S m1M : 0|8@1+ (1,0) [0|0] "" X', more="SG_MUL_VAL_ 1 S S 1-1;\n")
    assert len(Composer("M", 1, [own], None).page("S", None)) <= 1


@given(
    start=st.integers(0, 63), length=st.integers(1, 64), is_big=st.booleans(),
    is_signed=st.booleans(), scale=st.sampled_from(["1", "0.1", "-0.5", "3", "0.0039"]),
    offset=st.sampled_from(["0", "-40", "12.5"]), data=st.data(),
)  # fmt: skip
def test_a_frame_reads_as_what_was_wanted_and_nothing_else_changes(
    start: int, length: int, is_big: bool, is_signed: bool, scale: str, offset: str, data: Any
) -> None:
    room = (start // 8) * -8 + 57 + start % 8 if is_big else 64 - start
    length = min(length, max(1, room))
    sign = "-" if is_signed else "+"
    line = f'S : {start}|{length}@{int(not is_big)}{sign} ({scale},{offset}) [0|0] "" X'
    text = f'VERSION ""\nBU_: A X\nBO_ 1 M: 8 A\n SG_ {line}\n'
    [definition] = parse_database(text, "test.dbc", "dbc").messages
    oracle: Any = cantools.database.load_string(text, "dbc", strict=False)
    [own] = definition.signals
    low, high = (-(1 << length - 1), (1 << length - 1) - 1) if is_signed else (0, (1 << length) - 1)
    wanted = data.draw(st.integers(low, high))
    seen = data.draw(st.binary(min_size=8, max_size=8))
    payload = Composer("M", 8, [own], None).compose({"S": wanted}, seen, None)
    assert oracle.decode_message(1, payload, scaling=False)["S"] == wanted
    unwanted = int.from_bytes(payload, "little") ^ int.from_bytes(seen, "little")
    cleared = Composer("M", 8, [own], None).compose({"S": -1}, bytes(8), None)
    assert unwanted & ~int.from_bytes(cleared, "little") == 0
    if length <= 50:
        assert raw_number(own, physical_number(own, wanted)) == wanted

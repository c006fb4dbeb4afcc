"""A number to the bits that say it, and back."""

import math
import struct
from typing import Any

import pytest
from cantools.database.can import Signal

from gateway.databases import parse_database
from gateway.encoding import (
    Refusal,
    fits,
    physical_number,
    raw_number,
    reserved_name,
    said_range,
)
from tests.data import data_path


def signals_of(*lines: str, length: int = 8, more: str = "") -> tuple[Signal, ...]:
    rows = "".join(f" SG_ {line}\n" for line in lines)
    text = f"BO_ 1 M: {length} A\n{rows}{more}"
    return parse_database(text, "test.dbc", "dbc").messages[0].signals


def signal(line: str, more: str = "") -> Signal:
    return signals_of(f"S : {line}", more=more)[0]


def refusal(call: Any, *arguments: Any) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize(
    ("line", "physical", "raw"),
    [
        ('0|8@1+ (1,0) [0|0] "" A', 21, 21),
        ('0|8@1+ (0.1,0) [0|0] "" A', 2.3, 23),
        ('0|8@1+ (0.5,-40) [0|0] "" A', 21.6, 123),
        ('0|8@1- (1,0) [0|0] "" A', -128, -128),
        ('0|8@1+ (-1,100) [0|0] "" A', 90, 10),
        ('0|8@1- (-0.5,0) [-10|10] "" A', 2.5, -5),
        ('0|8@1+ (1,0) [0|0] "" A', -0.0, 0),
        ('0|8@1+ (1,0) [100|0] "" A', 50, 50),  # a range of nothing says nothing
        ('0|1@1+ (1,0) [0|1] "" A', True, 1),
        ('0|64@1+ (1,0) [0|0] "" A', 2**64 - 1, 2**64 - 1),
        ('0|64@1- (1,0) [0|0] "" A', -(2**63) + 1, -(2**63) + 1),
        ('0|64@1+ (1,0) [0|0] "" A', 2**53 + 1, 2**53 + 1),
    ],
)
def test_a_number_is_the_nearest_that_its_signal_can_say(
    line: str, physical: float, raw: int
) -> None:
    assert raw_number(signal(line), physical) == raw


@pytest.mark.parametrize(
    ("line", "physical", "reason"),
    [
        ('0|8@1+ (1,0) [0|100] "" A', 100.5, "out_of_range"),
        ('0|8@1+ (1,0) [10|100] "" A', 9, "out_of_range"),
        ('0|8@1+ (1,0) [0|0] "" A', 256, "out_of_range"),
        ('0|8@1+ (1,0) [0|0] "" A', 255.6, "out_of_range"),
        ('0|8@1+ (1,0) [0|0] "" A', -1, "out_of_range"),
        ('0|8@1- (1,0) [0|0] "" A', 128, "out_of_range"),
        ('0|8@1- (1,0) [0|0] "" A', -129, "out_of_range"),
        ('0|8@1+ (1,0) [0|0] "" A', 1e300, "out_of_range"),
        ('0|8@1+ (1,0) [0|0] "" A', math.inf, "transform"),
        ('0|8@1+ (1,0) [0|0] "" A', math.nan, "transform"),
    ],
)
def test_a_number_that_its_signal_cannot_say_is_refused(
    line: str, physical: float, reason: str
) -> None:
    assert refusal(raw_number, signal(line), physical)[0] == reason


def test_a_range_is_named_in_words() -> None:
    line = '0|8@1+ (1,0) [10|100] "" A'
    assert refusal(raw_number, signal(line), 9)[1] == "9 is not in 10…100, the range of S"
    unlimited = '0|8@1+ (1,0) [0|0] "" A'
    assert refusal(raw_number, signal(unlimited), 256)[1] == "256 does not fit S"


@pytest.mark.parametrize(
    ("minimum", "maximum", "expected"),
    [
        (0, 10, (0, 10)),
        (None, 10, (-math.inf, 10)),
        (0, None, (0, math.inf)),
        (None, None, (-math.inf, math.inf)),
        (0, 0, (-math.inf, math.inf)),
        (10, 0, (-math.inf, math.inf)),
        (math.nan, 10, (-math.inf, 10)),
        (0, math.nan, (0, math.inf)),
    ],
)
def test_a_range_holds_on_each_side_that_says_something(
    minimum: float | None, maximum: float | None, expected: tuple[float, float]
) -> None:
    assert said_range(minimum, maximum) == expected


FLOAT = 'SIG_VALTYPE_ 1 S : {};\nBA_DEF_ SG_ "GenSigStartValue" FLOAT 0 9;\n'


@pytest.mark.parametrize(("bits", "kind", "form"), [(32, 1, "<f"), (64, 2, "<d")])
def test_a_float_is_packed_as_it_is_read(bits: int, kind: int, form: str) -> None:
    float_signal = signal(f'0|{bits}@1- (0.5,1) [0|0] "" A', FLOAT.format(kind))
    raw = raw_number(float_signal, 21.3)
    assert struct.unpack(form, raw.to_bytes(bits // 8, "little"))[0] == pytest.approx(40.6)
    assert physical_number(float_signal, raw) == pytest.approx(21.3)
    assert refusal(raw_number, float_signal, 1.7e308)[0] == "out_of_range"
    if bits == 32:
        assert refusal(raw_number, float_signal, 1e300)[0] == "out_of_range"


def test_a_half_float_is_one_of_its_kind() -> None:
    with data_path("can/formats/floating_point.dbc").open(encoding="utf-8") as file:
        database = parse_database(file.read(), "floating_point.dbc", "dbc")
    half = next(s for m in database.messages for s in m.signals if s.conversion.is_float)
    assert physical_number(half, raw_number(half, 0.5)) == 0.5


def test_a_raw_number_fits_its_bits_or_not() -> None:
    unsigned, signed = signal('0|4@1+ (1,0) [0|0] "" A'), signal('0|4@1- (1,0) [0|0] "" A')
    assert [raw for raw in range(-20, 20) if fits(unsigned, raw)] == list(range(16))
    assert [raw for raw in range(-20, 20) if fits(signed, raw)] == list(range(-8, 8))
    assert fits(signal('0|1@1- (1,0) [0|0] "" A'), -1)


def test_the_number_of_a_quantity_may_stand_for_a_name() -> None:
    names = 'VAL_ 1 S 255 "SNA" ;\n'
    assert reserved_name(signal('0|8@1+ (1,0) [0|0] "km" A', names), 255) == "SNA"
    assert reserved_name(signal('0|8@1+ (1,0) [0|0] "km" A', names), 254) is None
    assert reserved_name(signal('0|8@1+ (1,0) [0|0] "" A', names), 255) is None
    assert reserved_name(signal('0|8@1+ (1,0) [0|0] "km" A'), 255) is None

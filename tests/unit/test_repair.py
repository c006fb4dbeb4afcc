import cantools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.repair import Mend, RepairError, repair

GOOD = """VERSION ""

NS_ :
\tCM_
\tVAL_

BS_:

BU_: ECU

BO_ 291 SPEEDS: 8 ECU
 SG_ SPEED : 0|16@1+ (0.01,0) [0|655.35] "km/h" ECU
 SG_ GEAR : 16|4@1+ (1,0) [0|15] "" ECU

CM_ SG_ 291 SPEED "of the car // not a comment; nor an end";
VAL_ 291 GEAR 0 "P" 1 "R" ;
"""


def with_line(line: str) -> str:
    return GOOD + line + "\n"


def load(text: str) -> cantools.database.can.Database:
    database = cantools.database.load_string(text, "dbc")
    assert isinstance(database, cantools.database.can.Database)
    return database


def test_a_good_text_comes_back_as_it_was() -> None:
    assert repair(GOOD) == (GOOD, [])


def test_line_ends_and_the_byte_order_mark_of_other_systems_are_no_defects() -> None:
    assert repair("\ufeff" + GOOD.replace("\n", "\r\n")) == (GOOD, [])


def test_lines_keep_their_numbers() -> None:
    text, mends = repair(with_line('VAL_ 999 NOBODY 0 "x";') + 'CM_ "the end";')
    assert text.split("\n")[-1] == 'CM_ "the end";'
    assert len(text.split("\n")) == len(GOOD.split("\n")) + 1
    assert [mend.line for mend in mends] == [17]


@pytest.mark.parametrize(
    "line",
    [
        'VAL_ 999 SPEED 0 "x";',
        'VAL_ 291 NOBODY 0 "x";',
        "SIG_VALTYPE_ 291 NOBODY : 1;",
        "SIG_VALTYPE_ 291 SPEED : 9;",
        "SIG_VALTYPE_ 291 GEAR : 1;",
        'CM_ SG_ 291 NOBODY "x";',
        'CM_ BO_ 999 "x";',
        'BA_ "NotDefined" BO_ 291 100;',
        "SG_MUL_VAL_ 291 GEAR SPEED 0-4294967295;",
        "SG_MUL_VAL_ 291 GEAR SPEED 5-1;",
        'VAL_ 291 GEAR 0.5 "x";',
        'CAT_DEF_ 1 "x";',
        "BO_TX_BU_ 999 : ECU;",
        "this is no statement",
    ],
)
def test_what_is_said_of_absent_things_is_left_out_and_listed(line: str) -> None:
    text, mends = repair(with_line(line))
    assert text == GOOD + "\n"
    assert [(mend.line, mend.mend) for mend in mends] == [(17, "left out")]


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ('CM_ 291 "of the message";', 'CM_ BO_ 291 "of the message";'),
        ('CM_ SG_ 291 "of the message";', 'CM_ BO_ 291 "of the message";'),
        ('CM_ "no end"', 'CM_ "no end";'),
        ("BO_ 300 NO_SENDER: 8", "BO_ 300 NO_SENDER: 8 Vector__XXX"),
        ("BO_ 300 2017_5: 8 ECU", "BO_ 300 _2017_5: 8 ECU"),
        ("BO_ 300 FILTER: 8 ECU", "BO_ 300 FILTER_: 8 ECU"),
        ("BO_ 300 a/b+#: 8 ECU", "BO_ 300 a_b__: 8 ECU"),
        ("BO_ 300 SHORT: 8 2nd", "BO_ 300 SHORT: 8 _2nd"),
        ("BO_ 217056256 LONG_ID: 8 ECU", "BO_ 2364539904 LONG_ID: 8 ECU"),
    ],
)
def test_a_defect_is_mended_where_it_is(line: str, mended: str) -> None:
    text, mends = repair(with_line(line))
    assert text == with_line(mended)
    assert [mend.line for mend in mends] == [17]
    load(text)


@pytest.mark.parametrize(
    ("signal", "mended"),
    [
        ('SG_ 5_S : 0|8@1+ (1,0) [0|1] "" ECU', '_5_S  : 0|8@1+ (1,0) [0|1] "" ECU'),
        ('SG_ S : 0|8@1+ (.25,-.5) [0|1] "" ECU', 'S  : 0|8@1+ (0.25,-0.5) [0|1] "" ECU'),
        ('SG_ S : 0|8@1+ (1,0) [nan|inf] "" ECU', 'S  : 0|8@1+ (1,0) [0|0] "" ECU'),
        ('SG_ S : 0|8@1+ (1,0) [0|1] ""', 'S  : 0|8@1+ (1,0) [0|1] "" Vector__XXX'),
        ('SG_ S : 0|8@1+ (1,0) [0|1] "" A B', 'S  : 0|8@1+ (1,0) [0|1] "" A,B'),
        ('SG_ S m : 0|8@1+ (1,0) [0|1] "" ECU', 'S  : 0|8@1+ (1,0) [0|1] "" ECU'),
    ],
)
def test_a_signal_is_mended(signal: str, mended: str) -> None:
    text, mends = repair(with_line(f"BO_ 300 M: 8 ECU\n {signal}"))
    assert text == with_line(f"BO_ 300 M: 8 ECU\n SG_ {mended}")
    assert {mend.line for mend in mends} == {18}
    load(text)


@pytest.mark.parametrize(
    "signal",
    [
        'SG_ S : 0|0@1+ (1,0) [0|1] "" ECU',
        'SG_ S : 0|999999999@1+ (1,0) [0|1] "" ECU',
        'SG_ S : 999999999|8@1+ (1,0) [0|1] "" ECU',
        'SG_ S : 0|8@1+ (x,0) [0|1] "" ECU',
        'SG_ S : 0|8@1+ (1,) [0|1] "" ECU',
        f'SG_ S : 0|8@1+ ({"9" * 400},0) [0|1] "" ECU',
        "SG_ S : 0|8@1+",
        'SG_ GOOD : 0|8@1+ (1,0) [0|1] "" ECU',
    ],
)
def test_a_signal_beyond_repair_is_left_out_alone(signal: str) -> None:
    good = ' SG_ GOOD : 0|8@1+ (1,0) [0|1] "" ECU'
    text, mends = repair(with_line(f"BO_ 300 M: 8 ECU\n{good}\n {signal}"))
    assert text == with_line(f"BO_ 300 M: 8 ECU\n{good}\n")
    assert [(mend.line, mend.mend) for mend in mends] == [(19, "left out")]


def test_a_tree_of_multiplexers_that_no_memory_holds_is_cut() -> None:
    lines = ["BO_ 300 M: 8 ECU"]
    lines += [f' SG_ S{n} m0M : {n}|1@1+ (1,0) [0|1] "" ECU' for n in range(40)]
    lines += [f"SG_MUL_VAL_ 300 S{n + 1} S{n} 0-1;" for n in range(39)]
    text, mends = repair(with_line("\n".join(lines)))
    assert len(mends) == 27
    assert len(load(text).messages) == 2


def test_a_message_beyond_repair_goes_with_its_signals() -> None:
    signal = ' SG_ S : 0|8@1+ (1,0) [0|1] "" ECU'
    text, mends = repair(with_line(f"BO_ 300 M: 99999 ECU\n{signal}"))
    assert text == with_line("\n")
    assert [(mend.line, mend.mend) for mend in mends] == [(17, "left out")]


def test_what_refers_to_a_renamed_thing_follows_it() -> None:
    text, _ = repair(
        with_line(
            'BO_ 217056256 5M: 8 ECU\n SG_ 5S : 0|8@1+ (1,0) [0|1] "" ECU\n'
            'VAL_ 217056256 5S 1 "on";\nCM_ SG_ 217056256 5S "a comment";'
        )
    )
    message = load(text).get_message_by_name("_5M")
    assert (message.frame_id, message.is_extended_frame) == (217056256, True)
    signal = message.get_signal_by_name("_5S")
    assert signal.choices is not None
    assert str(signal.choices[1]) == "on"
    assert signal.comment == "a comment"


def test_the_list_of_symbols_gets_the_end_it_needs() -> None:
    text, mends = repair('NS_ :\n  NS_DESC_\n\nBO_ 1 M: 8 X\n SG_ S : 0|8@1+ (1,0) [0|1] "" X\n')
    assert len(load(text).messages) == 1
    assert mends == [Mend(1, "no BS_ and no BU_ after NS_", "both added, empty")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no message"),
        ("<xml/>", "no message"),
        (with_line('CM_ "never ends'), "line 17: a text in quotes begins here and never ends"),
    ],
)
def test_what_is_no_database_is_refused_in_one_sentence(text: str, reason: str) -> None:
    with pytest.raises(RepairError, match=reason):
        repair(text)


@settings(max_examples=500)
@given(st.integers(0, len(GOOD)), st.text(alphabet='BO_SGVALCM 0129:|@"();,\n', max_size=30))
def test_any_damage_is_mended_so_that_the_text_loads_or_refused(at: int, junk: str) -> None:
    try:
        text, _ = repair(GOOD[:at] + junk + GOOD[at:])
    except RepairError:
        return
    assert cantools.database.load_string(text, "dbc", strict=False)

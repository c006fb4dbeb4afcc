"""Texts made to keep a parser busy for ever: each is read or refused, in time that grows evenly."""

import pytest

from gateway.databases import DatabaseError, parse_database

HEAD = 'VERSION ""\nBS_:\nBU_: ECU\nBO_ 291 A: 8 ECU\n SG_ S0 : 0|1@1+ (1,0) [0|0] "" ECU\n'
MANY = 30_000


@pytest.mark.parametrize(
    "text",
    [
        'CM_ "' + "x\n" * MANY + '";\n',
        'BA_ "A" ' + " " * MANY + "!;\n",
        'BA_ "A" ' + "\n" * MANY + "!;\n",
        "VAL_ 291 S0" + " " * MANY + "x;\n",
        "SIG_GROUP_ 291 G 1 :" + " " * MANY + "!;\n",
        "".join(f"BO_ {n} S{n:b}: 8 ECU\n".replace("1", "!", 3) for n in range(1, 4000)),
        'CM_ "a" "b"\n' + 'x "y"\n' * MANY + ";\n",
    ],
    ids=["lines in quotes", "spaces", "line breaks", "values", "group", "names", "quotes"],
)
def test_a_text_that_keeps_a_parser_busy_is_read_or_refused(text: str) -> None:
    try:
        database = parse_database(HEAD + text, "hostile.dbc", "dbc")
    except DatabaseError as error:
        assert "\n" not in str(error)
    else:
        assert database.messages


def test_a_comment_of_many_lines_keeps_what_comes_after_it() -> None:
    text = 'CM_ "' + "x;\n" * 50 + '";\nBO_ 292 B: 8 ECU\n SG_ T : 0|1@1+ (1,0) [0|0] "" ECU\n'
    assert [message.name for message in parse_database(HEAD + text, "x.dbc", "dbc").messages] == [
        "A", "B",
    ]  # fmt: skip

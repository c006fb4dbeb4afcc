"""An operator's invoice is read whoever wrote it, and a hostile one is refused in words."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.money import MOST_MINOR
from services.tolls.passages.invoice import (
    MOST_BYTES,
    MOST_ROWS,
    Billed,
    InvoiceError,
    Unreadable,
    read_invoice,
)
from services.tolls.passages.invoice_cells import Money, read_amount, read_instants

SINGAPORE = ZoneInfo("Asia/Singapore")
OSLO = ZoneInfo("Europe/Oslo")
SGD = Money("SGD", 2)
NOK = Money("NOK", 2)
EUR = Money("EUR", 2)


def read(
    text: str, zone: ZoneInfo = SINGAPORE, money: Money = SGD
) -> tuple[list[Billed], list[Unreadable]]:
    return read_invoice(text.encode(), "invoice.csv", zone, money)


def test_a_plain_invoice_in_the_operators_zone() -> None:
    billed, unreadable = read(
        "Time,Gantry,Amount,Vehicle\n2026-05-01 08:00:30,42,2.50,SBA1\n\n2026-05-01T09:00,7,$1.00,"
    )
    assert not unreadable
    assert billed == [
        Billed(2, (datetime(2026, 5, 1, 0, 0, 30, tzinfo=UTC),), 1_000, "42", 250, "SBA1"),
        Billed(4, (datetime(2026, 5, 1, 1, 0, tzinfo=UTC),), 60_000, "7", 100, ""),
    ]


def test_semicolons_decimal_commas_two_columns_and_a_windows_file() -> None:
    text = "Dato;Klokkeslett;Bomstasjon;Beløp (kr)\n01.05.2026;08:00;Bø;1 234,50\n"
    billed, unreadable = read_invoice(text.encode("cp1252"), "faktura.csv", OSLO, NOK)
    assert not unreadable
    assert billed[0].instants == (datetime(2026, 5, 1, 6, 0, tzinfo=UTC),)
    assert (billed[0].place, billed[0].amount_minor) == ("Bø", 123_450)


def test_a_byte_order_mark_is_no_letter_and_tabs_divide_too() -> None:
    billed, _ = read_invoice(
        b"\xef\xbb\xbfdate\tplace\tamount\n2026-05-01 08:00\tA\t3\n", "a.csv", SINGAPORE, SGD
    )
    assert billed[0].amount_minor == 300


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("2.50", 250), ("2,50", 250), ("2.5", 250), ("2", 200), ("SGD 2.50", 250),
        ("S$2.50", 250), ("1,234.50", 123_450), ("1.234,50", 123_450), ("1 234,50", 123_450),
        ("1,234", 123_400), ("1.234.567", 123_456_700), ("-2.50", -250), ("2.50-", -250),
        ("+2.50", 250), ("$2.50", 250), ("SG$2.50", 250), ("-S$2.50", -250), ("27,-", 2_700),
        ("1'000.00", 100_000), ("0", 0),
    ],
)  # fmt: skip
def test_amounts_as_operators_write_them(text: str, minor: int) -> None:
    assert read_amount(text, SGD) == minor


@pytest.mark.parametrize(
    ("text", "money"), [("27 kr", NOK), ("kr. 27,00", NOK), ("€27", EUR), ("27.00 €", EUR)]
)
def test_a_currencys_own_sign_may_stand_beside_an_amount(text: str, money: Money) -> None:
    assert read_amount(text, money) == 2_700


@pytest.mark.parametrize(
    ("text", "money"),
    [("US$2.50", SGD), ("€2.50", SGD), ("2.50 kr", SGD), ("$2.50", NOK), ("£2.50", EUR),
     ("A$2.50", SGD), ("2.50 EUR", SGD)],
)  # fmt: skip
def test_an_amount_in_another_currency_is_not_taken_for_ours(text: str, money: Money) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        read_amount(text, money)


@pytest.mark.parametrize(
    "text",
    [
        "", "free", "1.2345", "12.34,5.6", "1e5", "\u0663", "9" * 29, "9" * 31, "1,23.456.7",
        "--2", "NaN", "1,2,3,4",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        read_amount(text, SGD)


def test_the_currencys_own_decimals_count() -> None:
    assert read_amount("1.234", Money("KWD", 3)) == 1_234
    assert read_amount("250", Money("JPY", 0)) == 250
    with pytest.raises(ValueError, match="no amount in JPY"):
        read_amount("2.50", Money("JPY", 0))


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01T00:00:00Z", "2026-05-01T08:00:00+08:00", "2026-05-01 08:00",
        "01.05.2026 08:00", "01/05/2026 08:00:00", "1 May 2026 8:00 AM", "01/05/26 08:00",
        "01-05-2026 08.00", "1 May 2026 08:00:00.000", "1.5.2026T8:00", "01/05/2026 8:00 a.m.",
    ],
)  # fmt: skip
def test_times_as_operators_write_them(text: str) -> None:
    instants, _ = read_instants(text, SINGAPORE, "day")
    assert instants == (datetime(2026, 5, 1, tzinfo=UTC),)


@pytest.mark.parametrize(
    ("text", "hour"), [("12:10 AM", 0), ("1:10 am", 1), ("12:10 PM", 12), ("11:10 p.m.", 23)]
)
def test_noon_is_in_the_afternoon_and_midnight_in_the_morning(text: str, hour: int) -> None:
    (at,), _ = read_instants(f"01.05.26 {text}", ZoneInfo("UTC"), "day")
    assert at == datetime(2026, 5, 1, hour, 10, tzinfo=UTC)


def test_a_year_of_two_figures_is_near_ours() -> None:
    assert read_instants("01.05.99 08:00", OSLO, "day")[0][0].year == 1999


def test_an_hour_that_comes_twice_means_two_instants() -> None:
    instants, _ = read_instants("2026-10-25 02:30", OSLO, "day")
    assert [instant.hour for instant in instants] == [0, 1]


def test_the_month_stands_first_only_where_the_file_can_be_read_no_other_way() -> None:
    head = "time,place,amount\n"
    (first,), _ = read(head + "05/01/2026 08:00,A,1\n")
    assert first.instants[0].month == 1
    rows, _ = read(head + "05/01/2026 08:00,A,1\n05/31/2026 08:00,A,1\n")
    assert [row.instants[0].month for row in rows] == [5, 5]


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "2026-05-01", "2026-13-01 08:00", "0001-01-01 00:00", "9999-12-31 23:59",
        "32.01.2026 08:00", "05.13.2026 08:00", "13/13/2026 08:00", "1 Foo 2026 08:00",
        "01.05.2026 13:00 PM", "01.05.2026 24:10", "01.05.2026 08:0x", "01.05/2026 08:00",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no "):
        read_instants(text, SINGAPORE, "day")


def test_a_line_that_cannot_be_read_is_named_and_the_others_count() -> None:
    billed, unreadable = read(
        "time,place,amount,currency\nsoon,A,1,\n2026-05-01 08:00,A,1,EUR\n2026-05-01 08:00\n"
        '2026-05-01 08:00,"A\nB",1,SGD\n'
    )
    assert [row.place for row in billed] == ["A\nB"]
    assert [each.line for each in unreadable] == [2, 3, 4]
    assert "EUR" in unreadable[1].problem


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"a,b\n1,2\n", "no column for time and place and amount"),
        (b"time,place\n", "no column for amount"),
        (b"x" * (MOST_BYTES + 1), "split it"),
        (b"time,place,amount\n" + b"a,b,c\n" * (MOST_ROWS + 1), "split it"),
        (b'time,place,amount\n"' + b"a" * 200_000 + b'",b,c\n', "line 2"),
    ],
)
def test_a_file_that_is_no_invoice_says_what_it_needs(content: bytes, words: str) -> None:
    with pytest.raises(InvoiceError, match=words):
        read_invoice(content, "invoice.csv", SINGAPORE, SGD)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_file_is_an_invoice_or_refused_in_one_line(content: bytes) -> None:
    for head in (b"", b"date;time;place;amount;vehicle\n", b"time,place,amount\n"):
        try:
            billed, _ = read_invoice(head + content, "invoice.csv", SINGAPORE, SGD)
        except InvoiceError as error:
            assert "\n" not in str(error)
        else:
            assert all(abs(row.amount_minor) <= MOST_MINOR for row in billed)
            assert all(instant.tzinfo is UTC for row in billed for instant in row.instants)


@given(st.text(max_size=40))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        assert isinstance(read_amount(text, SGD), int)
    except ValueError as error:
        assert "amount" in str(error)

"""Amounts as people write them, exact to the minor unit."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.money import MOST_MINOR, exponent_of, format_minor
from services.payments.currencies import CURRENCIES, AmountError, read_amount


@pytest.mark.parametrize(
    ("text", "minor", "currency"),
    [
        ("20.00 SGD", 2000, "SGD"), ("20 SGD", 2000, "SGD"), ("0.5 EUR", 50, "EUR"),
        (" 500  JPY ", 500, "JPY"), ("1.234 KWD", 1234, "KWD"), ("1.0001 CLF", 10_001, "CLF"),
        ("500.0 JPY", 500, "JPY"), ("0.29 NOK", 29, "NOK"), ("90071992547409.91 SEK", MOST_MINOR,
        "SEK"),
    ],
)  # fmt: skip
def test_an_amount_is_read_exactly(text: str, minor: int, currency: str) -> None:
    assert read_amount(text) == (minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "", "20", "SGD 20", "-1 SGD", "0 SGD", "0.00 SGD", "1.001 SGD", "1.5 JPY", "1,50 EUR",
        "1e3 EUR", "1 XXX", "1 sgd", "1. SGD", ".5 SGD", "90071992547409.92 SEK", "٣ SGD",
        "nan SGD",        "1 SGD 2",
    ],
)  # fmt: skip
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(AmountError):
        read_amount(text)


@given(st.integers(1, MOST_MINOR), st.sampled_from(sorted(CURRENCIES)))
def test_what_is_written_is_read_again(minor: int, currency: str) -> None:
    assert read_amount(format_minor(minor, currency)) == (minor, currency)


def test_amounts_show_their_sign_and_decimals() -> None:
    assert format_minor(-5, "SGD") == "-0.05 SGD"
    assert format_minor(-5, "JPY") == "-5 JPY"
    assert format_minor(0, "KWD") == "0.000 KWD"


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [("SGD", 2), ("NOK", 2), ("JPY", 0), ("ISK", 0), ("XOF", 0), ("BHD", 3), ("TND", 3), ("CLF", 4),
     ("MGA", 2), ("HUF", 2)],
)  # fmt: skip
def test_a_currency_has_the_decimals_of_iso_4217(currency: str, exponent: int) -> None:
    assert exponent_of(currency) == exponent


def test_every_currency_is_there_once() -> None:
    assert len(CURRENCIES) > 160
    decimals = Counter(exponent_of(each) for each in CURRENCIES)
    assert decimals == {0: 17, 2: len(CURRENCIES) - 26, 3: 7, 4: 2}

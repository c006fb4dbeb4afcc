"""Amounts as a person reads them."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from internetcar.contract.money import Term, Words, exponent_of, format_minor


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (200, "SGD", "2.00 SGD"), (-5, "NOK", "-0.05 NOK"), (0, "EUR", "0.00 EUR"),
        (1500, "JPY", "1500 JPY"), (-1, "JPY", "-1 JPY"), (1234, "KWD", "1.234 KWD"),
        (10_000, "CLF", "1.0000 CLF"), ((1 << 53) - 1, "USD", "90071992547409.91 USD"),
    ],
)  # fmt: skip
def test_an_amount_has_the_decimals_of_its_currency(
    amount_minor: int, currency: str, text: str
) -> None:
    assert format_minor(amount_minor, currency) == text


def test_a_currency_that_nobody_knows_has_two_decimals() -> None:
    assert exponent_of("XXX") == 2


@pytest.mark.parametrize("kind", [Words, Term])
def test_a_text_is_one_line_that_any_database_takes(kind: Any) -> None:
    adapter = TypeAdapter[str](kind)
    for fine in ("", "Södra Vägen → E6, 2 at 3.50 €", "北京 🚗", "\u202e"):
        assert adapter.validate_json(f'"{fine}"') == fine
    for bad in ("\x00", "a\n", "\n", "a\tb", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u2029"):
        with pytest.raises(ValidationError):
            adapter.validate_python(bad)

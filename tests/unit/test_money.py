"""Amounts as a person reads them."""

import pytest

from internetcar.contract.money import exponent_of, format_minor


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

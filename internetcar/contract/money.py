"""What payments and tolls say alike: amounts, ids and the letters they may have."""

from typing import Annotated

from pydantic import Field

MOST_MINOR = (1 << 53) - 1
"""The largest amount in a message: JSON numbers are exact up to here, and 64 bits hold it."""

Minor = Annotated[int, Field(ge=0, le=MOST_MINOR, strict=True)]
"""An amount in the currency's smallest unit (cents, öre, yen), never negative."""

SignedMinor = Annotated[int, Field(ge=-MOST_MINOR, le=MOST_MINOR, strict=True)]
"""A balance or a difference in the currency's smallest unit."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217, such as SGD."""

EventId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""Chosen by who asks, and derived from what happened; the same id is the same event for ever."""

LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""No control characters and no line breaks: no database takes the one, no ledger the other."""

Words = Annotated[str, Field(max_length=400, pattern=LINE)]
"""One line for a person."""

Term = Annotated[str, Field(max_length=64, pattern=LINE)]
"""A name in somebody else's letters, such as that of a gate."""

_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""ISO 4217, list one: how many decimals the smallest unit is, where it is not two."""


def exponent_of(currency: str) -> int:
    """How many decimals the smallest unit of a currency is (ISO 4217)."""
    for exponent, codes in _EXPONENTS.items():
        if currency in codes.split():
            return exponent
    return 2


def format_minor(amount_minor: int, currency: str) -> str:
    """An amount as a person reads it, such as `2.00 SGD`."""
    exponent = exponent_of(currency)
    whole, part = divmod(abs(amount_minor), 10**exponent)
    sign = "-" if amount_minor < 0 else ""
    decimals = f".{part:0{exponent}d}" if exponent else ""
    return f"{sign}{whole}{decimals} {currency}"

"""The currencies of ISO 4217: how many decimals each has, and amounts as people write them."""

import re
from decimal import Decimal

from internetcar.contract.message import InputError
from internetcar.contract.money import MOST_MINOR

_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA
MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR
RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

EXPONENTS: dict[str, int] = {
    code: exponent
    for exponent, codes in ((0, _NONE), (2, _TWO), (3, _THREE), (4, _FOUR))
    for code in codes.split()
}
"""Decimals of every currency of ISO 4217 that has a minor unit; metals, funds codes without one,
test codes and "no currency" are not money here."""

_AMOUNT = re.compile(r"(?P<number>[0-9]{1,16}(?:\.[0-9]{1,4})?) (?P<currency>[A-Z]{3})")


class AmountError(InputError):
    """A text is no amount of money; it says what one looks like."""


def read_amount(text: str) -> tuple[int, str]:
    """An amount as `20.00 SGD`: minor units, above 0, and the currency; never rounded.

    Raises:
        AmountError: Not such a text, no currency of ISO 4217, or more decimals than it has.
    """
    match = _AMOUNT.fullmatch(" ".join(text.split()))
    if match is None:
        raise AmountError(f"{text!r}: write an amount like 20.00 SGD")
    currency = match["currency"]
    if currency not in EXPONENTS:
        raise AmountError(f"{text!r}: {currency} is no currency of ISO 4217 with a minor unit")
    minor = Decimal(match["number"]).scaleb(EXPONENTS[currency])
    if minor != int(minor):
        raise AmountError(f"{text!r}: {currency} has {EXPONENTS[currency]} decimals")
    if not 0 < minor <= MOST_MINOR:
        raise AmountError(f"{text!r}: above 0, and at most {decimal_text(MOST_MINOR, currency)}")
    return int(minor), currency


def decimal_text(amount_minor: int, currency: str) -> str:
    """The decimal number without the currency: `-3.50`; yen have no point."""
    exponent = EXPONENTS[currency]
    digits = f"{abs(amount_minor):0{exponent + 1}d}"
    sign = "-" if amount_minor < 0 else ""
    if exponent == 0:
        return sign + digits
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"


def amount_text(amount_minor: int, currency: str) -> str:
    """An amount for a person: `3.50 SGD`."""
    return f"{decimal_text(amount_minor, currency)} {currency}"

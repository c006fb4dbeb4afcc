"""The currencies of ISO 4217 that the wallet takes, and amounts as people write them."""

import re
from decimal import Decimal

from internetcar.contract.message import InputError
from internetcar.contract.money import MOST_MINOR, exponent_of, format_minor

_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN
BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF
KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK
SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU
UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
"""Every currency of ISO 4217 that has a minor unit; metals, funds codes without one, test codes and
"no currency" are not money here."""

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
    if currency not in CURRENCIES:
        raise AmountError(f"{text!r}: {currency} is no currency of ISO 4217 with a minor unit")
    exponent = exponent_of(currency)
    minor = Decimal(match["number"]).scaleb(exponent)
    if minor != int(minor):
        raise AmountError(f"{text!r}: {currency} has {exponent} decimals")
    if not 0 < minor <= MOST_MINOR:
        raise AmountError(f"{text!r}: above 0, and at most {decimal_text(MOST_MINOR, currency)}")
    return int(minor), currency


def decimal_text(amount_minor: int, currency: str) -> str:
    """The decimal number without the currency: `-3.50`; yen have no point."""
    return format_minor(amount_minor, currency).removesuffix(f" {currency}")

"""The whole ledger as a plain text journal that hledger or beancount can check: text in, text out.

Amounts have the ledger's own signs: what a driver or operator has is above 0, what a provider has
brought in is below. Whatever a stranger wrote ends up in a description, where it cannot end a line,
a string, or begin a comment.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from internetcar.contract.money import exponent_of, format_minor
from services.payments.currencies import decimal_text
from services.payments.ledger import Entry
from services.payments.papers import text

Format = Literal["hledger", "beancount"]
_ROOMS = {"driver": "Driver", "holding": "Holding", "operator": "Operator", "fees": "Fees"}


def export(entries: Sequence[Entry], form: Format) -> Iterator[str]:
    """The journal, line by line, without line ends.

    Args:
        entries: All of them, oldest first.
        form: For which tool.
    """
    return _hledger(entries) if form == "hledger" else _beancount(entries)


def _hledger(entries: Sequence[Entry]) -> Iterator[str]:
    yield "; The whole ledger of the wallet; check it with: hledger -f FILE check --strict"
    yield "decimal-mark ."
    for currency in _currencies(entries):
        # The decimal mark is part of the directive, also where there are no decimals.
        exponent = exponent_of(currency)
        point = "" if exponent else "."
        yield f"commodity {decimal_text(10**exponent, currency)}{point} {currency}"
    for name in _names(entries):
        yield f"account {name}"
    for entry in entries:
        yield ""
        yield f"{entry.at:%Y-%m-%d} * ({entry.entry_id}) {_hledger_text(entry)}"
        for each in entry.postings:
            yield f"    {each.name}  {format_minor(each.amount_minor, entry.currency)}"


def _hledger_text(entry: Entry) -> str:
    said = _one_line(f"{entry.owner} {entry.payee} {text(entry)}")
    return said.replace(";", ",").replace("|", "/")


def _beancount(entries: Sequence[Entry]) -> Iterator[str]:
    yield "; The whole ledger of the wallet; check it with: bean-check FILE"
    yield 'option "title" "Wallet"'
    if entries:
        first = min(entry.at for entry in entries)
        for currency in _currencies(entries):
            yield f"{first:%Y-%m-%d} commodity {currency}"
        for name in _names(entries):
            yield f"{first:%Y-%m-%d} open {_beancount_account(name)}"
    for entry in entries:
        yield ""
        payee, said = _quoted(f"{entry.owner} {entry.payee}"), _quoted(text(entry))
        yield f"{entry.at:%Y-%m-%d} * {payee} {said} ^{entry.entry_id}"
        for each in entry.postings:
            amount = format_minor(each.amount_minor, entry.currency)
            yield f"  {_beancount_account(each.name)}  {amount}"


def _beancount_account(name: str) -> str:
    """A ledger account's name under beancount's rules; two of ours never become one.

    A part begins with a capital letter or digit, and has letters, digits and hyphens: `_` becomes
    `-u`, `-` becomes `--`.
    """
    room, _, own = name.partition(":")
    escaped = own.replace("-", "--").replace("_", "-u")
    if room == "provider":
        return f"Equity:Provider:Of-{escaped}"
    return f"Assets:{_ROOMS[room]}" + (f":Of-{escaped}" if own else "")


def _quoted(words: str) -> str:
    escaped = _one_line(words).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _one_line(words: str) -> str:
    seen = "".join(sign if sign.isprintable() else " " for sign in words)
    return " ".join(seen.split())


def _currencies(entries: Iterable[Entry]) -> list[str]:
    return sorted({entry.currency for entry in entries})


def _names(entries: Iterable[Entry]) -> list[str]:
    return sorted({each.name for entry in entries for each in entry.postings})

"""`car wallet`: what the wallet's accounts have, had, and what a person does with them."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from internetcar.contract.message import InputError, Name
from internetcar.contract.money import format_minor
from internetcar.launcher.tables import print_table
from internetcar.launcher.wallet_options import (
    AccountArgument,
    AmountArgument,
    ByOption,
    Desk,
    FeeOption,
    ReferenceOption,
    SettingsOption,
    StoreOption,
    WayOption,
    opened,
    span,
)
from services.payments import audit, desk, papers
from services.payments.currencies import decimal_text, read_amount
from services.payments.export import export as written
from services.payments.history import all_balances, journal, latest, owner_balances, period
from services.payments.ledger import Booked, Entry
from services.payments.providers import BY_HAND, Order, Provider

app = typer.Typer(help="The wallet: balances, statements, money in and out, and the books.")

_MOST_LINES = 10_000


@app.command()
def accounts(store: StoreOption = "", settings: SettingsOption = "") -> None:
    """Show every ledger account: drivers, holdings, operators, fees, and the outside world."""
    with opened(store, settings) as at, at.database.read() as connection:
        rows = all_balances(connection)
    print_table(
        ("account", "balance", "currency"),
        ((name, decimal_text(minor, currency), currency) for name, currency, minor in rows),
        right="balance",
    )


@app.command()
def balance(
    account: AccountArgument, store: StoreOption = "", settings: SettingsOption = ""
) -> None:
    """Show what an account may spend and what is held of it."""
    with opened(store, settings) as at:
        owner = at.known(account)
        with at.database.read() as connection:
            has = owner_balances(connection, owner)
    currencies = sorted(has.available_minor.keys() | has.held_minor.keys())
    print_table(
        ("available", "held", "currency"),
        (
            (
                decimal_text(has.available_minor.get(each, 0), each),
                decimal_text(has.held_minor.get(each, 0), each),
                each,
            )
            for each in currencies
        ),
        right="available held",
    )


@app.command()
def statement(
    account: AccountArgument,
    from_at: Annotated[str, typer.Option("--from", metavar="INSTANT", help="First instant.")] = "",
    until_at: Annotated[
        str,
        typer.Option("--until", metavar="INSTANT", help="First instant after it; else now."),
    ] = "",
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Show what moved an account in a time, the last 31 days unless told; held money counts."""
    start, end = span(from_at, until_at, datetime.now(UTC))
    with opened(store, settings) as at:
        owner = at.known(account)
        with at.database.read() as connection:
            has = owner_balances(connection, owner)
            found = {
                each: period(connection, owner, each, start, end, _MOST_LINES)
                for each in sorted(has.available_minor)
            }
    for currency, each in found.items():
        rows = [("", "opening balance", "", decimal_text(each.opening_minor, currency), "")]
        rows += [_line(booked) for booked in each.lines]
        if each.is_cut:
            rows.append(("", f"… more than {_MOST_LINES} lines: choose a shorter time", "", "", ""))
        rows.append(("", "closing balance", "", decimal_text(each.closing_minor, currency), ""))
        print_table((f"{currency}, UTC", "what", "amount", "balance", "receipt"), rows,
                    right="amount balance")  # fmt: skip


@app.command()
def receipts(
    account: AccountArgument,
    last: Annotated[int, typer.Option(min=1, max=_MOST_LINES, help="So many of the newest.")] = 20,
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Show the newest receipts of an account, each with all its words."""
    with opened(store, settings) as at:
        owner = at.known(account)
        with at.database.read() as connection:
            found = latest(connection, owner, last)
    print_table(("at", "receipt", "amount", "what"), _receipt_rows(found), right="amount")


@app.command("top-up")
def top_up(
    account: AccountArgument,
    amount: AmountArgument,
    reference: ReferenceOption,
    by: ByOption,
    way: WayOption = "transfer",
    fee: FeeOption = "",
    new: Annotated[bool, typer.Option("--new", help="It is a new account.")] = False,
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Record money that has come in; the same reference again changes nothing."""
    with opened(store, settings, may_create=True) as at:
        owner = _account(account) if new else at.known(account)
        if ":" in owner:
            raise InputError(f"{owner}: an operator gets payments, no top-ups")
        order = _order(owner, amount, reference, by, fee)
        entry = desk.take_in(at.database, _provider(way).collect(order), datetime.now(UTC))
        _say(at, entry)


@app.command()
def payout(
    account: AccountArgument,
    amount: AmountArgument,
    reference: ReferenceOption,
    by: ByOption,
    way: WayOption = "transfer",
    fee: FeeOption = "",
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Record money that was paid out to a driver or, with operator:NAME, to an operator."""
    with opened(store, settings) as at:
        owner = at.known(account)
        order = _order(owner, amount, reference, by, fee)
        entry = desk.give_out(at.database, _provider(way).send(order), datetime.now(UTC))
        _say(at, entry)


@app.command()
def reverse(
    receipt: Annotated[str, typer.Argument(help="As `receipts` shows it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays in the books for ever.")],
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Undo a payment, refund, top-up or payout by an entry of its own; nothing is erased."""
    with opened(store, settings) as at:
        with at.database.read() as connection:
            owner = desk.owner_of(connection, receipt)
        now = datetime.now(UTC)
        _say(at, desk.undo(at.database, receipt, reason, at.terms(owner), now))


@app.command()
def check(
    store: StoreOption = "",
    settings: SettingsOption = "",
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Write anew what only follows from the entries.")
    ] = False,
) -> None:
    """Add the whole ledger up anew; exit code 1 where what is kept differs from it."""
    with opened(store, settings) as at:
        if rebuild:
            at.database.run(audit.rebuild)
        with at.database.read() as connection:
            found, sums = audit.findings(connection), audit.sums(connection)
    for each in found:
        typer.echo(each)
    for currency, total in sorted(sums.items()):
        typer.echo(f"sum of all postings: {format_minor(total, currency)}")
    if found:
        raise typer.Exit(1)
    typer.echo("the ledger is whole")


@app.command()
def export(
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="hledger or beancount.")
    ] = "hledger",
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Write the whole ledger as a journal that hledger or beancount can read and check."""
    if form not in ("hledger", "beancount"):
        raise InputError(f"--format {form}: hledger or beancount")
    with opened(store, settings) as at, at.database.read() as connection:
        entries = [booked.entry for booked in journal(connection)]
    for line in written(entries, "hledger" if form == "hledger" else "beancount"):
        sys.stdout.write(line + "\n")


def _account(text: str) -> str:
    try:
        return TypeAdapter(Name).validate_python(text)
    except ValidationError as error:
        raise InputError(f"{text!r}: 1 to 36 letters, digits, - and _") from error


def _provider(way: str) -> Provider:
    if way not in BY_HAND:
        raise InputError(f"--way {way}: {' or '.join(BY_HAND)}")
    return BY_HAND[way]


def _order(owner: str, amount: str, reference: str, by: str, fee: str) -> Order:
    amount_minor, currency = read_amount(amount)
    fee_minor, fee_currency = read_amount(fee) if fee else (0, currency)
    if fee_currency != currency:
        raise InputError(f"--fee {fee}: in {currency}, as the amount")
    return Order(owner, amount_minor, currency, reference, by, fee_minor)


def _say(at: Desk, entry: Entry) -> None:
    with at.database.read() as connection:
        has = owner_balances(connection, entry.owner)
    now_has = format_minor(has.available_minor[entry.currency], entry.currency)
    typer.echo(
        f"{papers.text(entry)}: {format_minor(entry.available_change, entry.currency)},"
        f" receipt {entry.entry_id}; {entry.owner} now has {now_has}"
    )


def _line(booked: Booked) -> tuple[str, str, str, str, str]:
    entry = booked.entry
    return (
        f"{entry.at:%Y-%m-%d %H:%M:%S}",
        f"{entry.payee}: {papers.text(entry)}",
        decimal_text(entry.booked_change, entry.currency),
        decimal_text(booked.available_minor + booked.held_minor, entry.currency),
        entry.entry_id,
    )


def _receipt_rows(found: list[Entry]) -> list[tuple[str, str, str, str]]:
    rows = []
    for entry in found:
        amount = format_minor(entry.booked_change, entry.currency)
        first = f"{entry.payee}: {papers.text(entry)}"
        rows.append((f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.entry_id, amount, first))
        rows += [("", "", "", f"  {line}") for line in entry.words[1:]]
    return rows

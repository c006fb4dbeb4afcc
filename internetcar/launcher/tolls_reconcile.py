"""`car tolls reconcile`: an operator's invoice against our evidence."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from internetcar.contract.message import InputError, milliseconds
from internetcar.contract.money import format_minor
from internetcar.launcher.options import vehicle_id_of
from internetcar.launcher.tables import print_table, printable
from internetcar.launcher.tolls_desk import Desk, SettingsOption, StoreOption, opened
from services.tolls import inquiry
from services.tolls.facts import Passage
from services.tolls.passages import reconcile as invoices
from services.tolls.passages.entry import Entry
from services.tolls.passages.invoice import MOST_BYTES, Billed, read_invoice
from services.tolls.passages.invoice_cells import Money
from services.tolls.passages.reckoning import instant
from services.tolls.tariff import fees as tariff
from services.tolls.tariff.context import Context
from services.tolls.tariff.shipped import find_context

_MARGIN = timedelta(hours=1)
"""Around the invoice's lines: what is as near may be missing on it."""


def reconcile(
    invoice: Annotated[Path, typer.Argument(metavar="INVOICE.csv", help="From the operator.")],
    context: Annotated[
        str, typer.Option(metavar="CONTEXT", help="Whose invoice: a toll context, name or file.")
    ],
    vehicle_id: Annotated[str, typer.Option("--vehicle-id", help="Which vehicle it is for.")],
    plate: Annotated[
        str, typer.Option(help="Only lines with this plate; empty: all lines are the vehicle's.")
    ] = "",
    store: StoreOption = "",
    settings: SettingsOption = "",
) -> None:
    """Hold an operator's invoice against our evidence, line by line.

    Proven: we passed there. Unresolved: nobody can say. Contradicted: we did not, or it is billed
    twice. Missing: we passed and are not billed. Passages of a recording count too.
    """
    toll = find_context(context)
    money = Money(toll.currency.code, toll.currency.exponent)
    billed, unreadable = read_invoice(_content(invoice), invoice.name, toll.zone, money)
    if plate:
        billed = [line for line in billed if _plain(line.plate) == _plain(plate)]
        if not billed:
            raise InputError(f"--plate {plate!r}: no line of {invoice.name} has it")
    with opened(store, settings) as desk:
        lines = _reconciled(desk, toll, vehicle_id_of(vehicle_id), billed)
    print_table(
        (
            "line",
            f"billed, {toll.time_zone}",
            "place",
            "amount",
            "verdict",
            "why",
            "explain",
        ),
        (_row(line, toll) for line in lines),
        right="line amount",
    )
    for each in unreadable:
        typer.echo(printable(f"line {each.line} is not read: {each.problem}"))
    counts = [f"{len(billed)} billed"]
    for kind in ("proven", "unresolved", "contradicted", "missing"):
        counts.append(f"{sum(line.kind == kind for line in lines)} {kind}")
    excess = sum(line.difference_minor for line in lines)
    typer.echo(f"{', '.join(counts)}; billed above our evidence: "
               f"{format_minor(excess, toll.currency.code)}")  # fmt: skip


def _reconciled(
    desk: Desk, toll: Context, vehicle_id: str, billed: Sequence[Billed]
) -> list[invoices.Line]:
    span = invoices.covers(billed)
    if span is None:
        return []
    since_ms, until_ms = milliseconds(span[0] - _MARGIN), milliseconds(span[1] + _MARGIN)
    with desk.database.read() as connection:
        entries = inquiry.between(connection, vehicle_id, toll.id, since_ms, until_ms)
        whole = inquiry.stretches(connection, vehicle_id, since_ms)
    fees = {entry.passage_id: entry.fee_minor for entry in entries}
    fees |= _uncharged(toll, entries)
    held = [
        invoices.Held(
            passage_id=entry.passage_id,
            gate=entry.account.known.finding.gate,
            names=(entry.facts.label, *entry.facts.names),
            crossed_at=entry.account.crossed_at,
            uncertainty_ms=entry.account.known.finding.uncertainty_ms,
            state=entry.account.state,
            fee_minor=fees[entry.passage_id],
        )
        for entry in entries
    ]
    log = [invoices.Stretch(instant(begin), instant(end)) for begin, end in whole]
    return invoices.reconcile(billed, held, log, toll.currency.code)


def _uncharged(toll: Context, entries: Sequence[Entry]) -> dict[str, int]:
    """What passages would cost that may not cost money, such as a recording's."""
    passages = [
        Passage(
            entry.passage_id,
            entry.account.known.finding.gate,
            entry.account.crossed_at,
            entry.account.known.finding.uncertainty_ms,
        )
        for entry in entries
        if entry.account.state == "proven" and entry.account.bar is not None
    ]
    vehicles = {entry.passage_id: entry.vehicle for entry in entries}
    found = tariff.fees(passages, toll, vehicles) if passages else []
    return {fee.passage_id: fee.amount_minor for fee in found}


def _row(line: invoices.Line, toll: Context) -> tuple[str, ...]:
    billed, held = line.billed, line.held
    at = billed.instants[0] if billed else held.crossed_at if held else instant(0)
    amount_minor = billed.amount_minor if billed else held.fee_minor if held else 0
    return (
        str(billed.line) if billed else "",
        f"{at.astimezone(toll.zone):%Y-%m-%d %H:%M:%S}",
        billed.place if billed else held.names[0] if held else "",
        format_minor(amount_minor, toll.currency.code),
        line.kind,
        line.words,
        held.passage_id if held else "",
    )


def _plain(plate: str) -> str:
    return "".join(letter for letter in plate.casefold() if letter.isalnum())


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error

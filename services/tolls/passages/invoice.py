"""An operator's invoice as a file of comma-separated values, read whoever wrote it (pure)."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from internetcar.contract.message import InputError
from services.tolls.passages.invoice_cells import Money, Order, read_amount, read_instants

MOST_BYTES = 8 << 20
MOST_ROWS = 100_000
_LONGEST_CELL = 500

_HEADERS = {
    "instant": "datetime date/time date_time timestamp passage_time transaction_time crossed_at"
    " date_and_time tidspunkt passeringstidspunkt zeitpunkt passagetid",
    "date": "date day dato datum passage_date transaction_date",
    "time": "time clock tid klokkeslett uhrzeit zeit klockslag",
    "place": "place gantry gate station location toll_station bomstasjon plaza gantry_no ort"
    " betalstation name description stasjon mautstelle",
    "amount": "amount charge fee price toll sum total belop beløp betrag preis avgift belopp",
    "plate": "plate vehicle vehicle_no licence_plate license_plate registration iu obu regnr"
    " kennzeichen reg.nr registreringsnummer",
    "currency": "currency ccy valuta währung",
}
"""The words that operators use, simplified as `_simple` does."""


class InvoiceError(InputError):
    """A file is no invoice we can read: names it and what it needs."""


@dataclass(frozen=True, slots=True)
class Billed:
    """One line of an invoice.

    Attributes:
        line: Its line in the file, from 1.
        instants: When it says the passage was, UTC; two where the clock was put back.
        resolution_ms: What its time leaves open: a minute where it has no seconds.
        place: Where, in the operator's words.
        amount_minor: Below 0: given back.
        plate: Whose; empty where it does not say.
    """

    line: int
    instants: tuple[datetime, ...]
    resolution_ms: int
    place: str
    amount_minor: int
    plate: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line of which we cannot say what it bills."""

    line: int
    problem: str


def read_invoice(
    content: bytes, name: str, zone: ZoneInfo, money: Money
) -> tuple[list[Billed], list[Unreadable]]:
    """Read an invoice: header names, delimiter, decimal sign and date order as they come.

    Args:
        content: The file, UTF-8 or Windows-1252.
        name: What to call it in an error.
        zone: Of times that name none.
        money: The operator's currency.

    Raises:
        InvoiceError: The file as a whole is none: too large, or a column is missing.
    """
    if len(content) > MOST_BYTES:
        raise InvoiceError(f"{name}: more than {MOST_BYTES >> 20} MiB; split it by month")
    rows = _rows(_decoded(content), name)
    header = next(rows, None)
    if header is None:
        raise InvoiceError(f"{name}: it is empty; the first line names the columns")
    columns = _columns(header[1], name)
    body = list(islice(rows, MOST_ROWS + 1))
    if len(body) > MOST_ROWS:
        raise InvoiceError(f"{name}: more than {MOST_ROWS} lines; split it by month")
    order = _order([_cell(row, columns, "date", "instant") for _, row in body])
    billed: list[Billed] = []
    unreadable: list[Unreadable] = []
    for line, row in body:
        try:
            billed.append(_billed(line, row, columns, zone, money, order))
        except ValueError as error:
            unreadable.append(Unreadable(line, str(error)))
    return billed, unreadable


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Lines that hold something, each with its number."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(";\t,|", key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, [cell.strip()[:_LONGEST_CELL] for cell in row]
    except csv.Error as error:
        raise InvoiceError(f"{name}, line {reader.line_num}: {error}; save it as CSV") from error


def _simple(text: str) -> str:
    return re.sub(r"[\s_]+", "_", re.sub(r"\(.*?\)|[:*]", "", text.casefold()).strip())


def _columns(header: Sequence[str], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, title in enumerate(header):
        for column, words in _HEADERS.items():
            if _simple(title) in words.split() and column not in found:
                found[column] = index
                break
    if "instant" not in found and "date" not in found and "time" in found:
        found["instant"] = found.pop("time")
    elif "instant" not in found and "date" in found and "time" not in found:
        found["instant"] = found.pop("date")
    missing = [column for column in ("place", "amount") if column not in found]
    if "instant" not in found and "date" not in found:
        missing.insert(0, "time")
    if missing:
        known = ", ".join(title[:30] for title in header[:12])
        raise InvoiceError(
            f"{name}: no column for {' and '.join(missing)} among {known}; name them time, place,"
            " amount"
        )
    return found


def _cell(row: Sequence[str], columns: dict[str, int], *names: str) -> str:
    for column in names:
        index = columns.get(column)
        if index is not None and index < len(row):
            return row[index]
    return ""


def _order(dates: Sequence[str]) -> Order:
    """Month first only where some date of the file can be read no other way."""
    for text in dates:
        parts = re.match(r"(\d{1,2})[/-](\d{1,2})[/-]\d", text)
        if parts and int(parts[2]) > 12 >= int(parts[1]):
            return "month"
    return "day"


def _billed(
    line: int, row: Sequence[str], columns: dict[str, int], zone: ZoneInfo, money: Money,
    order: Order,
) -> Billed:  # fmt: skip
    written = _cell(row, columns, "instant")
    if not written:
        written = f"{_cell(row, columns, 'date')} {_cell(row, columns, 'time')}".strip()
    instants, resolution_ms = read_instants(written, zone, order)
    currency = _cell(row, columns, "currency").upper() or money.currency
    if currency != money.currency:
        raise ValueError(f"billed in {currency[:10]!r}, but the operator's is {money.currency}")
    return Billed(
        line=line,
        instants=instants,
        resolution_ms=resolution_ms,
        place=_cell(row, columns, "place"),
        amount_minor=read_amount(_cell(row, columns, "amount"), money),
        plate=_cell(row, columns, "plate"),
    )

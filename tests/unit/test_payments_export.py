"""The ledger as a journal: whatever strangers wrote, the tools read it and find it balanced."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.payments.export import export
from services.payments.ledger import Entry
from services.payments.movements import Movement, top_up
from tests.wallet import NOW, MemoryBooks, ask, charge, request

HOSTILE = (
    'evil"; drop', "; comment", "a | b", "right\u202eto left", "back\\slash", "é\u00a0ü",
    "zero\u200bwidth",
    "(x) *", "date:2020-99-99", "  two  spaces  ", "=1+1", "=", "~ monthly", "!", "{{}}", "@ 1 EUR",
    "[2020]",
)  # fmt: skip
APT_LINE = "apt-get install hledger"


TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=60)
"""What the contract lets through."""


def books_with(words: Iterable[str]) -> MemoryBooks:
    """Payments, holds and refunds in four currencies, each with a stranger's words."""
    books = MemoryBooks()
    for currency in ("SGD", "JPY", "KWD", "CLF"):
        for owner in ("alice", "al_-ice"):
            movement = Movement("cash", f"{currency} {owner}", owner, 123_456, currency, 7)
            entry = top_up(movement, books, NOW).entry
            assert entry is not None
            books.entries.append(entry)
    for number, text in enumerate(words):
        other = {"description": text, "currency": "KWD"}
        for asked in (
            request(f"p{number}", amount=number + 1, description=text, payee="_sh-ell_"),
            charge(f"c{number}", words=[text], passage_id=str(number), currency="JPY"),
            request(f"q{number}", "hold", 5, **other),
            request(f"s{number}", "post", 2, refers_to=f"q{number}", **other),
            request(f"t{number}", "refund", 1, refers_to=f"s{number}", reason=f"x{text}", **other),
        ):
            assert ask(books, asked).entry is not None
    return books


def hledger(journal: Path, *arguments: str) -> str:
    """What hledger says of a journal; it must not complain."""
    if shutil.which("hledger") is None:
        pytest.skip(f"no hledger: {APT_LINE}")
    done = subprocess.run(
        ["hledger", "-f", str(journal), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/usr/local/bin"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(books: MemoryBooks, path: Path) -> Path:
    path.write_text("\n".join(export(books.entries, "hledger")) + "\n", encoding="utf-8")
    return path


def test_hledger_finds_the_journal_whole_and_counts_as_we_do(tmp_path: Path) -> None:
    books = books_with(HOSTILE)
    journal = written(books, tmp_path / "wallet.journal")
    hledger(journal, "check", "--strict")
    counted = hledger(journal, "balance", "--flat", "--no-total", "-O", "csv", "--layout", "bare")
    found = {
        (name, currency): number
        for name, currency, number in (
            line.replace('"', "").split(",") for line in counted.splitlines()[1:]
        )
    }
    for name in books.names():
        for currency, digits in (("SGD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)):
            minor = books.balance(name, currency)
            if minor:
                assert float(found[name, currency]) == pytest.approx(minor / 10**digits, abs=1e-9)
    assert len(hledger(journal, "codes").split()) == len(books.entries)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(words=st.lists(TEXT, min_size=20, max_size=20))
def test_no_words_of_a_stranger_break_the_journal(tmp_path: Path, words: list[str]) -> None:
    hledger(written(books_with(words), tmp_path / "wallet.journal"), "check", "--strict")


def test_beancount_s_text_has_one_line_for_each_thing() -> None:
    lines = list(export(books_with(HOSTILE).entries, "beancount"))
    assert '2026-05-04 * "alice _sh-ell_"' in "\n".join(lines)
    assert "2026-05-04 open Assets:Driver:Of-alice" in lines
    assert "2026-05-04 open Assets:Operator:Of--ush--ell-u" in lines
    assert "2026-05-04 open Equity:Provider:Of-cash" in lines
    assert "2026-05-04 open Assets:Fees" in lines
    assert any('payment: evil\\"; drop"' in line for line in lines)
    assert any("payment: back\\\\slash" in line for line in lines)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("form", ["hledger", "beancount"])
def test_an_empty_ledger_is_a_journal_too(form: str) -> None:
    entries: list[Entry] = []
    assert all(
        line.startswith((";", "decimal", "option"))
        for line in export(entries, "hledger" if form == "hledger" else "beancount")
    )

"""`car wallet`: what a person reads and does, and what is refused in one line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from internetcar.contract.message import InputError
from internetcar.launcher.wallet import app
from services.tables import schema_version
from tests.wallet import Replica, charge, request


class Command:
    """`car wallet` on one store."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, *arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, [*arguments, "--store", self.url])
        if isinstance(done.exception, InputError):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.output


@pytest.fixture
def wallet(store_url: str) -> Command:
    command = Command(store_url)
    command("top-up", "alice", "20.00 SGD", "--reference", "r1", "--by", "Ann", "--new")
    return command


def drive(url: str) -> None:
    replica = Replica(url)
    replica.ask(charge("c1", amount=300))
    replica.ask(request("h", "hold", 500))
    replica.ask(request("p", amount=150, description="30 l of \u202e[31mred"))
    replica.close()


def row(text: str, *cells: str) -> bool:
    return any(all(cell in line for cell in cells) for line in text.splitlines())


def receipt_of(text: str, word: str) -> str:
    line = next(line for line in text.splitlines() if word in line)
    return next(part for part in line.split() if part.startswith("r-"))


def test_a_top_up_says_what_came_and_what_is_there(wallet: Command) -> None:
    said = wallet("top-up", "alice", "5.5 SGD", "--reference", "r2", "--by", "Ann",
                  "--way", "cash", "--fee", "0.50 SGD")  # fmt: skip
    assert "top-up: cash received, r2, recorded by Ann: 5.00 SGD, receipt r-" in said
    assert said.endswith("alice now has 25.00 SGD\n")
    assert row(wallet("accounts"), "fees", "0.50", "SGD")
    assert row(wallet("accounts"), "provider:cash", "-5.50", "SGD")


def test_the_same_reference_counts_once(wallet: Command) -> None:
    for _ in range(2):
        said = wallet("top-up", "alice", "20.00 SGD", "--reference", "r1", "--by", "Ann")
    assert said.endswith("alice now has 20.00 SGD\n")


def test_balance_statement_and_receipts_show_a_drive(wallet: Command) -> None:
    drive(wallet.url)
    assert row(wallet("balance", "alice"), "10.50", "5.00", "SGD")
    statement = wallet("statement", "alice", "--from", "2026-01-01T00:00:00Z")
    assert row(statement, "lta: payment: CTE", "-3.00")
    assert row(statement, "shell: payment: 30 l of  [31mred", "-1.50")
    assert row(statement, "closing balance", "15.50")
    assert "\u202e" not in statement
    receipts = wallet("receipts", "alice", "--last", "2")
    assert row(receipts, "12:00 to 12:30: 3.00")
    assert not row(receipts, "top-up")


def test_a_payment_is_reversed_with_its_reason_in_the_books(wallet: Command) -> None:
    drive(wallet.url)
    receipt = receipt_of(wallet("receipts", "alice"), "lta")
    said = wallet("reverse", receipt, "--reason", "never passed")
    assert "reversal: CTE: never passed: 3.00 SGD" in said
    assert row(wallet("statement", "alice", "--from", "2026-01-01T00:00:00Z"), "never passed",
               "3.00")  # fmt: skip
    assert "the ledger is whole" in wallet("check")


def test_an_operator_is_paid_out_what_it_earned(wallet: Command) -> None:
    drive(wallet.url)
    wallet("payout", "operator:lta", "3.00 SGD", "--reference", "t1", "--by", "Ann")
    assert row(wallet("accounts"), "operator:lta", "0.00")
    with pytest.raises(InputError, match="refused: available"):
        wallet("payout", "operator:lta", "0.01 SGD", "--reference", "t2", "--by", "Ann")


def test_an_operator_s_statement_shows_what_it_earned_before_and_after_a_payout(
    wallet: Command,
) -> None:
    drive(wallet.url)
    assert row(wallet("balance", "operator:lta"), "3.00", "SGD")
    assert row(wallet("receipts", "operator:lta"), "3.00 SGD", "alice: payment: CTE")
    wallet("payout", "operator:lta", "2.00 SGD", "--reference", "s1", "--by", "Ann")
    said = wallet("statement", "operator:lta", "--from", "2026-05-01T00:00:00Z")
    assert row(said, "opening balance", "0.00")
    assert row(said, "alice: payment: CTE", "3.00", "3.00")
    assert row(said, "transfer: payout", "-2.00", "1.00")
    assert row(said, "closing balance", "1.00")
    before = wallet("statement", "operator:lta", "--until", "1999-01-01T00:00:00Z")
    assert row(before, "closing balance", "0.00")
    assert "alice" not in before
    assert row(wallet("receipts", "operator:lta", "--last", "1"), "-2.00 SGD", "payout")
    for odd in ("operator:nobody", "operator:", "provider:transfer", "holding:alice"):
        with pytest.raises(InputError, match="no such account"):
            wallet("statement", odd)


def test_the_books_are_exported_and_checked(wallet: Command) -> None:
    drive(wallet.url)
    assert "commodity 1.00 SGD" in wallet("export")
    assert "open Assets:Driver:Of-alice" in wallet("export", "--format", "beancount")
    assert "sum of all postings: 0.00 SGD" in wallet("check")
    assert "whole" in wallet("check", "--rebuild")


def test_a_check_that_finds_something_ends_with_1(wallet: Command) -> None:
    from services.payments.tables import balances

    replica = Replica(wallet.url)
    with replica.database.begin() as connection:
        connection.execute(balances.update().values(balance_minor=1))
    replica.close()
    assert "balance of driver:alice in SGD: 1 is kept" in wallet("check", code=1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("balance nobody", "no such account"),
        ("top-up alcie 1SGD --reference x --by A", "no such account"),
        ("top-up a/b 1SGD --reference x --by A --new", "letters"),
        ("top-up alice 1SGD --reference x --by A", "an amount like"),
        ("payout alice 1SGD --reference x --by A", "an amount like"),
        ("reverse r-1 --reason x", "no such receipt"),
        ("export --format excel", "hledger or beancount"),
        ("statement alice --from 2026-02-01T00:00:00Z --until 2026-01-01T00:00:00Z", "before"),
        ("statement alice --from yesterday", "an instant like"),
        ("receipts operator:nobody", "no such account"),
        ("payout operator:nobody 1SGD --reference x --by A", "no such account"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    wallet: Command, arguments: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        wallet(*arguments.split())


def test_money_has_a_reference_a_person_and_a_way(wallet: Command) -> None:
    amount = ("top-up", "alice", "1.00 SGD")
    for way, complaint in (
        (("--reference", " ", "--by", "A"), "--reference"),
        (("--reference", "x" * 121, "--by", "A"), "--reference"),
        (("--reference", "x", "--by", ""), "--by"),
        (("--reference", "x", "--by", "A", "--way", "card"), "cash or transfer"),
        (("--reference", "x", "--by", "A", "--fee", "1 JPY"), "in SGD"),
        (("--reference", "x", "--by", "A", "--fee", "1 SGD"), "leaves nothing"),
    ):
        with pytest.raises(InputError, match=complaint):
            wallet(*amount, *way)
    drive(wallet.url)
    wallet("payout", "operator:lta", "1 SGD", "--reference", "x", "--by", "A")
    with pytest.raises(InputError, match="no top-ups"):
        wallet("top-up", "operator:lta", "1 SGD", "--reference", "y", "--by", "A")


def test_a_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.sqlite"):
        Command(str(tmp_path / "nothing.sqlite"))("accounts")


def test_settings_name_accounts_store_and_credit(tmp_path: Path) -> None:
    settings = tmp_path / "payments.toml"
    settings.write_text(f'store = "{tmp_path}/own.sqlite"\n[accounts.zoe]\ncredit = ["9.00 SGD"]\n')
    top_up = ["top-up", "zoe", "1 SGD", "--reference", "x", "--by", "A"]
    done = CliRunner().invoke(app, [*top_up, "--settings", str(settings)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "own.sqlite").is_file()


def test_words_that_are_no_text_are_refused_or_made_printable(wallet: Command) -> None:
    odd = "bad\udcff"  # an argument that is no UTF-8, as Python brings it
    for command in (("balance", odd), ("statement", odd), ("payout", odd, "1 SGD"),
                    ("reverse", odd)):  # fmt: skip
        more = {"payout": ("--reference", "r", "--by", "b"), "reverse": ("--reason", "x")}
        with pytest.raises(InputError, match="no such"):
            wallet(*command, *more.get(command[0], ()))
    receipt = receipt_of(wallet("receipts", "alice"), "top-up")
    assert "bad second" in wallet("reverse", receipt, "--reason", f"{odd}second\n")
    with pytest.raises(InputError, match="reversed already"):
        wallet("reverse", receipt, "--reason", "other")


@pytest.mark.parametrize(("version", "advice"), [(99, "update it"), (0, "start payments once")])
def test_a_store_of_another_version_is_left_alone(
    wallet: Command, version: int, advice: str
) -> None:
    replica = Replica(wallet.url)
    with replica.database.begin() as connection:
        connection.execute(schema_version.update().values(version=version))
    replica.close()
    with pytest.raises(InputError, match=advice):
        wallet("balance", "alice")

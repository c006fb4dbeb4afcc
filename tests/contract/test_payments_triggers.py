"""The database itself refuses to change, forget or unbalance the ledger, whoever asks it."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.database_errors import StoreError
from tests.wallet import Replica, request

_ENTRY = """INSERT INTO entries (entry_id, kind, owner, currency, available_change, booked_change,
    available_after, held_after, at_ms, requester, request_id, payee, day, about, words, reason)
    VALUES ('{id}', 'top_up', 'alice', 'SGD', 0, 0, 0, 0, 0, 'person', 'x', 'cash', '', 'x', '[]',
    '')"""
_POSTING = """INSERT INTO postings (entry_id, name, currency, amount_minor)
    VALUES ('{id}', '{name}', '{currency}', {amount})"""


@pytest.fixture
def replica(store_url: str) -> Iterator[Replica]:
    each = Replica(store_url)
    each.fund()
    each.ask(request("h", "hold", 100))
    yield each
    each.close()


def refusal(replica: Replica, *statements: str) -> str:
    """Why the database does not do it."""
    with pytest.raises((SQLAlchemyError, StoreError)) as raised, replica.database.begin() as at:  # noqa: PT012 # the last may be refused at the commit
        for statement in statements:
            at.execute(text(statement))
    return str(raised.value)


def posting(name: str, amount: object, currency: str = "SGD", entry_id: str = "new") -> str:
    return _POSTING.format(id=entry_id, name=name, amount=amount, currency=currency)


def entry(entry_id: str = "new") -> str:
    return _ENTRY.format(id=entry_id)


def any_id(replica: Replica) -> str:
    with replica.database.read() as at:
        return str(at.execute(text("SELECT entry_id FROM entries ORDER BY number")).scalar())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET reason = 'x'", "DELETE FROM entries", "UPDATE postings SET name = 'x'",
        "UPDATE postings SET amount_minor = amount_minor + 1", "DELETE FROM postings",
        "UPDATE answers SET payload = ''", "DELETE FROM answers",
    ],
)  # fmt: skip
def test_nothing_is_changed_or_removed(replica: Replica, statement: str) -> None:
    before = replica.ledger()
    assert "for ever" in refusal(replica, statement)
    assert replica.ledger() == before


def test_postgresql_does_not_truncate(replica: Replica) -> None:
    if replica.database.dialect == "sqlite":
        assert "syntax error" in refusal(replica, "TRUNCATE TABLE postings")
        return
    for table in ("entries", "postings", "answers"):
        assert "for ever" in refusal(replica, f"TRUNCATE TABLE {table} CASCADE")


def test_a_balanced_entry_is_taken(replica: Replica) -> None:
    with replica.database.begin() as at:
        for each in (posting("a", 5), posting("b", -4), posting("c", -1), entry()):
            at.execute(text(each))


@pytest.mark.parametrize(
    "made_of",
    [
        [], [("a", 5, "SGD")], [("a", 5, "SGD"), ("b", -4, "SGD")],
        [("a", 5, "SGD"), ("b", -5, "EUR")],
        [("a", 5, "SGD"), ("b", -5, "SGD"), ("a", 1, "EUR"), ("b", 1, "EUR")],
    ],
)  # fmt: skip
def test_an_unbalanced_entry_is_refused(
    replica: Replica, made_of: list[tuple[str, int, str]]
) -> None:
    lines = [posting(*each) for each in made_of]
    assert "add up to 0" in refusal(replica, *lines, entry())


def test_a_sealed_entry_gets_no_more_postings(replica: Replica) -> None:
    entry_id = any_id(replica)
    refused = refusal(replica, posting("a", 5, entry_id=entry_id))
    assert "sealed" in refused


def test_postings_without_their_entry_are_refused_at_the_commit(replica: Replica) -> None:
    refused = refusal(replica, posting("a", 5), posting("b", -5))
    assert "foreign key" in refused.lower()


@pytest.mark.parametrize("amount", ["0", "1.5", "'much'"])
def test_an_amount_is_a_whole_number_and_not_zero(replica: Replica, amount: str) -> None:
    if replica.database.dialect == "postgresql" and amount == "1.5":
        return  # it rounds what it is given before anybody sees it
    refusal(replica, posting("a", amount), posting("b", -1), entry())


def test_a_hold_ends_once_and_an_entry_is_reversed_once(replica: Replica) -> None:
    hold = "(SELECT entry_id FROM entries WHERE kind = 'hold')"
    for column in ("ends", "reverses"):
        for number in (1, 2):
            ended = entry(f"{column}{number}").replace("(entry_id", f"({column}, entry_id", 1)
            ended = ended.replace("VALUES (", f"VALUES ({hold}, ", 1)
            lines = [posting("a", 5, entry_id=f"{column}{number}"),
                     posting("b", -5, entry_id=f"{column}{number}")]  # fmt: skip
            if number == 2:
                refusal(replica, *lines, ended)
                break
            with replica.database.begin() as at:
                for each in (*lines, ended):
                    at.execute(text(each))


def test_sqlite_s_replace_does_not_go_around_the_triggers(replica: Replica) -> None:
    if replica.database.dialect != "sqlite":
        return
    before = replica.ledger()
    for table in ("entries", "postings", "answers"):
        statement = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"
        assert re.search("already|sealed", refusal(replica, statement))
        assert "for ever" in refusal(replica, f"UPDATE OR REPLACE {table} SET rowid = 1")
    takes_a_number = entry().replace("(entry_id", "(number, entry_id", 1)
    takes_a_number = takes_a_number.replace("VALUES (", "VALUES (1, ", 1)
    takes_a_number = takes_a_number.replace("INSERT", "INSERT OR REPLACE", 1)
    assert "already" in refusal(replica, posting("a", 5), posting("b", -5), takes_a_number)
    takes_a_number = posting("a", 5).replace("(entry_id", "(number, entry_id", 1)
    takes_a_number = takes_a_number.replace("VALUES (", "VALUES (1, ", 1)
    assert "already" in refusal(replica, takes_a_number.replace("INSERT", "INSERT OR REPLACE", 1))
    assert replica.ledger() == before


def test_a_posting_cannot_slip_in_while_its_entry_is_sealed(replica: Replica) -> None:
    if replica.database.dialect != "postgresql":
        return  # SQLite has one writer
    with replica.database.begin() as first:
        for each in (posting("a", 5), posting("b", -5), entry()):
            first.execute(text(each))
        with pytest.raises((DBAPIError, StoreError), match="timeout"):
            slip_in(replica)
    assert "sealed" in refusal(replica, posting("c", 7))


def slip_in(replica: Replica) -> None:
    def insert(at: Connection) -> None:
        at.execute(text("SET LOCAL lock_timeout = '200ms'"))
        at.execute(text(posting("c", 7)))

    replica.database.run(insert, tries=1)


def test_an_entry_moves_one_currency_its_own(replica: Replica) -> None:
    for currency in ("EUR", "XXX"):
        lines = [posting("a", 5, currency), posting("b", -5, currency)]
        assert "add up to 0" in refusal(replica, *lines, entry())


def test_postgresql_s_replication_role_does_not_silence_the_triggers(replica: Replica) -> None:
    if replica.database.dialect != "postgresql":
        return
    silent = "SET LOCAL session_replication_role = replica"
    for statement in (
        "DELETE FROM postings",
        "UPDATE entries SET reason = 'x'",
        "TRUNCATE answers",
    ):
        assert "for ever" in refusal(replica, silent, statement)
    assert "add up to 0" in refusal(replica, silent, posting("a", 5), entry())


def test_one_statement_cannot_seal_and_add(replica: Replica) -> None:
    if replica.database.dialect != "postgresql":
        return
    for order in ((posting("a", 5), entry()), (entry(), posting("a", 5))):
        refused = refusal(replica, f"WITH first AS ({order[0]} RETURNING 1) {order[1]}")
        assert "add up to 0" in refused or "sealed" in refused

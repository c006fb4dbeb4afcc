"""What an attacker, a mistake or a great number does to the wallet: nothing."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from internetcar.contract.money import MOST_MINOR
from internetcar.contract.payments import StatementRequest
from services.payments import audit, desk
from services.payments.agreements import Account, Agreements
from services.payments.limits import Terms
from services.payments.movements import Movement
from services.payments.tables import entries
from tests.wallet import AGREEMENTS, NOW, Replica, charge, request


@pytest.fixture
def replica(store_url: str) -> Iterator[Replica]:
    each = Replica(store_url)
    yield each
    assert each.findings() == []
    each.close()


def test_held_and_spendable_money_together_stay_below_what_a_message_can_say(
    replica: Replica,
) -> None:
    replica.fund(amount=MOST_MINOR)
    held = replica.ask(request("h", "hold", MOST_MINOR, expires_at=NOW + timedelta(hours=1)))
    assert held is not None
    assert held.state == "held"
    with pytest.raises(desk.DeskError, match="more than can be counted"):
        desk.take_in(replica.database, Movement("transfer", "more", "alice", 1, "SGD"), NOW)
    whole = StatementRequest(
        account="alice", request_id="s", currency="SGD", from_at=NOW, until_at=NOW
    )
    replica.payments.on_statement_request(whole)
    replica.now += timedelta(hours=1)
    replica.payments.turn()
    assert replica.balance("driver:alice") == MOST_MINOR


def test_a_day_of_great_payments_and_refunds_is_added_up_exactly(store_url: str) -> None:
    limited = Terms(day_limits_minor={"fuel": {"SGD": MOST_MINOR}})
    accounts = {"alice": Account("alice", {"car"}, terms=limited)}
    replica = Replica(store_url, Agreements(accounts, AGREEMENTS.purposes))
    replica.fund(amount=MOST_MINOR)
    replica.hear(request("p", amount=MOST_MINOR - 1))
    replica.hear(request("r", "refund", MOST_MINOR - 1, refers_to="p", reason="x"))
    again = [{"again": f"again{number}"} for number in range(1030)]  # together beyond 64 bits
    columns = ", ".join(c.name for c in entries.c if c.name not in ("number", "entry_id"))
    with replica.database.begin() as connection:
        for kind in ("payment", "refund"):
            of_kind = f"FROM entries WHERE kind = '{kind}' AND entry_id LIKE 'r-%'"
            copied = (
                "INSERT INTO postings (entry_id, name, currency, amount_minor)"
                f" SELECT '{kind}' || :again, name, currency, amount_minor FROM postings"
                f" WHERE entry_id = (SELECT entry_id {of_kind})",
                f"INSERT INTO entries (entry_id, {columns})"
                f" SELECT '{kind}' || :again, {columns} {of_kind} LIMIT 1",
            )
            for statement in copied:
                connection.execute(text(statement), again)
    replica.said()
    for number in range(2):
        result = replica.ask(request(f"last{number}", amount=1))
        assert result is not None
        assert result.state == "posted"
    replica.close()


def test_a_passage_stays_with_the_account_that_began_to_pay_it(store_url: str) -> None:
    before = Replica(store_url)
    before.fund("alice")
    before.fund("bob")
    before.hear(charge("c1", amount=300))
    before.close()
    moved = Agreements({"alice": Account("alice"), "bob": Account("bob", {"car"})})
    after = Replica(store_url, moved)
    after.hear(charge("c2", amount=200, fee_minor=500))
    after.hear(charge("c3", "refund", 500, fee_minor=0))
    after.hear(charge("c4", amount=100, passage_id="p2"))
    assert after.balance("driver:alice") == 10_000
    assert after.balance("driver:bob") == 9_900
    assert after.findings() == []
    after.close()


def test_what_somebody_did_around_the_triggers_is_found(store_url: str) -> None:
    replica = Replica(store_url)
    replica.fund()
    replica.ask(request("p", amount=100))
    replica.ask(request("q", amount=100))
    is_sqlite = replica.database.dialect == "sqlite"
    with replica.database.begin() as connection:
        for table in ("entries", "postings"):
            connection.execute(
                text(
                    f"DROP TRIGGER {table}_no_delete" if is_sqlite
                    else f"DROP TRIGGER {table}_for_ever ON {table}"
                )
            )  # fmt: skip
            if is_sqlite:
                connection.execute(text(f"DROP TRIGGER {table}_no_update"))
        payment = "(SELECT max(number) FROM entries)"
        connection.execute(
            text(
                "DELETE FROM postings WHERE entry_id ="
                f" (SELECT entry_id FROM entries WHERE number = {payment})"
            )
        )
        connection.execute(text("UPDATE entries SET available_after = 12345 WHERE kind = 'top_up'"))
        connection.execute(text("DELETE FROM owners"))
    with replica.database.read() as connection:
        found = "\n".join(audit.findings(connection))
    assert "no postings" in found
    assert "available after it" in found
    assert "owner alice: 0 entries are kept, not 3" in found
    assert ("trigger postings_no_delete" if is_sqlite else "trigger entries_for_ever") in found
    replica.close()

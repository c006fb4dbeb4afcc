"""What an attacker, a mistake or a great number does to the wallet: nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import text

from internetcar.contract.message import ContractError
from internetcar.contract.money import MOST_MINOR
from internetcar.contract.payments import PaymentRequest, PaymentResult, StatementRequest
from internetcar.contract.subscriptions import Received
from services.payments import audit, desk
from services.payments.agreements import Account, Agreements
from services.payments.history import period
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
    replica = Replica(store_url, Agreements(accounts, AGREEMENTS.purposes, believes_unsigned=True))
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
    moved = Agreements(
        {"alice": Account("alice"), "bob": Account("bob", {"car"})}, believes_unsigned=True
    )
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


def test_an_operator_s_statement_begins_with_what_it_had_and_says_what_is_cut(
    replica: Replica,
) -> None:
    replica.fund()
    for day in range(3):
        replica.now = NOW + timedelta(days=day)
        replica.hear(charge(f"c{day}", amount=100, passage_id=f"p{day}"))
    since, until = NOW + timedelta(hours=1), replica.now + timedelta(hours=1)
    with replica.database.read() as connection:
        whole, cut = (
            period(connection, "operator:lta", "SGD", since, until, most) for most in (2, 1)
        )
    assert (whole.opening_minor, whole.closing_minor, whole.is_cut) == (100, 300, False)
    assert [each.available_minor for each in whole.lines] == [200, 300]
    assert [(each.entry.booked_change, each.entry.payee) for each in whole.lines] == [
        (100, "alice")
    ] * 2
    assert (len(cut.lines), cut.closing_minor, cut.is_cut) == (1, 300, True)


def unreadable(replica: Replica, payload: bytes, topic: str = "") -> list[PaymentResult]:
    """The answers to a payload that is no request."""
    topic = topic or request().topic
    with pytest.raises(ContractError) as raised:
        PaymentRequest.decode(topic, payload)
    replica.payments.on_unreadable_request(Received(topic, payload), raised.value)
    return [PaymentResult.decode(*said) for said in replica.said()]


def test_a_request_that_cannot_be_read_but_has_an_id_is_told_so(replica: Replica) -> None:
    replica.fund()
    replica.said()
    broken = request("one").encode().replace(b"500", b"5.5")
    first = unreadable(replica, broken)
    assert [(each.request_id, each.requester, each.state, each.reason) for each in first] == [
        ("one", "pump", "refused", "malformed")
    ]
    assert "amount_minor" in str(first[0].detail)
    replica.now += timedelta(hours=1)
    assert unreadable(replica, broken) == first
    mended = replica.ask(request("one"))  # the id is still free
    assert mended is not None
    assert mended.state == "posted"
    assert unreadable(replica, broken) == first
    assert unreadable(replica, broken + b" ")[0].reason == "conflict"
    assert replica.balance("driver:alice") == 9_500


@pytest.mark.parametrize(
    ("payload", "topic"),
    [
        (b"", ""), (b"\xff", ""), (b"[]", ""), (b"{}", ""), (b'{"request_id": 5}', ""),
        (b'{"request_id": "a b"}', ""), (b'{"request_id": "a"}' + b" " * 8192, ""),
        (b'{"request_id": "a"}', "v1/vehicle/c\x00r/payment/request/pump"),
        (b'{"request_id": "a"}', "v1/vehicle/car/payment/request/" + "p" * 37),
    ],
)  # fmt: skip
def test_what_has_no_readable_id_gets_no_answer(
    replica: Replica, payload: bytes, topic: str
) -> None:
    assert unreadable(replica, payload, topic) == []


def race(*things: Callable[[], object]) -> None:
    """Do all at the same moment."""
    gate = Barrier(len(things))

    def do(thing: Callable[[], object]) -> None:
        gate.wait()
        thing()

    with ThreadPoolExecutor(len(things)) as pool:
        for each in [pool.submit(do, thing) for thing in things]:
            each.result()


def test_two_cars_of_one_account_cannot_spend_the_same_money(store_url: str) -> None:
    accounts = {"alice": Account("alice", {"car", "van"})}
    both = Agreements(accounts, AGREEMENTS.purposes, believes_unsigned=True)
    replicas = [Replica(store_url, both), Replica(store_url, both)]
    replicas[0].fund(amount=100)

    def spend(replica: Replica, vehicle_id: str) -> None:
        for number in range(20):
            replica.hear(request(f"p{number}", amount=9, vehicle_id=vehicle_id))

    race(lambda: spend(replicas[0], "car"), lambda: spend(replicas[1], "van"))
    assert replicas[0].balance("driver:alice") == 1
    assert replicas[0].balance("operator:shell") == 99
    assert replicas[0].findings() == []
    for each in replicas:
        each.close()


def test_a_hold_has_one_end_whoever_is_first(store_url: str) -> None:
    replicas = [Replica(store_url) for _ in range(3)]
    first = replicas[0]
    first.fund(amount=100)
    first.said()
    for number in range(5):
        name = f"h{number}"
        until = NOW + timedelta(hours=number + 1)
        held = first.ask(request(name, "hold", 10, expires_at=until))
        assert held is not None
        assert held.state == "held"
        replicas[2].now = until
        race(
            partial(replicas[0].hear, request(f"p{name}", "post", 10, refers_to=name)),
            partial(replicas[1].hear, request(f"v{name}", "void", 0, refers_to=name)),
            replicas[2].payments.turn,
        )
        first.said()
    assert first.balance("holding:alice") == 0
    assert first.balance("driver:alice") + first.balance("operator:shell") == 100
    assert first.findings() == []
    for each in replicas:
        each.close()


def test_a_payment_comes_back_once_by_refund_or_reversal(store_url: str) -> None:
    replicas = [Replica(store_url), Replica(store_url)]
    first = replicas[0]
    first.fund(amount=1000)
    first.said()
    for number in range(5):
        name = f"p{number}"
        paid = first.ask(request(name, amount=100))
        assert paid is not None
        receipt = str(paid.receipt_id)
        back = request(f"r{number}", "refund", 60, refers_to=name, reason="x")
        undo = partial(desk.undo, replicas[1].database, receipt, "wrong", Terms(), NOW)
        race(partial(first.hear, back), undo)
        first.said()
    assert first.balance("driver:alice") == 1000
    assert first.balance("operator:shell") == 0
    assert first.findings() == []
    for each in replicas:
        each.close()


def test_a_reference_typed_twice_at_once_counts_once(store_url: str) -> None:
    replicas = [Replica(store_url), Replica(store_url)]
    race(*(each.fund for each in replicas))
    assert replicas[0].balance("driver:alice") == 10_000
    assert replicas[0].findings() == []
    for each in replicas:
        each.close()

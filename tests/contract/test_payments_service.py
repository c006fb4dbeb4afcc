"""The wallet as its neighbours on the broker see it, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from internetcar.contract.message import ContractError
from internetcar.contract.money import MOST_MINOR
from internetcar.contract.payments import (
    PaymentRequest,
    PaymentResult,
    StatementRequest,
    WalletBalance,
    WalletReceipt,
    WalletStatement,
)
from internetcar.contract.signature import key_id, sign
from internetcar.contract.tolls import TollCharge
from services.payments import audit, desk
from services.payments.agreements import Account, Agreements
from services.payments.limits import Terms
from services.payments.movements import Movement
from services.payments.settling import PATIENCE
from services.payments.store import Answer, Ledger
from services.payments.tables import balances, open_holds, owners
from tests.wallet import AGREEMENTS, NOW, Replica, charge, request

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
def replica(store_url: str) -> Iterator[Replica]:
    each = Replica(store_url)
    each.fund()
    each.said()
    yield each
    assert each.findings() == []
    each.close()


def only(said: list[tuple[str, bytes]], cls: Any) -> Any:
    """The one message of a class among those said."""
    found = [
        cls.decode(topic, payload)
        for topic, payload in said
        if topic.split("/")[-1] == cls.TOPIC.split("/")[-1]
    ]
    assert len(found) == 1, said
    return found[0]


def test_a_toll_is_paid_answered_and_receipted(replica: Replica) -> None:
    replica.hear(charge("c1", amount=300))
    said = replica.said()
    result = only(said, PaymentResult)
    assert (result.state, result.amount_minor, result.requester) == ("posted", 300, "tolls")
    receipt = only(said, WalletReceipt)
    assert (receipt.account, receipt.receipt_id) == ("alice", result.receipt_id)
    assert (receipt.kind, receipt.payee, receipt.amount_minor) == ("payment", "lta", -300)
    assert (receipt.balance_minor, receipt.words) == (9700, ["CTE", "12:00 to 12:30: 3.00"])
    balance = only(said, WalletBalance)
    assert balance.balances["SGD"].available_minor == 9700
    assert balance.entries == 2
    assert replica.balance("operator:lta") == 300


def test_asked_again_it_answers_the_same_bytes_and_moves_nothing(replica: Replica) -> None:
    replica.hear(charge("c1"))
    first = [each for each in replica.said() if each[0].endswith("/payment/result")]
    replica.now += timedelta(days=400)
    replica.hear(charge("c1"))
    assert replica.said() == first
    assert replica.balance("operator:lta") == 300


def test_another_body_under_the_same_id_is_a_conflict_and_stays_one(replica: Replica) -> None:
    first = replica.ask(charge("c1", amount=300))
    other = replica.ask(charge("c1", amount=301, fee_minor=300))
    assert other is not None
    assert (other.state, other.reason) == ("refused", "conflict")
    replica.now += timedelta(days=1)
    assert replica.ask(charge("c1", amount=301, fee_minor=300)) == other
    assert replica.ask(charge("c1", amount=300)) == first
    assert replica.balance("operator:lta") == 300


def test_an_id_belongs_to_its_vehicle_and_requester(store_url: str) -> None:
    purposes = {"pump": {"fuel"}, "station": {"fuel"}}
    accounts = {"alice": Account("alice", {"car", "van"})}
    replica = Replica(store_url, Agreements(accounts, purposes, believes_unsigned=True))
    replica.fund()
    for fields in ({}, {"requester": "station"}, {"vehicle_id": "van"}):
        result = replica.ask(request("same", amount=1, **fields))
        assert result is not None
        assert result.state == "posted"
    assert replica.balance("operator:shell") == 3
    replica.close()


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (request(requester="stranger"), "not_trusted"),
        (request(purpose="order"), "not_trusted"),
        (request(purpose="toll"), "not_trusted"),
        (request(vehicle_id="unknown"), "no_account"),
        (charge(vehicle_id="unknown"), "no_account"),
        (charge(origin="recording"), "origin"),
        (charge(origin="simulation"), "origin"),
        (request(origin="simulation"), "origin"),
        (charge(vehicle_id="van", origin="recording"), "origin"),
    ],
)
def test_who_may_not_ask_gets_nothing_and_does_not_take_the_id(
    replica: Replica, asked: PaymentRequest | TollCharge, reason: str
) -> None:
    before = replica.balance("driver:alice")
    refused = replica.ask(asked)
    assert refused is not None
    assert (refused.state, refused.reason) == ("refused", reason)
    assert refused.receipt_id is None
    assert replica.ask(asked) == refused
    assert replica.balance("driver:alice") == before
    mine = charge(asked.charge_id) if isinstance(asked, TollCharge) else request(asked.request_id)
    answered = replica.ask(mine)
    assert answered is not None
    assert answered.state == "posted"


def test_a_drive_of_the_demonstration_pays_where_the_settings_say_so(replica: Replica) -> None:
    replica.fund("bob")
    replica.said()
    result = replica.ask(charge(vehicle_id="van", origin="simulation"))
    assert result is not None
    assert result.state == "posted"


def test_where_a_key_is_trusted_no_other_charge_is_paid(store_url: str) -> None:
    keys = {key_id(KEY.public_key()): KEY.public_key()}
    replica = Replica(
        store_url, Agreements(AGREEMENTS.accounts, {"tolls": {"toll"}, **AGREEMENTS.purposes}, keys)
    )
    replica.fund()
    good = sign(charge("c1"), KEY)
    for bad in (
        charge("c1"),
        sign(charge("c1"), Ed25519PrivateKey.from_private_bytes(bytes(range(32)))),
        good.model_copy(update={"amount_minor": 1}),
        good.model_copy(update={"signature": ""}),
        request("c1", requester="tolls", purpose="toll"),
    ):
        refused = replica.ask(bad)
        assert refused is not None
        assert refused.reason == "not_trusted"
    result = replica.ask(good)
    assert result is not None
    assert (result.state, replica.balance("operator:lta")) == ("posted", 300)
    replica.close()


def test_a_hold_expires_by_itself_once_and_its_requester_is_told(replica: Replica) -> None:
    replica.ask(request("h", "hold", 700, expires_at=NOW + timedelta(hours=1)))
    replica.payments.turn()
    assert replica.said() == []
    replica.now += timedelta(hours=1)
    replica.payments.turn()
    said = replica.said()
    result = only(said, PaymentResult)
    assert (result.request_id, result.requester, result.state) == ("h", "pump", "expired")
    assert result.amount_minor == 700
    assert only(said, WalletBalance).balances["SGD"].available_minor == 10_000
    replica.now += timedelta(minutes=1)
    replica.payments.turn()
    assert replica.said() == []
    assert replica.balance("holding:alice") == 0
    again = replica.ask(request("h", "hold", 700, expires_at=NOW + timedelta(hours=1)))
    assert again is not None
    assert again.state == "held"


def test_a_hold_posted_in_time_does_not_expire(replica: Replica) -> None:
    replica.ask(request("h", "hold", 700))
    replica.ask(request("p", "post", 300, refers_to="h"))
    replica.now += timedelta(days=2)
    replica.payments.turn()
    assert replica.said() == []
    assert replica.balance("driver:alice") == 9700


def test_a_toll_refund_before_its_charge_waits_and_is_then_paid(replica: Replica) -> None:
    refund = charge("c2", "refund", 100, fee_minor=200)
    assert replica.ask(refund) is None
    replica.ask(charge("c1"))
    result = replica.ask(refund)
    assert result is not None
    assert (result.state, replica.balance("operator:lta")) == ("refunded", 200)


def test_a_toll_refund_whose_charge_never_comes_is_refused_in_the_end(replica: Replica) -> None:
    refund = charge("c2", "refund", 100, fee_minor=200)
    assert replica.ask(refund) is None
    replica.now += PATIENCE - timedelta(seconds=1)
    assert replica.ask(refund) is None
    replica.now += timedelta(seconds=1)
    result = replica.ask(refund)
    assert result is not None
    assert result.reason == "exceeds_payment"


def test_a_thousand_hostile_claims_for_one_passage_stop_nothing(replica: Replica) -> None:
    with replica.database.begin() as connection:
        for number in range(1100):
            claim = Answer("car", "tolls", f"evil{number}", "x", b"{}", "SGD", about="car/lta/p1",
                           claimed_minor=MOST_MINOR)  # fmt: skip
            Ledger(connection).remember(claim)
    result = replica.ask(charge("c2", "refund", 100, fee_minor=200))
    assert result is not None
    assert result.reason == "exceeds_payment"


def test_the_owner_gets_a_statement_each_time_it_asks(replica: Replica) -> None:
    replica.now += timedelta(hours=1)
    replica.ask(charge("c1", amount=300))
    replica.ask(request("h", "hold", 700))
    replica.now += timedelta(hours=1)
    replica.ask(request("p", "post", 200, refers_to="h", description="30 l"))
    asked = StatementRequest(
        account="alice",
        request_id="s1",
        currency="SGD",
        from_at=NOW + timedelta(minutes=1),
        until_at=replica.now + timedelta(seconds=1),
    )
    for _ in range(2):
        replica.payments.on_statement_request(asked)
        statement = only(replica.said(), WalletStatement)
        assert (statement.opening_minor, statement.closing_minor) == (10_000, 9500)
        assert [each.amount_minor for each in statement.lines] == [-300, -200]
        assert [each.balance_minor for each in statement.lines] == [9700, 9500]
        assert statement.lines[1].text == "payment: 30 l"
        assert not statement.is_cut
    with pytest.raises(ContractError, match="no such account"):
        replica.payments.on_statement_request(asked.model_copy(update={"account": "nobody"}))


def test_a_long_statement_says_that_it_is_cut(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.payments.papers.MOST_LINES", 2)
    for number in range(3):
        replica.ask(request(f"p{number}", amount=1))
    replica.payments.on_statement_request(
        StatementRequest(
            account="alice",
            request_id="s",
            currency="SGD",
            from_at=NOW,
            until_at=NOW + timedelta(days=1),
        )
    )
    statement = only(replica.said(), WalletStatement)
    assert (len(statement.lines), statement.is_cut) == (2, True)
    assert (statement.opening_minor, statement.closing_minor) == (0, 9997)


def test_every_account_s_balance_is_said_at_the_start(replica: Replica) -> None:
    replica.payments.say_balances()
    found = [WalletBalance.decode(*each) for each in replica.said()]
    assert {each.account: each.entries for each in found} == {"alice": 1, "bob": 0}


def test_the_same_reference_is_the_same_money_and_another_amount_an_error(
    replica: Replica,
) -> None:
    movement = Movement("cash", "receipt 7", "alice", 500, "SGD")
    first = desk.take_in(replica.database, movement, NOW)
    again = desk.take_in(replica.database, movement, NOW + timedelta(days=1))
    assert first == again
    assert replica.balance("driver:alice") == 10_500
    with pytest.raises(desk.DeskError, match="another movement"):
        desk.take_in(replica.database, Movement("cash", "receipt 7", "alice", 501, "SGD"), NOW)
    with pytest.raises(desk.DeskError, match="refused"):
        desk.give_out(replica.database, Movement("cash", "x", "alice", 10_501, "SGD"), NOW)


def test_an_entry_is_reversed_once(replica: Replica) -> None:
    result = replica.ask(request("p", amount=400))
    assert result is not None
    assert result.receipt_id is not None
    first = desk.undo(replica.database, result.receipt_id, "wrong pump", Terms(), NOW)
    assert desk.undo(replica.database, result.receipt_id, "wrong pump", Terms(), NOW) == first
    with pytest.raises(desk.DeskError, match="reversed already"):
        desk.undo(replica.database, result.receipt_id, "another reason", Terms(), NOW)
    with pytest.raises(desk.DeskError, match="no such receipt"):
        desk.undo(replica.database, "nothing", "x", Terms(), NOW)
    assert replica.balance("driver:alice") == 10_000
    receipt = only(replica.said()[-2:], WalletReceipt)
    assert (receipt.kind, receipt.amount_minor, receipt.words) == ("reversal", 400, ["wrong pump"])


def test_hostile_words_reach_the_ledger_as_plain_lines(replica: Replica) -> None:
    result = replica.ask(request("p", description='\u202e"; DROP TABLE entries\ufeff[2J'))
    assert result is not None
    assert result.state == "posted"


def test_a_clock_behind_does_not_write_before_the_last_entry(replica: Replica) -> None:
    replica.now = NOW - timedelta(days=1)
    result = replica.ask(request("p"))
    assert result is not None
    assert result.at == NOW


def test_what_is_kept_wrong_is_found_and_rebuilt(replica: Replica) -> None:
    replica.ask(request("h", "hold", 700))
    with replica.database.begin() as connection:
        connection.execute(balances.update().values(balance_minor=balances.c.balance_minor + 1))
        connection.execute(open_holds.delete())
        connection.execute(owners.update().values(entries=7))
    found = " ".join(replica.findings())
    for part in ("balance of driver:alice in SGD: 9301 is kept, its postings make 9300", "lost",
                 "7 entries"):  # fmt: skip
        assert part in found
    replica.database.run(audit.rebuild)

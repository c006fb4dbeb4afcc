"""What payments, operators and their lists say of our charges, on both databases."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import ValidationError

from internetcar.contract.money import MOST_MINOR
from internetcar.contract.payments import PaymentResult
from internetcar.contract.tolls import BillingDetails, ExceptionEntry, ExceptionList
from simulator.billing import Rule, Rules
from tests.toll_stand import START, Drive, Stand


@pytest.fixture
def stand(store_url: str) -> Iterator[Stand]:
    each = Stand(store_url)
    yield each
    each.close()


def test_a_correction_becomes_a_refund_with_the_operators_reason(stand: Stand) -> None:
    rule = Rule(gate="g1", verdict="corrected", change_minor=-40, reason="motorcycle")
    stand.rules = Rules(rules=(rule,))
    stand.drive(Drive().until(1_500))
    assert stand.bank.net() == {"g1": 60}
    refund = list(stand.bank.charges.values())[-1]
    assert refund.kind == "refund"
    assert refund.reason == "corrected by the operator: motorcycle"
    assert len(stand.declarations) == 1


def test_a_rejection_gives_all_back_and_reckons_the_others_anew(stand: Stand) -> None:
    stand.rules = Rules(rules=(Rule(gate="g3", verdict="rejected", reason="not seen"),))
    stand.drive(Drive().until(3_500))
    stand.pump()
    net = stand.bank.net()
    assert net["g3"] == 0
    assert sum(net.values()) == 250


def test_more_than_the_fee_is_disputed_unless_it_may_be_paid(store_url: str) -> None:
    stand = Stand(store_url, pays_dearer=True)
    stand.rules = Rules(rules=(Rule(verdict="corrected", change_minor=900, reason="lorry"),))
    stand.drive(Drive().until(1_500))
    assert stand.bank.net() == {"g1": 1_000}
    stand.pays_dearer = False
    stand.restart()
    stand.drive(Drive("other").until(1_500))
    assert [e.fee_minor for e in stand.entries()] == [1_000, 100]
    assert "disputed: lorry" in stand.entries()[1].words[-1]
    stand.close()


def test_an_exempt_vehicle_gets_its_money_back_when_the_list_comes(stand: Stand) -> None:
    stand.drive(Drive().until(1_500))
    entry = ExceptionEntry(vehicle_id="car", treatment="exempt", reason="ambulance",
                           valid_from=START - timedelta(days=1))  # fmt: skip
    listed = ExceptionList(operator="lta", version=2, entries=[entry])
    stand.deliver(listed)
    stand.deliver(ExceptionList(operator="lta", version=1))
    stand.deliver(ExceptionList(operator="stranger", version=9))
    stand.pump()
    assert stand.bank.net() == {"g1": 0}
    assert "ambulance" in stand.passages[-1].words[0]
    stand.drive(Drive("other").until(1_500))
    assert stand.bank.net() == {"g1": 100}


def test_the_longest_list_with_overlapping_entries_holds_for_whom_it_names(stand: Stand) -> None:
    """Exempt goes before blocked; in the wire it is as long as it may be."""
    early, late = START - timedelta(days=9), START - timedelta(days=1)
    ours = [
        ExceptionEntry(vehicle_id="car", treatment="blocked", reason="debt", valid_from=early),
        ExceptionEntry(vehicle_id="car", treatment="exempt", reason="police", valid_from=late),
        ExceptionEntry(vehicle_id="car", treatment="exempt", reason="over", valid_from=early,
                       valid_until=late),
    ]  # fmt: skip
    others = [
        ExceptionEntry(vehicle_id=f"v{number}", treatment="blocked", valid_from=early)
        for number in range(10_000 - len(ours))
    ]
    listed = ExceptionList(operator="lta", version=1, entries=[*others, *ours])
    stand.deliver(ExceptionList.decode(listed.topic, listed.encode()))
    stand.drive(Drive().until(1_500))
    assert stand.bank.net() == {}
    assert stand.passages[-1].words == ["not charged: exempt from the operator's tolls: police"]
    stand.drive(Drive("other").until(1_500))
    assert stand.bank.net() == {"g1": 100}


def test_billing_details_that_do_not_fit_change_nothing(stand: Stand) -> None:
    stand.rules = Rules(operators=("nobody",))
    stand.drive(Drive().until(1_500))
    (declaration,) = stand.declarations.values()

    def said(**changes: object) -> BillingDetails:
        fields = {
            "vehicle_id": "car", "declaration_id": declaration.declaration_id, "operator": "lta",
            "passage_id": declaration.passage_id, "verdict": "rejected", "amount_minor": 0,
            "currency": "SGD", "at": START,
        }  # fmt: skip
        return BillingDetails.model_validate({**fields, **changes})

    for wrong in (
        {"vehicle_id": "other"}, {"operator": "other"}, {"passage_id": "p"}, {"currency": "EUR"},
        {"declaration_id": "d"}, {"verdict": "confirmed", "amount_minor": 7},
    ):  # fmt: skip
        stand.deliver(said(**wrong))
    stand.pump()
    assert stand.bank.net() == {"g1": 100}
    stand.deliver(said())
    stand.deliver(said())
    stand.deliver(said(verdict="corrected", amount_minor=1))
    stand.pump()
    assert stand.bank.net() == {"g1": 0}


def test_an_answer_that_is_not_of_the_charge_changes_nothing(stand: Stand) -> None:
    stand.drive(Drive().until(1_500), pumps=False)
    (movement,) = stand.entry("g1").account.movements

    def answered(**changes: object) -> str:
        fields = {
            "vehicle_id": "car", "request_id": movement.charge_id, "requester": "tolls",
            "state": "posted", "amount_minor": 100, "currency": "SGD", "at": START,
        }  # fmt: skip
        stand.deliver(PaymentResult.model_validate({**fields, **changes}))
        return stand.entry("g1").account.movements[0].state

    for wrong in (
        {"vehicle_id": "other"}, {"requester": "shop"}, {"request_id": "c"}, {"state": "held"},
        {"state": "refunded"},
        {"amount_minor": 1}, {"currency": "EUR"},
    ):  # fmt: skip
        assert answered(**wrong) == "asked"
    assert answered() == "posted"
    assert answered(state="refused", reason="limit") == "posted"


def test_a_refund_is_ended_by_a_refund_alone(stand: Stand) -> None:
    stand.drive(Drive().until(1_500))
    stand.is_bank_away = True
    entry = ExceptionEntry(vehicle_id="car", treatment="exempt", valid_from=START)
    stand.deliver(ExceptionList(operator="lta", version=1, entries=[entry]))
    stand.pump(2)
    refund = stand.entry("g1").account.movements[-1]
    assert (refund.kind, refund.state) == ("refund", "asked")
    said = PaymentResult(
        vehicle_id="car", request_id=refund.charge_id, requester="tolls", state="posted",
        amount_minor=100, currency="SGD", at=START,
    )  # fmt: skip
    stand.deliver(said)
    assert stand.entry("g1").account.movements[-1].state == "asked"
    stand.deliver(said.model_copy(update={"state": "refunded"}))
    assert stand.entry("g1").account.movements[-1].state == "posted"


def test_a_list_with_the_greatest_version_is_kept_and_a_greater_one_is_none(stand: Stand) -> None:
    """More than 64 bits would end the process, and the list is retained."""
    stand.deliver(ExceptionList(operator="lta", version=MOST_MINOR))
    with pytest.raises(ValidationError):
        ExceptionList(operator="lta", version=MOST_MINOR + 1)


def test_what_was_acknowledged_but_not_answered_is_said_again_as_it_was(stand: Stand) -> None:
    stand.is_bank_away = True
    stand.rules = Rules(operators=("nobody",))
    stand.drive(Drive().until(1_500))
    assert (stand.bank.charges, stand.entry("g1").account.billings) == ({}, ())
    stand.is_bank_away, stand.rules = False, Rules()
    stand.pump(30)
    assert stand.bank.net() == {"g1": 100}
    assert len(stand.bank.charges) == 1
    assert [b.verdict for b in stand.entry("g1").account.billings] == ["confirmed"]

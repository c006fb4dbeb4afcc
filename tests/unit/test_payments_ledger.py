"""Whatever is asked, in whatever order: the ledger adds up, and nothing is spent twice."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from internetcar.contract.payments import PaymentRequest
from internetcar.contract.tolls import TollCharge
from services.payments.ledger import driver, holding
from services.payments.limits import Terms
from tests.wallet import MemoryBooks, ask, charge, funded, request

AMOUNTS = st.integers(0, 400)
IDS = st.sampled_from([f"r{number}" for number in range(12)])
CREDIT = 300
TERMS = Terms(credit_minor={"SGD": CREDIT, "EUR": CREDIT})

REQUESTS = st.builds(
    request,
    IDS,
    st.sampled_from(["pay", "hold", "post", "void", "refund"]),
    AMOUNTS,
    currency=st.sampled_from(["SGD", "EUR"]),
    refers_to=st.none() | IDS,
    reason=st.sampled_from([None, "why"]),
)
CHARGES = st.builds(
    charge,
    IDS.map("t-{}".format),
    st.sampled_from(["charge", "refund"]),
    AMOUNTS,
    passage_id=st.sampled_from(["p1", "p2"]),
    currency=st.sampled_from(["SGD", "EUR"]),
)


@dataclass
class Wallet:
    """The rules with a memory of what they answered, as the store keeps it."""

    books: MemoryBooks = field(default_factory=lambda: funded(1000))
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)

    def hear(self, asked: PaymentRequest | TollCharge) -> Any:
        key = type(asked).__name__, asked.encode().decode()
        named = asked.charge_id if isinstance(asked, TollCharge) else asked.request_id
        taken = self.answers.setdefault(("id", named), key)
        if taken != key:
            return "conflict"
        if key not in self.answers:
            self.answers[key] = ask(self.books, asked, TERMS)
        return self.answers[key]


@settings(deadline=None)
@given(st.lists(REQUESTS | CHARGES, max_size=30))
def test_the_sum_is_always_zero_and_nobody_goes_beyond_the_credit(
    asked: list[PaymentRequest | TollCharge],
) -> None:
    wallet = Wallet()
    for each in asked:
        wallet.hear(each)
        for currency in ("SGD", "EUR"):
            assert wallet.books.sum(currency) == 0
            assert wallet.books.balance(driver("alice"), currency) >= -CREDIT
            assert wallet.books.balance(holding("alice"), currency) >= 0
            for name in wallet.books.names():
                if name.startswith("operator:"):
                    assert wallet.books.balance(name, currency) >= 0


@settings(deadline=None)
@given(st.lists(REQUESTS | CHARGES, max_size=20))
def test_twice_is_once(asked: list[PaymentRequest | TollCharge]) -> None:
    once, twice = Wallet(), Wallet()
    for each in asked:
        first = once.hear(each)
        assert twice.hear(each) == first
        assert twice.hear(each) == first
    assert [twice.hear(each) for each in asked] == [once.hear(each) for each in asked]
    assert once.books == twice.books


@settings(deadline=None)
@given(st.lists(REQUESTS, max_size=30))
def test_a_hold_never_pays_out_more_than_it_holds(asked: list[PaymentRequest]) -> None:
    wallet = Wallet()
    for each in asked:
        wallet.hear(each)
    for currency in ("SGD", "EUR"):
        held = Counter[str]()
        for entry in wallet.books.entries:
            if entry.currency == currency:
                held[entry.about] += entry.held_change
        assert all(amount >= 0 for amount in held.values())
        assert wallet.books.balance(holding("alice"), currency) == sum(held.values())
    for about in {entry.about for entry in wallet.books.entries if entry.vehicle_id}:
        made = [entry for entry in wallet.books.entries if entry.about == about]
        spent = sum(max(0, -entry.booked_change) for entry in made)
        back = sum(max(0, entry.booked_change) for entry in made)
        assert back <= spent
        if made[0].kind == "hold":
            assert spent <= made[0].held_change


INDEPENDENT = st.lists(
    st.builds(request, IDS, st.sampled_from(["pay", "hold"]), st.integers(1, 80))
    | st.builds(charge, IDS.map("t-{}".format), st.just("charge"), st.integers(1, 80)),
    max_size=12,
    unique_by=lambda asked: asked.charge_id if isinstance(asked, TollCharge) else asked.request_id,
)


@settings(deadline=None)
@given(INDEPENDENT, st.randoms(use_true_random=False))
def test_every_order_of_independent_requests_gives_the_same_ledger(
    asked: list[PaymentRequest | TollCharge], chance: Any
) -> None:
    first, other = Wallet(), Wallet()
    shuffled = list(asked) * 2
    chance.shuffle(shuffled)
    for each in asked:
        first.hear(each)
    for each in shuffled:
        other.hear(each)
    assert [other.hear(each) for each in asked] == [first.hear(each) for each in asked]
    by_id = {entry.entry_id: entry for entry in first.books.entries}
    assert {entry.entry_id: entry for entry in other.books.entries} == by_id

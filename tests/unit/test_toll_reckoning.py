"""Whatever order passages, answers and verdicts come in, the statement is the same."""

from dataclasses import replace
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from internetcar.contract.tolls import ExceptionEntry, ExceptionList
from services.tolls.facts import Finding, Passage
from services.tolls.passages.charging import Billing, answered, next_movement
from services.tolls.passages.matching import take
from services.tolls.passages.reckoning import (
    Account,
    Rules,
    instant,
    reckon,
    with_movement,
)
from tests.toll_statement import statement
from tests.unit.toll_findings import PLACE, START_MS, finding, group_fees

RULES = Rules(group_fees)


class Drive:
    """The accounts of a vehicle, as the service keeps them."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.rules = rules
        self.accounts: dict[str, Account] = {}
        self.now_ms = START_MS

    def deliver(self, findings: list[Finding]) -> None:
        for each in findings:
            known = [account.known for account in self.accounts.values()]
            ordinals = sum(1 for passage in known if passage.finding.gate == each.gate)
            passage = take(each, PLACE, known, ordinals)
            before = self.accounts.get(passage.passage_id, Account(passage))
            self.accounts[passage.passage_id] = replace(before, known=passage)
        self.ask()

    def ask(self) -> None:
        for passage_id, reckoned in reckon(self.accounts.values(), self.rules).items():
            account = self.accounts[passage_id]
            movement = next_movement(
                passage_id, account.movements, reckoned.owed.amount_minor, self.now_ms
            )
            if movement is not None:
                self.accounts[passage_id] = with_movement(account, movement)

    def answer(self) -> None:
        for passage_id, account in list(self.accounts.items()):
            for movement in account.movements:
                done = answered(movement, is_refused=False, reason=None, now_ms=self.now_ms)
                self.accounts[passage_id] = with_movement(self.accounts[passage_id], done)
        self.ask()

    def settle(self) -> bytes:
        before = None
        while before != self.accounts:
            before = dict(self.accounts)
            self.answer()
        return statement(self.accounts.values())


TRIP = [
    finding("g1", 0, travelled_m=0.0),
    finding("g2", 600, travelled_m=9_000.0),
    finding("g3", 1_200, travelled_m=18_000.0, verdict="unresolved"),
    finding("g1", 5_000, travelled_m=50_000.0),
]
LATER = [finding("g3", 1_201, travelled_m=18_001.0, until_s=2_000)]


def test_a_dearer_passage_of_the_group_moves_the_money_to_where_it_belongs() -> None:
    drive = Drive()
    drive.deliver(TRIP[:1])
    assert b'"proven",100' in drive.settle()
    drive.deliver(TRIP[1:2])
    said = drive.settle()
    assert b'"g1","proven",0' in said
    assert b'"g2","proven",250' in said


def test_every_permutation_of_a_trip_gives_the_same_statement_byte_for_byte() -> None:
    statements = set()
    for order in permutations(TRIP + LATER):
        drive = Drive()
        for each in order:
            drive.deliver([each])
            drive.answer()
        statements.add(drive.settle())
    assert len(statements) == 1


@given(st.data())
@settings(deadline=None)
def test_any_order_duplication_and_split_gives_the_same_statement(data: st.DataObject) -> None:
    straight = Drive()
    straight.deliver(TRIP + LATER)
    dealt = data.draw(st.permutations((TRIP + LATER) * data.draw(st.integers(1, 3))))
    drive = Drive()
    while dealt:
        size = data.draw(st.integers(1, len(dealt)))
        drive.deliver(dealt[:size])
        dealt = dealt[size:]
        for _ in range(data.draw(st.integers(0, 2))):
            drive.answer()
    assert drive.settle() == straight.settle()


def test_a_passage_the_operator_rejects_leaves_the_set_and_the_others_are_reckoned_anew() -> None:
    drive = Drive()
    drive.deliver(TRIP[:2])
    drive.settle()
    (second,) = (key for key, a in drive.accounts.items() if a.known.finding.gate == "g2")
    rejected = Billing(250, "rejected", 0, "not seen")
    drive.accounts[second] = replace(drive.accounts[second], billings=(rejected,))
    drive.ask()
    said = drive.settle()
    assert b'"g1","proven",100' in said
    assert b'"g2","proven",0' in said


def test_a_correction_holds_for_the_fee_that_was_declared() -> None:
    drive = Drive()
    drive.deliver(TRIP[:1])
    (only,) = drive.accounts
    corrected = Billing(100, "corrected", 60, "motorcycle")
    drive.accounts[only] = replace(drive.accounts[only], billings=(corrected,))
    reckoned = reckon(drive.accounts.values(), RULES)[only]
    assert (reckoned.fee_minor, reckoned.owed.amount_minor) == (100, 60)
    assert reckoned.owed.reason == "corrected by the operator: motorcycle"


def test_what_is_free_exempt_or_barred_costs_nothing_and_says_why() -> None:
    exempt = ExceptionEntry(vehicle_id="car", treatment="exempt", valid_from=instant(START_MS))
    exceptions = ExceptionList(operator="lta", version=1, entries=[exempt])
    known = take(finding(), PLACE, [], 0)
    open_ = take(finding(verdict="unresolved"), PLACE, [], 0)
    cases = [
        (Account(known, bar="recording"), None, "not charged: recording"),
        (Account(known), exceptions, "exempt from"),
        (Account(open_), None, "not proven"),
        (Account(open_, is_free=True), None, "it is free"),
    ]
    for account, listed, words in cases:
        (reckoned,) = reckon([account], Rules(group_fees, listed)).values()
        assert (reckoned.fee_minor, reckoned.owed.amount_minor) == (None, 0)
        assert words in reckoned.owed.words[0]
    assert [account.state for account, _, _ in cases] == ["proven", "proven", "unresolved", "free"]


def test_evidence_that_comes_after_all_undoes_free() -> None:
    assert Account(take(finding(), PLACE, [], 0), is_free=True).state == "proven"


def test_the_tariff_sees_the_shifted_time_and_the_words_say_so() -> None:
    seen: list[Passage] = []
    account = Account(take(finding(), PLACE, [], 0), shift_ms=3_600_000)
    rules = Rules(
        lambda passages: seen.extend(passages) or group_fees(passages),  # type: ignore[func-returns-value]  # None is falsy
        words=("priced as if at eight",),
    )
    (reckoned,) = reckon([account], rules).values()
    assert seen[0].crossed_at == instant(START_MS + 3_600_000)
    assert reckoned.owed.words[-1] == "priced as if at eight"

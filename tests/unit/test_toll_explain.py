"""A charge explains itself, and says where it was tampered with."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from services.tolls.passages.charging import Billing, answered
from services.tolls.passages.explain import explain, odds
from services.tolls.passages.records import read_charge
from tests.unit.toll_entries import KEY, KEY_ID, TRUSTED, charged, declared, entry, moved
from tests.unit.toll_findings import START_MS, finding


def text(*arguments: object) -> str:
    return "\n".join(explain(*arguments))  # type: ignore[arg-type]  # the caller's


def test_a_passage_says_what_where_when_and_how_sure() -> None:
    said = text(entry(), [], TRUSTED, ZoneInfo("Asia/Singapore"))
    assert "CTE Braddell Road (gate g1 of singapore 2026.1, operator lta)" in said
    assert "Asia/Singapore (2026-09-21" in said
    assert "± 0.1 s" in said
    assert "It is proven" in said
    assert "about 485 million times as likely as the best other one: free road 1, 43 m" in said
    assert "three fixes on the tolled road" in said
    assert "It rests on 1 fixes" in said
    assert "nothing was charged" in said
    assert "nothing was declared" in said


def test_without_a_zone_only_utc_is_said() -> None:
    line = explain(entry(), [], TRUSTED)[3]
    assert line.endswith("UTC, ± 0.1 s")


def test_money_is_told_movement_by_movement_with_its_reason_and_signature() -> None:
    kept, first = charged(entry(), 300)
    unpaid = answered(kept.account.movements[0], is_refused=True, reason="limit", now_ms=START_MS)
    kept = moved(kept, unpaid)
    assert "unpaid, refused: limit" in text(kept, [first], TRUSTED)
    kept, first = charged(entry(), 300)
    kept = moved(kept, answered(kept.account.movements[0], is_refused=False, reason=None,
                                now_ms=START_MS))  # fmt: skip
    kept, second = charged(kept, 250, "corrected by the operator: smaller class")
    said = text(kept, [first, second], TRUSTED)
    assert "1. charge 3.00 SGD" in said
    assert "2. refund 0.50 SGD" in said
    assert "payments has not answered yet" in said
    assert "because: corrected by the operator: smaller class" in said
    assert said.count(f"signed by our key {KEY_ID}, and unchanged") == 2
    assert "  in all: 2.50 SGD" in said


def test_a_record_that_was_changed_is_named() -> None:
    kept, record = charged(entry(), 300)
    assert "DOES NOT FIT" in text(kept, [record.replace(b"a rule", b"a ruse")], TRUSTED)
    assert "OF ANOTHER CHARGE" in text(kept, [record.replace(b":300", b":900")], TRUSTED)
    assert "the store was changed" in text(kept, [b"{"], TRUSTED)
    assert "which is not ours" in text(kept, [record], {})
    assert read_charge(record).key_id == KEY_ID
    assert KEY.public_key() == TRUSTED[KEY_ID]


def test_evidence_that_was_changed_is_named_and_forgotten_positions_are_said() -> None:
    assert "DOES NOT FIT" in text(replace(entry(), digest="0" * 64), [], TRUSTED)
    gone = replace(entry(), are_positions_gone=True)
    assert "The positions are deleted; SHA-256" in text(gone, [], TRUSTED)


def test_the_operators_verdicts_stand_beside_what_was_declared() -> None:
    kept = declared(entry(), 300, Billing(300, "corrected", 250, "smaller class"))
    kept = declared(declared(kept, 310, Billing(310, "confirmed", 310)), 0)
    said = text(kept, [], TRUSTED)
    assert "1. declared 3.00 SGD: corrected, 2.50 SGD: smaller class" in said
    assert "2. declared 3.10 SGD: confirmed, 3.10 SGD" in said
    assert "3. declared 0.00 SGD: no answer yet" in said


def test_what_is_not_proven_is_less_likely() -> None:
    said = text(entry(finding(verdict="rejected")), [], TRUSTED)
    assert "It is rejected" in said
    assert "about 163 thousand times less likely than the best other one" in said


@pytest.mark.parametrize(
    ("log_ratio", "said"),
    [
        (0.0, "about 1 times as likely"), (2.0, "about 7.4 times as likely"),
        (-10.0, "about 22 thousand times less likely"), (35.0, "more than a quadrillion times"),
        (1e300, "more than a quadrillion times"), (21.0, "about 1.3 billion times as likely"),
    ],
)  # fmt: skip
def test_a_likelihood_ratio_is_said_for_a_person(log_ratio: float, said: str) -> None:
    assert odds(log_ratio).startswith(said)

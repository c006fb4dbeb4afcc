"""What is signed and kept of a passage."""

from dataclasses import replace

import orjson
import pytest

from internetcar.contract.message import ContractError
from internetcar.contract.signature import is_signed
from services.tolls.facts import Evidence
from services.tolls.passages.charging import Owed
from services.tolls.passages.reckoning import Reckoned, instant
from services.tolls.passages.records import (
    bar_of,
    declaration_message,
    evidence_digest,
    evidence_fields,
    kept_record,
    lines,
    passage_message,
    read_charge,
    read_evidence,
)
from tests.unit.toll_entries import FACTS, KEY, TRUSTED, charged, entry
from tests.unit.toll_findings import START_MS, finding


def test_evidence_survives_the_store_and_its_digest_with_it() -> None:
    found = finding()
    again = read_evidence(orjson.loads(orjson.dumps(evidence_fields(found.evidence))))
    assert again == found.evidence
    assert evidence_digest(replace(found, evidence=again)) == evidence_digest(found)


def test_a_number_that_is_not_finite_is_kept_as_the_nearest_and_fits_its_digest() -> None:
    odd = Evidence(float("inf"), "road", float("nan"), 5.0, ())
    again = read_evidence(orjson.loads(orjson.dumps(evidence_fields(odd))))
    assert (again.log_ratio, again.separation_m, again.sigma_m) == (1e300, 0.0, 5.0)
    found = replace(finding(), evidence=odd)
    assert evidence_digest(replace(found, evidence=again)) == evidence_digest(found)


def test_the_digest_is_of_all_that_was_found() -> None:
    found = finding(travelled_m=1.0)
    others = [
        replace(found, gate="g2"), replace(found, crossed_at_ms=1), replace(found, travelled_m=2.0),
        replace(found, verdict="rejected"), replace(found, uncertainty_ms=7),
        replace(found, evidence=replace(found.evidence, fixes=())),
    ]  # fmt: skip
    assert len({evidence_digest(each) for each in [found, *others]}) == 7


def test_a_signed_charge_survives_the_store() -> None:
    _, record = charged(entry(), 300)
    charge = read_charge(record)
    assert is_signed(charge, TRUSTED)
    assert kept_record(charge) == record
    assert (charge.amount_minor, charge.fee_minor, charge.reason) == (300, 300, None)
    with pytest.raises(ContractError, match="the store was changed"):
        read_charge(record[:-1])


def test_a_movement_after_the_first_says_why() -> None:
    kept, _ = charged(entry(), 300)
    posted = replace(kept.account.movements[0], state="posted")
    kept = replace(kept, account=replace(kept.account, movements=(posted,)))
    _, plain = charged(kept, 100)
    _, corrected = charged(kept, 100, "not seen")
    assert "reckoned anew" in (read_charge(plain).reason or "")
    assert read_charge(corrected).reason == "not seen"


def test_words_fit_into_a_message_whatever_they_say() -> None:
    shown = lines(["x" * 500, *(str(number) for number in range(40))])
    assert len(shown) == 16
    assert len(shown[0]) == 400
    assert shown[-1] == "… and 26 more lines"
    assert lines(["short"]) == ["short"]


def test_a_passage_and_a_declaration_say_the_same_crossing() -> None:
    kept = entry()
    reckoned = Reckoned(300, Owed(300, ("a rule",)))
    said = passage_message(kept.account, reckoned, FACTS, 3, instant(START_MS))
    told = declaration_message(kept.account, "d1", 300, FACTS, kept.digest, "car", KEY)
    assert said.crossing == told.crossing
    assert (said.revision, said.fee_minor, said.state) == (3, 300, "proven")
    assert is_signed(told, TRUSTED)


@pytest.mark.parametrize(
    ("origin", "clock", "may_cost", "bar"),
    [
        ("live", "synchronized", "live", None),
        ("live", "free", "live", "the vehicle's clock was not set by a time source"),
        ("recording", "recorded", "live", "recording"),
        ("simulation", "free", "live", "simulation"),
        ("live", "synchronized", "simulation", "live"),
        ("simulation", "free", "simulation", None),
        ("recording", "recorded", "recording", None),
    ],
)  # fmt: skip
def test_only_the_origin_it_is_set_up_for_may_cost_money(
    origin: str, clock: str, may_cost: str, bar: str | None
) -> None:
    assert bar_of(origin, clock, may_cost) == bar  # type: ignore[arg-type]  # literals

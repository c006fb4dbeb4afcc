"""The other side: the same declaration gets the same answer for ever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from internetcar.contract.message import InputError
from internetcar.contract.money import MOST_MINOR
from internetcar.contract.signature import public_key_text
from internetcar.contract.tolls import ExceptionEntry, TollDeclaration
from services.tolls.passages.records import declaration_message
from simulator.billing import CONFIRM_ALL, Rule, Rules, answer, exception_lists
from simulator.toll_charger import parse_arguments, read_rules
from tests.unit.toll_entries import FACTS, KEY, KEY_ID, TRUSTED, entry


def declaration(declaration_id: str = "d1", fee: int = 300) -> TollDeclaration:
    kept = entry()
    return declaration_message(kept.account, declaration_id, fee, FACTS, kept.digest, "car", KEY)


CROSSED_AT = declaration().crossing.crossed_at
LONG_AGO, MOMENT = CROSSED_AT - timedelta(days=900), timedelta(milliseconds=1)


def test_what_no_rule_is_for_is_confirmed() -> None:
    said = answer(CONFIRM_ALL, declaration())
    assert said is not None
    assert (said.verdict, said.amount_minor, said.reason) == ("confirmed", 300, None)
    assert (said.declaration_id, said.operator, said.currency) == ("d1", "lta", "SGD")


@pytest.mark.parametrize(
    ("rule", "verdict", "amount"),
    [
        (Rule(verdict="rejected", reason="no"), "rejected", 0),
        (Rule(verdict="confirmed"), "confirmed", 300),
        (Rule(verdict="corrected", amount_minor=120), "corrected", 120),
        (Rule(verdict="corrected", change_minor=-400), "corrected", 0),
        (Rule(verdict="corrected", change_minor=MOST_MINOR), "corrected", MOST_MINOR),
        (Rule(verdict="rejected", gate="g2"), "confirmed", 300),
        (Rule(verdict="rejected", vehicle_id="other"), "confirmed", 300),
        (Rule(verdict="rejected", context="norway"), "confirmed", 300),
        (Rule(verdict="rejected", percent=0), "confirmed", 300),
        (Rule(verdict="rejected", gate="g1", vehicle_id="car", context="singapore"), "rejected", 0),
    ],
)
def test_the_first_rule_that_fits_decides(rule: Rule, verdict: str, amount: int) -> None:
    later = Rule(verdict="confirmed")
    said = answer(Rules(rules=(rule, later)), declaration())
    assert said is not None
    assert (said.verdict, said.amount_minor) == (verdict, amount)


def test_a_share_of_the_declarations_is_drawn_by_their_ids_and_the_seed() -> None:
    def rejected(seed: int) -> set[int]:
        rules = Rules(seed=seed, rules=(Rule(verdict="rejected", percent=30),))
        answers = [answer(rules, declaration(f"d{number}")) for number in range(400)]
        return {n for n, said in enumerate(answers) if said and said.verdict == "rejected"}

    assert 80 < len(rejected(1)) < 160
    assert rejected(1) == rejected(1)
    assert rejected(1) != rejected(2)


@given(st.integers(0, 100), st.integers(0, 1000), st.text("abc", min_size=1, max_size=8))
def test_any_declaration_gets_the_same_bytes_again(percent: int, fee: int, name: str) -> None:
    rules = Rules(rules=(Rule(verdict="corrected", percent=percent, change_minor=-5),))
    first, second = answer(rules, declaration(name, fee)), answer(rules, declaration(name, fee))
    assert first is not None
    assert second is not None
    assert first.encode() == second.encode()


def test_only_its_own_operators_and_trusted_signatures_count() -> None:
    assert answer(Rules(operators=("other",)), declaration()) is None
    ours = Rules(operators=("lta",))
    trusted, stranger = answer(ours, declaration(), TRUSTED), answer(ours, declaration(), {})
    assert trusted is not None
    assert stranger is not None
    assert (trusted.verdict, stranger.verdict) == ("confirmed", "rejected")
    forged = declaration().model_copy(update={"fee_minor": 1})
    said = answer(ours, forged, TRUSTED)
    assert said is not None
    assert "no trusted key" in (said.reason or "")


def test_each_operator_has_its_exception_list() -> None:
    exempt = ExceptionEntry(
        vehicle_id="car", treatment="exempt", valid_from=datetime(2026, 1, 1, tzinfo=UTC)
    )
    rules = Rules(operators=("lta", "nvdb"), exceptions=(exempt,), version=4)
    lists = exception_lists(rules)
    assert [(each.operator, each.version) for each in lists] == [("lta", 4), ("nvdb", 4)]
    assert lists[0].entries == [exempt]


def excepted(
    treatment: Literal["exempt", "blocked"], reason: str = "", **more: object
) -> ExceptionEntry:
    return ExceptionEntry.model_validate(
        {"vehicle_id": "car", "treatment": treatment, "reason": reason, "valid_from": LONG_AGO}
        | more
    )


def test_exceptions_without_an_operator_are_refused_since_nobody_would_hear_them() -> None:
    with pytest.raises(ValidationError, match="exceptions need operators"):
        Rules(exceptions=(excepted("blocked"),))


@pytest.mark.parametrize(
    ("exceptions", "reason"),
    [
        ((excepted("blocked", "owes money"),), "blocked by the exception list: owes money"),
        ((excepted("blocked"),), "blocked by the exception list"),
        ((excepted("exempt", "ambulance"),), "exempt by the exception list: ambulance"),
        ((excepted("blocked"), excepted("exempt")), "exempt by the exception list"),
        ((excepted("blocked", "é" * 399),), "blocked by the exception list: " + "é" * 369),
        ((excepted("blocked", valid_from=CROSSED_AT),), "blocked by the exception list"),
        ((excepted("blocked", valid_until=CROSSED_AT),), None),
        ((excepted("blocked", valid_from=CROSSED_AT + MOMENT),), None),
        ((excepted("blocked", valid_until=CROSSED_AT + MOMENT),), "blocked by the exception list"),
        ((excepted("blocked", vehicle_id="other"),), None),
    ],
)
def test_a_vehicle_on_the_exception_list_is_rejected_whatever_the_rules_say(
    exceptions: tuple[ExceptionEntry, ...], reason: str | None
) -> None:
    rules = Rules(operators=("lta",), rules=(Rule(verdict="confirmed"),), exceptions=exceptions)
    said = answer(rules, declaration())
    assert said is not None
    wanted = ("confirmed", 300, None) if reason is None else ("rejected", 0, reason)
    assert (said.verdict, said.amount_minor, said.reason) == wanted


@pytest.mark.parametrize(
    "wrong",
    [{"verdict": "corrected"}, {"verdict": "rejected", "amount_minor": 3},
     {"verdict": "corrected", "amount_minor": 3, "change_minor": 3}],
)  # fmt: skip
def test_a_correction_names_one_amount_and_nothing_else_does(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="corrected"):
        Rule.model_validate(wrong)


def test_rules_come_from_a_file_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('seed = 3\n[[rules]]\nverdict = "rejected"\ngate = "42"\n')
    broker = ["--broker", "mqtt://127.0.0.1:1"]
    key = public_key_text(KEY.public_key())
    settings = parse_arguments([*broker, "--rules", str(path), "--trust", f"{KEY_ID} {key}"])
    assert settings.rules == Rules(seed=3, rules=(Rule(verdict="rejected", gate="42"),))
    assert settings.trusted is not None
    assert set(settings.trusted) == {KEY_ID}
    plain = parse_arguments([*broker, "--confirm-all"])
    assert (plain.rules, plain.trusted) == (CONFIRM_ALL, None)
    for content, words in (
        ("seed = []", "seed"), ("seed = ", "not TOML"), ("[[rules]]\nverdict = 'no'", "verdict"),
        ("x" * (2 << 20), "1 MiB"),
    ):  # fmt: skip
        path.write_text(content)
        with pytest.raises(InputError, match=words):
            read_rules(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_rules(tmp_path / "none.toml")
    with pytest.raises(SystemExit):
        parse_arguments(["--broker", "nonsense://"])

"""The settings of payments: whose money, how far, and one clear line where they are wrong."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from internetcar.contract.settings import SettingsError
from services.payments.settings import PaymentsSettings
from services.settings import load_settings

WHOLE = """
share = "payments"
[accounts.alice]
vehicles = ["car", "van"]
credit = ["50.00 SGD", "500 JPY"]
day_limits = {toll = ["30.00 SGD"]}
time_zone = "Asia/Singapore"
[accounts.demo]
vehicles = ["simulated"]
origins = ["simulation"]
[requesters]
pump = ["fuel"]
[toll_keys]
abc = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
"""


def test_a_file_says_whose_money_pays_and_how_far(tmp_path: Path) -> None:
    path = tmp_path / "payments.toml"
    path.write_text(WHOLE)
    settings = load_settings(PaymentsSettings, path)
    agreements = settings.agreements()
    assert settings.share == "payments"
    assert [agreements.account_of(each) for each in ("car", "van", "simulated", "other")] == [
        "alice", "alice", "demo", None,
    ]  # fmt: skip
    terms = agreements.terms("alice")
    assert terms.credit_minor == {"SGD": 5000, "JPY": 500}
    assert [terms.day_limit("toll", each) for each in ("SGD", "EUR")] == [3000, 0]
    assert terms.day_limit("fuel", "SGD") is None
    assert terms.local_day(datetime(2026, 5, 4, 16, 0, tzinfo=UTC)) == "2026-05-05"
    assert agreements.terms("stranger").credit_minor == {}
    assert agreements.accounts["demo"].origins == {"simulation"}
    assert agreements.purposes == {"pump": {"fuel"}}
    assert list(agreements.toll_keys) == ["abc"]


def test_nothing_said_is_prepaid_live_only_and_nobody_may_ask() -> None:
    agreements = load_settings(PaymentsSettings, None, accounts={"a": {}}).agreements()
    assert agreements.accounts["a"].origins == {"live"}
    assert (agreements.purposes, agreements.toll_keys) == ({}, {})
    assert agreements.terms("a").credit_minor == {}


@pytest.mark.parametrize(
    ("named", "complaint"),
    [
        ({"accounts": {"a": {"vehicles": ["x"]}, "b": {"vehicles": ["x"]}}}, "x belongs to a and"),
        ({"accounts": {"a": {"credit": ["50 sgd"]}}}, "an amount like 20.00 SGD"),
        ({"accounts": {"a": {"credit": ["1 SGD", "2 SGD"]}}}, "SGD stands twice"),
        ({"accounts": {"a": {"day_limits": {"toll": ["0.001 SGD"]}}}}, "SGD has 2 decimals"),
        ({"accounts": {"a": {"day_limits": {"candy": []}}}}, "day_limits.candy"),
        ({"accounts": {"a": {"time_zone": "Mars/Olympus"}}}, "a time zone like"),
        ({"accounts": {"a": {"time_zone": "../etc"}}}, "a time zone like"),
        ({"accounts": {"a": {"time_zone": "Asia"}}}, "a time zone like"),
        ({"accounts": {"a": {"origins": ["dream"]}}}, "accounts.a.origins"),
        ({"accounts": {"a b": {}}}, "accounts"),
        ({"accounts": {"a": {"limit": 1}}}, "no such setting"),
        ({"toll_keys": {"k": "AAAA"}}, "base64 of 32 bytes"),
        ({"requesters": {"pump": ["candy"]}}, "requesters.pump"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_in_one_line(named: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint) as raised:
        load_settings(PaymentsSettings, None, **named)
    assert "\n" not in str(raised.value)

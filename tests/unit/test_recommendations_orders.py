"""What an accepted offer may ask of a car, and what is answered once it has ended."""

from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from gateway.mapping_rules import parse_mapping
from gateway.vehicles import load_vehicle
from internetcar.contract.commands import CommandStatus
from internetcar.contract.trips import SettingValue
from internetcar.launcher.up import RECOMMENDED, VEHICLE
from services.recommendations.orders import (
    Order,
    OrderState,
    Purpose,
    outcome,
    state_after,
    to_put_back,
)
from services.recommendations.settable import LEAVES, SETTABLE, may_set, words_of
from services.trips.leaves import SETTINGS

AT = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
SET_POINT = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
FAN = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
SEAT = "Vehicle.Cabin.Seat.Row1.DriverSide.Position"


def asked(
    path: str = SET_POINT,
    value: SettingValue | None = 21.5,
    before: SettingValue | None = 19.0,
    state: OrderState = "confirmed",
    reason: str | None = None,
    purpose: Purpose = "apply",
) -> Order:
    return Order("id", purpose, path, value, before, state, reason)


def test_climate_seats_and_mirrors_are_what_an_offer_may_set_and_nothing_else() -> None:
    others = ("Infotainment.Media", "IsBelted")
    expected = {leaf for leaf in SETTINGS if not any(each in leaf for each in others)}
    assert set(LEAVES) == expected
    assert set().union(*SETTABLE.values()) == expected
    assert not may_set("climate", SEAT, 200)
    assert may_set("seat", SEAT, 200)
    for kind in ("media", "stop", "destination", "energy", ""):
        assert not any(may_set(kind, leaf, 1) for leaf in LEAVES)
    for path in ("Vehicle.Body.Trunk.Rear.IsOpen", SET_POINT + ".x", "Vehicle.Cabin.HVAC.", ""):
        assert not may_set("climate", path, True)


def test_car_up_lets_an_offer_set_of_its_car_what_an_offer_may_set_and_nothing_else() -> None:
    text = Path(load_vehicle(VEHICLE).mapping).read_text(encoding="utf-8")
    leaves = parse_mapping(text, VEHICLE).leaves.values()
    settable = {leaf.path for leaf in leaves if leaf.command is not None and leaf.command.allow}
    allowed = {path for path in settable if any(fnmatchcase(path, glob) for glob in RECOMMENDED)}
    assert allowed == settable & set(LEAVES)
    assert len(allowed) == 10


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1 << 64, -(1 << 60)])
def test_a_value_that_no_command_can_carry_is_not_asked_for(value: float) -> None:
    assert not may_set("climate", SET_POINT, value)


@pytest.mark.parametrize("value", [21.5, 22, True, "LOW"])
def test_every_other_value_is(value: SettingValue) -> None:
    assert may_set("climate", SET_POINT, value)


def test_a_setting_reads_as_the_end_of_its_path_and_its_value() -> None:
    assert words_of(SET_POINT, 21.5) == "Driver Temperature 21.5"
    assert words_of(FAN, True) == "Driver FanSpeed true"
    assert words_of(FAN, False) == "Driver FanSpeed false"
    assert words_of(FAN, None) == "Driver FanSpeed"
    assert len(words_of(FAN, "x" * 200)) < 60


@pytest.mark.parametrize(
    ("state", "reason", "final", "expected"),
    [
        ("accepted", None, False, ("taken", None)),
        ("sent", None, False, ("taken", None)),
        ("confirmed", None, True, ("confirmed", None)),
        ("timeout", "no_feedback", True, ("failed", "no_feedback")),
        ("sent", None, True, ("failed", "sent")),
        ("released", None, True, ("failed", "released")),
        ("rejected", "a\nb", True, ("failed", "rejected")),
        ("rejected", "news", True, ("failed", "news")),
    ],
)
def test_only_what_the_car_confirms_is_applied(
    state: str, reason: str | None, final: bool, expected: tuple[str, str | None]
) -> None:
    told = {"state": state, "reason": reason, "final": final}
    status = CommandStatus.model_validate(
        {"vehicle_id": "kona", "requester": "r", "path": FAN, "at": AT, **told}
    )
    assert state_after(status) == expected


def test_nothing_is_answered_before_all_has_come_to_its_end() -> None:
    assert outcome([asked(), asked(FAN, state="open")]) is None
    assert outcome([asked(), asked(FAN, state="taken")]) is None
    undoing = [asked(state="dropped"), asked(state="open", purpose="undo")]
    assert outcome(undoing) is None


def test_the_answer_says_what_the_car_confirmed() -> None:
    assert outcome([asked(), asked(FAN, 40)]) == {
        "status": "done",
        "detail": "confirmed by the car: Driver Temperature 21.5, Driver FanSpeed 40",
    }
    undone = [asked(), asked(value=19.0, purpose="undo")]
    assert outcome(undone) == {"status": "done", "detail": "put back: Driver Temperature 19.0"}
    assert outcome([]) == {"status": "done"}


def test_or_what_it_did_not_do_and_why() -> None:
    answer = outcome([asked(), asked(FAN, 40, state="failed", reason="no_feedback")])
    assert answer is not None
    assert (answer["status"], answer["reason"]) == ("refused", "not_applied")
    assert answer["detail"] == (
        "Driver FanSpeed 40: no_feedback (the feedback did not show the value in time);"
        " confirmed by the car: Driver Temperature 21.5"
    )
    for reason, words in (("no_answer", "(nobody answered)"), ("news", "40: news"), (None, "")):
        answer = outcome([asked(FAN, 40, state="failed", reason=reason)])
        assert answer is not None
        assert str(answer["detail"]).endswith(words)
    answer = outcome([asked(FAN, number, state="failed", reason="busy") for number in range(40)])
    assert answer is not None
    assert len(str(answer["detail"])) <= 200


def test_what_was_applied_is_put_back_where_nobody_has_changed_it_since() -> None:
    orders = [
        asked(),
        asked(FAN, 40, 20, state="taken"),
        asked(SEAT, 200, 100, state="failed"),
        asked(SEAT, 200, None),
        asked(SEAT, None, 100),
        asked(SEAT, 200, 200),
        asked(purpose="undo"),
    ]
    assert to_put_back(orders, {}) == orders[:2]
    assert to_put_back(orders, {SET_POINT: 21.5, FAN: 20}) == orders[:2]
    assert to_put_back(orders, {SET_POINT: 23.0}) == [orders[1]]

"""Rules are due once for what happened, and never on what is not known."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from internetcar.contract.commands import CommandId
from services.drone.broker.leaves import ALWAYS, wanted
from services.drone.events import BrokerLink
from services.drone.rules.book import RuleBook, paths
from services.drone.rules.settings import (
    AtRest,
    Comparison,
    Either,
    Jam,
    RuleSettings,
)
from tests.unit.drone_rules import (
    BRAKE,
    GEAR,
    HAZARD,
    MIL,
    SPEED,
    UTC_MS,
    Car,
    fired,
    only,
    rule_table,
)

LEAF = "Vehicle.Cabin.Test"


def watching(condition: Any, **options: Any) -> Car:
    rule = {"task": "inspect", "cooldown_s": 0, "rearm_s": 0, "when": [condition], **options}
    return Car(only(watch=rule))


def test_a_breakdown_calls_a_beacon() -> None:
    car = Car({})
    car.drive(0.0, 9, hazard=True, mil=True)
    assert car.due == []
    car.drive(0.0, 5, hazard=True, mil=True)
    assert fired(car.due) == ["beacon"]
    due = car.due[0]
    assert due.data is not None
    assert (due.task, due.data.task) == ("beacon", "beacon")
    assert "the car stands for 10 s" in due.because
    assert f"{MIL} is true" in due.because


@pytest.mark.parametrize(
    "lack", [{"hazard": False, "mil": True}, {"hazard": True, "mil": False}, {"hazard": True}]
)
def test_hazard_lights_or_a_fault_alone_call_nothing(lack: dict[str, bool]) -> None:
    car = Car({})
    car.drive(0.0, 60, **lack)
    assert car.due == []


@pytest.mark.parametrize(
    ("path", "value"),
    [("Vehicle.OBD.Status.DTCCount", 2), ("Vehicle.ADAS.ABS.IsError", True)],
)
def test_any_fault_is_a_fault(path: str, value: Any) -> None:
    car = Car({})
    car.say(path, value)
    car.drive(0.0, 20, hazard=True)
    assert fired(car.due) == ["beacon"]


def test_a_car_that_drives_calls_no_beacon() -> None:
    car = Car({})
    car.drive(30.0, 60, hazard=True, mil=True)
    assert car.due == []


def test_the_same_events_make_the_same_due() -> None:
    first, second = Car({}), Car({})
    for car in (first, second):
        car.drive(0.0, 20, hazard=True, mil=True)
    assert first.due == second.due
    assert first.memory == second.memory


def test_an_id_comes_from_the_rule_and_the_car_s_instant() -> None:
    car = watching({"path": LEAF, "is": True})
    car.say(LEAF, True, age_s=2.5)
    car.turn(1.0)
    assert [(due.since_ms, due.tid) for due in car.due] == [
        (UTC_MS - 2_500, f"rule:watch:{UTC_MS - 2_500}")
    ]
    TypeAdapter(CommandId).validate_python(car.due[0].tid)


def test_one_happening_is_due_once_and_the_next_again() -> None:
    car = watching({"path": LEAF, "is": True})
    for value in (True, True, False, True, True):
        car.say(LEAF, value)
        car.turn()
    assert fired(car.due) == ["watch", "watch"]


def test_what_is_not_known_ends_no_happening() -> None:
    car = watching({"path": LEAF, "is": True})
    car.say(LEAF, True)
    car.turn()
    for quality in ("stale", "error", "not_available", "out_of_range"):
        car.say(LEAF, False, quality)
        car.turn()
        car.say(LEAF, True)
        car.turn()
    assert len(car.due) == 1


def test_a_blink_ends_no_happening() -> None:
    car = watching({"path": LEAF, "is": True}, rearm_s=5)
    for _ in range(10):
        for value in (True, False, False):
            car.say(LEAF, value)
            car.turn()
    assert len(car.due) == 1


def test_a_condition_must_hold_without_a_break() -> None:
    car = watching({"path": LEAF, "is": True, "for_s": 5})
    for _ in range(5):
        for value in (True, True, True, False):
            car.say(LEAF, value)
            car.turn()
    assert car.due == []


@pytest.mark.parametrize(
    ("condition", "value", "is_due"),
    [
        ({"above": 5}, 5, False),
        ({"above": 5}, 5.1, True),
        ({"above": 5}, "6", False),
        ({"above": 0}, True, False),
        ({"below": 5}, 4.9, True),
        ({"below": 5}, 5, False),
        ({"is": 1}, 1.0, True),
        ({"is": 1}, True, False),
        ({"is": True}, 1, False),
        ({"is": "ON"}, "ON", True),
        ({"is": "ON"}, 3, False),
        ({"is_not": "OFF"}, "ON", True),
        ({"is_not": "OFF"}, "OFF", False),
        ({"is_not": "OFF"}, 0, False),
        ({"is_not": "OFF"}, None, False),
        ({"is_not": 0}, [1], False),
    ],
)
def test_a_comparison_means_what_it_says(
    condition: dict[str, Any], value: Any, is_due: bool
) -> None:
    car = watching({"path": LEAF, **condition})
    car.say(LEAF, value)
    car.turn()
    assert bool(car.due) is is_due


@pytest.mark.parametrize(("limit", "values"), [("above", [6, 4.5, 6]), ("below", [4, 5.5, 4])])
def test_hysteresis_keeps_a_value_at_its_limit_from_being_new(
    limit: str, values: list[float]
) -> None:
    plain = watching({"path": LEAF, limit: 5})
    slack = watching({"path": LEAF, limit: 5, "hysteresis": 1})
    for car in (plain, slack):
        for value in values:
            car.say(LEAF, value)
            car.turn()
    assert (len(plain.due), len(slack.due)) == (2, 1)


def test_an_either_keeps_the_time_of_each_part() -> None:
    part = {"path": LEAF, "is": True, "for_s": 3}
    car = watching({"any": [part, {"path": "Vehicle.Other", "is": True}]})
    car.say(LEAF, True)
    car.turn()
    assert car.due == []
    for _ in range(3):
        car.turn()
    assert fired(car.due) == ["watch"]
    car.say(LEAF, False)
    car.turn()
    car.say(LEAF, True)
    for _ in range(5):
        car.turn()
    assert len(car.due) == 1, "the other part is not known, so nothing was over"


def test_an_either_is_over_when_all_its_parts_are() -> None:
    car = watching({"any": [{"path": LEAF, "is": True}, {"path": MIL, "is": True}]})
    for value in (True, False, True):
        car.say(LEAF, value)
        car.say(MIL, False)
        car.turn()
    assert len(car.due) == 2


@pytest.mark.parametrize(
    ("gear", "brake", "kmh", "is_due"),
    [
        (126, None, 0.0, True),
        (127, True, 0.0, True),
        (None, True, 0.0, True),
        (127, False, 0.0, False),
        (126, None, 5.0, False),
        (None, None, 0.0, False),
        (126, None, None, False),
    ],
)
def test_parked_is_standing_and_held(
    gear: int | None, brake: bool | None, kmh: float | None, is_due: bool
) -> None:
    car = watching("parked")
    for path, value in ((GEAR, gear), (BRAKE, brake), (SPEED, kmh)):
        if value is not None:
            car.say(path, value)
    car.turn()
    assert bool(car.due) is is_due


def test_nothing_is_due_on_what_is_old_or_of_a_wrong_clock() -> None:
    for age_s in (95.0, -60.0):
        car = watching({"path": LEAF, "is": True})
        car.say(LEAF, True, age_s=age_s)
        car.turn()
        assert car.due == []


def test_nothing_is_due_while_gateway_or_broker_are_away() -> None:
    gone = watching({"path": LEAF, "is": True})
    gone.say(LEAF, True)
    gone.offline()
    gone.turn()
    cut = watching({"path": LEAF, "is": True})
    cut.say(LEAF, True)
    cut.hear(BrokerLink(False))
    cut.turn()
    assert gone.due == cut.due == []


def test_after_a_restart_nothing_is_due_again() -> None:
    car = watching({"path": LEAF, "is": True})
    car.say(LEAF, True)
    car.turn()
    car.restart()
    car.turn()
    car.say(LEAF, True)
    car.turn()
    assert len(car.due) == 1
    car.say(LEAF, False)
    car.turn()
    car.say(LEAF, True)
    car.turn()
    assert len({due.tid for due in car.due}) == 2


def test_a_cooldown_outlives_a_restart_and_what_still_holds_is_due_after_it() -> None:
    car = watching({"path": LEAF, "is": True}, cooldown_s=100)
    for value in (True, False, True):
        car.say(LEAF, value)
        car.turn()
    assert len(car.due) == 1
    car.restart(away_s=50.0)
    car.say(LEAF, True)
    car.turn()
    assert len(car.due) == 1
    car.turn(49.0)
    assert len(car.due) == 2


def test_limits_hold_for_rules_and_requests() -> None:
    limits = {"per_hour": 2, "per_day": 3}
    car = watching({"path": LEAF, "is": True}, limits=limits)
    for value in (True, False) * 4:
        car.say(LEAF, value)
        car.turn()
    assert len(car.due) == 2
    refusal = car.book.refusal("inspect", car.now)
    assert refusal == "watch was flown 2 times in an hour; the limit is 2"
    car.turn(3_700.0)
    assert car.book.refusal("inspect", car.now) == ""
    car.book.started("inspect", car.now)
    car.turn(3_700.0)
    assert "in a day" in car.book.refusal("inspect", car.now)
    car.turn(86_400.0)
    assert car.book.refusal("inspect", car.now) == ""


def test_a_request_needs_an_enabled_rule_where_there_is_one() -> None:
    car = Car({"follow": {"enabled": False}})
    assert car.book.refusal("follow", car.now) == "the rule follow is not enabled"
    assert car.book.refusal("scout", car.now) == ""
    assert car.book.refusal("hover", car.now) == ""


def test_a_rule_without_conditions_is_due_by_request_only() -> None:
    car = Car({})
    car.drive(0.0, 60, gear=126, brake=True)
    assert car.due == []
    assert car.book.refusal("hand_over", car.now) == ""


def test_the_options_of_a_rule_are_the_data_of_its_task() -> None:
    car = watching({"path": LEAF, "is": True}, duration_s=90.0)
    car.say(LEAF, True)
    car.turn()
    data = car.due[0].data
    assert data is not None
    assert data.duration_s == 90.0


def test_paths_are_those_of_enabled_rules() -> None:
    assert {HAZARD, MIL, SPEED, GEAR, BRAKE} <= paths(rule_table())
    assert paths(rule_table(only())) == set()
    assert paths(rule_table(only(w={"task": "inspect", "when": ["at_rest"]}))) == {SPEED}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"scout": {"when": ["jamm"]}}, "rules.scout.when.0"),
        ({"scout": {"when": [{"path": LEAF}]}}, "exactly one of"),
        ({"scout": {"when": [{"path": LEAF, "above": 1, "below": 2}]}}, "exactly one of"),
        ({"scout": {"when": [{"path": LEAF, "is": True, "hysteresis": 1}]}}, "hysteresis"),
        ({"scout": {"when": [{"path": LEAF, "above": float("nan")}]}}, "rules.scout.when.0"),
        ({"scout": {"cooldown": 5}}, "rules.scout.cooldown"),
        ({"scout": {"enabled": "perhaps"}}, "rules.scout.enabled"),
        ({"mine": {"task": "bomb"}}, "rules.mine.task"),
        ({"mine": 3}, "rules.mine"),
        ({"not a name": {"task": "scout"}}, "rules.not a name"),
        ({"scout": {"when": [{"any": []}]}}, "rules.scout.when.0"),
        ({"scout": {"when": [{"condition": "jam", "stops": 0}]}}, "stops"),
        ([1], "rules"),
    ],
)
def test_a_wrong_rule_is_named(wrong: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        rule_table(wrong)
    first = caught.value.errors()[0]
    line = f"{'.'.join(map(str, ('rules', *first['loc'])))}: {first['msg']}"
    assert words in line
    assert "\n" not in line


def test_what_a_file_says_stands_above_what_is_shipped() -> None:
    table = rule_table({"scout": {"cooldown_s": 5}, "mine": {"task": "inspect"}})
    assert (table["scout"].cooldown_s, len(table["scout"].when)) == (5.0, 1)
    assert table["mine"].when == ()
    assert rule_table(table) == table


def test_a_wall_clock_that_is_set_back_makes_no_id_twice() -> None:
    car = watching({"path": LEAF, "is": True})
    for value in (True, False, True):
        car.say(LEAF, value)
        car.turn()
        car.utc_ms = UTC_MS
    assert len({due.tid for due in car.due}) == 2


def test_a_rule_can_be_made_of_its_parts() -> None:
    parts = (Jam(), AtRest(for_s=3), Either(any=(Comparison(path=LEAF, above=1.0),)))
    rule = RuleSettings(task="scout", when=parts)
    assert rule.when == parts
    again = RuleSettings.model_validate(rule.model_dump(by_alias=True))
    assert again == rule


Junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
ROWS = st.dictionaries(
    st.sampled_from(["since_ms", "last_ms", "has_fired", "starts_ms", "driven_ms"]), Junk
)


@given(Junk | st.dictionaries(st.sampled_from(["scout", "beacon"]), Junk | ROWS))
def test_any_memory_is_read_or_forgotten(memory: Any) -> None:
    kept = memory if isinstance(memory, dict) else {"scout": memory}
    car = Car({}, memory=kept)
    car.drive(0.0, 15, hazard=True, mil=True)
    for due in car.due:
        TypeAdapter(CommandId).validate_python(due.tid)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["true", "false", "bad", "silence", "restart", "wait", "offline"]),
        st.sampled_from([0.1, 1.0, 5.0, 40.0]),
    ),
    max_size=40,
)


@settings(max_examples=100)
@given(EVENTS)
def test_whatever_happens_a_rule_is_due_once_between_two_known_ends(
    events: list[tuple[str, float]],
) -> None:
    car = watching({"path": LEAF, "is": True})
    is_armed = True
    for kind, seconds in events:
        if kind in ("true", "false", "bad"):
            car.say(LEAF, kind == "true", "valid" if kind != "bad" else "error")
        elif kind == "restart":
            car.restart()
        elif kind == "offline":
            car.offline()
        found = car.turn(seconds)
        leaf, presence = car.view.signals.get(LEAF), car.view.presence
        is_known = (
            leaf is not None
            and leaf.quality == "valid"
            and car.at_s - leaf.at_s <= 90.0
            and presence is not None
            and presence.is_online
        )
        if found:
            assert is_armed
            assert is_known
            assert leaf is not None
            assert leaf.value is True
            is_armed = False
        if is_known and leaf is not None and leaf.value is False:
            is_armed = True
    assert len({due.tid for due in car.due}) == len(car.due)


@given(st.permutations([(HAZARD, True), (MIL, True), (SPEED, 0.0)]))
def test_the_order_of_what_is_said_does_not_matter(order: list[tuple[str, Any]]) -> None:
    car = Car({})
    for _ in range(12):
        for path, value in order:
            car.say(path, value)
        car.turn()
    assert fired(car.due) == ["beacon"]


def test_a_book_without_memory_says_so_as_json() -> None:
    assert RuleBook({}).memory == {}


def test_what_a_rule_reads_is_listened_to_beside_what_interlocks_read() -> None:
    rule = {"task": "inspect", "when": [{"path": LEAF, "above": 1}]}
    assert wanted(rule_table(only(w=rule))) == ALWAYS | {LEAF}

"""Rights as lines of an access file, and the register they come from."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.message import InputError
from internetcar.contract.recommendations import DestinationRecommendation
from internetcar.contract.subscriptions import filter_pattern
from internetcar.launcher.access import (
    AccessError,
    Rights,
    access_text,
    name_of,
    remembered_topics,
    service_rights,
)
from internetcar.launcher.register import Certificate, Register, RegisterError
from tests.secure_place import CLASSES

NOW = datetime(2026, 11, 26, tzinfo=UTC)
EMPTY = Register(hosts=("pi",), port=8883, broker_folder="/b")
VEHICLE = Rights(role="vehicle")
INJECTIONS = [
    "", "a/b", "+", "#", "%u", "%c", "a b", "a\n", "\na", "a\nuser watcher", "a\ntopic readwrite #",
    "$SYS", "a$", "ä", "a\0", "x" * 37, "..", "a.b", "a,CN=b", "a/CN=b", "CN=a", "*", "a\r",
    "Broker", "broker", "gateway", "reader", "requester", "REQUESTER",
]  # fmt: skip


def lines(name: str, rights: Rights) -> set[str]:
    block = access_text({name: rights}, CLASSES).partition(f"user {name}\n")[2]
    return {line.removeprefix("topic ") for line in block.splitlines()}


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_name_that_would_be_more_than_one_level_is_refused(text: str) -> None:
    with pytest.raises(AccessError) as caught:
        name_of(text)
    assert len(str(caught.value).splitlines()) == 1


@given(st.text(max_size=40))
def test_any_name_is_taken_as_it_is_or_refused(text: str) -> None:
    try:
        name = name_of(text)
    except AccessError:
        return
    assert name == text
    for line in access_text({name: VEHICLE}, CLASSES).splitlines():
        assert line.isprintable()
        assert "#" not in line[1:]


def test_no_rule_is_a_pattern_and_everybody_has_a_block() -> None:
    members = {"kona": VEHICLE, "alice": Rights(role="person", vehicles=("kona",))}
    text = access_text(members, CLASSES)
    assert "pattern" not in text
    assert [line for line in text.splitlines() if line.startswith("user ")] == [
        "user alice", "user kona",
    ]  # fmt: skip
    assert text.splitlines()[2].startswith("# person"), "no rule stands before the first user"


def test_nobody_is_in_the_rules_of_nobody() -> None:
    assert all(not line or line.startswith("#") for line in access_text({}, CLASSES).splitlines())


def test_a_service_writes_what_its_message_classes_say() -> None:
    rights = service_rights("tolls", [], [], [], CLASSES, commands=False)
    written = {line for line in lines("tolls", rights) if not line.startswith("read ")}
    assert written == {
        "readwrite v1/vehicle/+/toll/charge", "readwrite v1/vehicle/+/toll/passage",
        "readwrite v1/vehicle/+/toll/declaration", "write v1/vehicle/+/telemetry-request",
    }  # fmt: skip
    narrow = service_rights("tolls", ["kona"], ["position"], [], CLASSES, commands=True)
    assert lines("tolls", narrow) == {
        "read v1/vehicle/kona/position", "readwrite v1/vehicle/kona/toll/charge",
        "readwrite v1/vehicle/kona/toll/passage", "readwrite v1/vehicle/kona/toll/declaration",
        "read v1/vehicle/kona/toll/billing-details", "read v1/vehicle/kona/payment/result",
        "read v1/toll-charger/+/exception-list",
        "write v1/vehicle/kona/command/tolls/+", "read v1/client/tolls/#",
    }  # fmt: skip


def test_the_wallet_hears_who_asks_and_writes_what_belongs_to_accounts() -> None:
    rights = service_rights("payments", [], ["position"], [], CLASSES, commands=False)
    assert lines("payments", rights) == {
        "read v1/vehicle/+/position", "read v1/vehicle/+/payment/request/+",
        "read v1/vehicle/+/toll/charge", "readwrite v1/vehicle/+/payment/result",
        "readwrite v1/wallet/+/balance", "readwrite v1/wallet/+/receipt",
        "readwrite v1/wallet/+/statement", "read v1/wallet/+/statement-request",
        "read v1/client/payments/#",
    }  # fmt: skip


def test_a_service_asks_for_money_in_its_own_name_and_only_where_it_may() -> None:
    may = service_rights("pump", ["kona"], ["position"], [], CLASSES, commands=False, pays=True)
    assert lines("pump", may) == {
        "read v1/vehicle/kona/position", "write v1/vehicle/kona/payment/request/pump",
        "read v1/vehicle/kona/payment/result", "read v1/client/pump/#",
    }  # fmt: skip
    may_not = service_rights("pump", ["kona"], ["position"], [], CLASSES, commands=False)
    assert not any("payment" in line for line in lines("pump", may_not))


def test_the_drone_hears_who_asks_and_writes_what_it_does() -> None:
    rights = service_rights("drone", ["kona"], ["position"], [], CLASSES, commands=False)
    assert lines("drone", rights) == {
        "read v1/vehicle/kona/position", "readwrite v1/vehicle/kona/drone/+/services/+",
        "read v1/vehicle/kona/drone/+/weather", "readwrite v1/vehicle/kona/drone/+/events",
        "readwrite v1/vehicle/kona/drone/+/osd", "readwrite v1/vehicle/kona/drone/+/presence",
        "readwrite v1/vehicle/kona/drone/+/health",
        "readwrite v1/vehicle/kona/drone/+/services_reply/+",
        "readwrite v1/vehicle/kona/drone/+/state", "read v1/client/drone/#",
    }  # fmt: skip


def test_a_service_asks_a_drone_in_its_own_name_and_only_where_it_may() -> None:
    may = service_rights("post", ["kona"], ["position"], [], CLASSES, commands=False, flies=True)
    assert {line for line in lines("post", may) if "drone" in line} == {
        "write v1/vehicle/kona/drone/+/services/post",
        "read v1/vehicle/kona/drone/+/services_reply/post",
    }
    may_not = service_rights("post", ["kona"], ["position"], [], CLASSES, commands=False)
    assert not any("drone" in line for line in lines("post", may_not))


SAID = "destination", "climate", "seat", "media", "stop", "eco", "offer"


def test_recommendations_hear_trips_and_answers_and_reply_to_whoever_asked() -> None:
    rights = service_rights("recommendations", ["kona"], ["position"], [], CLASSES, commands=False)
    assert lines("recommendations", rights) == {
        "read v1/vehicle/kona/position", "read v1/vehicle/kona/trip/started",
        "read v1/vehicle/kona/trip/progress", "read v1/vehicle/kona/trip/ended",
        "read v1/vehicle/kona/recommendation/feedback/+",
        "read v1/vehicle/kona/recommendation/control/+",
        *(f"readwrite v1/vehicle/kona/recommendation/{kind}" for kind in SAID),
        "read v1/vehicle/kona/command-status",
        "readwrite v1/client/+/recommendation/kona", "read v1/client/recommendations/#",
    }  # fmt: skip


def test_forgetting_a_vehicle_takes_its_suggestions_from_the_broker() -> None:
    topic = DestinationRecommendation.filter(vehicle_id="kona")
    assert any(filter_pattern(each).fullmatch(topic) for each in remembered_topics("kona"))


def test_people_and_services_that_may_answer_do_so_in_their_own_name() -> None:
    own = {f"write v1/vehicle/kona/recommendation/{kind}/{{}}" for kind in ("control", "feedback")}
    alice = lines("alice", Rights(role="person", vehicles=("kona",)))
    heard = {f"read v1/vehicle/kona/recommendation/{kind}" for kind in SAID}
    assert {each for each in alice if "recommendation" in each} == heard | {
        each.format("alice") for each in own
    }
    knob = service_rights("knob", ["kona"], ["position"], [], CLASSES, commands=False, answers=True)
    assert {each for each in lines("knob", knob) if "recommendation" in each} == {
        each.format("knob") for each in own
    }
    may_not = service_rights("knob", ["kona"], ["position"], [], CLASSES, commands=False)
    assert not any("recommendation" in each for each in lines("knob", may_not))


def test_a_person_asks_a_drone_in_their_own_name_and_hears_their_own_answers() -> None:
    rights = lines("alice", Rights(role="person", vehicles=("kona",)))
    asked = {line for line in rights if "/services" in line}
    assert asked == {
        "write v1/vehicle/kona/drone/+/services/alice",
        "read v1/vehicle/kona/drone/+/services_reply/alice",
    }
    assert "read v1/vehicle/kona/drone/+/state" in rights
    assert not any("drone" in line for line in lines("kona", VEHICLE))


@pytest.mark.parametrize("topic", ["drone/d1/weather", "drone/+/weather"])
def test_a_device_may_be_let_say_the_weather(topic: str) -> None:
    rights = service_rights("mast", ["kona"], [], [topic], CLASSES, commands=False)
    assert f"readwrite v1/vehicle/kona/{topic}" in lines("mast", rights)


@pytest.mark.parametrize("topic", ["drone/d1/+", "drone/#", "drone/d1/state", "drone/+/services/+"])
def test_nobody_is_let_speak_for_a_drone_or_for_who_asks_it(topic: str) -> None:
    with pytest.raises(AccessError, match="published by"):
        service_rights("mast", ["kona"], [], [topic], CLASSES, commands=False)


def test_a_person_sees_the_wallets_of_their_own() -> None:
    sees = Rights(role="person", vehicles=("kona",), accounts=("family",))
    assert {line for line in lines("alice", sees) if "wallet" in line} == {
        "read v1/wallet/family/balance", "read v1/wallet/family/receipt",
        "read v1/wallet/family/statement", "write v1/wallet/family/statement-request",
    }  # fmt: skip
    assert not any("wallet" in line for line in lines("kona", VEHICLE))


@pytest.mark.parametrize(
    "topic",
    [
        "presence", "signal/Vehicle.Speed", "signal/+", "+", "#", "+/+", "signal/#", "command/#",
        "command/lamp/Vehicle.X", "+/lamp/Vehicle.X", "telemetry", "telemetry-request",
        "toll/charge", "toll/+", "toll/#", "presence/#", "catalog/+",
    ],
)  # fmt: skip
def test_a_service_is_not_given_what_another_publishes(topic: str) -> None:
    with pytest.raises(AccessError, match="published by"):
        service_rights("lamp", [], [], [topic], CLASSES, commands=False)


@pytest.mark.parametrize("topic", ["home/lamp", "home/#", "toll/charge/x", "toll", "lamp", "h/+/x"])
def test_a_service_is_given_what_nobody_publishes(topic: str) -> None:
    rights = service_rights("lamp", [], [], [topic], CLASSES, commands=False)
    assert f"readwrite v1/vehicle/+/{topic}" in lines("lamp", rights)


@pytest.mark.parametrize(
    "topic", ["", "/", "a/", "/a", "a//b", "a b", "a\n", "#/a", "a#", "+a", "%u", "a/" * 9]
)
@pytest.mark.parametrize("is_written", [True, False])
def test_what_is_no_filter_is_refused(topic: str, is_written: bool) -> None:
    reads, writes = ([], [topic]) if is_written else ([topic], [])
    with pytest.raises(AccessError):
        service_rights("lamp", [], reads, writes, CLASSES, commands=False)


def test_home_assistant_may_say_that_it_has_started_and_others_may_not() -> None:
    home = Rights(role="person", vehicles=("kona",), home_assistant=True)
    assert "readwrite homeassistant/status" in lines("home", home)
    plain = home.model_copy(update={"home_assistant": False})
    assert not any("homeassistant/status" in line for line in lines("home", plain))


def given_to(register: Register, name: str, rights: Rights, *, change: bool = False) -> Register:
    changed = register.with_rights(name, rights, NOW, change=change)
    serial = f"{sum(len(holder.certificates) for holder in changed.holders.values()) + 10:x}"
    ends_at = NOW + timedelta(days=2)
    return changed.with_certificate(name, Certificate(serial=serial, ends_at=ends_at))


@pytest.mark.parametrize("name", ["kona", "Kona", "KONA"])
@pytest.mark.parametrize("role", ["vehicle", "person", "service"])
def test_a_name_that_is_taken_is_refused_in_every_role(name: str, role: str) -> None:
    register = given_to(EMPTY, "kona", VEHICLE)
    with pytest.raises(RegisterError, match="taken"):
        given_to(register, name, Rights.model_validate({"role": role}))


def test_a_revoked_name_comes_back_in_its_own_role_alone() -> None:
    revoked = given_to(EMPTY, "kona", VEHICLE).without("kona", NOW)
    assert revoked.rights(NOW) == {}
    assert revoked.revoked(NOW) == {10: NOW}
    assert revoked.revoked(NOW + timedelta(days=3)) == {}
    with pytest.raises(RegisterError, match="taken"):
        given_to(revoked, "kona", Rights(role="person"))
    with pytest.raises(RegisterError, match="no certificate"):
        revoked.without("kona", NOW)
    again = given_to(revoked, "kona", VEHICLE)
    assert again.rights(NOW) == {"kona": VEHICLE}
    assert again.revoked(NOW) == revoked.revoked(NOW)


def test_rights_end_with_the_last_certificate() -> None:
    register = given_to(EMPTY, "kona", VEHICLE)
    assert register.rights(NOW + timedelta(days=1)) == {"kona": VEHICLE}
    assert register.rights(NOW + timedelta(days=2)) == {}


def test_rights_are_changed_without_a_new_certificate() -> None:
    register = given_to(given_to(EMPTY, "kona", VEHICLE), "leaf", VEHICLE)
    register = given_to(register, "alice", Rights(role="person", vehicles=("kona",)))
    wider = Rights(role="person", vehicles=("kona", "leaf"))
    changed = register.with_rights("alice", wider, NOW, change=True)
    assert changed.rights(NOW)["alice"] == wider
    with pytest.raises(RegisterError, match="nobody"):
        register.with_rights("bob", wider, NOW, change=True)


@pytest.mark.parametrize("vehicle", ["nosuch", "bob"])
def test_a_person_of_a_vehicle_there_is_not_is_refused(vehicle: str) -> None:
    register = given_to(given_to(EMPTY, "kona", VEHICLE), "bob", Rights(role="service"))
    with pytest.raises(RegisterError, match="no vehicle"):
        given_to(register, "alice", Rights(role="person", vehicles=(vehicle,)))


def test_who_is_not_there_is_not_found() -> None:
    with pytest.raises(InputError, match="nobody"):
        EMPTY.without("alice", NOW)

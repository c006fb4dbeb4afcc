"""Commands on a broker with certificates and our rules: who moves the car, and who does not."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from internetcar.contract.delivery import encode_publish
from internetcar.launcher import secure_broker
from tests.e2e.command_car import FAN, HORN, TEMPERATURE, TOPIC, VEHICLE, Desk, gateway
from tests.e2e.secure_car import (
    HOME,
    HOSTILE,
    OWNER,
    PARTNER,
    PHONE,
    SecureCar,
    body,
    raw_client,
    secure_car,
    topic,
)
from tests.e2e.stage import Stage
from tests.secure_place import NOW, WATCHER, welcome
from tests.waiting import PATIENCE_S, eventually

CONFIRMED = ["accepted", "sent", "confirmed"]


@pytest.fixture(scope="module")
def car(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureCar]:
    with secure_car(tmp_path_factory.mktemp("secure")) as running:
        yield running


def test_a_person_sets_something_with_a_certificate(car: SecureCar) -> None:
    asked = car.car("set", TEMPERATURE, "21.5", name=OWNER)
    assert asked.stdout.splitlines() == CONFIRMED
    assert (asked.wait(), asked.stderr, car.ecu.temperature_c) == (0, "", 21.5)
    refused = car.car("set", "Vehicle.Speed", "21", name=OWNER)
    assert refused.wait() == 1
    assert refused.stdout.startswith("rejected: not_allowed")


@pytest.mark.parametrize("name", [PARTNER, HOME, "robot"])
def test_others_whom_rules_and_settings_let_set_something_do(car: SecureCar, name: str) -> None:
    car.confirm(name)


def test_home_assistant_is_told_of_the_car_and_again_when_it_starts(car: SecureCar) -> None:
    with car.client(HOME, "homeassistant/#") as home:
        eventually(lambda: home.heard)
        assert {heard.topic for heard in home.heard} == {
            f"homeassistant/device/internetcar_{VEHICLE}/config"
        }
        home.say("homeassistant/status", b"online")
        eventually(lambda: len([one for one in home.heard if one.topic.endswith("/config")]) > 1)
        home.say(topic(HOME, TEMPERATURE), b"22.5")  # as its command templates do
        eventually(lambda: car.ecu.temperature_c == 22.5)


@pytest.mark.parametrize("name", ["lamp", "carol", "leaf", "eve"])
def test_whom_the_rules_or_the_settings_do_not_let_moves_nothing(car: SecureCar, name: str) -> None:
    with car.unmoved(), car.client(name) as client:
        client.say(topic(name, FAN), body(f"no-{name}", 55))
        client.say(topic(name, FAN), b"55", retain=True)
        if name == "eve":
            car.until_said("no-eve", name, "rejected(not_allowed)")
        else:
            eventually(lambda: len(client.refused) == 2 or client.ended.is_set())
    assert name == "eve" or not car.reasons(name)


@pytest.mark.parametrize(
    ("name", "addressed"),
    [
        ("eve", topic(OWNER, FAN)), ("eve", topic(OWNER.upper(), FAN)), ("eve", topic("%u", FAN)),
        ("robot", topic(OWNER, FAN)), ("lamp", topic("robot", FAN)), (HOME, topic(OWNER, FAN)),
        ("leaf", topic(OWNER, FAN)), ("leaf", topic("leaf", FAN)), ("leaf", topic(VEHICLE, FAN)),
        ("carol", topic("carol", FAN)), ("carol", topic(OWNER, FAN)),
        ("eve", f"{TOPIC}/command-status"), ("eve", f"{TOPIC}/presence"),
        ("eve", f"v1/client/{OWNER}/command-status/{VEHICLE}"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_command_under_anothers_name_never_arrives(
    car: SecureCar, name: str, addressed: str, qos: int
) -> None:
    forged = f"forged-{qos}-{name}-{len(addressed)}"
    with car.unmoved(), car.client(name) as client:
        client.say(addressed, body(forged, 77), qos)
    assert not [heard for heard in car.watcher.heard if forged.encode() in heard.payload]


OUTSIDE = [
    topic(OWNER, FAN), topic(HOSTILE, FAN), f"{TOPIC}/presence", f"{TOPIC}/telemetry-request",
    f"v1/client/{OWNER}/answer", f"v1/client/{OWNER}/command-status/{VEHICLE}", "v1/client", "x",
    f"v1/client/{HOSTILE}", f"v1/client/{HOSTILE}/", f"v1/client/{HOSTILE}/a/b",
    f"v1/client/{HOSTILE}/a/leaf", f"v1/client/{HOSTILE}/a/{VEHICLE}/b", f"/v1/client/{HOSTILE}/a",
    f"v1/client/{HOSTILE}/../{OWNER}/a", "homeassistant/status", "$SYS/broker", " ", "é" * 20_000,
    f"v1/client/{HOSTILE}/{'w' * 65}", f"v1/client/{HOSTILE}/two words", f"v1/client/{HOSTILE}//",
]  # fmt: skip


def test_an_answer_is_wanted_elsewhere_and_the_gateway_stays_where_it_is(car: SecureCar) -> None:
    with car.unmoved(), car.client(HOSTILE) as client:
        for index, response_topic in enumerate(OUTSIDE):
            before = len(car.reasons(HOSTILE))
            client.say(
                topic(HOSTILE, TEMPERATURE), body(f"out-{index}", 25), ResponseTopic=response_topic
            )
            eventually(lambda: len(car.reasons(HOSTILE)) > before, PATIENCE_S)  # noqa: B023
        assert car.reasons(HOSTILE)[-len(OUTSIDE) :] == ["malformed"] * len(OUTSIDE)
    assert not [
        heard for heard in car.watcher.heard if heard.topic in OUTSIDE and b"out-" in heard.payload
    ]


@pytest.mark.parametrize("word", ["a", "settable", "w" * 64, f"a/{VEHICLE}", f"command/{VEHICLE}"])
def test_an_answer_goes_where_its_requester_alone_may_hear_it(car: SecureCar, word: str) -> None:
    wanted = f"v1/client/{OWNER}/{word}"
    with car.client(OWNER, f"v1/client/{OWNER}/#") as client, car.client("eve", "v1/#", "#") as eve:
        client.say(
            topic(OWNER, FAN), body(f"answer-{word}"[:60].replace("/", "."), 33),
            ResponseTopic=wanted, CorrelationData=b"\0" * 128,
        )  # fmt: skip
        eventually(lambda: len(client.heard) == 3)
        assert {message.topic for message in client.heard} == {wanted}
        assert json.loads(client.heard[-1].payload)["state"] == "confirmed"
        assert not [message for message in eve.heard if message.topic.startswith("v1/client")]
        greetings = len(car.watcher.of("presence"))
    car.confirm()
    assert len(car.watcher.of("presence")) == greetings


def test_properties_and_qualities_of_a_packet_change_nothing(car: SecureCar) -> None:
    with car.client(OWNER) as client:
        client.say(
            topic(OWNER, FAN), body("props", 41), 2,
            UserProperty=[("requester", "root"), ("id", "x")] * 50, ContentType="application/x",
            PayloadFormatIndicator=1, MessageExpiryInterval=60, TopicAlias=1,
        )  # fmt: skip
        car.until_said("props", OWNER, *CONFIRMED)
        client.say(topic(OWNER, FAN), body("props-2", 42), 1, TopicAlias=1)
        car.until_said("props-2", OWNER, *CONFIRMED)
    with car.unmoved(), car.client(OWNER) as client:
        client.say(
            topic(OWNER, FAN), body("large", 43),
            ResponseTopic=f"v1/client/{OWNER}/a", CorrelationData=b"x" * 60_000,
        )  # fmt: skip
        client.say(topic(OWNER, FAN), body("larger", 43, junk="x" * 4096))
        client.say(topic(OWNER, FAN), b"1" * (1 << 20))
        client.say(topic(OWNER, "V" * 60_000), body("path", 43))
        eventually(lambda: car.reasons(OWNER)[-4:] == ["malformed"] * 3 + ["not_allowed"])
    assert max(len(heard.payload) for heard in car.watcher.of("command-status")) < 4096


def test_a_captured_command_is_worth_nothing_again(car: SecureCar) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    captured, timed = body("seen", 61), body("timed", 62, expires_at=soon)
    with car.client(OWNER) as client:
        client.say(topic(OWNER, FAN), captured)
        car.until_said("seen", OWNER, *CONFIRMED)
    with car.unmoved(), car.client("eve") as eve, car.client(OWNER) as client:
        for stolen in (captured, timed, b"61"):
            eve.say(topic(OWNER, FAN), stolen, 0)
            eve.say(topic("eve", FAN), stolen, 0)
        client.say(topic(OWNER, FAN), captured)
        car.until_said("seen", OWNER, *CONFIRMED, "confirmed")
        client.say(topic(OWNER, FAN), body("seen", 99))
        car.until_said("seen", OWNER, *CONFIRMED, "confirmed", "rejected(id_conflict)")
        client.say(topic(OWNER, FAN), captured)
        eventually(lambda: car.said("seen", OWNER)[-1] == "confirmed")
        eventually(lambda: datetime.now(UTC).isoformat() > soon)
        client.say(topic(OWNER, FAN), timed)
        car.until_said("timed", OWNER, "rejected(expired)")
        client.say(topic(OWNER, HORN), b"true")
        eventually(lambda: car.reasons(OWNER)[-1] == "id_required")


def test_the_same_id_of_two_requesters_is_two_commands(car: SecureCar) -> None:
    for name, value in ((OWNER, 51), (PARTNER, 52)):
        with car.client(name) as client:
            client.say(topic(name, FAN), body("same", value))
            car.until_said("same", name, *CONFIRMED)
            assert car.ecu.fan_pct == value


def test_a_retained_command_of_who_may_command_is_refused_and_cleared(car: SecureCar) -> None:
    topics = [topic(OWNER, FAN), topic(OWNER, "Vehicle.Nothing")]
    with car.unmoved(), car.client(OWNER) as client:
        for kept in topics:
            client.say(kept, body("kept", 44), retain=True)
        eventually(lambda: set(topics) <= set(cleared(car)))
        car.until_said("kept", OWNER, "rejected(retained)", "rejected(not_allowed)")
        client.say(topic(OWNER, FAN), b"")  # what clears is no command
    with Desk(car.place.url(WATCHER), f"{TOPIC}/command/#", f"{TOPIC}/presence") as late:
        late.publish(f"{TOPIC}/command/nobody/fence", b"")
        late.until(lambda _: "fence" in late.heard[-1].topic)
        assert not [heard for heard in late.heard if heard.retained and "/command/" in heard.topic]


def cleared(car: SecureCar) -> list[str]:
    return [heard.topic for heard in car.watcher.of("command") if not heard.payload]


def test_the_last_will_of_another_is_no_command(car: SecureCar) -> None:
    with car.unmoved():
        for will in ((topic(OWNER, FAN), b"71"), (topic("eve", FAN), b"72")):
            with car.client("eve", will=will) as client:
                client.vanish()
    with car.client(PARTNER, will=(topic(PARTNER, FAN), body("will", 73))) as client:
        client.vanish()
    car.until_said("will", PARTNER, *CONFIRMED)  # one's own is a command like others


def test_who_has_no_valid_certificate_commands_nothing(car: SecureCar) -> None:
    url = car.place.url(OWNER)
    expired = car.place.authority.issue_client(OWNER, NOW - timedelta(days=10), 5)
    cert, key = car.folder / "cert.pem", car.folder / "key.pem"
    cert.write_bytes(expired.cert)
    key.write_bytes(expired.key)
    wrong, none = replace(url, cert=cert, key=key), replace(url, cert=None, key=None)
    with car.unmoved():
        assert not welcome(url.port, wrong.tls_context())
        assert not welcome(url.port, none.tls_context())
        words = ("set", FAN, "88", "--vehicle-id", VEHICLE, "--broker", wrong.secret)
        asked = car.stage.ended(*words)
        assert (asked.wait(), asked.stdout) == (2, "")
        assert "does not answer" in asked.stderr.splitlines()[-1]


RAW = [b"a/b", b"+", b"#", b"a#", b"a+", b"%u", b"%c", b"a b", b"a\nb", b"a\0b", b"\xff", b"$x",
       "alic\u0435".encode(), "alice\u200b".encode(), "\u202ealice".encode(), b"alice\n", b"alice ",
       b"Alice", b"", b".", b"..", b"../alice", b"alice/", b"x" * 37, b"alice" * 9000]  # fmt: skip


@pytest.mark.parametrize("place", ["vehicle", "requester", "path"])
def test_a_name_in_a_topic_says_no_more_than_itself(car: SecureCar, place: str) -> None:
    levels = {"vehicle": VEHICLE.encode(), "requester": b"eve", "path": FAN.encode()}
    with car.unmoved():
        for level in RAW:
            wanted = {**levels, place: level}
            addressed = b"v1/vehicle/%(vehicle)b/command/%(requester)b/%(path)b"
            raw = {key.encode(): value for key, value in wanted.items()}
            say_raw(car, "eve", addressed % raw, b"66")
            if place != "path":
                raw[b"requester"] = OWNER.encode() if place == "vehicle" else raw[b"requester"]
                say_raw(car, "eve", addressed % raw, b"66")
    assert set(car.reasons("eve")) <= {"not_allowed", "malformed"}


def say_raw(car: SecureCar, name: str, addressed: bytes, payload: bytes) -> None:
    """Say something on a topic that no library would."""
    with raw_client(car.place.url(name)) as sock:
        sock.sendall(encode_publish(addressed, payload, retain=False, is_v5=False))
        sock.sendall(b"\xc0\x00")  # whoever is still welcome gets an answer
        with suppress(ConnectionError):
            sock.recv(2)


def test_who_is_revoked_commands_nothing_though_connected_nor_by_a_last_will(
    car: SecureCar,
) -> None:
    car.confirm(PHONE)
    will = (topic(PHONE, FAN), body("will-of-revoked", 90))
    with car.unmoved(), car.client(PHONE) as phone, car.client(PHONE, will=will) as other:
        secure, now = car.place.secure, datetime.now(UTC)
        url = car.place.url(PHONE)
        context = url.tls_context()
        secure.take_up(secure.register.without(PHONE, now), now)
        car.place.write_rules()
        assert secure_broker.reload(car.place.folder)
        eventually(lambda: not welcome(car.place.port, context))
        phone.say(topic(PHONE, FAN), body("revoked", 91))
        eventually(lambda: phone.refused or phone.ended.is_set())
        other.vanish()
    assert not car.said("revoked", PHONE) + car.said("will-of-revoked", PHONE)


def test_of_two_gateways_of_one_vehicle_one_obeys(car: SecureCar, tmp_path: Path) -> None:
    with Stage(tmp_path / "second") as stage:
        stage.environ["XDG_RUNTIME_DIR"] = str(car.stage.run)  # the same buses
        second = gateway(stage, car.place.url(VEHICLE), allow={OWNER: ["*"]})
        eventually(lambda: "another gateway" in car.gateway.stderr)
        before = len(car.ecu.heard)
        for _ in range(3):
            car.confirm()
        assert len(car.ecu.heard) == before + 3
        assert second.end() == 0
    with car.client(OWNER) as client:  # the first has seen another node send this message
        client.say(topic(OWNER, FAN), body("left", 20))
        car.until_said("left", OWNER, "rejected(other_sender)")

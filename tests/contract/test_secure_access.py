"""A real mosquitto with our rules: who is heard by whom. What counts is what is delivered."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import pytest

from internetcar.contract.commands import Command
from internetcar.contract.message import Message
from internetcar.contract.telemetry import TelemetryRequest
from tests.secure_place import CLASSES, WATCHER, Client, Place
from tests.waiting import PATIENCE_S

COUNTER = itertools.count()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Place(tmp_path_factory.mktemp("secure") / "authority") as running:
        yield running


def delivered(place: Place, name: str, *topics: str, qos: int = 0) -> list[str]:
    """Which of the topics somebody said are heard by a watcher who may hear everything."""
    fence = f"fence {next(COUNTER)}".encode()
    with place.client(WATCHER, "#") as watcher:
        for topic in topics:
            with place.client(name) as client:
                client.say(topic, b"forged", qos)
                client.until_gone_or(partial(watcher.has_heard, topic))
        watcher.say("v1/fence", fence)
        watcher.until_payload(fence)
        return [topic for topic, payload in watcher.heard if payload == b"forged"]


def heard(place: Place, name: str, filters: list[str], topics: list[str], fence: str) -> list[str]:
    """Which of the topics somebody hears who asks for filters; `fence` is one they may hear."""
    with place.client(WATCHER) as watcher, place.client(name, *filters, fence) as client:
        for topic in topics:
            watcher.say(topic, b"secret")
        watcher.say(fence, b"fence")
        client.until_payload(b"fence")
        return list(dict.fromkeys(t for t, payload in client.heard if payload == b"secret"))


def topic_of(cls: type[Message], **levels: str) -> str:
    return cls.filter(**{"path": "Vehicle.Speed", "group": "Vehicle", **levels})


def test_a_vehicle_says_and_hears_all_its_gateway_needs(place: Place) -> None:
    levels = {"vehicle_id": "kona", "requester": "alice", "prefix": "homeassistant"}
    levels["device_id"] = "internetcar_kona"
    said = [topic_of(cls, **levels) for cls in CLASSES if cls.SENDER == "gateway"]
    assert len(said) > 8
    assert "homeassistant/device/internetcar_kona/config" in said
    said += [
        "v1/client/alice/reply/kona",
        "v1/client/alice/reply",
        "v1/vehicle/kona/command/alice/Vehicle.Kept",
    ]
    assert delivered(place, "kona", *said) == said
    asked = [topic_of(cls, **levels) for cls in (Command, TelemetryRequest)]
    asked += ["homeassistant/status", "v1/vehicle/kona/presence"]
    assert (
        heard(place, "kona", ["v1/#", "homeassistant/#"], asked, "v1/vehicle/kona/health") == asked
    )


@pytest.mark.parametrize(
    "topic",
    [
        *(f"v1/vehicle/leaf/{end}" for end in (
            "presence", "catalog/Vehicle", "signal/Vehicle.Speed", "position", "telemetry",
            "health", "command-status", "telemetry-request", "toll/charge",
            "command/kona/Vehicle.X", "command/alice/Vehicle.X", "command/bob/Vehicle.X",
        )),
        "v1/vehicle/kona/toll/charge", "v1/vehicle/kona/home/lamp", "v1/vehicle/kona",
        "v1/vehicle/kona/signal", "v1/vehicle/kona/signal/a/b", "v1/vehicle/kona/telemetry/",
        "v1/vehicle//presence", "v1/vehicle/Kona/presence", "v1/vehicle/kona2/presence",
        "v1/vehicle/%u/presence", "v1/vehicle/kona /presence", "/v1/vehicle/kona/presence",
        "v1/client/bob/telemetry/leaf", "v1/client/bob/command-status/leaf",
        "v1/client/bob", "v1/client/bob/anything/", "v1/client/bob/a/b/kona",
        "v1/wallet/alice/balance",
        "homeassistant/device/internetcar_leaf/config", "homeassistant/device/leaf/config",
        "homeassistant/status", "$SYS/broker/uptime", "other",
    ],
)  # fmt: skip
def test_a_forged_vehicle_is_not_heard(place: Place, topic: str) -> None:
    assert delivered(place, "kona", topic) == []


@pytest.mark.parametrize(
    "topic",
    [
        "v1/vehicle/kona/command/bob/Vehicle.X", "v1/vehicle/kona/command/kona/Vehicle.X",
        "v1/vehicle/kona/command/alice/a/b", "v1/vehicle/kona/command/alice",
        "v1/vehicle/kona/command/Alice/Vehicle.X", "v1/vehicle/kona/command/alice /Vehicle.X",
        "v1/vehicle/kona/command/%u/Vehicle.X", "v1/vehicle/kona/command//Vehicle.X",
        "v1/vehicle/leaf/command/alice/Vehicle.X", "v1/vehicle/leaf/telemetry-request",
        "v1/vehicle/kona/presence", "v1/vehicle/kona/signal/Vehicle.Speed",
        "v1/vehicle/kona/command-status", "v1/client/bob/command-status/kona",
        "v1/client/alice/x", "homeassistant/device/internetcar_kona/config", "homeassistant/status",
    ],
)  # fmt: skip
def test_a_person_says_commands_in_their_own_name_alone(place: Place, topic: str) -> None:
    own = "v1/vehicle/kona/command/alice/Vehicle.X"
    assert delivered(place, "alice", topic, own) == [own]


@pytest.mark.parametrize(
    "topic",
    [
        "v1/vehicle/kona/recommendation/feedback/bob", "v1/vehicle/kona/recommendation/offer",
        "v1/vehicle/kona/recommendation/destination", "v1/vehicle/kona/recommendation/control/bob",
        "v1/vehicle/leaf/recommendation/control/alice", "v1/client/alice/recommendation/kona",
        "v1/vehicle/kona/recommendation/feedback/alice/x", "v1/vehicle/kona/trip/ended",
    ],
)  # fmt: skip
def test_a_person_says_answers_in_their_own_name_alone(place: Place, topic: str) -> None:
    own = "v1/vehicle/kona/recommendation/feedback/alice"
    assert delivered(place, "alice", topic, own) == [own]


@pytest.mark.parametrize(
    ("name", "own", "foreign"),
    [
        ("tolls", "v1/vehicle/leaf/toll/charge", "v1/vehicle/leaf/toll/refund"),
        ("tolls", "v1/vehicle/kona/telemetry-request", "v1/vehicle/kona/telemetry"),
        ("tolls", "v1/vehicle/kona/toll/charge", "v1/vehicle/kona/command/tolls/Vehicle.X"),
        ("tolls", "v1/vehicle/kona/toll/charge", "v1/vehicle/kona/home/lamp"),
        ("lamp", "v1/vehicle/kona/home/lamp", "v1/vehicle/leaf/home/lamp"),
        ("lamp", "v1/vehicle/kona/home/lamp", "v1/vehicle/kona/telemetry-request"),
        ("lamp", "v1/vehicle/kona/home/lamp", "v1/vehicle/kona/toll/charge"),
        ("lamp", "v1/vehicle/kona/home/lamp", "v1/client/alice/x/kona"),
        ("lamp", "v1/vehicle/kona/home/lamp", "v1/vehicle/kona/payment/request/lamp"),
        ("lamp", "v1/vehicle/kona/home/lamp", "v1/vehicle/kona/payment/result"),
        ("station", "v1/vehicle/kona/payment/request/station", "v1/vehicle/kona/toll/charge"),
        (
            "station",
            "v1/vehicle/kona/payment/request/station",
            "v1/vehicle/kona/payment/request/tolls",
        ),
        ("tolls", "v1/vehicle/kona/toll/charge", "v1/vehicle/kona/payment/result"),
        ("tolls", "v1/vehicle/kona/toll/charge", "v1/wallet/family/balance"),
        ("tolls", "v1/vehicle/kona/toll/charge", "v1/vehicle/kona/toll/billing-details"),
        ("payments", "v1/wallet/family/balance", "v1/vehicle/kona/toll/charge"),
        ("payments", "v1/vehicle/leaf/payment/result", "v1/vehicle/leaf/payment/request/station"),
        ("trips", "v1/vehicle/kona/trip/ended", "v1/vehicle/kona/toll/passage"),
        ("lamp", "v1/vehicle/kona/home/lamp", "v1/vehicle/kona/trip/ended"),
        ("alice", "v1/wallet/family/statement-request", "v1/wallet/bob/statement-request"),
        ("alice", "v1/wallet/family/statement-request", "v1/wallet/family/balance"),
    ],
)
def test_a_service_outside_its_topics_is_not_heard(
    place: Place, name: str, own: str, foreign: str
) -> None:
    assert delivered(place, name, foreign, own) == [own]


def test_who_insists_on_an_answer_to_a_forged_message_is_not_heard_either(place: Place) -> None:
    assert delivered(place, "kona", "v1/vehicle/leaf/presence", qos=1) == []


GREEDY = ["#", "+/#", "v1/#", "v1/vehicle/+/#", "v1/client/+/#", "$share/spies/v1/#",
          "v1/vehicle/leaf/#", "v1/vehicle/leaf/signal/Vehicle.Speed", "$SYS/#"]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("alice", "v1/vehicle/kona/signal/Vehicle.Speed"),
        ("lamp", "v1/vehicle/kona/signal/Vehicle.Speed"),
        ("kona", "v1/vehicle/kona/presence"),
    ],
)
def test_a_snooper_hears_no_other_vehicle_and_no_other_client(
    place: Place, name: str, readable: str
) -> None:
    secrets = [
        "v1/vehicle/leaf/signal/Vehicle.Speed", "v1/vehicle/leaf/presence",
        "v1/vehicle/leaf/telemetry", "v1/vehicle/leaf/command/bob/Vehicle.X",
        "v1/client/bob/command-status/leaf", "v1/wallet/bob/balance",
        "homeassistant/device/internetcar_leaf/config",
    ]  # fmt: skip
    assert heard(place, name, GREEDY, secrets, readable) == []


def test_where_somebody_went_is_heard_by_no_service_that_it_is_not_for(place: Place) -> None:
    trips = [f"v1/vehicle/kona/trip/{what}" for what in ("started", "progress", "ended")]
    readable = "v1/vehicle/kona/signal/Vehicle.Speed"
    assert heard(place, "tolls", ["v1/vehicle/+/#", *trips], trips, readable) == []
    assert heard(place, "alice", trips, trips, readable) == trips, "she may see where her car is"


def test_a_snooper_hears_nothing_the_broker_remembers_either(place: Place) -> None:
    secret, readable = "v1/vehicle/leaf/position", "v1/vehicle/kona/position"
    with place.client(WATCHER, "v1/vehicle/+/position") as watcher:
        for topic in (secret, readable):
            watcher.say(topic, b"here", retain=True)
            watcher.until(topic)
        with place.client("alice", *GREEDY, readable) as alice:
            alice.until(readable)
            assert secret not in alice.topics()
        for topic in (secret, readable):
            watcher.say(topic, b"", retain=True)


def test_who_takes_the_client_id_of_another_does_not_get_what_was_kept_for_them(
    place: Place,
) -> None:
    secret, readable = "v1/vehicle/leaf/health", "v1/vehicle/kona/health"
    for phone in ("phone", "tablet"):
        with place.client("bob", secret, kept_as=phone):
            pass
    with place.client(WATCHER, secret) as watcher:
        watcher.say(secret, b"secret", 1)
        watcher.until(secret)
        with place.client("bob", kept_as="tablet") as bob:
            bob.until(secret)
        with place.client("alice", readable, kept_as="phone") as alice:
            watcher.say(readable)
            alice.until(readable)
            assert secret not in alice.topics()


def test_a_person_does_not_hear_what_another_commands_the_same_vehicle(place: Place) -> None:
    readable = "v1/vehicle/kona/position"
    others = ["v1/vehicle/kona/command/lamp/Vehicle.X", "v1/vehicle/kona/telemetry-request"]
    assert heard(place, "alice", GREEDY, others, readable) == []


def test_a_user_name_in_the_packet_makes_nobody_of_another(place: Place) -> None:
    with (
        place.client(WATCHER, "#") as watcher,
        Client(replace(place.url("alice"), username="leaf")) as alice,
    ):
        alice.say("v1/vehicle/kona/command/alice/Vehicle.X", b"as herself")
        watcher.until_payload(b"as herself")
        alice.say("v1/vehicle/leaf/presence", b"forged")
        assert alice.ended.wait(PATIENCE_S)
        watcher.say("v1/fence", b"end of names")
        watcher.until_payload(b"end of names")
        assert b"forged" not in [payload for _, payload in watcher.heard]


def test_the_last_will_of_a_forged_vehicle_is_not_published(place: Place) -> None:
    with place.client(WATCHER, "#") as watcher:
        with ExitStack() as stack:
            for topic in ("v1/vehicle/leaf/presence", "v1/vehicle/kona/presence"):
                will = Client(place.url("kona"), will=topic)
                stack.enter_context(will)
                will.vanish()
        watcher.until_payload(b"will")
        assert [topic for topic, payload in watcher.heard if payload == b"will"] == [
            "v1/vehicle/kona/presence"
        ]


def test_a_payload_beyond_the_limit_is_not_delivered(place: Place) -> None:
    topic, largest = "v1/vehicle/kona/telemetry", Message.MAX_PAYLOAD_BYTES
    with place.client(WATCHER, topic) as watcher:
        for size in (largest + 1, largest):
            with place.client("kona") as kona:
                kona.say(topic, bytes(size))
                kona.say(topic, b"end")
                kona.until_gone_or(lambda: b"end" in [payload for _, payload in watcher.heard])
        watcher.until_payload(bytes(largest))
        assert {len(payload) for _, payload in watcher.heard} - {len(b"end")} == {largest}

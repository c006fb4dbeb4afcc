"""Commands through a real broker: a frame on the bus, the car's answer, and every other end."""

import json
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.clock import read_clock
from internetcar.launcher.broker import RunningBroker
from tests.e2e.command_car import (
    COMMAND_ID,
    FAN,
    HORN,
    HORN_ID,
    LIGHT,
    LIGHT_ID,
    REQUESTER,
    TEMPERATURE,
    TOPIC,
    VEHICLE,
    Desk,
    Ecu,
    ecu,
    gateway,
    mapping,
)
from tests.e2e.stage import Stage
from tests.waiting import PATIENCE_S, eventually

CONFIRMED = ["accepted", "sent", "confirmed"]


@pytest.fixture
def car(stage: Stage) -> Iterator[Ecu]:
    assert stage
    with ecu() as started:
        yield started


def soon(seconds: float = 30) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_command_is_accepted_sent_and_confirmed_by_the_car(
    broker: RunningBroker, stage: Stage, car: Ecu
) -> None:
    with Desk(broker.url) as desk:
        gateway(stage, broker.url)
        desk.until_heard()
        desk.ask("a1", TEMPERATURE, 21.5)
        assert desk.until_final("a1") == CONFIRMED
        assert car.temperature_c == 21.5
        desk.until(lambda heard: heard.signals()[TEMPERATURE]["value"] == 21.5)
        desk.ask("a2", FAN, 55)
        assert desk.until_final("a2") == CONFIRMED
        frames = car.heard_of(COMMAND_ID)
        assert [frame[0] for frame in frames] == [43, 255]
        assert [frame[1] for frame in frames] == [255, 55]
        assert [frame[2] & 15 for frame in frames] == [0, 1]  # it counts
        leaf = json.loads(desk.last("catalog")[f"{TOPIC}/catalog/Vehicle"])["leaves"][TEMPERATURE]
        assert (leaf["settable"], leaf["min"], leaf["max"], leaf["step"]) == (True, 10, 30, 0.5)


def test_a_bare_value_is_a_command_and_a_push_needs_an_id(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    with Desk(mosquitto.url) as desk:
        gateway(stage, mosquitto.url)
        desk.until_heard()
        desk.command(TEMPERATURE, 22.5)
        desk.until(lambda _: car.temperature_c == 22.5)
        desk.command(HORN, True)
        desk.until(lambda _: any(s["state"] == "rejected" for s in said(desk)))
        refusal = next(s for s in said(desk) if s["state"] == "rejected")
        assert (refusal["reason"], refusal["path"]) == ("id_required", HORN)
        desk.ask("h1", HORN, True)
        assert desk.until_final("h1") == CONFIRMED
        assert len(car.heard_of(HORN_ID)) == 1


def said(desk: Desk) -> list[dict[str, Any]]:
    return [heard.body for heard in desk.of("command-status")]


def test_a_packets_response_topic_gets_every_state_and_its_correlation(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    answers: list[mqtt.MQTTMessage] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.username_pw_set(mosquitto.url.username, mosquitto.url.password)
    client.on_message = lambda _client, _data, message: answers.append(message)
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect(mosquitto.url.host, mosquitto.url.port)
    client.subscribe([(f"v1/client/{REQUESTER}/#", 1), (f"{TOPIC}/command/#", 1)])
    client.loop_start()
    assert subscribed.wait(PATIENCE_S)

    def ask(identifier: str, response_topic: str) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
        properties.ResponseTopic = response_topic
        properties.CorrelationData = b"\x00\xff"
        body = json.dumps({"id": identifier, "value": 23}).encode()
        topic = f"{TOPIC}/command/{REQUESTER}/{TEMPERATURE}"
        client.publish(topic, body, 1, properties=properties)

    with Desk(mosquitto.url) as desk:
        gateway(stage, mosquitto.url)
        desk.until_heard()
        ask("r1", f"v1/client/{REQUESTER}/answers")
        assert desk.until_final("r1") == CONFIRMED
        eventually(lambda: sum("/client/" in answer.topic for answer in answers) == 3)
        own = [answer for answer in answers if "/client/" in answer.topic]
        assert {answer.topic for answer in own} == {f"v1/client/{REQUESTER}/answers"}
        assert [json.loads(answer.payload)["state"] for answer in own] == CONFIRMED
        assert json.loads(own[0].payload)["vehicle_id"] == VEHICLE
        given = [getattr(answer.properties, "CorrelationData", None) for answer in own]
        assert given == [b"\x00\xff"] * 3
        before = len(car.heard_of(COMMAND_ID))
        for hostile in (
            f"{TOPIC}/command/{REQUESTER}/{LIGHT}",
            "v1/client/somebody/else",
            f"v1/client/{REQUESTER}",
            f"v1/client/{REQUESTER}/",
            f"v1/client/{REQUESTER}/two words",
            f"v1/client/{REQUESTER}/answers/another-vehicle",
        ):
            ask("r2", hostile)
        desk.until(lambda _: sum(s.get("reason") == "malformed" for s in said(desk)) == 6)
        assert len(car.heard_of(COMMAND_ID)) == before
    client.loop_stop()
    client.disconnect()
    assert sum(f"/command/{REQUESTER}/{LIGHT}" in answer.topic for answer in answers) == 0


def test_what_is_not_allowed_or_cannot_be_read_never_becomes_a_frame(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    with Desk(mosquitto.url) as desk:
        gateway(stage, mosquitto.url, allow={REQUESTER: ["Vehicle.Temp*", "Vehicle.Light"]})
        desk.until_heard()
        desk.ask("n1", FAN, 50)
        desk.ask("n2", "Vehicle.Speed", 21)
        desk.command(TEMPERATURE, {"id": "n3", "value": 21}, requester="stranger")
        desk.ask("n4", TEMPERATURE, 99)
        desk.ask("n5", TEMPERATURE, "warm")
        desk.ask("n6", TEMPERATURE, True)
        desk.ask("n7", TEMPERATURE, None)
        desk.ask("n8", LIGHT, 1)
        desk.command(TEMPERATURE, b"\xff\xfe")
        desk.command(TEMPERATURE, b"{}")
        desk.command(TEMPERATURE, b"[" * 2000)
        desk.until(lambda _: len(said(desk)) >= 11)
        reasons = [s.get("reason") for s in said(desk)]
        assert sorted(map(str, reasons)) == sorted(
            ["not_allowed"] * 3
            + ["out_of_range", "not_held"]
            + ["datatype"] * 3
            + ["malformed"] * 3
        )
        assert all(s["state"] == "rejected" and s["detail"] for s in said(desk))
        car.speed_kmh = 30
        desk.until(lambda heard: heard.signals()["Vehicle.Speed"]["value"] == 30)
        desk.ask("n9", LIGHT, True)
        assert desk.until_final("n9") == ["rejected(only_when)"]
    assert car.heard == []


def test_a_retained_command_is_refused_and_its_topic_cleared(
    broker: RunningBroker, stage: Stage, car: Ecu
) -> None:
    topic = f"{TOPIC}/command/{REQUESTER}/{TEMPERATURE}"
    with Desk(broker.url) as desk:
        desk.ask("before", TEMPERATURE, 25)
        desk.command(TEMPERATURE, {"id": "kept", "value": 25}, retain=True)
        gateway(stage, broker.url)
        desk.until_heard()
        assert desk.until_final("kept") == ["rejected(retained)"]
        desk.until(lambda heard: any(one.topic == topic and not one.payload for one in heard.heard))
        with Desk(broker.url, topic) as late:
            late.command(TEMPERATURE, {"id": "next", "value": 10.5})
            late.until(lambda heard: heard.heard)
            assert [heard.retained for heard in late.heard] == [False]
        assert desk.until_final("next") == CONFIRMED
        if broker.url.protocol == "5":  # else nobody can tell before it is kept
            desk.command(TEMPERATURE, {"id": "live", "value": 26}, retain=True)
            assert desk.until_final("live") == ["rejected(retained)"]
        assert desk.states("before") == []  # sent while the gateway was away: gone
    assert [frame[0] for frame in car.heard_of(COMMAND_ID)] == [21]


@pytest.mark.parametrize("trust_clock", [True, False])
def test_a_command_with_a_time_is_believed_where_the_clock_is(
    mosquitto: RunningBroker, stage: Stage, car: Ecu, trust_clock: bool
) -> None:
    is_believed = trust_clock or read_clock() == "synchronized"
    with Desk(mosquitto.url) as desk:
        gateway(stage, mosquitto.url, trust_clock=trust_clock)
        desk.until_heard()
        desk.ask("c1", TEMPERATURE, 21.5, expires_at=soon())
        desk.ask("c2", TEMPERATURE, 22, expires_at=soon(-1))
        desk.ask("c3", TEMPERATURE, 22, expires_at=soon(90))
        first, second, third = (desk.until_final(name) for name in ("c1", "c2", "c3"))
        if is_believed:
            assert (first, second) == (CONFIRMED, ["rejected(expired)"])
            assert third == ["rejected(lifetime)"]
        else:
            assert first == second == third == ["rejected(clock_unsynchronized)"]
    assert len(car.heard_of(COMMAND_ID)) == is_believed


def test_the_same_id_is_the_same_command_also_after_a_restart(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    with Desk(mosquitto.url) as desk:
        running = gateway(stage, mosquitto.url)
        desk.until_heard()
        desk.ask("s1", TEMPERATURE, 21.5)
        assert desk.until_final("s1") == CONFIRMED
        desk.ask("s1", TEMPERATURE, 21.5)
        desk.until(lambda _: desk.states("s1") == [*CONFIRMED, "confirmed"])
        car.is_deaf = True
        desk.ask("s2", TEMPERATURE, 25)
        desk.until(lambda _: "sent" in desk.states("s2"))
        running.kill()
        after = len(desk.heard)
        gateway(stage, mosquitto.url)
        desk.until_presence(online=True, after=after)
        assert desk.until_final("s2")[-1] == "timeout(restarted)"
        desk.ask("s1", TEMPERATURE, 21.5)
        desk.ask("s2", TEMPERATURE, 25)
        desk.ask("s1", TEMPERATURE, 22.5)
        desk.until(lambda _: desk.states("s1")[4:] == ["confirmed", "rejected(id_conflict)"])
        desk.until(lambda _: desk.states("s2").count("timeout(restarted)") == 2)
    assert [frame[0] for frame in car.heard_of(COMMAND_ID)] == [43, 50]


def test_a_car_that_does_not_answer_is_not_believed(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    with Desk(mosquitto.url) as desk:
        gateway(stage, mosquitto.url)
        desk.until_heard()
        car.is_silent = True
        desk.ask("f1", TEMPERATURE, 20)  # what the car last said it has
        assert desk.until_final("f1") == ["accepted", "sent", "timeout(no_feedback)"]
        car.is_silent = False
        car.is_deaf = True
        desk.ask("f2", TEMPERATURE, 25)
        assert desk.until_final("f2")[-1] == "timeout(no_feedback)"
        desk.ask("f3", TEMPERATURE, 20)
        assert desk.until_final("f3") == CONFIRMED  # it is as wanted, and says so afterwards


def test_a_message_that_another_node_sends_is_left_to_it(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    with Desk(mosquitto.url) as desk:
        gateway(stage, mosquitto.url)
        desk.until_heard()
        car.send(COMMAND_ID, bytes.fromhex("ffff0900"))
        desk.ask("o0", LIGHT, False)
        desk.until_final("o0")
        desk.ask("o1", TEMPERATURE, 21)
        assert desk.until_final("o1") == ["rejected(other_sender)"]
        stage.folder.joinpath("mapping.json").write_text(mapping(override=True))
        desk.until(lambda _: try_again(desk) == CONFIRMED)
    assert [frame[0] for frame in car.heard_of(COMMAND_ID)] == [42]
    assert car.heard_of(COMMAND_ID)[0][2] & 15 == 10  # the other's counter goes on


def try_again(desk: Desk) -> list[str]:
    """The states of one more attempt, with a fresh id."""
    identifier = f"again-{len(desk.heard)}"
    desk.ask(identifier, TEMPERATURE, 21)
    return desk.until_final(identifier)


def test_what_is_held_ends_with_its_condition_a_release_or_the_gateway(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    with Desk(mosquitto.url) as desk:
        running = gateway(stage, mosquitto.url)
        desk.until_heard()
        desk.until_heard("Vehicle.Speed")

        def hold(identifier: str) -> None:
            desk.ask(identifier, LIGHT, True)
            assert desk.until_final(identifier) == CONFIRMED
            held = len(car.heard_of(LIGHT_ID))
            eventually(lambda: len(car.heard_of(LIGHT_ID)) > held + 5)

        hold("l1")
        car.speed_kmh = 30
        desk.until(lambda _: desk.states("l1")[-1] == "ended(only_when)")
        ended = len(car.heard_of(LIGHT_ID))
        desk.ask("l2", LIGHT, True)
        assert desk.until_final("l2") == ["rejected(only_when)"]
        assert len(car.heard_of(LIGHT_ID)) == ended
        car.speed_kmh = 0
        desk.until(lambda heard: heard.signals()["Vehicle.Speed"]["value"] == 0)
        hold("l3")
        desk.ask("l4", LIGHT, None)
        assert desk.until_final("l4") == ["released"]
        assert desk.states("l3")[-1] == "ended(released)"
        hold("l5")
        running.send(signal.SIGKILL)
        running.wait()
        killed = len(car.heard_of(LIGHT_ID))
        after = len(desk.heard)
        gateway(stage, mosquitto.url)
        desk.until_presence(online=True, after=after)
        desk.ask("l6", TEMPERATURE, 21)
        assert desk.until_final("l6") == CONFIRMED
        assert len(car.heard_of(LIGHT_ID)) <= killed + 1  # one may have been under way


def test_a_bus_that_only_listens_sends_nothing(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    with Desk(mosquitto.url) as desk:
        gateway(stage, mosquitto.url, transmit=False)
        desk.until_heard()
        desk.ask("t1", TEMPERATURE, 21)
        assert desk.until_final("t1") == ["rejected(not_transmitting)"]
        desk.ask("t2", TEMPERATURE, 21, dry_run=True)
        assert desk.until_final("t2") == ["rejected(not_transmitting)"]
    assert car.heard == []

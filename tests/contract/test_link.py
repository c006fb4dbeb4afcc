"""The link against real brokers: mosquitto with MQTT 5 and 3.1.1, and the embedded one."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt

from internetcar.contract.broker_url import BrokerUrl, Protocol
from internetcar.contract.connection import Connection
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.link import Link
from internetcar.contract.message import Message
from internetcar.contract.presence import Presence
from internetcar.contract.proof import is_heard_back
from internetcar.contract.retry import BrokerRefusedError, BrokerUnreachableError, LinkOptions
from internetcar.contract.signals import Signal
from internetcar.contract.subscriptions import Received, Subscription
from internetcar.contract.telemetry import Telemetry, TelemetryRequest
from internetcar.launcher.broker import RunningBroker, free_port
from tests.conftest import need_mosquitto
from tests.waiting import PATIENCE_S, eventually

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
QUICK = LinkOptions(first_retry_s=0.05, longest_retry_s=0.2)
SPEED = Signal(vehicle_id="kona", path="Vehicle.Speed", value=12.5, at=AT)
BATCH = Telemetry(
    vehicle_id="kona", journal="j1", sequence=1, start_at=AT, end_at=AT, clock="free",
    origin="live",
)  # fmt: skip
HERE = Presence(
    vehicle_id="kona", online=True, journal="j1", since=AT, clock="free", origin="live",
    software="0",
)  # fmt: skip


def ignore(_: object) -> None:
    pass


@contextmanager
def running(link: Link) -> Iterator[Link]:
    link.start(wait_s=PATIENCE_S)
    try:
        yield link
    finally:
        link.stop()


@contextmanager
def stranger(url: BrokerUrl, topic_filter: str) -> Iterator[list[tuple[str, bytes, bool]]]:
    """What somebody hears who does not use our code."""
    heard: list[tuple[str, bytes, bool]] = []
    is_ready = threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)  # type: ignore[attr-defined]  # paho's own gap
    client.username_pw_set(url.username, url.password)
    client.on_message = lambda _c, _d, m: heard.append((m.topic, bytes(m.payload), m.retain))
    client.on_subscribe = lambda *_: is_ready.set()
    client.connect(url.host, url.port)
    client.subscribe(topic_filter, 1)
    client.loop_start()
    assert is_ready.wait(PATIENCE_S)
    try:
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


def test_nobody_hears_us_before_we_can_hear_an_answer(broker: RunningBroker) -> None:
    open_when_asked: list[bool] = []

    class Watched(Link):
        def _open(self, version: Protocol) -> Connection:
            connection = super()._open(version)
            subscribe = connection.subscribe

            def watched(subscription: Subscription) -> None:
                open_when_asked.append(self.publish_now([(SPEED.topic, b"early")], retain=False))
                subscribe(subscription)

            connection.subscribe = watched  # type: ignore[method-assign]
            return connection

    link = Watched(broker.url, "reader")
    link.on(Signal, ignore)
    link.on(Telemetry, ignore)
    with running(link):
        assert open_when_asked == [False, False]


def test_messages_of_both_kinds_reach_a_link_and_a_stranger(broker: RunningBroker) -> None:
    heard: list[Message] = []
    with ExitStack() as stack:
        others = stack.enter_context(stranger(broker.url, "v1/#"))
        link = Link(broker.url, "reader")
        link.on(Signal, heard.append, vehicle_id="kona")
        link.on(Telemetry, heard.append)
        stack.enter_context(running(link))
        eventually(lambda: is_heard_back(link, BATCH, PATIENCE_S))
        link.publish(SPEED)
        link.publish(SPEED.model_copy(update={"vehicle_id": "kia"}))
        assert link.drain(PATIENCE_S)
        eventually(lambda: SPEED in heard and len(others) >= 3)
    assert BATCH in heard
    assert all(message in (SPEED, BATCH) for message in heard)
    assert (SPEED.topic, SPEED.encode(), False) in others


def test_a_batch_goes_out_in_order_and_the_last_value_is_retained(broker: RunningBroker) -> None:
    batch = [(SPEED.topic, str(number).encode()) for number in range(3000)]
    with ExitStack() as stack:
        others = stack.enter_context(stranger(broker.url, "v1/#"))
        link = stack.enter_context(running(Link(broker.url, "gateway")))
        for start in range(0, 3000, 100):
            assert link.publish_now(batch[start : start + 100], retain=True)
        assert link.drain(PATIENCE_S)
        eventually(lambda: len(others) == 3000)
        assert [(topic, payload) for topic, payload, _ in others] == batch
        later = stack.enter_context(stranger(broker.url, "v1/#"))
        eventually(lambda: later)
        assert set(later) == {(SPEED.topic, b"2999", True)}


def test_a_delivery_is_acknowledged(broker: RunningBroker) -> None:
    with running(Link(broker.url, "gateway")) as link:
        ended: list[Delivery] = []
        delivery = link.publish_bytes(BATCH.topic, b"{}", then=ended.append)
        eventually(lambda: ended)
        assert ended == [delivery]
        assert delivery.is_acknowledged
        assert link.unacknowledged == 0


def test_the_last_will_is_said_for_a_link_that_vanishes_and_not_for_one_that_leaves(
    broker: RunningBroker,
) -> None:
    gone = HERE.model_copy(update={"online": False})
    errors: list[BaseException] = []

    def fail(_: object) -> None:
        raise ZeroDivisionError

    with stranger(broker.url, "v1/#") as others:
        with running(Link(broker.url, "leaving", will=gone)) as link:
            link.publish(HERE)
            assert link.drain(PATIENCE_S)
        dying = Link(broker.url, "dying", will=gone, on_failure=errors.append)
        dying.on(TelemetryRequest, fail)
        dying.start(PATIENCE_S)
        request = TelemetryRequest(vehicle_id="kona", journal="j1", first=1, last=1, reply_to="me")

        def is_gone() -> bool:
            asking.publish(request)  # again: a broker may take it before the subscription
            return (gone.topic, gone.encode(), False) in others

        with running(Link(broker.url, "asking")) as asking:
            eventually(is_gone)
        assert isinstance(errors[0], ZeroDivisionError)
        said = [payload for topic, payload, _ in others if topic == HERE.topic]
        assert said == [HERE.encode(), gone.encode()]


def test_a_wrong_password_is_one_clear_error_and_no_fallback(
    broker: RunningBroker, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = replace(broker.url, password="hunter2")
    with pytest.raises(BrokerRefusedError, match="password") as caught:
        Link(wrong, "stranger", options=QUICK).start(PATIENCE_S)
    with pytest.raises(BrokerRefusedError):
        Link(wrong, "stranger", options=QUICK).run()
    assert "hunter2" not in str(caught.value) + caplog.text
    assert "3.1.1" not in str(caught.value)


def test_handlers_run_in_the_main_thread_and_their_errors_come_out(broker: RunningBroker) -> None:
    where: list[threading.Thread] = []

    def fail(_: Signal) -> None:
        where.append(threading.current_thread())
        raise ZeroDivisionError

    link = Link(broker.url, "service")
    link.on(Signal, fail)
    link.on_connected(lambda: link.publish(SPEED))
    with pytest.raises(ZeroDivisionError):
        link.run()
    assert where == [threading.current_thread()]


def test_a_handler_can_stop_the_link_and_what_it_said_before_is_sent(
    broker: RunningBroker,
) -> None:
    link = Link(broker.url, "service")
    answers: list[Delivery] = []

    def answer(_: Signal) -> None:
        link.publish(BATCH, answers.append)
        link.publish(HERE)
        link.stop()

    link.on(Signal, answer)
    link.on_connected(lambda: link.publish(SPEED))
    with stranger(broker.url, "v1/#") as others:
        link.run()
        eventually(lambda: (HERE.topic, HERE.encode(), False) in others)
    assert [delivery.outcome for delivery in answers] == [Outcome.ACKNOWLEDGED]


@pytest.mark.parametrize("payload", [b"", b"\xff\xfe", b"[", b"[]", b"{}", b"1" * 5000, b"[" * 500])
def test_junk_on_every_topic_is_dropped_and_said_once(
    mosquitto: RunningBroker, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Message] = []
    with running(Link(mosquitto.url, "service")) as link:
        for cls in (Signal, Telemetry, TelemetryRequest, Presence):
            link.on(cls, heard.append)
        for _ in range(3):
            for message in (SPEED, BATCH, HERE):
                link.publish_bytes(message.topic, payload)
        link.publish(SPEED)
        eventually(lambda: SPEED in heard)
        eventually(lambda: link.unreadable == 9)
    assert heard == [SPEED]
    dropped = [text for text in caplog.messages if text.startswith("dropped")]
    assert len(dropped) == 3, "once a topic"
    assert all(len(text) < 500 and "\n" not in text for text in dropped)


def test_without_a_connection_nothing_piles_up() -> None:
    link = Link(BrokerUrl("127.0.0.1", free_port()), "gateway", options=QUICK)
    outcomes: list[Any] = []
    assert link.publish_bytes("t", b"", then=lambda d: outcomes.append(d.outcome))
    assert outcomes == [Outcome.LOST]
    assert link.publish(SPEED) is None
    assert not link.publish_now([("t", b"")] * 4, retain=False)
    assert link.dropped == 5
    with pytest.raises(BrokerUnreachableError, match="refused"):
        link.start(wait_s=0.3)


def test_more_than_may_wait_is_not_taken(mosquitto: RunningBroker) -> None:
    options = LinkOptions(in_flight=2, queued=5)
    outcomes: list[Outcome | None] = []
    done = threading.Event()

    def note(delivery: Delivery) -> None:
        outcomes.append(delivery.outcome)
        if len(outcomes) == 8:
            done.set()

    link = Link(mosquitto.url, "gateway", options=options)
    link.on_connected(lambda: [link.publish_bytes("t", b"", then=note) for _ in range(8)])
    with running(link):
        assert done.wait(PATIENCE_S)
    assert sorted(str(outcome) for outcome in outcomes) == sorted(
        [str(Outcome.ACKNOWLEDGED)] * 5 + [str(Outcome.FULL)] * 3
    )


def test_a_retained_message_is_marked_as_the_brokers_memory(broker: RunningBroker) -> None:
    heard: list[Received] = []
    with running(Link(broker.url, "gateway")) as link:
        link.publish(HERE)
        assert link.drain(PATIENCE_S)
        link.on_received(HERE.topic, heard.append, qos=1)
        eventually(lambda: heard)
    assert heard == [Received(HERE.topic, HERE.encode(), retained=True)]


def test_what_a_broker_forbids_is_known_in_mqtt_5(tmp_path: Path) -> None:
    """mosquitto answers 135 to a forbidden topic; in 3.1.1 only hearing nothing tells."""
    need_mosquitto()
    with (
        RunningBroker("mosquitto", tmp_path / "broker", access="topic read #\n") as broker,
        running(Link(broker.url, "gateway")) as link,
        running(Link(replace(broker.url, protocol="3.1.1"), "old")) as old,
    ):
        assert not is_heard_back(link, HERE, 0.4)
        eventually(lambda: link.not_permitted == HERE.topic)
        assert not is_heard_back(old, HERE, 0.4)
        assert old.not_permitted is None

"""The parts of the link that need no broker."""

import random
import socket
from datetime import UTC, datetime, timedelta

import pytest
from amqtt.mqtt.publish import PublishPacket
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.broker_url import BrokerUrlError, parse_broker_url
from internetcar.contract.delivery import Deliveries, Delivery, Outcome, encode_publish
from internetcar.contract.message import ContractError
from internetcar.contract.outgoing import Outgoing
from internetcar.contract.presence import Presence
from internetcar.contract.presence_keeper import Verdict, judge
from internetcar.contract.retry import Backoff, Dialect
from internetcar.contract.subscriptions import (
    Complaints,
    Received,
    Subscriptions,
    filter_pattern,
)

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0+#"), min_size=1, max_size=300)


@given(TEXT, st.binary(max_size=20_000), st.booleans())
def test_a_publish_packet_is_what_another_library_writes(
    topic: str, payload: bytes, retain: bool
) -> None:
    written = encode_publish(topic.encode(), payload, retain=retain, is_v5=False)
    assert written == PublishPacket.build(topic, payload, None, False, 0, retain).to_bytes()


def test_mqtt_5_adds_an_empty_list_of_properties() -> None:
    assert encode_publish(b"t", b"p", retain=True, is_v5=True) == b"\x31\x05\x00\x01t\x00p"


@pytest.mark.parametrize(
    ("topic_filter", "topic", "matches"),
    [
        ("a/+/c", "a/b/c", True), ("a/+/c", "a/c", False), ("a/+", "a/", True),
        ("a/#", "a", True), ("a/#", "a/b/c", True), ("a/#", "ab", False),
        ("#", "a/b", True), ("#", "$SYS/x", False), ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True), ("$share/g/a/+", "a/b", True), ("a.c", "abc", False),
        ("+", "a\n", True),
    ],
)  # fmt: skip
def test_a_filter_matches_what_mqtt_says(topic_filter: str, topic: str, matches: bool) -> None:
    assert (filter_pattern(topic_filter).fullmatch(topic) is not None) is matches


def test_one_complaint_a_topic_and_minute_in_bounded_memory() -> None:
    now_s = 0.0
    complaints = Complaints(lambda: now_s)
    assert [complaints.is_due("a"), complaints.is_due("a"), complaints.is_due("b")] == [
        True, False, True,
    ]  # fmt: skip
    now_s = 60.0
    assert complaints.is_due("a")
    for number in range(5000):
        complaints.is_due(str(number))
    assert len(complaints._last_s) <= 1000


def test_what_breaks_the_contract_is_dropped_and_any_other_error_goes_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_: Received) -> None:
        raise ContractError("junk")

    def fail(_: Received) -> None:
        raise ZeroDivisionError

    subscriptions = Subscriptions()
    subscriptions.add("junk", 0, refuse)
    subscriptions.add("bug", 0, fail)
    for _ in range(3):
        subscriptions.dispatch(Received("junk", b""))
    assert subscriptions.unreadable == 3
    assert caplog.messages == ["dropped: junk"]
    with pytest.raises(ZeroDivisionError):
        subscriptions.dispatch(Received("bug", b""))


def test_delays_grow_to_their_most_and_differ() -> None:
    backoff = Backoff(1.0, 8.0, random.Random(1))
    delays = [backoff.next_s() for _ in range(6)]
    for delay, span in zip(delays, (1, 2, 4, 8, 8, 8), strict=True):
        assert span / 2 <= delay <= span
    assert len(set(delays)) == 6
    backoff.reset()
    assert backoff.next_s() <= 1.0


def test_the_dialect_falls_back_until_one_is_accepted() -> None:
    dialect = Dialect(None)
    versions: list[str] = []
    for _ in range(3):
        versions.append(dialect.version)
        is_another_left = dialect.unanswered()
        assert is_another_left is (versions[-1] == "5"), "wait when both were silent"
    dialect.accepted()
    assert not dialect.unanswered()
    assert [*versions, dialect.version] == ["5", "3.1.1", "5", "3.1.1"]
    assert Dialect("3.1.1").version == "3.1.1"


def test_a_delivery_ends_once_and_an_answer_to_nobody_is_ignored() -> None:
    ended: list[Delivery] = []
    deliveries = Deliveries()
    deliveries.start(Delivery("a", ended.append), lambda: 1)
    deliveries.start(Delivery("b", ended.append), lambda: 2)
    deliveries.start(Delivery("c", ended.append), lambda: Outcome.FULL)
    deliveries.answered(1, Outcome.ACKNOWLEDGED)
    deliveries.answered(1, Outcome.REFUSED)
    deliveries.answered(9, Outcome.ACKNOWLEDGED)
    assert [delivery.topic for delivery in deliveries.settle()] == ["a"]
    deliveries.lose_all()
    deliveries.start(Delivery("d", ended.append), lambda: 3)
    assert {delivery.topic: delivery.outcome for delivery in ended} == {
        "a": Outcome.ACKNOWLEDGED, "b": Outcome.LOST, "c": Outcome.FULL, "d": Outcome.LOST,
    }  # fmt: skip
    assert len(deliveries) == 0


def test_the_hot_path_never_writes_into_a_half_written_packet() -> None:
    """A small socket buffer makes both sides stop in the middle of packets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        ours.setblocking(False)
        theirs.setblocking(False)
        library = bytearray()

        def write() -> None:
            while library:
                try:
                    del library[: ours.send(bytes(library[:700]))]
                except BlockingIOError:
                    return

        outgoing = Outgoing(
            ours, library_waits=lambda: bool(library), library_writes=write, is_shareable=True,
            wake=lambda: None,
        )  # fmt: skip
        expected, received = 0, bytearray()
        chance = random.Random(2)
        for _ in range(400):
            packet = bytes([chance.choice(b"AB")]) * 1000
            if packet[:1] == b"A":
                assert outgoing.send(packet)
            else:
                library += packet
            expected += 1000
            outgoing.pump()
            if chance.random() < 0.5:
                received += theirs.recv(chance.randrange(1, 5000)) if expected else b""
        while len(received) < expected:
            outgoing.pump()
            received += theirs.recv(65536)
    runs = [received[i : i + 1000] for i in range(0, len(received), 1000)]
    assert all(len(set(run)) == 1 for run in runs)


def test_a_full_buffer_refuses_instead_of_growing() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        outgoing = Outgoing(
            ours, library_waits=lambda: False, library_writes=lambda: None, is_shareable=False,
            wake=lambda: None,
        )  # fmt: skip
        assert outgoing.send(bytes(3 << 20))
        assert not outgoing.send(bytes(3 << 20))


def test_a_broken_connection_takes_nothing_more() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        outgoing = Outgoing(
            ours, library_waits=lambda: False, library_writes=lambda: None, is_shareable=True,
            wake=lambda: None,
        )  # fmt: skip
        theirs.close()
        assert not outgoing.send(b"packet")
        assert not outgoing.send(b"packet")
        outgoing.pump()
        assert not outgoing.is_waiting


@pytest.mark.parametrize(
    ("changes", "retained", "verdict"),
    [
        ({}, False, Verdict.OURS),
        ({"online": False}, False, Verdict.FALSE),
        ({"online": False, "journal": "before"}, True, Verdict.FALSE),
        ({"journal": "before"}, True, Verdict.OLD),
        ({"journal": "older", "since": AT - timedelta(hours=1)}, False, Verdict.FALSE),
        ({"journal": "newer", "since": AT + timedelta(hours=1)}, False, Verdict.TAKEN_OVER),
    ],
)
def test_a_presence_is_judged(changes: dict[str, object], retained: bool, verdict: Verdict) -> None:
    own = Presence(
        vehicle_id="kona", online=True, journal="now", since=AT, clock="free", origin="live",
        software="0",
    )  # fmt: skip
    assert judge(own.model_copy(update=changes), own, retained=retained) is verdict


def test_a_broker_url_is_read_and_written() -> None:
    url = parse_broker_url(" mqtt://us%40er:p%2Fw%3A@[::1]:1999 ")
    assert (url.host, url.port, url.username, url.password) == ("::1", 1999, "us@er", "p/w:")
    assert parse_broker_url(url.secret) == url
    assert parse_broker_url("mqtt://pi").port == 1883
    assert parse_broker_url("mqtts://pi").port == 8883
    known = parse_broker_url("mqtt://pi?protocol=3.1.1")
    assert parse_broker_url(known.secret) == known
    assert known.address == "mqtt://pi:1883"


def test_a_password_is_never_shown() -> None:
    url = parse_broker_url("mqtt://user:hunter2@pi")
    for text in (str(url), repr(url), f"{url}", f"{[url]}"):
        assert "hunter2" not in text
        assert "user" in text


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "scheme"), ("pi:1883", "mqtt://"), ("http://pi", "http"), ("mqtt://", "host"),
        ("mqtt://pi:0", "port"), ("mqtt://pi:99999", "port"), ("mqtt://pi:x", "port"),
        ("mqtt://[::1", "host"), ("mqtt://pi/topic", "%2F"), ("mqtt://u:pass#w@pi", "%2"),
        ("mqtt://pi?ca=/x", "mqtts://"), ("mqtts://pi?ca=/no/such", "/no/such"),
        ("mqtts://pi?key=/etc/hosts", "cert"), ("mqtt://pi?protocol=4", "3.1.1"),
        ("mqtt://pi?what=1", "what"), ("mqtt://:secret@pi", "user name"),
    ],
)  # fmt: skip
def test_a_wrong_broker_url_is_one_clear_error(text: str, word: str) -> None:
    with pytest.raises(BrokerUrlError) as caught:
        parse_broker_url(text)
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=80))
def test_any_text_is_a_broker_url_or_one_error(text: str) -> None:
    for candidate in (text, "mqtt://" + text):
        try:
            url = parse_broker_url(candidate)
        except BrokerUrlError as error:
            assert "\n" not in str(error)
        else:
            assert parse_broker_url(url.secret) == url

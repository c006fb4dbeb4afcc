"""PUBLISH packets as brokers send them, and as they do not."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from internetcar.contract.incoming import PacketError, read_publish

TOPICS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def packet(topic: bytes, identifier: int | None, properties: bytes, payload: bytes) -> bytes:
    behind = b"" if identifier is None else identifier.to_bytes(2, "big")
    return len(topic).to_bytes(2, "big") + topic + behind + properties + payload


def packed(**given: Any) -> bytes:
    """Properties as paho writes them."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
    for name, value in given.items():
        setattr(properties, name, value)
    return bytes(properties.pack())  # type: ignore[no-untyped-call]  # paho's


@given(
    TOPICS, st.none() | st.integers(1, 65535), st.binary(max_size=300), st.booleans(),
    st.none() | TOPICS, st.none() | st.binary(max_size=300),
    st.lists(st.tuples(TOPICS, TOPICS), max_size=4), st.none() | st.integers(0, 2**32 - 1),
    st.none() | st.integers(1, 268_435_455),
)  # fmt: skip
def test_what_a_packet_says_is_read(
    topic: str,
    identifier: int | None,
    payload: bytes,
    retained: bool,
    response_topic: str | None,
    correlation: bytes | None,
    pairs: list[tuple[str, str]],
    expiry: int | None,
    subscription: int | None,
) -> None:
    given = {
        "UserProperty": pairs or None, "ResponseTopic": response_topic,
        "MessageExpiryInterval": expiry, "CorrelationData": correlation, "TopicAlias": 7,
        "SubscriptionIdentifier": subscription, "ContentType": "x", "PayloadFormatIndicator": 1,
    }  # fmt: skip
    properties = packed(**{name: value for name, value in given.items() if value is not None})
    qos = int(identifier is not None)
    flags = 0x30 | qos << 1 | retained
    for is_v5, between in ((True, properties), (True, b"\0"), (False, b"")):
        whole = packet(topic.encode(), identifier, between, payload)
        arrival = read_publish(flags | 8 * is_v5, whole, is_v5=is_v5)
        received = arrival.received
        assert received is not None
        assert (arrival.qos, arrival.identifier) == (qos, identifier or 0)
        assert (received.topic, received.payload, received.retained) == (topic, payload, retained)
        assert (received.packet, received.is_again) == (identifier or 0, is_v5)
        is_said = between == properties
        assert received.response_topic == (response_topic if is_said else None)
        assert received.correlation == (correlation if is_said else None)


@given(st.integers(0, 15), st.binary(max_size=60), st.booleans())
def test_any_bytes_are_a_packet_or_an_error(flags: int, junk: bytes, is_v5: bool) -> None:
    with suppress(PacketError):
        read_publish(0x30 | flags, junk, is_v5=is_v5)


@pytest.mark.parametrize(
    "properties",
    [
        b"\xff\xff\xff\xff\x01", b"\x02\x7f\x00", b"\x05\x08\x00", b"\x03\x08\x00\x09a",
        b"\x01\x01", b"\x04\x26\x00\x00\x00", b"\x02\x02\x00", b"\x03\x0b\xff\xff", b"",
    ],
)  # fmt: skip
def test_properties_that_are_none_end_the_connection(properties: bytes) -> None:
    with pytest.raises(PacketError):
        read_publish(0x30, packet(b"v1/x", None, properties, b""), is_v5=True)


def test_what_is_cut_off_or_of_another_quality_ends_it_too() -> None:
    for flags, whole in ((0x34, b"\0\x01a\0\x01"), (0x36, b"\0\x01a\0\x01"), (0x32, b"\0\x01a\0")):
        with pytest.raises(PacketError):
            read_publish(flags, whole, is_v5=False)


@pytest.mark.parametrize("properties", [b"\0", b"\x04\x08\x00\x01\xff"])
def test_a_topic_that_is_no_text_is_acknowledged_and_nothing_more(properties: bytes) -> None:
    topic = b"\xff" if properties == b"\0" else b"a"
    arrival = read_publish(0x32, packet(topic, 5, properties, b"x"), is_v5=True)
    assert (arrival.identifier, arrival.qos, arrival.received) == (5, 1, None)

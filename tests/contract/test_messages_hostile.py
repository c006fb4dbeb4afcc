"""Whatever a stranger publishes is a message or a contract error; nothing else comes out."""

from datetime import datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from internetcar.contract.known import apply
from internetcar.contract.message import ContractError, Message, topic_fields
from internetcar.contract.telemetry import Telemetry
from tests.contract.test_messages import MESSAGES

EXTREME_INSTANTS = [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2026-11-21T03:00:00",
    "2026-11-21",
    "",
]
EXTREME_NUMBERS = [
    -1, 0, 1, 2**31, 2**53, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), 2**64 - 1,
    1e18, 1e300, -1e300, 5e-324, 253402300799, -62135596800, 0.5,
]  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(EXTREME_INSTANTS),
    st.sampled_from(EXTREME_NUMBERS),
    st.sampled_from(["9" * 30, "9" * 5000, "1e400", "nan", "a\nb", "free", "live"]),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def body_of(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(message.encode())
    return body


@st.composite
def spoiled(draw: st.DrawFn, node: Any) -> Any:
    """A valid JSON value with anything in some of its places, at any depth."""
    if draw(st.integers(0, 4)) == 0:
        return draw(JSON)
    if isinstance(node, dict):
        body = {key: draw(spoiled(value)) for key, value in node.items()}
        extra = st.one_of(st.none(), st.text(max_size=8), st.just("a\nb"))
        name = draw(extra)
        return body if name is None else {**body, name: draw(spoiled(next(iter(node.values()), 0)))}
    if isinstance(node, list):
        return [draw(spoiled(value)) for value in node]
    return node


def use(message: Message) -> None:
    """What readers do with a message: count with its instants, keep its numbers."""
    if isinstance(message, Telemetry):
        assert message.encode()
        apply({}, message)


def read(cls: type[Message], topic: str, payload: bytes) -> None:
    try:
        message = cls.decode(topic, payload)
    except ContractError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
    else:
        use(message)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_any_json_in_any_field_is_a_message_or_a_contract_error(
    message: Message, data: st.DataObject
) -> None:
    body = body_of(message)
    payload = orjson.dumps(data.draw(spoiled(body)))
    read(type(message), message.topic, payload)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
@pytest.mark.parametrize(
    "raw",
    [
        *(orjson.dumps(instant) for instant in EXTREME_INSTANTS),
        *(orjson.dumps(number) for number in EXTREME_NUMBERS),
        b"1" + b"0" * 25, b"-1" + b"0" * 300, b"1" + b"0" * 5000, b"1e999", b'"\\ud800"',
        b'"%s"' % (b"9" * 4000), b'"%s"' % (b"9" * 5000), b"[" * 500 + b"]" * 500,
        b'{"a":' * 500 + b"1" + b"}" * 500, b"[" * 100_000, b'{"a":' * 100_000,
        b'{"' + b"x" * 5000 + b'":1}', b'{"a\\nb":{}}', b'{"a":[[9223372036854775807,1]]}',
        b'{"a":[[-9223372036854775808,1]]}', b'{"a":[[1e300,1]]}',
        b'{"a":[["%s",1]]}' % (b"9" * 40),
    ],
    ids=lambda raw: raw[:24].decode(),
)  # fmt: skip
def test_a_field_beyond_all_bounds_is_a_contract_error_if_anything(
    message: Message, raw: bytes
) -> None:
    for name, value in body_of(message).items():
        rest = {key: other for key, other in body_of(message).items() if key != name}
        payload = orjson.dumps(rest)[:-1] + b',"%s":%s}' % (name.encode(), raw)
        read(type(message), message.topic, payload.replace(b"{,", b"{"))
        if isinstance(value, dict):
            nested = b'{"can0":{"load":%s,"interface":%s,"min":%s}}' % (raw, raw, raw)
            read(type(message), message.topic, payload.replace(raw, nested))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_topic_that_is_hostile_is_named_in_one_short_line(message: Message) -> None:
    for level in ("a\nb", "\x1b[2J", "x" * 60_000):
        topic = message.TOPIC.format_map(dict.fromkeys(topic_fields(message), level))
        with pytest.raises(ContractError) as raised:
            type(message).decode(topic, message.encode())
        assert str(raised.value).isprintable()
        assert len(str(raised.value)) < 1000


@pytest.mark.parametrize("instant", EXTREME_INSTANTS)
def test_an_instant_no_reader_can_count_with_is_refused(instant: str) -> None:
    message = next(message for message in MESSAGES if isinstance(message, Telemetry))
    payload = orjson.dumps({**body_of(message), "start_at": instant})
    with pytest.raises(ContractError, match="start_at"):
        Telemetry.decode(message.topic, payload)


@pytest.mark.parametrize("offset_ms", [2**62, -(2**62), (1 << 44) + 1, -(1 << 44) - 1])
def test_a_sample_centuries_from_its_batch_is_refused(offset_ms: int) -> None:
    message = next(message for message in MESSAGES if isinstance(message, Telemetry))
    payload = orjson.dumps({**body_of(message), "samples": {"Vehicle.Speed": [[offset_ms, 1]]}})
    with pytest.raises(ContractError, match="samples"):
        Telemetry.decode(message.topic, payload)


@pytest.mark.parametrize("instant", ["1001-01-01T00:00:00Z", "8999-12-31T23:59:59.999Z"])
@pytest.mark.parametrize("offset_ms", [1 << 44, -(1 << 44)])
def test_the_widest_batch_can_be_counted_with(instant: str, offset_ms: int) -> None:
    message = next(message for message in MESSAGES if isinstance(message, Telemetry))
    body = {**body_of(message), "start_at": instant, "samples": {"A.B": [[offset_ms, 1]]}}
    batch = Telemetry.decode(message.topic, orjson.dumps(body))
    assert isinstance(apply({}, batch)["A.B"].at, datetime)
    assert orjson.loads(batch.encode())["start_at"].startswith(instant[:19])

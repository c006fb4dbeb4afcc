"""A packet from a command topic, read or with what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.requests import Request, answer_topic, read_request
from internetcar.contract.commands import Command
from internetcar.contract.message import ContractError, Value
from internetcar.contract.subscriptions import Received

TOPIC = "v1/vehicle/car/command/phone/Vehicle.Fan"


def read(payload: str | bytes, topic: str = TOPIC, response_topic: str | None = None) -> Request:
    raw = payload.encode() if isinstance(payload, str) else payload
    return read_request(Received(topic, raw, False, response_topic, b"42"), "fresh-1", 7)


def test_an_object_is_read_with_all_it_says() -> None:
    request = read(
        '{"value": 21.5, "id": "c1", "expires_at": "2023-11-14T22:13:20.250Z", "dry_run": true}',
        response_topic="v1/client/phone/answers",
    )
    assert request == Request(
        requester="phone", path="Vehicle.Fan", id="c1", received_ns=7, has_id=True, value=21.5,
        expires_at_ns=1_700_000_000_250_000_000, dry_run=True,
        answer_to="v1/client/phone/answers", correlation=b"42",
    )  # fmt: skip
    assert request.key == ("phone", "c1")


def test_a_bare_scalar_is_a_command_of_its_own() -> None:
    request = read("21")
    assert (request.id, request.has_id, request.value) == ("fresh-1", False, 21)
    assert request.key == ("phone", "~fresh-1")
    assert (request.expires_at_ns, request.dry_run, request.problem) == (None, False, None)
    assert (request.answer_to, request.correlation) == (None, None)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        ("null", None),
        ("true", True),
        ('"\N{SNOWMAN}"', "\N{SNOWMAN}"),
        ('{"value": null}', None),
        ('{"value": [1, "a"]}', [1, "a"]),
        ("-0.0", -0.0),
        ("1e30", 1e30),
        ("18446744073709551616", 2.0**64),
    ],
)
def test_a_value_is_read_as_json_has_it(payload: str, value: Value) -> None:
    read_value = read(payload).value
    assert (type(read_value), read_value) == (type(value), value)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ("NaN", "not JSON"),
        ("1e400", "not JSON"),
        ("[1]", "not an array"),
        ("{}", "has no `value`"),
        ('{"value": {"a": 1}}', "value"),
        ('{"value": [[1]]}', "value"),
        ('{"value": 1, "id": ""}', "id"),
        ('{"value": 1, "id": "a/b"}', "id"),
        ('{"value": 1, "id": 5}', "id"),
        ('{"value": 1, "expires_at": "soon"}', "expires_at"),
        ('{"value": 1, "expires_at": "2023-11-14T22:13:20"}', "time zone"),
        ('{"value": 1, "dry_run": "perhaps"}', "dry_run"),
        ('{"value": "' + "x" * 3000 + '"}', "more than 2048"),
        ("[" * 2000, "not JSON"),
    ],
)
def test_what_cannot_be_read_is_a_request_with_its_problem(
    payload: str | bytes, words: str
) -> None:
    request = read(payload)
    assert request.problem is not None
    assert words in request.problem
    assert len(request.problem) <= 300
    assert (request.id, request.has_id, request.value) == ("fresh-1", False, None)
    assert (request.requester, request.path) == ("phone", "Vehicle.Fan")


@pytest.mark.parametrize("topic", ["", "a/b", "v1/vehicle/car/command/phone", TOPIC + "/more"])
def test_another_topic_is_nobodys_command(topic: str) -> None:
    with pytest.raises(ContractError, match="is not a command topic"):
        read("1", topic)


def test_what_stands_in_the_topic_is_bounded_and_cut_off_it_is_nobody() -> None:
    topic = f"v1/vehicle/car/command/{'p' * 60_000}/{'x' * 5_000}"
    request = read("1", topic)
    assert len(request.requester) > 36
    assert len(request.requester) + len(request.path) <= 240
    assert request.problem


def test_a_retained_one_says_so_read_or_not() -> None:
    for payload in (b"1", b"{"):
        assert read_request(Received(TOPIC, payload, True), "f", 7).retained


@pytest.mark.parametrize(
    "topic",
    [
        "v1/vehicle/car/command/phone/Vehicle.Fan",
        "v1/client/other/answers",
        "v1/client/phone",
        "v1/client/phone/",
        "v1/client/phone//a",
        "v1/client/phone/a/#",
        "v1/client/phone/+",
        "v1/client/phone/a\nb",
        "v1/client/phonex/a",
        "v1/client/phone/" + "x" * 65,
        "v1/client/phone/a/other",
        "v1/client/phone/a/car/b",
        "$SYS/a",
    ],
)
def test_a_command_is_answered_only_below_its_requesters_own_topics(topic: str) -> None:
    with pytest.raises(ContractError, match="is neither v1/client/phone/WORD nor"):
        answer_topic("phone", "car", topic)
    request = read("1", response_topic=topic)
    assert "response topic" in (request.problem or "")
    assert request.answer_to is None


def test_the_same_body_has_the_same_digest_and_another_another() -> None:
    bodies = [
        '{"id": "c", "value": 1}',
        '{"id": "c", "value": 1.0}',
        '{"id": "c", "value": true}',
        '{"id": "c", "value": "1"}',
        '{"id": "c", "value": null}',
        '{"id": "c", "value": [1]}',
        '{"id": "c", "value": 1, "dry_run": true}',
        '{"id": "c", "value": 1, "expires_at": "2023-11-14T22:13:20Z"}',
        '{"id": "c", "value": 1, "expires_at": "2023-11-14T22:13:20.001Z"}',
    ]
    digests = [read(body).digest for body in bodies]
    digests.append(read(bodies[0], TOPIC + "Speed").digest)
    assert len(set(digests)) == len(digests)
    reordered = read('{"value":1, "id":"c"}', response_topic="v1/client/phone/a")
    assert reordered.digest == digests[0]


@given(st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_a_command_or_a_problem(payload: bytes) -> None:
    request = read(payload)
    assert (request.problem is None) or (not request.has_id and request.value is None)
    assert len(request.digest) == 16


NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.none() | st.booleans() | st.text() | NUMBERS


@given(VALUES)
def test_what_a_requester_writes_is_what_is_read(value: Value) -> None:
    command = Command(vehicle_id="car", requester="phone", path="Vehicle.Fan", id="c", value=value)
    request = read(command.encode(), command.topic)
    assert (type(request.value), request.value) == (type(value), value)
    assert request.problem is None

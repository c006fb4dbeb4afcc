"""What comes before the pilot: who may ask for what, when, and what is the same request."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.drone import DroneRequest
from internetcar.contract.message import EPOCH
from services.drone.broker.requests import (
    FUTURE_MS,
    LASTS_MS,
    LONGEST_AHEAD_MS,
    Refusal,
    Sender,
    Unreadable,
    digest,
    forbidden,
    read,
    refused,
    right_of,
    sender_of,
    untimely,
)

NOW_MS = 1_780_000_000_000
TOPIC = "v1/vehicle/demo/drone/drone1/services/alice"
TASK = {"task": "scout"}


def request(**changed: Any) -> DroneRequest:
    fields = {
        "vehicle_id": "demo", "drone_id": "drone1", "requester": "alice", "tid": "t1",
        "timestamp": NOW_MS, "method": "flighttask_execute", "data": TASK,
    }  # fmt: skip
    return DroneRequest.model_validate({**fields, **changed})


def at(ms: int) -> Any:
    return EPOCH + timedelta(milliseconds=ms)


def unreadable(payload: bytes, topic: str = TOPIC, *, retained: bool = False) -> Unreadable:
    found = read(topic, payload, retained=retained)
    assert isinstance(found, Unreadable)
    return found


def test_a_request_is_read() -> None:
    assert read(TOPIC, request().encode(), retained=False) == request()


def test_a_retained_request_is_refused_and_answered_by_its_tid() -> None:
    found = unreadable(request(bid="b1").encode(), retained=True)
    assert found.sender == Sender("demo", "drone1", "alice", "t1", "b1", "flighttask_execute")
    assert found.refusal.reason == "retained"


def test_what_is_retained_and_no_request_is_refused_as_retained() -> None:
    assert unreadable(b"{", retained=True).refusal.reason == "retained"


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"7", b"\xff", b'{"tid": "t1"}', b"[" * 20_000, b" " * 20_000],
)
def test_a_broken_payload_is_refused_to_whom_the_topic_names(payload: bytes) -> None:
    found = unreadable(payload)
    assert found.sender is not None
    assert (found.sender.requester, found.refusal.reason) == ("alice", "malformed")


def test_as_much_of_a_broken_request_comes_back_as_can_be_told() -> None:
    body = {"tid": "t9", "bid": "a b", "method": "no_such", "timestamp": NOW_MS}
    found = unreadable(orjson.dumps(body))
    assert found.sender == Sender("demo", "drone1", "alice", "t9", None, "no_such")
    assert found.refusal.detail.startswith("bid: ")
    unknown = unreadable(orjson.dumps({**body, "bid": "b"}))
    assert "there is no method no_such" in unknown.refusal.detail
    assert unreadable(orjson.dumps({"tid": "a b", "method": "m" * 41})).sender == Sender(
        "demo", "drone1", "alice"
    )


@pytest.mark.parametrize(
    "topic",
    ["", "v1", TOPIC + "/more", TOPIC.replace("alice", "al ice"), TOPIC.replace("alice", "")],
)
def test_nobody_is_answered_where_the_topic_names_nobody(topic: str) -> None:
    assert unreadable(b"{}", topic).sender is None


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_a_request_or_a_refusal(payload: bytes, retained: bool) -> None:
    found = unreadable(payload, retained=retained)
    assert found.sender is not None
    reply = refused(found.sender, found.refusal, NOW_MS)
    assert reply.data.output.status == "rejected"
    assert reply.encode()


def test_the_same_wish_has_one_digest_however_it_is_written() -> None:
    one = request(data={"task": "scout", "duration_s": 60.0})
    other = request(data={"duration_s": 60, "task": "scout"}, timestamp=NOW_MS + 5, bid="b")
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    "changed",
    [
        {"data": {"task": "beacon"}},
        {"dry_run": True},
        {"expires_at": at(NOW_MS + 1_000)},
        {"method": "return_home", "data": {}},
    ],
)
def test_another_wish_has_another_digest(changed: dict[str, Any]) -> None:
    assert digest(request(**changed)) != digest(request())


@pytest.mark.parametrize(
    ("method", "data", "right"),
    [
        ("flighttask_execute", TASK, "launch"),
        ("flighttask_execute", {"task": "follow"}, "follow"),
        ("return_home", {}, "return"),
        ("drone_emergency_stop", {}, "stop"),
    ],
)
def test_each_right_opens_its_own_methods(method: str, data: dict[str, Any], right: str) -> None:
    asked = request(method=method, data=data)
    assert right_of(asked) == right
    refusal = forbidden(asked, {"alice": frozenset()})
    assert (refusal is None) == (right == "stop")
    assert forbidden(asked, {"alice": frozenset({right})}) is None
    stranger = forbidden(asked, {"bob": frozenset({"launch", "follow", "return", "stop"})})
    assert stranger is not None
    assert stranger.reason == "not_allowed"


@pytest.mark.parametrize(
    ("said_ms", "expires_ms", "reason"),
    [
        (0, None, None),
        (-LASTS_MS + 1, None, None),
        (-LASTS_MS, None, "expired"),
        (FUTURE_MS, None, None),
        (FUTURE_MS + 1, None, "lifetime"),
        (0, LONGEST_AHEAD_MS, None),
        (0, LONGEST_AHEAD_MS + 1, "lifetime"),
        (-100_000, 1, None),
        (0, 0, "expired"),
        (0, -1, "expired"),
    ],
)
def test_a_request_holds_for_its_time(
    said_ms: int, expires_ms: int | None, reason: str | None
) -> None:
    expires_at = None if expires_ms is None else at(NOW_MS + expires_ms)
    found = untimely(request(timestamp=NOW_MS + said_ms, expires_at=expires_at), NOW_MS)
    assert (found.reason if found else None) == reason


def test_a_refusal_says_why_and_comes_back_under_the_ids() -> None:
    asked = request(bid="b1")
    reply = refused(sender_of(asked), Refusal("busy", "x" * 500), NOW_MS, dry_run=True)
    assert reply.topic == "v1/vehicle/demo/drone/drone1/services_reply/alice"
    assert (reply.tid, reply.bid, reply.method) == ("t1", "b1", "flighttask_execute")
    assert reply.data.result != 0
    output = reply.data.output
    assert (output.reason, len(output.detail or ""), output.dry_run) == ("busy", 200, True)

"""What Home Assistant's templates make of our messages, and ours of its word."""

import json
from datetime import UTC, datetime

import pytest

from internetcar.contract.home_assistant import (
    IS_ONLINE,
    MINUTE,
    POSITION,
    VALUE,
    Birth,
    command_template,
    device_id_of,
    reading_template,
)
from internetcar.contract.message import ContractError, Value
from internetcar.contract.presence import Presence
from internetcar.contract.signals import Position, Quality, Signal
from tests.home_assistant import read, write

AT = datetime(2026, 11, 21, 3, 14, 15, 123_000, tzinfo=UTC)


def said(value: Value, quality: Quality = "valid") -> bytes:
    return Signal(vehicle_id="car", path="Vehicle.X", value=value, at=AT, quality=quality).encode()


@pytest.mark.parametrize(
    ("value", "quality", "live", "last_known"),
    [
        (12.5, "valid", "12.5", "12.5"),
        (0, "valid", "0", "0"),
        ("OFF", "valid", "OFF", "OFF"),
        (12.5, "stale", "None", "12.5"),
        (12.5, "error", "None", "12.5"),
        (12.5, "out_of_range", "None", "None"),
        (None, "not_available", "None", "None"),
        (None, "valid", "None", "None"),
    ],
)
def test_a_value_is_unknown_where_it_does_not_hold(
    value: Value, quality: Quality, live: str, last_known: str
) -> None:
    payload = said(value, quality)
    assert read(reading_template(VALUE, stays=False), payload) == live
    assert read(reading_template(VALUE, stays=True), payload) == last_known


JUNK = [b"", b"5", b"null", b"{}", b"[1]", b'"a"', b'{"latitude":"x","at":5}', b"not JSON"]


@pytest.mark.parametrize("payload", JUNK)
def test_a_topic_that_was_cleared_or_holds_junk_is_unknown(payload: bytes) -> None:
    assert read(reading_template(f"({VALUE} / 1000)", stays=True), payload) == "None"
    assert read(IS_ONLINE, payload) == "offline"
    assert read(POSITION, payload) == "{}"
    assert read(MINUTE, payload) == "None"


def test_a_position_is_the_attributes_of_a_tracker() -> None:
    place = Position(vehicle_id="car", latitude=1.3, longitude=103.8, accuracy_m=4.5, at=AT)
    attributes = json.loads(read(POSITION, place.encode()))
    assert (attributes["latitude"], attributes["longitude"]) == (1.3, 103.8)
    assert (attributes["gps_accuracy"], attributes["heading"]) == (4.5, None)
    bare = place.model_copy(update={"accuracy_m": None, "speed_kmh": 30.0})
    attributes = json.loads(read(POSITION, bare.encode()))
    assert (attributes["gps_accuracy"], attributes["speed_kmh"]) == (0, 30.0)
    undated = json.loads(read(POSITION, b'{"latitude":1,"longitude":2}'))
    assert (undated["latitude"], undated["at"]) == (1, None)


@pytest.mark.parametrize("is_online", [True, False])
def test_presence_is_availability(is_online: bool) -> None:
    presence = Presence(
        vehicle_id="car", online=is_online, asleep=True, journal="j", since=AT, clock="free",
        origin="live", software="x",
    )  # fmt: skip
    assert read(IS_ONLINE, presence.encode()) == ("online" if is_online else "offline")


def test_last_seen_is_the_minute_with_its_zone() -> None:
    seen = datetime.fromisoformat(read(MINUTE, said(1)))
    assert seen == AT.replace(second=0, microsecond=0)
    assert read(MINUTE, b"") == "None"


def test_a_command_is_the_bare_value_or_has_an_id() -> None:
    assert write(command_template("value", momentary=False), 21.5) == b"21.5"
    assert json.loads(write(command_template("value", momentary=True), "true")) == {
        "id": "ha-1795230000.123456",
        "value": True,
    }


def test_its_birth_is_a_bare_word() -> None:
    for state in ("online", "offline"):
        birth = Birth.decode("homeassistant/status", state.encode())
        assert (birth.prefix, birth.state) == ("homeassistant", state)
        assert (birth.topic, birth.encode()) == ("homeassistant/status", state.encode())


@pytest.mark.parametrize("payload", [b"", b"ONLINE", b'"online"', b"\xff\xfe"])
def test_another_word_is_none_of_its_births(payload: bytes) -> None:
    with pytest.raises(ContractError, match="homeassistant/status"):
        Birth.decode("homeassistant/status", payload)


def test_any_vehicle_has_a_device_id_home_assistant_takes() -> None:
    assert device_id_of("a-b_c") == "internetcar_a-b_c"
    assert len(device_id_of("x" * 36)) <= 64

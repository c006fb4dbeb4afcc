"""Commands that nobody should obey: junk of every kind, and almost right ones (seeded)."""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

TOPIC = "v1/vehicle/{vehicle_id}/command/{requester}/{path}"


class Valid(NamedTuple):
    """A command that would be obeyed; it is only ever spoiled."""

    requester: str
    path: str
    value: Any
    paths: Sequence[str]
    """Further leaves that exist, which the requester may not set."""


class Spoiled(NamedTuple):
    requester: str
    path: str
    payload: bytes


def hostile_commands(seed: int, vehicle_id: str, valid: Valid) -> Iterator[tuple[str, bytes]]:
    """Topics and payloads without end; not one of them is a command that may be sent.

    The same seed gives the same. Each would be refused but for what is spoiled in it.
    """
    chance = random.Random(seed)
    spoilers = [_junk, _wrong_type, _out_of_range, _expired, _stranger, _truncated, _wrong_shape]
    while True:
        spoiled = chance.choice(spoilers)(chance, valid)
        topic = TOPIC.format(vehicle_id=vehicle_id, requester=spoiled.requester, path=spoiled.path)
        yield topic, spoiled.payload


def _junk(chance: random.Random, valid: Valid) -> Spoiled:
    payload = chance.randbytes(chance.randrange(1, 64))
    while _is_json(payload):
        payload += b"\xff"
    return Spoiled(valid.requester, valid.path, payload)


def _is_json(payload: bytes) -> bool:
    """Whether it happens to be JSON, and so might be a value."""
    try:
        json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return True


def _wrong_type(chance: random.Random, valid: Valid) -> Spoiled:
    values: list[Any] = [
        None,
        True,
        False,
        "",
        "21",
        "21.5",
        "NaN",
        [],
        [21],
        {},
        "💥",
        "\x00",
        "null",
    ]
    value: Any = chance.choice(values)
    return Spoiled(valid.requester, valid.path, _either(chance, value))


def _out_of_range(chance: random.Random, valid: Valid) -> Spoiled:
    values = [-1, 9.9, 30.1, 127, 127.5, 255, 1e18, -1e308, 2**63, 10**400, 1e-300]
    return Spoiled(valid.requester, valid.path, _either(chance, chance.choice(values)))


def _expired(chance: random.Random, valid: Valid) -> Spoiled:
    at = chance.choice(
        ["1970-01-01T00:00:00Z", "2020-02-30T00:00:00Z", "9999-12-31T23:59:59Z", "", "now", 0, -1,
         "2001-09-09T01:46:40+14:00", "2026-01-01T00:00:00", 1e300]
    )  # fmt: skip
    body = _body(chance, valid.value) | {"expires_at": at}
    return Spoiled(valid.requester, valid.path, json.dumps(body).encode())


def _stranger(chance: random.Random, valid: Valid) -> Spoiled:
    names = ["root", "%u", "$SYS", "a b", "ä", "x" * 37, "..", valid.requester.upper()]
    path = chance.choice([valid.path, *valid.paths])
    return Spoiled(chance.choice(names), path, json.dumps(valid.value).encode())


def _truncated(chance: random.Random, valid: Valid) -> Spoiled:
    whole = json.dumps(_body(chance, valid.value)).encode()
    return Spoiled(valid.requester, valid.path, whole[: chance.randrange(1, len(whole))])


def _wrong_shape(chance: random.Random, valid: Valid) -> Spoiled:
    body = _body(chance, valid.value)
    key = chance.choice(["id", "dry_run", "path"])
    path = valid.path
    if key == "path":
        path = chance.choice(
            [*valid.paths, "Vehicle.Nothing", "x" * 300, "Vehicle", "é", "a b", "Vehicle..Speed"]
        )
    elif key == "id":
        body["id"] = chance.choice([[], {}, 1.5, "a b", "x" * 100, "\n", ["id"]])
    else:
        body["dry_run"] = chance.choice([[], {}, "maybe", 7])
    return Spoiled(valid.requester, path, json.dumps(body).encode())


def _either(chance: random.Random, value: Any) -> bytes:
    """A value as it is, or in an object."""
    body = value if chance.random() < 0.5 else _body(chance, value)
    return json.dumps(body).encode()


def _body(chance: random.Random, value: Any) -> dict[str, Any]:
    return {"id": f"fuzz-{chance.randrange(10**9)}", "value": value}

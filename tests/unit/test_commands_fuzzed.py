"""Every hostile command is judged here, since a flood of them is mostly dropped unread."""

import itertools
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from gateway.actuation import Actuation
from gateway.actuators import CommandMessage
from gateway.assembly import assemble
from gateway.databases import parse_database
from gateway.encoding import Refusal
from gateway.feedback import Feedback
from gateway.ledger import Report
from gateway.mapping import parse_mapping
from gateway.pacing import Pace
from gateway.requests import read_request
from gateway.world import Moment, Sent, World
from internetcar.contract.message import ContractError, Value
from internetcar.contract.subscriptions import Received
from tests.e2e.command_car import DBC, FAN, TEMPERATURE, VEHICLE, mapping
from tests.fuzz import TOPIC, Valid, hostile_commands

FUZZED = int(os.environ.get("INTERNETCAR_FUZZED", "50000"))
REQUESTER = "mallory"
VALID = Valid(REQUESTER, TEMPERATURE, 21.5, [FAN, "Vehicle.Speed"])
SECOND_NS = 1_000_000_000
UTC_NS = 1_790_000_000 * SECOND_NS


class OpenWorld(World):
    """A car that is always ready, and counts what it is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    @override
    def value_of(self, path: str) -> Value:
        return 0.0

    @override
    def frames_of(self, feedback: Feedback) -> int:
        return 0

    @override
    def shown(self, feedback: Feedback, sent: Sent) -> Value:
        return None

    @override
    def payload_of(self, message: CommandMessage) -> bytes | None:
        return None

    @override
    def is_sent_by_others(self, message: CommandMessage) -> bool:
        return False

    @override
    def why_not_send(self, message: CommandMessage) -> Refusal | None:
        return None

    @override
    def send(self, message: CommandMessage, payload: bytes) -> int:
        self.sent.append(payload)
        return UTC_NS


class Judge:
    """Reads and judges packets one after the other; a second goes by with each."""

    def __init__(self) -> None:
        self.world = OpenWorld()
        self._actuation = Actuation(self.world, lambda _: None, 1000)
        self._count = 0
        rules = parse_mapping(mapping(), "mapping.json")
        databases = [[parse_database(DBC, "car.dbc", "dbc")]]
        made = assemble(
            databases, ["can0"], rules, Pace(interval_ns=0, max_interval_ns=0),
            allow={REQUESTER: [TEMPERATURE]},
        )  # fmt: skip
        self._actuation.use(made.actuators, made.allowed, self._now())

    def judge(self, received: Received) -> list[Report]:
        """What is said of a packet; an accepted command is carried out."""
        self._count += 1
        now = self._now()
        try:
            request = read_request(received, f"fresh-{self._count}", now.now_ns)
        except ContractError:
            return []
        self._actuation.receive(request, now)
        reports = self._actuation.take_reports()
        for report in reports:
            if report.state == "accepted":
                self._actuation.durable(report.request.key, now)
        self._actuation.advance(Moment(now.now_ns + 2 * SECOND_NS, now.wall_ns, is_trusted=True))
        return [*reports, *self._actuation.take_reports()]

    def _now(self) -> Moment:
        now_ns = self._count * 10 * SECOND_NS
        return Moment(now_ns, UTC_NS + now_ns, is_trusted=True)


def disguised(commands: Iterator[tuple[str, bytes]]) -> Iterator[Received]:
    """Packets with what else may stand in them."""
    answers = itertools.cycle([None, f"v1/client/{REQUESTER}/a", "v1/x", f"{TOPIC}", "é" * 9000])
    for number, (topic, payload) in enumerate(commands):
        correlation = b"x" * (number % 5 * 100)
        yield Received(topic, payload, number % 7 == 0, next(answers), correlation, number, False)


def test_no_hostile_command_is_accepted_and_good_ones_among_them_are() -> None:
    judge, good = Judge(), 0
    topic = TOPIC.format(vehicle_id=VEHICLE, requester=REQUESTER, path=TEMPERATURE)
    commands = disguised(hostile_commands(3, VEHICLE, VALID))
    for number, received in enumerate(itertools.islice(commands, FUZZED)):
        reports = judge.judge(received)
        assert {report.state for report in reports} <= {"rejected"}, received
        assert len(judge.world.sent) == good, received
        if number % 500 == 0:
            value = 10 + number // 500 % 40 / 2
            body = {"id": f"good-{number}", "value": value}
            states = [report.state for report in judge.judge(Received(topic, _json(body)))]
            good += 1
            assert states == ["accepted", "sent", "timeout"]
            assert judge.world.sent[-1][0] == value * 2
    assert len(judge.world.sent) == good > 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([21.5, 10, 30, 9.99, 30.01, "21", 1e308, 2**64, -0.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)  # fmt: skip
BODIES = st.fixed_dictionaries(
    {"value": JSON},
    optional={
        "id": JSON | st.text(max_size=70), "expires_at": JSON | st.datetimes().map(str),
        "dry_run": JSON, "requester": JSON, "path": JSON, "vehicle_id": JSON, "junk": JSON,
    },
)  # fmt: skip
LEVELS = st.text(max_size=40) | st.sampled_from([REQUESTER, TEMPERATURE, FAN, VEHICLE, "", "+"])


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


@settings(max_examples=1000, deadline=None)
@given(
    st.just(REQUESTER) | LEVELS, st.just(TEMPERATURE) | LEVELS, BODIES.map(_json) | JSON.map(_json)
    | st.binary(max_size=50), st.booleans(),
)  # fmt: skip
def test_what_is_accepted_is_what_the_requester_may_ask_and_the_car_can_be(
    judge: Judge, requester: str, path: str, payload: bytes, retained: bool
) -> None:
    topic = TOPIC.format(vehicle_id=VEHICLE, requester=requester, path=path)
    before = len(judge.world.sent)
    reports = judge.judge(Received(topic, payload, retained))
    accepted = [report for report in reports if report.state == "accepted"]
    assert len(judge.world.sent) - before == len(accepted)
    for report in accepted:
        request = report.request
        asked: Any = json.loads(payload)
        asked = asked["value"] if isinstance(asked, dict) else asked
        assert (request.requester, request.path) == (requester, path) == (REQUESTER, TEMPERATURE)
        assert type(request.value) in (int, float)
        assert request.value == asked
        assert 10 <= float(asked) <= 30
        assert not retained

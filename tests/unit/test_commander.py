"""The command way between link, audit and buses: what is said, written down, and to whom."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.audit import Audit, read_audit
from gateway.bus_spec import parse_bus
from gateway.commander import Commander
from gateway.frames import Buses
from gateway.inbox import Inbox
from gateway.live_world import LiveWorld
from gateway.world import Moment
from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.link import Link
from internetcar.contract.subscriptions import Received
from tests.unit.paced import UTC_NS, Car, leaf
from tests.waiting import eventually

DBC = """\
BO_ 256 Command: 2 Gateway
 SG_ Wanted : 0|8@1+ (1,0) [0|255] "" Car
BO_ 257 Status: 2 Car
 SG_ Shown : 0|8@1+ (1,0) [0|100] "" Gateway
"""
PATH = "Vehicle.X"
TOPIC = f"v1/vehicle/car/command/alice/{PATH}"
LEAVES: dict[str, dict[str, Any]] = {
    PATH: {
        **leaf("Shown", "uint8"), "type": "actuator",
        "vss2dbc": {"signal": "Wanted", "allow": True, "rate_limit_hz": 1000},
    },
}  # fmt: skip


class Ear(Link):
    """A link without a broker that keeps what is said, and hands over what it is told to hear."""

    def __init__(self) -> None:
        super().__init__(BrokerUrl("127.0.0.1", 1), "ear")
        self.said: list[tuple[str, bytes, bytes | None]] = []
        self.outcome: Outcome | None = None

    @property
    def is_connected(self) -> bool:
        return True

    def publish_bytes(self, topic: str, payload: bytes, **more: Any) -> Delivery:
        delivery = Delivery(topic)
        if self.outcome is None:
            self.said.append((topic, payload, more.get("correlation")))
        else:
            delivery.finish(self.outcome)
        return delivery

    def states(self) -> list[str]:
        bodies = [json.loads(payload) for topic, payload, _ in self.said if payload]
        return [
            said["state"] + (f"({said['reason']})" if "reason" in said else "") for said in bodies
        ]


@dataclass
class Bench:
    folder: Path
    link: Ear = field(default_factory=Ear)
    now_ns: int = 10**12

    def __post_init__(self) -> None:
        self.buses = Buses([parse_bus("can0=loopback:commander", transmit=True)])
        self.buses.look()
        self.car = Car(DBC, LEAVES, allow={"alice": ["*"]})
        self.audit = Audit(self.folder / "commands.db")
        self.inbox = Inbox(lambda: None)
        world = LiveWorld(lambda: self.buses, lambda: UTC_NS)
        self.commander = Commander(
            self.link, "car", self.audit, world, self.inbox, "journal", 1000.0,
            lambda: self.now_ns,
        )  # fmt: skip
        self.commander.use(self.car.assembly, self.moment)
        self.commander.start(self.moment)

    @property
    def moment(self) -> Moment:
        return Moment(self.now_ns, UTC_NS, True)

    def hear(self, payload: object, topic: str = TOPIC, **more: Any) -> None:
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.inbox.put(Received(topic, raw, **more), self.now_ns)
        self.commander.turn(self.moment)

    def until(self, *states: str) -> None:
        def happened() -> bool:
            self.commander.turn(self.moment)
            return self.link.states() == list(states)

        eventually(happened)

    def close(self) -> None:
        self.commander.stop(self.moment)
        self.buses.close()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("INTERNETCAR_RUN", str(tmp_path))
    made = Bench(tmp_path)
    yield made
    made.close()


def test_accepted_is_said_once_it_is_on_disk_and_then_the_frame_goes(bench: Bench) -> None:
    bench.hear({"id": "a", "value": 5}, response_topic="v1/client/alice/x", correlation=b"c")
    bench.until("accepted", "accepted", "sent", "sent")
    assert [topic for topic, _, _ in bench.link.said] == [
        "v1/vehicle/car/command-status", "v1/client/alice/x",
    ] * 2  # fmt: skip
    assert [correlation for *_, correlation in bench.link.said] == [None, b"c"] * 2
    written = read_audit(bench.folder / "commands.db", 10)
    assert written[0].state == "accepted"


def test_what_cannot_be_said_now_is_said_later_or_in_a_minute_not_at_all(bench: Bench) -> None:
    bench.link.outcome = Outcome.FULL
    bench.hear({"id": "a", "value": 999})
    assert bench.link.said == []
    bench.link.outcome = None
    bench.until("rejected(out_of_range)")
    bench.link.outcome = Outcome.LOST
    bench.hear({"id": "b", "value": 999})
    bench.now_ns += 61 * 10**9
    bench.link.outcome = None
    bench.commander.turn(bench.moment)
    assert bench.link.states() == ["rejected(out_of_range)"]


def test_a_flood_of_refusals_hides_no_end_of_what_was_accepted(bench: Bench) -> None:
    bench.hear({"id": "a", "value": 5})
    bench.until("accepted", "sent")
    for number in range(200):
        bench.hear({"id": f"junk-{number}", "value": "junk"})
    assert len(bench.link.said) < 60
    assert bench.commander.refused_in_all == 200
    bench.buses.close()
    bench.hear({"id": "a", "value": 6})  # it is said as it may be, and ends nothing
    bench.now_ns += 3 * 10**9
    bench.commander.turn(bench.moment)
    assert bench.link.states()[-1] == "timeout(no_feedback)"


def test_a_refusal_after_acceptance_is_said_whatever_else_is_refused(bench: Bench) -> None:
    for number in range(80):
        bench.hear({"id": f"junk-{number}", "value": "junk"})
    said = len(bench.link.said)
    assert said < 60
    bench.inbox.put(Received(TOPIC, b'{"id": "late", "value": 5}'), bench.now_ns)
    bench.commander.turn(bench.moment)
    eventually(lambda: bench.audit.written)
    bench.now_ns += 11 * 10**9  # its ten seconds are over before its frame can go
    bench.commander.turn(bench.moment)
    assert bench.link.states()[said:] == ["accepted", "rejected(expired)"]


def test_an_unreadable_command_is_answered_without_an_id(bench: Bench) -> None:
    bench.hear(b"{")
    assert "id" not in json.loads(bench.link.said[0][1])
    assert bench.link.states() == ["rejected(malformed)"]


def test_who_may_set_nothing_is_told_and_not_written_down(bench: Bench) -> None:
    bench.hear(5, TOPIC.replace("alice", "eve"))
    assert bench.link.states() == ["rejected(not_allowed)"]
    bench.hear(5, "v1/vehicle/car/command/eve")  # no command topic: nobody to answer
    bench.hear(b"", retained=True)  # somebody cleared one
    assert len(bench.link.said) == 1
    bench.hear({"id": "a", "value": 5}, retained=True)
    assert bench.link.said[-1] == (TOPIC, b"", None)
    bench.close()
    assert [entry.reason for entry in read_audit(bench.folder / "commands.db", 10)] == ["retained"]


def test_a_gateway_whose_place_was_taken_leaves_commands_to_the_other(bench: Bench) -> None:
    bench.inbox.put(Received(TOPIC, b"5"), bench.now_ns)
    bench.commander.turn(bench.moment, is_mute=True)
    bench.commander.turn(bench.moment)
    assert bench.link.said == []


def test_the_end_of_the_gateway_ends_what_is_under_way(bench: Bench) -> None:
    bench.hear({"id": "a", "value": 5})
    bench.until("accepted", "sent")
    bench.commander.stop(bench.moment)
    assert bench.link.states()[-1] == "timeout(shutdown)"
    assert read_audit(bench.folder / "commands.db", 1)[0].reason == "shutdown"


def test_a_gateway_whose_place_is_taken_lets_go_of_what_it_holds(bench: Bench) -> None:
    bench.hear({"id": "a", "value": 5})
    bench.until("accepted", "sent")
    bench.commander.turn(bench.moment, is_mute=True)
    assert bench.link.states()[-1] == "timeout(taken_over)"
    bench.commander.turn(bench.moment, is_mute=True)
    assert len(bench.link.said) == 3


def test_retained_commands_are_cleared_though_a_flood_is_not_read(bench: Bench) -> None:
    topics = [f"v1/vehicle/car/command/eve/Vehicle.N{number}" for number in range(300)]
    for topic in topics:
        bench.inbox.put(Received(topic, b"5", retained=True), bench.now_ns)
    bench.link.outcome = Outcome.FULL
    bench.commander.turn(bench.moment)
    assert bench.link.said == []
    bench.link.outcome = None
    bench.commander.turn(bench.moment)
    cleared = [topic for topic, payload, _ in bench.link.said if not payload]
    assert sorted(cleared) == sorted(topics)


def test_where_the_audit_cannot_be_read_no_command_with_an_id_is_new(bench: Bench) -> None:
    bench.audit.close()  # a closed reader is as good as a broken disk
    bench.hear({"id": "a", "value": 5})
    assert bench.link.states() == ["rejected(audit)"]
    assert bench.commander.problem() is not None

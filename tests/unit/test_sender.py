"""What goes to the broker: in order, so many at a time, again until it is acknowledged."""

import random
from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journals import Stored
from gateway.outbox import StorageError
from gateway.repair_requests import RepairRequests
from gateway.sender import Sender
from internetcar.contract.delivery import Delivery, Outcome
from internetcar.contract.telemetry import Telemetry, TelemetryRequest
from internetcar.contract.wire import telemetry_payload

AT = "2026-11-21T03:00:00.000Z"


class Outbox:
    def __init__(self, count: int) -> None:
        self.left = [Stored(number, b"%d" % number) for number in range(1, count + 1)]
        self.acknowledged = 0

    def next_unsent(self) -> Stored | None:
        return self.left.pop(0) if self.left else None

    def acknowledge(self, through: int) -> None:
        assert through >= self.acknowledged
        self.acknowledged = through


class Broker:
    def __init__(self) -> None:
        self.deliveries: list[tuple[bytes, Delivery]] = []
        self.is_there = True

    def publish(self, payload: bytes) -> Delivery:
        delivery = Delivery("telemetry")
        if not self.is_there:
            delivery.finish(Outcome.LOST)
        else:
            self.deliveries.append((payload, delivery))
        return delivery

    @property
    def got(self) -> list[int]:
        return [int(payload) for payload, _ in self.deliveries]

    def answer(self, *places: int, outcome: Outcome = Outcome.ACKNOWLEDGED) -> None:
        for place in places:
            self.deliveries[place][1].finish(outcome)

    def die(self) -> None:
        self.is_there = False
        self.answer(*range(len(self.deliveries)), outcome=Outcome.LOST)


def test_only_so_many_are_on_their_way_and_an_acknowledgement_frees_a_place() -> None:
    outbox, broker = Outbox(50), Broker()
    sender = Sender(outbox, broker.publish, most_in_flight=20)
    sender.pump(0)
    assert broker.got == list(range(1, 21))
    broker.answer(0, 1)
    sender.pump(1)
    assert broker.got == list(range(1, 23))
    assert sender.in_flight == 20
    assert outbox.acknowledged == 2


def test_only_what_lies_before_every_unanswered_batch_counts_as_acknowledged() -> None:
    outbox, broker = Outbox(5), Broker()
    sender = Sender(outbox, broker.publish)
    sender.pump(0)
    broker.answer(0, 2, 3)
    sender.pump(1)
    assert outbox.acknowledged == 1
    broker.answer(1, 4)
    sender.pump(2)
    assert outbox.acknowledged == 5


def test_after_a_lost_connection_what_is_unanswered_is_sent_again_in_order() -> None:
    outbox, broker = Outbox(30), Broker()
    sender = Sender(outbox, broker.publish, most_in_flight=5)
    sender.pump(0)
    broker.answer(1)
    broker.die()
    sender.pump(1)
    sender.pump(400)
    broker.is_there = True
    broker.deliveries.clear()
    sender.pump(450)
    assert broker.got == []
    sender.on_connected()
    sender.pump(460)
    assert broker.got == [1, 3, 4, 5, 6]


def test_without_a_connection_one_attempt_is_made_now_and_then() -> None:
    attempts: list[bytes] = []

    def publish(payload: bytes) -> Delivery:
        attempts.append(payload)
        delivery = Delivery("telemetry")
        delivery.finish(Outcome.LOST)
        return delivery

    sender = Sender(Outbox(30), publish)
    for now_ms in range(0, 2000, 10):
        sender.pump(now_ms)
    assert attempts == [b"1"] * 4


@pytest.mark.parametrize("outcome", [Outcome.NOT_PERMITTED, Outcome.REFUSED, Outcome.FULL])
def test_a_refused_batch_is_kept_and_tried_again_and_said_once(
    outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    outbox, broker = Outbox(1), Broker()
    sender = Sender(outbox, broker.publish)
    for now_ms in range(0, 1300, 100):
        sender.pump(now_ms)
        broker.answer(-1, outcome=outcome)
    assert broker.got == [1, 1, 1]
    assert outbox.acknowledged == 0
    assert len(caplog.records) == (outcome is not Outcome.FULL)


@given(st.integers(0, 9999).map(random.Random), st.integers(1, 6))
def test_whatever_the_connection_does_each_batch_arrives_and_first_arrivals_are_in_order(
    chance: random.Random, most: int
) -> None:
    outbox, broker = Outbox(40), Broker()
    sender = Sender(outbox, broker.publish, most_in_flight=most)
    for now_ms in range(0, 200_000, 1000):
        if chance.random() < 0.1:
            broker.die()
        else:
            broker.is_there = True
        sender.pump(now_ms)
        waiting = [delivery for _, delivery in broker.deliveries if delivery.outcome is None]
        assert len(waiting) <= most
        for delivery in chance.sample(waiting, chance.randint(0, len(waiting))):
            delivery.finish(Outcome.ACKNOWLEDGED)
    assert list(dict.fromkeys(broker.got)) == list(range(1, 41))
    assert outbox.acknowledged == 40


class History:
    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[tuple[str, int, int]] = []
        self.error: Exception | None = None
        self.filler = b""

    def batches(self, journal: str, first: int, last: int) -> "Future[list[bytes]]":
        self.asked.append((journal, first, last))
        answer: Future[list[bytes]] = Future()
        if self.error is not None:
            answer.set_exception(self.error)
        else:
            answer.set_result([batch(sequence) + self.filler for sequence in range(first, last + 1)
                               if sequence <= self.count])  # fmt: skip
        return answer


def batch(sequence: int) -> bytes:
    return telemetry_payload(
        journal="j1", sequence=sequence, previous=None, kind="changes", start_at=AT, end_at=AT,
        clock="free", origin="live", samples={},
    )  # fmt: skip


class Asked:
    def __init__(self, count: int = 300) -> None:
        self.history = History(count)
        self.sent: list[tuple[str, bytes]] = []
        self.repair = RepairRequests(self.history, self.publish, most_waiting=3)

    def publish(self, topic: str, payload: bytes) -> Delivery:
        self.sent.append((topic, payload))
        delivery = Delivery(topic)
        delivery.finish(Outcome.ACKNOWLEDGED)
        return delivery

    def ask(self, first: int, last: int, reply_to: str = "tolls") -> None:
        self.repair.on_request(
            TelemetryRequest(
                vehicle_id="kona", journal="j1", first=first, last=last, reply_to=reply_to
            )
        )

    def pump(self, times: int = 100) -> None:
        for _ in range(times):
            self.repair.pump()


def test_a_request_is_answered_byte_for_byte_to_the_one_who_asked() -> None:
    asked = Asked()
    asked.ask(5, 124)
    asked.pump()
    assert [payload for _, payload in asked.sent] == [batch(number) for number in range(5, 125)]
    assert {topic for topic, _ in asked.sent} == {"v1/client/tolls/telemetry/kona"}


def test_an_endless_request_ends_where_the_history_ends() -> None:
    asked = Asked(count=120)
    asked.ask(1, 10**12)
    asked.pump()
    assert len(asked.sent) == 120
    assert asked.history.asked[-1] == ("j1", 121, 170)


def test_readers_take_turns() -> None:
    asked = Asked()
    asked.ask(1, 100, "tolls")
    asked.ask(1, 100, "trips")
    asked.pump()
    assert [first for _, first, _ in asked.history.asked] == [1, 1, 51, 51]


def test_requests_are_bounded_and_repeated_ones_wait_once() -> None:
    asked = Asked()
    for reader in ("a", "a", "b", "c", "d"):
        asked.ask(1, 1, reader)
    asked.pump()
    assert [topic.split("/")[2] for topic, _ in asked.sent] == ["a", "b", "c"]


def test_no_more_is_on_its_way_than_allowed() -> None:
    asked = Asked()
    deliveries: list[Delivery] = []

    def publish(topic: str, _: bytes) -> Delivery:
        deliveries.append(Delivery(topic))
        return deliveries[-1]

    asked.repair = RepairRequests(asked.history, publish, most_in_flight=7)
    asked.ask(1, 50)
    asked.pump()
    assert len(deliveries) == 7
    deliveries[3].finish(Outcome.LOST)
    asked.pump()
    assert len(deliveries) == 8


def test_an_answer_beyond_what_the_contract_allows_is_sent_as_it_was_written() -> None:
    asked = Asked(count=2)
    plain, asked.history.filler = batch(1), b" " * Telemetry.MAX_PAYLOAD_BYTES
    asked.ask(1, 3)
    asked.pump()
    assert [payload.strip() for _, payload in asked.sent] == [plain, batch(2)]


def test_a_disk_that_cannot_be_read_answers_nothing() -> None:
    asked = Asked()
    asked.history.error = StorageError("gone")
    asked.ask(1, 50)
    asked.pump()
    assert asked.sent == []

"""What a service says: kept until it is settled, repeated in time, never a flood."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from internetcar.contract.delivery import Outcome
from internetcar.contract.message import Message
from internetcar.contract.payments import PaymentRequest, WalletBalance
from internetcar.contract.telemetry import TelemetryRequest
from services.database import Database
from services.outgoing import Sender, enqueue, settle
from services.points import AFTER_PUBLISH, BEFORE_COMMIT, BEFORE_PUBLISH
from tests.services import CrashError, FakeLink, crashing_at, opened, unsettled

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
HOUR_MS = 3_600_000


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with opened(store_url) as each:
        yield each


def event(number: int) -> TelemetryRequest:
    """A message that the broker's acknowledgement ends."""
    return TelemetryRequest(
        vehicle_id="kona", journal="j", first=number, last=number, reply_to="test"
    )


def request(number: int = 1) -> PaymentRequest:
    """A message that only its answer ends."""
    return PaymentRequest(
        vehicle_id="kona", requester="tolls", request_id=f"r{number}", action="pay", payee="lta",
        purpose="toll", amount_minor=100, currency="SGD", origin="live",
    )  # fmt: skip


def balance(entries: int) -> WalletBalance:
    return WalletBalance(account="alice", balances={}, entries=entries, at=AT)


def say(database: Database, *messages: Message, awaits: str | None = None) -> None:
    with database.begin() as connection:
        for message in messages:
            enqueue(connection, message, awaits=awaits)


def left(database: Database) -> int:
    with database.read() as connection:
        return len(unsettled(connection))


def sent_firsts(link: FakeLink) -> list[int]:
    return [
        TelemetryRequest.decode("v1/vehicle/kona/telemetry-request", payload).first
        for payload in link.take()
    ]


def test_what_is_said_twice_waits_once(database: Database) -> None:
    say(database, event(1), event(1), event(2))
    assert left(database) == 2
    with database.begin() as connection:
        assert enqueue(connection, event(3), message_id="x")
        assert not enqueue(connection, event(4), message_id="x")


def test_the_oldest_goes_first_and_at_most_twenty_are_on_their_way(database: Database) -> None:
    link = FakeLink()
    sender = Sender(database, link)
    say(database, *(event(number) for number in range(1, 51)))
    sender.turn(0)
    sender.turn(1)
    assert sent_firsts(link) == list(range(1, 21))
    assert sender.in_flight == 20
    link.sent[0][2].finish(Outcome.ACKNOWLEDGED)
    sender.turn(2)
    assert sent_firsts(link) == [21]
    link.answer()
    sender.turn(3)
    assert sent_firsts(link) == list(range(22, 42))
    link.answer()
    sender.turn(4)
    link.answer()
    sender.turn(5)
    assert left(database) == 0


def test_what_awaits_an_answer_is_repeated_a_second_later_then_doubling_until_settled(
    database: Database,
) -> None:
    link = FakeLink()
    sender = Sender(database, link)
    say(database, request(), awaits="r1")
    sent_at_s = []
    for second in range(70):
        sender.turn(second * 1000)
        if link.take():
            sent_at_s.append(second)
        link.answer()
    assert sent_at_s == [0, 1, 3, 7, 15, 31, 63]
    with database.begin() as connection:
        assert settle(connection, "another") == 0
        assert settle(connection, "r1") == 1
    sender.turn(HOUR_MS)
    assert link.take() == []


def test_a_long_silence_is_asked_into_every_five_minutes(database: Database) -> None:
    link = FakeLink()
    sender = Sender(database, link)
    say(database, request(), awaits="r1")
    sent_at_s = []
    for second in range(0, 2000, 10):
        sender.turn(second * 1000)
        if link.take():
            sent_at_s.append(second)
        link.answer()
    assert [late - early for early, late in zip(sent_at_s[-4:], sent_at_s[-3:], strict=False)] == [
        300, 300, 300,
    ]  # fmt: skip


def test_nothing_is_sent_without_a_connection_and_all_at_once_with_one(database: Database) -> None:
    link = FakeLink()
    sender = Sender(database, link)
    say(database, event(1), request(1), awaits="r1")
    for second in range(20):
        sender.turn(second * 1000)
        link.answer()
    link.take()
    link.is_connected = False
    say(database, event(2))
    sender.turn(20_000)
    assert link.take() == []
    link.is_connected = True
    sender.on_connected()
    sender.turn(20_001)
    assert len(link.take()) == 3  # the answer may have been lost with the broker


def test_what_is_lost_on_its_way_goes_out_again(database: Database) -> None:
    link = FakeLink()
    sender = Sender(database, link)
    say(database, event(1))
    sender.turn(0)
    link.answer(Outcome.LOST)
    link.take()
    sender.turn(1)
    assert sent_firsts(link) == [1]


@pytest.mark.parametrize("outcome", [Outcome.NOT_PERMITTED, Outcome.REFUSED, Outcome.FULL])
def test_what_the_broker_does_not_take_waits_and_is_logged_once(
    database: Database, outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    link = FakeLink()
    sender = Sender(database, link)
    say(database, event(1))
    for now_ms in (0, 1, 2_000, 2_001):
        sender.turn(now_ms)
        link.answer(outcome)
    assert left(database) == 1
    assert len(caplog.records) == (outcome is not Outcome.FULL)
    assert len(link.take()) == 2


def test_a_clock_that_is_set_back_silences_nothing(database: Database) -> None:
    link = FakeLink()
    sender = Sender(database, link)
    say(database, request(), awaits="r1")
    sender.turn(100 * HOUR_MS)
    link.answer()
    link.take()
    sender.turn(HOUR_MS)
    assert len(link.take()) == 1


def test_a_retained_message_takes_the_place_of_an_older_one(database: Database) -> None:
    link = FakeLink()
    sender = Sender(database, link)
    say(database, balance(1), balance(2))
    say(database, balance(3))
    say(database, balance(3))
    assert left(database) == 1
    sender.turn(0)
    assert link.retained == {balance(3).topic: balance(3).encode()}


def test_a_late_answer_of_the_broker_never_ends_a_younger_message(database: Database) -> None:
    link = FakeLink()
    sender = Sender(database, link)
    say(database, balance(1))
    sender.turn(0)
    say(database, balance(2))
    link.answer()
    sender.turn(1)
    assert link.retained == {balance(2).topic: balance(2).encode()}


def test_what_is_settled_on_its_way_is_over_however_its_delivery_ends(database: Database) -> None:
    link = FakeLink()
    sender = Sender(database, link)
    say(database, request(1), awaits="r1")
    sender.turn(0)
    with database.begin() as connection:
        settle(connection, "r1")
    link.answer(Outcome.LOST)
    sender.turn(1)
    assert len(link.take()) == 1


def test_two_replicas_share_the_work_and_one_takes_over_when_the_other_dies(
    store_url: str,
) -> None:
    with opened(store_url) as one, opened(store_url) as other:
        links = FakeLink(), FakeLink()
        senders = Sender(one, links[0]), Sender(other, links[1])
        for sender in senders:
            sender.turn(0)
        say(one, *(event(number) for number in range(1, 31)))
        senders[0].turn(1)
        senders[1].turn(2)
        assert sent_firsts(links[0]) == list(range(1, 21))
        assert sent_firsts(links[1]) == list(range(21, 31))
        links[1].answer()
        senders[1].turn(3)
        assert left(one) == 20
        senders[1].turn(HOUR_MS // 60)
        assert sent_firsts(links[1]) == list(range(1, 21))


@pytest.mark.parametrize("point", [BEFORE_PUBLISH, AFTER_PUBLISH, BEFORE_COMMIT])
def test_a_sender_that_dies_anywhere_loses_nothing(store_url: str, point: str) -> None:
    with opened(store_url) as database:
        say(database, event(1), event(2))
        with pytest.raises(CrashError), crashing_at(point):
            Sender(database, FakeLink()).turn(0)
    with opened(store_url) as database:
        link = FakeLink()
        sender = Sender(database, link)
        sender.turn(1)
        assert sent_firsts(link) == [1, 2]
        link.answer()
        sender.turn(2)
        assert left(database) == 0


STEPS = st.lists(
    st.sampled_from(("say", "ask", "turn", "answer", "lose", "settle", "restart", "minute")),
    max_size=30,
)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_whatever_happens_every_message_reaches_the_broker_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    path = tmp_path_factory.mktemp("outgoing") / "x.sqlite"
    said, asked, got, now_ms = 0, 0, set[bytes](), 0
    with opened(str(path)) as database:
        link = FakeLink()
        sender = Sender(database, link)
        for step in (*steps, *("turn", "answer", "minute") * 4):
            now_ms += 1
            match step:
                case "say":
                    said += 1
                    say(database, event(said))
                case "ask":
                    asked += 1
                    say(database, request(asked), awaits=f"r{asked}")
                case "turn":
                    sender.turn(now_ms)
                    assert sender.in_flight <= 20
                case "answer":
                    got |= {payload for _, payload, _ in link.sent}
                    link.answer()
                case "lose":
                    link.answer(Outcome.LOST)
                case "settle":
                    with database.begin() as connection:
                        settle_first(connection, asked)
                case "restart":
                    sender = Sender(database, link)
                case _:
                    now_ms += 60_000
        settled = {request(1).encode()} if "settle" in steps else set()
        expected = {event(n).encode() for n in range(1, said + 1)}
        expected |= {request(n).encode() for n in range(1, asked + 1)}
        assert got >= expected - settled
        assert left(database) <= asked


def settle_first(connection: Connection, asked: int) -> None:
    if asked:
        settle(connection, "r1")

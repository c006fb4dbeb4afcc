"""Packets between two threads: bounded, fair, and a packet that comes again is the same one."""

import threading
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.inbox import Inbox
from internetcar.contract.subscriptions import Received
from tests.unit.commanded import SECOND_NS


def packet(requester: str, payload: bytes = b"1", number: int = 0, again: bool = False) -> Received:
    topic = f"v1/vehicle/car/command/{requester}/Vehicle.X"
    return Received(topic, payload, packet=number, is_again=again)


def inbox(*known: str) -> Inbox:
    box = Inbox(lambda: None)
    box.know(known)
    return box


def requesters(box: Inbox, most: int = 1000) -> list[str]:
    return [waiting.received.topic.split("/")[4] for waiting in box.take(most)]


def payloads(box: Inbox) -> list[bytes]:
    return [waiting.received.payload for waiting in box.take(1000)]


def test_what_is_put_is_taken_in_order_with_the_time_it_came() -> None:
    news: list[bool] = []
    box = Inbox(lambda: news.append(True))
    box.know(["phone"])
    assert not box.has_any
    for number in range(3):
        box.put(packet("phone", b"%d" % number), number)
    assert box.has_any
    assert [(w.received.payload, w.received_ns) for w in box.take(2)] == [(b"0", 0), (b"1", 1)]
    assert payloads(box) == [b"2"]
    assert not box.has_any
    assert len(news) == 3


def test_each_requester_has_its_turn() -> None:
    box = inbox("flood", "phone", "radio")
    for _ in range(50):
        box.put(packet("flood"), 0)
    box.put(packet("phone"), 0)
    box.put(packet("radio"), 0)
    assert requesters(box, 4) == ["flood", "phone", "radio", "flood"]
    assert len(requesters(box)) == 48


def test_a_flood_costs_only_who_floods() -> None:
    box = inbox("flood", "phone")
    for _ in range(10_000):
        box.put(packet("flood"), 0)
    box.put(packet("phone"), 0)
    found = Counter(requesters(box))
    assert found == {"flood": 64, "phone": 1}
    assert box.dropped == 10_000 - 64


def test_in_the_long_run_a_requester_has_its_rate() -> None:
    box = inbox("flood")
    taken = 0
    for step in range(10_000):
        box.put(packet("flood"), step * SECOND_NS // 1000)
        taken += len(box.take(10))
    assert 500 <= taken <= 700  # ten seconds of fifty, and a burst
    assert taken + box.dropped == 10_000


def test_strangers_share_what_is_left_and_crowd_out_nobody() -> None:
    box = inbox("phone")
    for number in range(10_000):
        box.put(packet(f"stranger-{number}"), 0)
    box.put(packet("phone"), 0)
    found = requesters(box)
    assert "phone" in found[:2]
    assert len(found) == 21


def test_a_topic_that_is_none_of_a_command_is_a_strangers() -> None:
    box = inbox("phone")
    for _ in range(30):
        box.put(Received("a/b", b""), 0)
    assert len(box.take(100)) == 20


def test_who_is_no_longer_known_is_a_stranger() -> None:
    box = inbox("phone")
    box.put(packet("phone"), 0)
    box.know([])
    for _ in range(30):
        box.put(packet("phone"), 0)
    assert len(box.take(100)) == 21


def test_a_packet_that_the_broker_sends_again_is_the_same_command() -> None:
    box = inbox("phone")
    box.put(packet("phone", b"1", 7), 0)
    box.put(packet("phone", b"1", 7, again=True), 1)
    assert payloads(box) == [b"1"]
    box.put(packet("phone", b"1", 7, again=True), 2)
    assert payloads(box) == []


def test_a_packet_that_is_sent_again_but_never_came_is_taken() -> None:
    box = inbox("phone")
    box.put(packet("phone", b"1", 7, again=True), 0)
    box.put(packet("phone", b"2", 7, again=True), 0)
    box.put(packet("radio", b"2", 7, again=True), 0)
    assert len(payloads(box)) == 3


def test_the_same_bytes_in_another_packet_are_another_command() -> None:
    box = inbox("phone")
    for number in (7, 8, 7, 0, 0):  # a number is used again, and QoS 0 has none
        box.put(packet("phone", b"1", number), 0)
    assert payloads(box) == [b"1"] * 5


def test_packets_are_remembered_in_bounded_memory() -> None:
    box = inbox("phone")
    now_ns = 0
    for number in range(1, 65_536, 64):
        now_ns += SECOND_NS
        box.put(packet("phone", b"1", number), now_ns)
        box.take(10)
    assert len(box._packets) <= 256
    box.put(packet("phone", b"1", number, again=True), now_ns)
    assert box.take(10) == []


def test_a_packet_larger_than_any_command_is_not_kept_whole() -> None:
    box = inbox("phone")
    box.put(packet("phone", b"x" * 1_000_000), 0)
    [waiting] = box.take(1)
    assert 2048 < len(waiting.received.payload) <= 4096


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 9)), max_size=80))
def test_nothing_is_invented_or_taken_out_of_its_requesters_order(
    puts: list[tuple[str, int]],
) -> None:
    box = inbox(*"abc")
    for requester, number in puts:
        box.put(packet(requester, b"%d" % number), 0)
    taken = [(w.received.topic.split("/")[4], int(w.received.payload)) for w in box.take(10**6)]
    assert len(taken) + box.dropped == len(puts)
    for known in "abc":
        own = [number for requester, number in puts if requester == known]
        assert [number for requester, number in taken if requester == known] == own


def test_two_threads_lose_nothing() -> None:
    box = inbox(*(f"r{n}" for n in range(40)))
    total = 40 * 50

    def put() -> None:
        for number in range(total):
            box.put(packet(f"r{number % 40}", b"%d" % number), 0)

    writer = threading.Thread(target=put)
    writer.start()
    taken: list[bytes] = []
    while writer.is_alive() or box.has_any:
        taken += payloads(box)
    writer.join()
    assert len(taken) == total
    assert len(set(taken)) == total

"""Pacing: what is sent, when, and that the last value is never lost."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.pacing import Pace, Pacer, Sample
from internetcar.contract.message import Value

MS = 1_000_000


def offered(pacer: Pacer, *changes: tuple[int, Value], leaf: int = 0) -> list[Sample]:
    """Offer values at these milliseconds and return all that left, a millisecond at a time."""
    todo = dict(changes)
    samples: list[Sample] = []
    for now_ms in range(1000):
        if now_ms in todo:
            pacer.offer(leaf, todo[now_ms], "valid", now_ms * MS, now_ms * MS)
        samples += pacer.take(now_ms * MS)
    return samples


def times_and_values(samples: list[Sample]) -> list[tuple[int, Value]]:
    return [(sample.at_ns // MS, sample.value) for sample in samples]


def test_the_first_value_leaves_at_once() -> None:
    assert times_and_values(offered(Pacer([Pace()]), (5, 1))) == [(5, 1)]


def test_an_unchanged_value_is_sent_once() -> None:
    assert times_and_values(offered(Pacer([Pace()]), (0, 1), (300, 1))) == [(0, 1)]


def test_the_last_change_within_an_interval_is_sent_when_it_ends() -> None:
    pacer = Pacer([Pace(interval_ns=100 * MS)])
    pacer.offer(0, 1, "valid", 0, 0)
    assert len(pacer.take(0)) == 1
    pacer.offer(0, 2, "valid", 10 * MS, 10 * MS)
    pacer.offer(0, 3, "valid", 20 * MS, 20 * MS)
    assert pacer.take(99 * MS) == []
    assert pacer.take(100 * MS) == [Sample(0, 3, "valid", 20 * MS)]


def test_a_change_that_goes_back_within_its_interval_is_not_a_change() -> None:
    samples = offered(Pacer([Pace(interval_ns=100 * MS)]), (0, 1), (10, 2), (20, 1))
    assert times_and_values(samples) == [(0, 1)]


def test_a_change_below_the_deadband_does_not_use_up_an_interval() -> None:
    pacer = Pacer([Pace(interval_ns=100 * MS, deadband=1.0)])
    assert times_and_values(offered(pacer, (0, 1), (150, 1.5), (160, 3))) == [(0, 1), (160, 3)]


def test_a_deadband_is_measured_from_what_was_sent_so_that_creeping_is_seen() -> None:
    pacer = Pacer([Pace(interval_ns=0, deadband=1.0)])
    samples = offered(pacer, (0, 0.0), (1, 0.6), (2, 1.2))
    assert times_and_values(samples) == [(0, 0.0), (2, 1.2)]


def test_a_change_of_quality_is_a_sample_that_keeps_value_and_instant() -> None:
    pacer = Pacer([Pace()])
    offered(pacer, (5, 7))
    pacer.requalify(0, "stale", 2000 * MS)
    assert pacer.take(2000 * MS) == [Sample(0, 7, "stale", 5 * MS)]


def test_a_leaf_never_seen_has_no_quality_to_change() -> None:
    pacer = Pacer([Pace()])
    pacer.requalify(0, "stale", 0)
    assert (pacer.take(0), pacer.flush(0), pacer.state()) == ([], [], [])


def test_an_unchanged_value_is_repeated_after_its_longest_interval() -> None:
    pacer = Pacer([Pace(max_interval_ns=500 * MS), Pace(max_interval_ns=0)])
    pacer.offer(0, 1, "valid", 0, 0)
    pacer.offer(1, 1, "valid", 0, 0)
    pacer.take(0)
    assert pacer.silent(499 * MS) == []
    assert pacer.silent(500 * MS) == [0]
    pacer.confirm(0, 450 * MS)
    assert pacer.repeat([0], 500 * MS) == [Sample(0, 1, "valid", 450 * MS)]
    assert pacer.silent(999 * MS) == []


def test_a_group_leaves_as_one_with_the_newest_instant() -> None:
    pacer = Pacer([Pace(group="location"), Pace(group="location"), Pace()])
    pacer.offer(0, 1.0, "valid", 1, 1)
    pacer.offer(1, 2.0, "valid", 3, 3)
    assert pacer.take(3) == [Sample(0, 1.0, "valid", 3), Sample(1, 2.0, "valid", 3)]
    later = 200 * MS
    pacer.offer(1, 5.0, "valid", later, later)
    assert pacer.take(later) == [Sample(0, 1.0, "valid", later), Sample(1, 5.0, "valid", later)]


def test_what_a_group_sent_early_does_not_shorten_the_next_interval() -> None:
    pacer = Pacer([Pace(interval_ns=100 * MS, group="g"), Pace(interval_ns=50 * MS, group="g")])
    for leaf in (0, 1):
        pacer.offer(leaf, 0, "valid", 0, 0)
    pacer.take(0)
    pacer.offer(0, 1, "valid", 10 * MS, 10 * MS)
    pacer.offer(1, 1, "valid", 10 * MS, 10 * MS)
    assert len(pacer.take(50 * MS)) == 2
    pacer.offer(0, 2, "valid", 60 * MS, 60 * MS)
    assert pacer.take(100 * MS) == []
    assert [sample.value for sample in pacer.take(150 * MS)] == [2, 1]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), max_size=40),
    st.integers(0, 50),
)
def test_the_last_value_is_always_said_and_samples_keep_their_distance(
    steps: list[tuple[int, int]], interval_ms: int
) -> None:
    pacer = Pacer([Pace(interval_ns=interval_ms * MS)])
    now_ms, sent = 0, []
    for wait_ms, value in steps:
        for now in range(now_ms + 1, now_ms + wait_ms + 1):
            sent += [(now, sample) for sample in pacer.take(now * MS)]
        now_ms += wait_ms
        pacer.offer(0, value, "valid", now_ms * MS, now_ms * MS)
        sent += [(now_ms, sample) for sample in pacer.take(now_ms * MS)]
    sent += [(now_ms + 1, sample) for sample in pacer.flush((now_ms + 1) * MS)]
    if steps:
        assert sent[-1][1].value == steps[-1][1]
        assert pacer.state()[0].value == steps[-1][1]
    values = [sample.value for _, sample in sent]
    assert all(before != after for before, after in itertools.pairwise(values))
    moments = [moment for moment, _ in sent[:-1]]
    assert all(b - a >= interval_ms for a, b in itertools.pairwise(moments))


def test_without_an_interval_every_change_of_a_drain_is_said_in_its_order() -> None:
    pacer = Pacer([Pace(interval_ns=0), Pace()])
    for at, value in enumerate((1, 2, 3, 1)):
        pacer.offer(0, value, "valid", at, 5)
        pacer.offer(1, value, "valid", at, 5)
    assert [(sample.leaf, sample.value, sample.at_ns) for sample in pacer.take(5)] == [
        (0, 1, 0), (1, 1, 3), (0, 2, 1), (0, 3, 2), (0, 1, 3),
    ]  # fmt: skip
    assert pacer.take(6) == []

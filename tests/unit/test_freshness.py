"""Freshness: a silent message is stale, a silent bus is asleep, and clocks do not matter."""

from dataclasses import dataclass

from gateway.freshness import Changes, Freshness

MS = 1_000_000


@dataclass
class Counted:
    bus: int = 0
    frames: int = 0
    cycle_time_ms: int | None = None


def watch(*messages: Counted, buses: int = 1) -> Freshness:
    return Freshness(messages, [message.cycle_time_ms for message in messages], buses)


def test_a_message_that_misses_ten_periods_is_stale_once_and_comes_back() -> None:
    quiet, busy = Counted(cycle_time_ms=100), Counted(cycle_time_ms=100)
    freshness = watch(quiet, busy)
    quiet.frames = busy.frames = 1
    found = []
    for now_ms in range(0, 3000, 100):
        busy.frames += 1
        changes = freshness.check(now_ms * MS)
        found += [(now_ms, index) for index in changes.gone]
    assert found == [(1100, 0)]
    assert freshness.is_stale(0)
    quiet.frames += 1
    assert freshness.check(3000 * MS) == Changes(back=[0])
    assert not freshness.is_stale(0)


def test_nothing_goes_stale_while_the_whole_bus_is_silent() -> None:
    messages = [Counted(frames=1, cycle_time_ms=10), Counted(frames=1, cycle_time_ms=10)]
    freshness = watch(*messages)
    freshness.check(0)
    assert freshness.check(3_600_000 * MS) == Changes()
    assert freshness.is_asleep(3_600_000 * MS, 10_000 * MS)


def test_one_awake_bus_keeps_the_car_awake_and_ages_only_its_own() -> None:
    first, second = Counted(bus=0, frames=1, cycle_time_ms=10), Counted(bus=1, frames=1)
    freshness = watch(first, second, buses=2)
    freshness.check(0)
    second.frames += 1
    assert freshness.check(20_000 * MS) == Changes()
    assert not freshness.is_asleep(20_000 * MS, 10_000 * MS)


def test_a_period_the_dbc_does_not_say_is_learned() -> None:
    learner, busy = Counted(), Counted()
    freshness = watch(learner, busy)
    for now_ms in range(0, 4000, 100):
        busy.frames += 1
        learner.frames += now_ms % 200 == 0
        freshness.check(now_ms * MS)
    assert freshness.period_ns(0) == 200 * MS
    gone = []
    for now_ms in range(4000, 8000, 100):
        busy.frames += 1
        gone += [now_ms for index in freshness.check(now_ms * MS).gone if index == 0]
    assert gone == [5900]


def test_a_message_seen_a_few_times_has_no_period_and_never_goes_stale() -> None:
    rare, busy = Counted(frames=1), Counted()
    freshness = watch(rare, busy)
    for now_ms in range(0, 100_000, 1000):
        busy.frames += 1
        assert freshness.check(now_ms * MS) == Changes()
    assert freshness.period_ns(0) is None


def test_a_bus_that_never_spoke_is_silent() -> None:
    assert watch(Counted()).is_asleep(0, 10)


def test_a_bus_that_wakes_makes_nothing_stale_and_sleep_is_in_no_period() -> None:
    learner, busy, fast = Counted(), Counted(), Counted(cycle_time_ms=10)
    freshness = watch(learner, busy, fast)
    for start_ms in (0, 8 * 3_600_000):
        for now_ms in range(start_ms, start_ms + 5000, 100):
            busy.frames += 1
            fast.frames += now_ms > start_ms
            learner.frames += now_ms % 200 == 0 and now_ms > start_ms
            assert freshness.check(now_ms * MS) == Changes()
    period_ns = freshness.period_ns(0)
    assert period_ns is not None
    assert 190 * MS < period_ns < 250 * MS


def test_a_bus_is_silent_before_its_first_frame_and_when_it_sleeps() -> None:
    message, other = Counted(), Counted(bus=1)
    freshness = watch(message, other, buses=2)
    assert freshness.is_silent(0, 0)
    message.frames = 1
    freshness.check(500 * MS)
    assert not freshness.is_silent(0, 1600 * MS)
    assert freshness.is_silent(0, 1601 * MS)
    assert freshness.is_silent(1, 500 * MS)
    message.frames = 2
    freshness.check(1700 * MS)
    assert not freshness.is_silent(0, 1700 * MS)

"""How often something may happen."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.throttle import Throttle
from tests.unit.commanded import MS, SECOND_NS


def test_a_burst_and_then_the_rate() -> None:
    throttle = Throttle(burst=3, per_s=10)
    assert [throttle.take("a", 0) for _ in range(5)] == [True, True, True, False, False]
    assert not throttle.take("a", 99 * MS)
    assert throttle.take("a", 100 * MS)
    assert not throttle.take("a", 100 * MS)
    assert [throttle.take("a", 100 * SECOND_NS) for _ in range(4)] == [True, True, True, False]


def test_each_key_has_its_own() -> None:
    throttle = Throttle(1, 1)
    assert throttle.take("a", 0)
    assert throttle.take(None, 0)
    assert not throttle.take("a", 0)


def test_a_look_takes_nothing() -> None:
    throttle = Throttle(1, 1)
    assert throttle.has("a", 0)
    assert throttle.has("a", 0)
    assert throttle.take("a", 0)
    assert not throttle.has("a", 0)
    assert throttle.has("a", SECOND_NS)


def test_memory_is_bounded_and_who_asks_often_is_remembered() -> None:
    throttle = Throttle(1, 0.001)
    assert throttle.take("often", 0)
    for number in range(5000):
        throttle.take(number, 0)
        assert not throttle.take("often", 0)
    assert throttle.take(0, 0)  # long forgotten


@given(
    st.floats(1, 50), st.floats(0.1, 1000), st.lists(st.integers(0, 10**9), min_size=1, max_size=50)
)
def test_in_the_long_run_it_is_the_rate(burst: float, per_s: float, steps: list[int]) -> None:
    throttle, now_ns, taken = Throttle(burst, per_s), 0, 0
    for step in steps:
        now_ns += step
        taken += throttle.take("a", now_ns)
    assert taken <= burst + now_ns * per_s / 1e9 + 1e-6


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    throttle = Throttle(1, 10)
    assert throttle.take("a", SECOND_NS)
    assert not throttle.take("a", 0)
    assert not throttle.take("a", SECOND_NS)
    assert throttle.take("a", 2 * SECOND_NS)

"""A recording played: what is due when."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.recorded_time import JUMP_NS, SteadyTime
from gateway.recordings import Player
from gateway.textlogs import RecordedFrame

FRAMES: list[RecordedFrame] = [("can0", 1, b"a", 5_000), ("can0", 1, b"b", 1_000_005_000)]


def played(player: Player, elapsed_s: float, limit: int = 1_000) -> tuple[bytes, float | None]:
    taken: list[bytes] = []
    left = player.take(elapsed_s, lambda channel, can_id, payload, at: taken.append(payload), limit)
    return b"".join(taken), left


def test_a_player_hands_on_what_is_due() -> None:
    player = Player(FRAMES, speed=2.0)
    assert played(player, 0.0) == (b"a", 0.5)
    assert played(player, 0.25) == (b"", 0.25)
    assert played(player, 0.5) == (b"b", None)
    assert played(player, 9.0) == (b"", None)
    assert played(Player([]), 0.0) == (b"", None)


def test_a_player_as_fast_as_possible_takes_so_many_at_a_time() -> None:
    player = Player(FRAMES, speed=None)
    assert played(player, 0.0, limit=1) == (b"a", 0.0)
    assert played(player, 0.0, limit=1)[0] == b"b"
    assert played(player, 0.0, limit=1) == (b"", None)


def test_a_looped_recordings_time_goes_on() -> None:
    player = Player(FRAMES, speed=None, is_looped=True)
    times: list[int] = []
    player.take(0.0, lambda channel, can_id, payload, at_ns: times.append(at_ns), limit=7)
    assert times == [5_000 + second * 1_000_000_000 for second in (0, 1, 2, 3, 4, 5, 6)]
    assert played(Player([], is_looped=True), 0.0) == (b"", None)


SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def steady(*times_s: float, start_ns: int = 1_700_000_000 * SECOND) -> SteadyTime:
    return SteadyTime([("can0", 1, b"", start_ns + round(at * SECOND)) for at in times_s])


def times_s(steadied: SteadyTime, start_ns: int = 1_700_000_000 * SECOND) -> list[float]:
    return [(at_ns - start_ns) / SECOND for *_, at_ns in steadied]


@pytest.mark.parametrize(
    ("recorded", "out_of", "broken", "steps_back"),
    [
        ([], [], 0, 0),
        ([0], [0], 0, 0),
        ([0, 1, 30 * 86400, 2, 3], [0, 1, 2, 3], 1, 0),
        ([0, 1, -86400, 2, 3], [0, 1, 2, 3], 1, 0),
        ([86400, 0, 1, 2], [0, 1, 2], 1, 0),
        ([0, 1, 86400], [0, 1], 1, 0),
        ([0, 1, -86400], [0, 1], 1, 0),
        ([0, 2, 0.1, 2.1, 0.2, 2.2], [0, 2, 0.1, 2.1, 0.2, 2.2], 0, 0),
        ([0, 60, 120, 180], [0, 60, 120, 180], 0, 0),
        ([0, 1, 86400, 86401], [0, 1, 86400, 86401], 0, 0),
        ([0, 1, -86400, -86399, -86398], [0, 1, 1, 2, 3], 0, 1),
        ([0, 1, -86400, -86399, 2, 3], [0, 1, 1, 2, 2, 3], 0, 1),
        ([0, 1, 86400, 5, -86400, 2], [0, 1, 5, 2], 2, 0),
    ],
)
def test_a_broken_stamp_is_left_out_and_a_clock_that_steps_back_goes_on(
    recorded: list[float], out_of: list[float], broken: int, steps_back: int
) -> None:
    steadied = steady(*recorded)
    for _ in range(2):
        assert times_s(steadied) == out_of
        assert (steadied.broken, steadied.steps_back) == (broken, steps_back)


@given(st.lists(st.integers(0, 10_000 * SECOND), max_size=30))
def test_any_stamps_give_frames_that_never_go_back_far(stamps: list[int]) -> None:
    steadied = SteadyTime([("can0", 1, b"", at_ns) for at_ns in stamps])
    played_ns = [at_ns for *_, at_ns in steadied]
    assert len(played_ns) + steadied.broken == len(stamps)
    assert all(after >= before - JUMP_NS for before, after in pairwise(played_ns))


def test_a_silence_of_days_is_not_waited_for() -> None:
    frames: list[RecordedFrame] = [
        ("can0", 1, b"a", 0), ("can0", 1, b"b", DAY), ("can0", 1, b"c", DAY + SECOND)
    ]  # fmt: skip
    player = Player(frames, speed=1.0)
    assert played(player, 0.5) == (b"ab", 1.0)
    assert played(player, 1.5) == (b"c", None)

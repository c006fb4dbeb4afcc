"""A recording played: what is due when."""

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

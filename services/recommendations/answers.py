"""What answers to offers teach in every kind of advice (pure).

A rejection is one pseudo-trip against what was offered, and a day of silence for it. Two in a row
withdraw it, until the driver has done it on three trips by hand.
"""

from collections.abc import Iterable, Sequence

from services.recommendations.advising import Answered

DAY_MS = 86_400_000
IN_A_ROW = 2
"""So many rejections without an acceptance between them withdraw it."""
BY_HAND = 3
"""On so many trips the driver has to do it by hand before it is offered again."""


def rejected_ms(answered: Iterable[Answered], key: str) -> list[int]:
    """When something was rejected, UTC ms: each is one pseudo-trip against it."""
    return [each.at_ms for each in answered if each.key == key and not each.is_accepted]


def is_silent(answered: Iterable[Answered], key: str, at_ms: int) -> bool:
    """Whether it was rejected within the day before (or after, if a clock was set back)."""
    return any(abs(at_ms - each_ms) < DAY_MS for each_ms in rejected_ms(answered, key))


def by_hand_ms(answered: Iterable[Answered], key: str, started_ms: Sequence[int]) -> list[int]:
    """Which of some trips, by their starts, were without an accepted offer of it.

    Args:
        answered: The offers of the kind.
        key: What was offered.
        started_ms: Of trips on which it was done, UTC ms; in any order.
    """
    starts = sorted(started_ms)
    helped = set()
    for each in answered:
        if each.key == key and each.is_accepted:
            before = [start for start in starts if start <= each.at_ms < start + DAY_MS]
            helped.update(before[-1:])
    return [start for start in starts if start not in helped]


def is_withdrawn(answered: Iterable[Answered], key: str, hands_ms: Iterable[int]) -> bool:
    """Whether it is not to be offered now.

    Args:
        answered: The offers of the kind.
        key: What would be offered.
        hands_ms: Starts of the trips on which it was done by hand, UTC ms.
    """
    events = [(each.at_ms, 0, each.is_accepted) for each in answered if each.key == key]
    events += [(start_ms, 1, True) for start_ms in hands_ms]
    in_a_row = hands = 0
    for _, by_hand, is_accepted in sorted(events):
        if not by_hand:
            in_a_row, hands = (0 if is_accepted else in_a_row + 1), 0
        elif in_a_row >= IN_A_ROW:
            hands += 1
            if hands == BY_HAND:
                in_a_row = hands = 0
    return in_a_row >= IN_A_ROW

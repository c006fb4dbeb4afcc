"""Lost packets are counted by their numbers, whatever order they come in."""

import random

import pytest

from services.drone.mavlink.losses import Losses

EVERY_S = 0.04


def heard(loss: float, jitter_s: float, seconds: float = 60.0, seed: int = 1) -> list[float]:
    """The shares that are read once a second, from a way that loses and mixes."""
    chance, losses = random.Random(seed), Losses()
    packets = sorted(
        (number * EVERY_S + chance.uniform(0.0, jitter_s), number % 256)
        for number in range(round(seconds / EVERY_S))
        if chance.random() >= loss
    )
    shares, next_s = [], 10.0
    for at_s, number in packets:
        losses.heard(number, at_s)
        if at_s >= next_s:
            shares.append(losses.share(at_s))
            next_s += 1.0
    return shares


def test_packets_that_overtake_each_other_are_not_lost() -> None:
    assert max(heard(loss=0.0, jitter_s=0.3)) == 0.0


@pytest.mark.parametrize("jitter_s", [0.0, 0.3])
def test_what_is_lost_is_read_as_it_is_with_and_without_jitter(jitter_s: float) -> None:
    shares = heard(loss=0.2, jitter_s=jitter_s)
    assert sum(shares) / len(shares) == pytest.approx(0.2, abs=0.03)
    assert max(shares) < 0.3


def test_a_packet_that_comes_twice_counts_once() -> None:
    losses = Losses()
    for number in (250, 251, 253, 252, 252, 253, 250):
        losses.heard(number, 1.0)
    assert losses.share(2.0) == 0.0
    losses.heard(255, 2.0)
    assert losses.share(2.5) == 0.0
    assert losses.share(3.0) == pytest.approx(1 / 6)


def test_after_a_silence_the_next_number_counts_as_ahead() -> None:
    losses = Losses()
    losses.heard(10, 0.0)
    losses.heard(210, 8.0)
    assert losses.share(9.5) == pytest.approx(199 / 201)
    losses.heard(211, 9.6)
    assert losses.share(20.0) == 1.0
    losses.restart()
    assert losses.share(20.0) == 0.0
    losses.heard(3, 20.0)
    assert losses.share(22.0) == 0.0

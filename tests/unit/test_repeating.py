"""When what is not settled is said again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.delivery import Outcome
from services.repeating import LEASE_MS, LONGEST_MS, again_at_ms, delay_ms, next_at_ms


def test_the_delay_is_a_second_and_doubles_up_to_five_minutes() -> None:
    assert [delay_ms(attempts) for attempts in range(1, 12)] == [
        1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000,
    ]  # fmt: skip


@given(st.integers(0, 1 << 62))
def test_no_number_of_attempts_leads_out_of_the_range(attempts: int) -> None:
    assert 1_000 <= delay_ms(attempts) <= LONGEST_MS


def test_what_awaits_no_answer_belongs_to_its_sender_for_a_while() -> None:
    assert next_at_ms(1, 5, awaits_answer=True) == 1_005
    assert next_at_ms(9, 5, awaits_answer=False) == 5 + LEASE_MS


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (Outcome.LOST, 7),
        (Outcome.FULL, 1_007),
        (Outcome.NOT_PERMITTED, 4_007),
        (Outcome.REFUSED, 4_007),
        (Outcome.ACKNOWLEDGED, None),
    ],
)
def test_every_end_of_a_delivery_says_when_to_try_again(
    outcome: Outcome, again: int | None
) -> None:
    assert again_at_ms(outcome, 3, 7) == again

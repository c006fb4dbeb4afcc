"""What the measured fees are held against: every shipped context, and each can be found wrong."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

from services.tolls.tariff.context import Context
from services.tolls.tariff.shipped import find_context, names
from tests.bench import toll_fees
from tests.bench.toll_cases import Source
from tests.data import data_path


def changed(context: Context, **tariff: Any) -> Context:
    return context.model_copy(update={"tariff": context.tariff.model_copy(update=tariff)})


def without_groups(context: Context) -> Context:
    return changed(context, groups=())


def with_groups_at_one_place(context: Context) -> Context:
    """As if passages of one place only were charged once."""
    groups = tuple(
        group.model_copy(update={"id": f"{group.id}-{place}", "places": (place,)})
        for group in context.tariff.groups
        for place in group.places
    )
    return changed(context, groups=groups)


def without_rounding(context: Context) -> Context:
    rounding = context.tariff.rounding.model_copy(update={"section_m": 1})
    return changed(context, rounding=rounding)


def test_every_shipped_context_is_held_against_a_source() -> None:
    assert set(names()) == set(toll_fees.SOURCES)


def test_a_shipped_context_without_a_source_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toll_fees, "names", lambda: ("atlantis",))
    assert toll_fees.check() == (1, 1)


@pytest.mark.parametrize(
    ("name", "source", "breaks"),
    [
        ("norway", toll_fees.norway_hours, without_groups),
        ("norway", toll_fees.norway_hours, with_groups_at_one_place),
        ("gothenburg", toll_fees.gothenburg, with_groups_at_one_place),
        ("germany", toll_fees.germany, without_rounding),
    ],
)
def test_a_wrong_rule_is_found(
    name: str, source: Source, breaks: Callable[[Context], Context]
) -> None:
    data_path("tolls")

    def some(context: Context) -> Any:
        return islice(source(context), 400)

    shipped = find_context(name)
    _, none = toll_fees.compared(shipped, some)
    _, wrong = toll_fees.compared(breaks(shipped), some)
    assert none == 0
    assert wrong > 0

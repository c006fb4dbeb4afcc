"""What is reckoned together, and where in time to look for it."""

from datetime import UTC, datetime, timedelta

import pytest

from services.tolls.tariff.context import Context
from services.tolls.tariff.fees import around, window
from tests.unit.toll_tariffs import context_of, described


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin"])
@pytest.mark.parametrize("accounting", ["day", "month"])
@pytest.mark.parametrize("starts", ["00:00", "23:59"])
def test_all_of_a_window_lies_around_each_of_its_instants(
    zone: str, accounting: str, starts: str
) -> None:
    tariff = {"accounting": accounting, "day_starts": starts}
    context = Context.model_validate(described(tariff=tariff, time_zone=zone))
    first = datetime(2026, 1, 1, tzinfo=UTC)
    instants = [first + timedelta(hours=7 * n) for n in range(250)]
    reaches: dict[str, tuple[datetime, datetime]] = {}
    for instant in instants:
        reach = around(instant, context)
        assert reach is not None
        since, until = reaches.setdefault(window(instant, context), reach)
        assert since <= instant <= until


def test_around_what_is_reckoned_with_all_or_with_nothing() -> None:
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    assert around(instant, context_of(accounting="all")) is None
    assert around(instant, []) == (instant, instant)

"""Reading a toll context: what is one, what is not, and which version holds when."""

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tolls.service import by_id
from services.tolls.tariff.context import MOST_BYTES, Context, ContextError, at, load_context
from services.tolls.tariff.layout import written
from services.tolls.tariff.shipped import CONTEXTS, find_context, names
from tests.unit.toll_tariffs import all_day, described, gate


def refused(**more: Any) -> str:
    with pytest.raises(ContextError) as caught:
        load_context(orjson.dumps({**described(), **more}), "toll.json")
    return str(caught.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"time_zone": "Mars/Base"}, "toll.json: time_zone: Value error, 'Mars/Base' is no IANA"),
        ({"time_zone": "../passwd"}, "is no IANA time zone"),
        ({"time_zone": "Europe"}, "is no IANA time zone"),
        ({"currency": {"code": "SGD", "exponent": 3}}, "the smallest unit of SGD has 2 decimals"),
        ({"version": "v1"}, "toll.json: version: String should match"),
        ({"valid_until": "2019-01-01"}, "valid_until lies before valid_from"),
        ({"gates": [gate("A"), gate("B"), gate("A")]}, "gate 'A' stands there twice"),
        ({"gates": [gate("A", bearing_deg=360)]}, "toll.json: gates.0.bearing_deg: Input"),
        ({"gates": [gate("A", colour="red")]}, "gates.0.colour: Extra inputs are not permitted"),
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"tariff": {"rates": [all_day(2.5)]}}, 'write an amount as text, such as "2.50"'),
        ({"tariff": {"rates": [all_day("-1")]}}, "tariff.rates.0.bands.0.2"),
        ({"tariff": {"rates": [all_day("NaN")]}}, "tariff.rates.0.bands.0.2"),
        ({"tariff": {"rates": [{"bands": [["7:00", "08:00", "1"]]}]}}, "a time of day as HH:MM"),
        ({"tariff": {"rates": [{"bands": [["07:60", "08:00", "1"]]}]}}, "is 00:00 to 24:00"),
        ({"tariff": {"rates": [{"bands": [["07:00", "24:01", "1"]]}]}}, "is 00:00 to 24:00"),
        ({"tariff": {"rates": [{"bands": [[1.5, "24:00", "1"]]}]}}, "tariff.rates.0.bands.0.0"),
        ({"tariff": {"rates": [{"bands": []}]}}, "tariff.rates.0.bands: Tuple should have"),
        ({"tariff": {"discounts": [{"label": "d", "percent": 20}]}}, "never as a number"),
        ({"id": "a\nb"}, "toll.json: id: String should match"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_in_one_line(more: dict[str, Any], said: str) -> None:
    text = refused(**more)
    assert said in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"), ("{", "not JSON"), ("[" * 100_000, "not JSON"), ("\ud800", "not JSON"),
        (b"\xff", "not JSON"), ('{"id": NaN}', "not JSON"),
        ("[]", "the context: Input should be a valid dictionary"),
        ("{}", "id: Field required, not {} (and 7 more)"),
        (" " * (MOST_BYTES + 1), "more than 16 MiB"),
    ],
)  # fmt: skip
def test_what_is_no_context_at_all_is_refused(text: bytes | str, said: str) -> None:
    with pytest.raises(ContextError, match=r"^toll\.json: ") as caught:
        load_context(text, "toll.json")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(described())), json_values, st.binary(max_size=20))
def test_any_text_is_a_context_or_our_error(key: str, value: Any, noise: bytes) -> None:
    for text in (json.dumps({**described(), key: value}).encode(), noise):
        try:
            context = load_context(text, "toll.json")
        except ContextError:
            continue
        assert load_context(written(context), "toll.json") == context


def versions(*descriptions: dict[str, Any]) -> list[Context]:
    return [Context.model_validate(described(**more)) for more in descriptions]


def test_the_greatest_version_that_is_valid_holds() -> None:
    held = versions(
        {"version": "2", "valid_until": "2026-12-31"},
        {"version": "10", "valid_from": "2026-07-01", "valid_until": "2026-07-31"},
        {"version": "9.9.9"},
    )

    def version_at(instant: str) -> str | None:
        context = at(held, datetime.fromisoformat(instant))
        return None if context is None else context.version

    assert version_at("2026-06-30T21:59:59+00:00") == "9.9.9"
    assert version_at("2026-06-30T22:00:00+00:00") == "10"  # midnight in Berlin
    assert version_at("2026-07-31T21:59:59+00:00") == "10"
    assert version_at("2026-07-31T22:00:00+00:00") == "9.9.9"
    assert version_at("2019-12-31T00:00:00+00:00") is None


def test_equal_contexts_have_equal_hashes() -> None:
    one, other = versions({}, {})
    assert (one == other, hash(one) == hash(other)) == (True, True)


@pytest.mark.parametrize("name", names())
def test_a_shipped_context_is_written_as_it_stands(name: str) -> None:
    text = (CONTEXTS / f"{name}.json").read_text(encoding="utf-8")
    assert written(load_context(text, name)) == text
    assert all(len(line) < 1500 for line in text.splitlines())


def test_a_place_is_a_gate_its_station_and_the_groups_of_either() -> None:
    [context] = versions(
        {
            "gates": [gate("A", station="S"), gate("B")],
            "tariff": {
                "groups": [
                    {"id": "g", "label": "g", "places": ["S", "B"]},
                    {"id": "h", "label": "h", "places": ["B"]},
                ]
            },
        }
    )
    assert context.places == {"A": {"A", "S", "g"}, "B": {"B", "g", "h"}}


def test_the_shipped_contexts_are_these() -> None:
    assert names() == ("germany", "gothenburg", "norway", "singapore")
    for name in names():
        context = find_context(name)
        assert context.id == name
        assert context.sources
        assert all(source.licence and source.what for source in context.sources)


def test_a_context_that_nobody_ships_is_said_to_be_none() -> None:
    for name in ("narnia", "trusted", "/", ""):
        with pytest.raises(ContextError, match="no such toll context; shipped are germany, goth"):
            find_context(name)


def test_a_file_without_end_and_a_name_that_is_none_are_refused() -> None:
    with pytest.raises(ContextError, match="more than 16 MiB"):
        find_context("/dev/zero")
    with pytest.raises(ContextError, match="no such toll context"):
        find_context("a\0b")


def test_two_versions_may_follow_each_other_but_never_pay_in_two_ways_on_one_day() -> None:
    crowns: dict[str, Any] = {"currency": "SEK"}
    other: dict[str, Any] = {"operator": {"id": "other", "name": "Other"}}
    old = {"version": "1", "valid_until": "2026-12-31"}
    for more in (crowns, other):
        after = versions(old, {"version": "2", "valid_from": "2027-01-01", **more})
        assert by_id(after) == {after[0].id: tuple(after)}
        for late in ("2026-12-31", "2020-01-01"):
            with pytest.raises(ContextError, match="hold on the same days"):
                by_id(versions(old, {"version": "2", "valid_from": late, **more}))
    with pytest.raises(ContextError, match="named twice"):
        by_id(versions({"version": "1"}, {"version": "1"}))


def test_an_instant_is_held_against_local_days() -> None:
    [context] = versions({"valid_until": "2026-07-07"})
    assert context.is_valid(datetime(2026, 7, 7, 21, 59, tzinfo=UTC))
    assert not context.is_valid(datetime(2026, 7, 7, 22, tzinfo=UTC))
    assert not context.is_valid(datetime(2019, 12, 31, 22, 59, tzinfo=UTC))


def test_a_copy_with_another_tariff_forgets_what_was_worked_out_from_the_old_one() -> None:
    [context] = versions({"tariff": {"rates": [all_day("1.00")]}})
    assert context.places["A"] == {"A"}
    groups = ({"id": "g", "label": "g", "places": ["A"]},)
    tariff = type(context.tariff).model_validate({"groups": groups})
    assert context.model_copy(update={"tariff": tariff}).places["A"] == {"A", "g"}

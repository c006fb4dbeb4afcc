"""Evaluation on line: what is asked, what is counted, and files that are wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.message import InputError
from services.recommendations.evaluation import boosting, visits_csv
from services.recommendations.evaluation.online import (
    BOOSTING,
    MIXTURE,
    Known,
    evaluate,
    questions,
)
from services.recommendations.evaluation.scores import Score
from services.recommendations.evaluation.total import report
from services.recommendations.evaluation.visits_csv import VisitsFile, read_visits
from tests.drivers.dice import Dice

HEADER = "user,place,start,end,split"


def read(*rows: str, header: str = HEADER) -> VisitsFile:
    return read_visits([header + "\n", *(row + "\n" for row in rows)], "visits.csv")


def regular(days: int, user: str = "u") -> list[str]:
    rows = []
    for day in range(days):
        split = "train" if day < days // 2 else "valid" if day < 3 * days // 4 else "test"
        date = f"2024-{1 + day // 28:02d}-{1 + day % 28:02d}"
        rows.append(f"{user},work,{date}T08:00,{date}T17:00,{split}")
        rows.append(f"{user},home,{date}T17:30:00.5,{date}T23:00,{split}")
    return rows


def test_a_regular_user_is_foreseen_and_figures_are_the_tests() -> None:
    found = report(read(*regular(60)), "departure")
    assert found.asked == 30
    figures = found.pooled[MIXTURE].figures()
    assert figures["acc_1"] == 1.0
    assert figures["mrr"] == 1.0
    assert figures["precision_07"] == 1.0
    assert found.pooled["most frequent"].first < 20
    assert found.pooled["Markov(origin)"].first == 30
    assert set(found.as_json()) == {"asked", "new", "pooled", "users", "notes"}


def test_what_is_known_is_the_departure_or_the_arrival() -> None:
    visits = read(*regular(2)).visits("u")
    asked = {known: list(questions(visits, known)) for known in ("departure", "arrival")}
    leaving, arriving = asked["departure"][1].moment, asked["arrival"][1].moment
    assert leaving.minute == pytest.approx(17 * 60)
    assert arriving.minute == pytest.approx(17 * 60 + 30, abs=0.1)
    assert (leaving.origin, leaving.before) == ("work", "")
    assert leaving.stayed_min == arriving.stayed_min == 9 * 60
    assert leaving.travelled_min == 0.0
    assert arriving.travelled_min == pytest.approx(30.0, abs=0.1)
    assert asked["departure"][2].moment.before == "work"


@pytest.mark.parametrize("known", ["departure", "arrival"])
def test_nothing_of_the_visit_that_is_asked_for_is_known_but_its_start(known: Known) -> None:
    rows = regular(40)
    other = [*rows[:-1], rows[-1].replace("home", "moon").replace("T23:00", "T23:59")]
    one, two = (list(questions(read(*each).visits("u"), known)) for each in (rows, other))
    assert one[-1].moment == two[-1].moment


def test_the_baselines_are_plain_counts() -> None:
    dice = Dice("baselines")
    rows, here = [], "a"
    for number in range(300):
        here = dice.weighted("abc", [5.0, 3.0, 2.0] if here != "a" else [1.0, 6.0, 3.0])
        at = f"2024-{1 + number // 28:02d}-{1 + number % 28:02d}"
        rows.append(f"u,{here},{at} 08:00,{at} 09:00,{'test' if number > 99 else 'train'}")
    result = report(read(*rows), "departure").users["u"]
    seen: Counter[str] = Counter()
    follows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    frequent, markov, before = 0, 0, ""
    for number, row in enumerate(rows):
        place = row.split(",")[1]
        if number > 99:
            frequent += seen.most_common(1)[0][0] == place
            markov += follows[before].most_common(1)[0][0] == place
        seen[place] += 1
        follows[before][place] += 1
        before = place
    assert result.scores["most frequent"].first == frequent
    assert result.scores["Markov(origin)"].first == pytest.approx(markov, abs=3)


def test_a_score_counts_what_came() -> None:
    score = Score()
    assert score.figures()["acc_1"] is None
    for rank, share in ((1, 0.8), (1, 0.6), (3, 0.75), (None, 0.1)):
        score.add(rank, share)
    whole = Score()
    whole.include(score)
    figures = whole.figures()
    assert (figures["acc_1"], figures["acc_3"]) == (0.5, 0.75)
    assert figures["mrr"] == pytest.approx((1 + 1 + 1 / 3) / 4)
    assert figures["calibration"] == pytest.approx((0.8 + 0.6 + 0.75 + 0.1 - 2) / 4)
    assert (figures["coverage_07"], figures["precision_07"]) == (0.5, 0.5)


def test_times_may_have_an_offset_and_a_zone_may_be_asked_for() -> None:
    rows = ["u,a,2024-05-01T08:00:00+08:00,2024-05-01T09:00:00+08:00,test",
            "u,b,2024-05-01T02:00:00Z,,test"]  # fmt: skip
    first, second = read(*rows).visits("u")
    assert second.start_s - first.end_s == 3600
    asked = list(questions([first, second], "departure"))
    assert asked[1].moment.minute == pytest.approx(9 * 60)
    assert second.end_s == second.start_s
    lines = [HEADER, *rows]
    zoned = read_visits(lines, "v", ZoneInfo("Europe/Berlin")).visits("u")
    assert next(questions(zoned, "arrival")).moment.minute == pytest.approx(2 * 60)


def test_rows_out_of_order_twice_or_overlapping_are_noted_and_used() -> None:
    file = read(
        "u,b,2024-05-01T10:00,2024-05-01T11:00,test",
        "u,a,2024-05-01T08:00,2024-05-01T10:30,train",
        "u,a,2024-05-01T08:00,2024-05-01T10:30,train",
    )
    assert [visit.place for visit in file.visits("u")] == ["a", "b"]
    assert len(file.notes) == 3
    assert "out of order" in file.notes[0]
    asked = list(questions(file.visits("u"), "departure"))
    assert asked[1].moment.minute == pytest.approx(600)
    assert asked[1].moment.stayed_min == 120


def test_columns_are_found_by_name_whatever_their_order_and_separator() -> None:
    file = read("x;test;2024-05-01T09:00;2024-05-01T08:00;a b;u", "",
                header="\ufeffmore;Split;END;Start; place ;user".lstrip("\ufeff"))  # fmt: skip
    assert file.users == ["u"]
    assert file.visits("u")[0].place == "a b"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["u,a,yesterday,,test"], r"line 2: start 'yesterday' is no time such as"),
        (["u,a,2024-05-01,,test"], r"line 2: start '2024-05-01' is no time"),
        (["u,a,2024-05-01T08:00,2024-05-01T07:00,test"], "line 2: end .* is before start"),
        (["u,a,2024-05-01T08:00,,test", "u,a,0001-01-01T08:00,,test"], "line 3: start .* not in"),
        (["u,,2024-05-01T08:00,,test"], "line 2: place has 0 characters"),
        (["u," + "a" * 300 + ",2024-05-01T08:00,,test"], "line 2: place has 300 characters"),
        (["u,a,2024-05-01T08:00,,later"], "line 2: split 'later' is none of train, valid, test"),
        (["u,a,2024-05-01T08:00"], "line 2: only 3 cells"),
        (['u,"' + "a" * 200_000 + '",x,y,z'], "line 2: field larger than"),
        ([], "no row follows"),
    ],
)
def test_a_wrong_line_is_named_with_its_number(rows: Sequence[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(*rows)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("", "the first line is empty"),
        ("\r0", "line 1: new-line character"),
        ("user,place,start,end", "no column split among user, place, start, end"),
        (HEADER + ",user", "two columns user"),
        ("\x00\x1b[31m" * 100, "no column user among"),
    ],
)
def test_a_header_that_is_none_is_refused(header: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read("u,a,2024-05-01T08:00,,test", header=header)
    assert "\x1b" not in str(caught.value)


def test_what_is_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, rows in (("ROWS", 2), ("USERS", 2), ("PLACES", 2)):
        monkeypatch.setattr(visits_csv, f"MOST_{name}", rows)
        with pytest.raises(InputError, match=rf"line 4: more than 2 {name.lower()}"):
            read(*(f"u{each},p{each},2024-05-01T08:00,,test" for each in range(3)))
        monkeypatch.undo()


def test_of_a_user_with_too_many_visits_the_newest_are_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visits_csv, "MOST_VISITS", 10)
    file = read(*regular(20))
    assert len(file.visits("u")) == 10
    assert file.notes == ["user u: of 40 visits only the newest 10 are used"]


def test_notes_do_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits_csv, "_MOST_NOTES", 2)
    twice = [f"u{user},a,2024-05-01T08:00,,test" for user in range(4) for _ in range(2)]
    assert len(report(read(*twice), "departure").notes) == 2


def test_users_without_a_test_visit_are_not_in_the_table() -> None:
    done: list[str] = []
    rows = [*regular(8), "v,a,2024-05-01T08:00,,train"]
    found = report(read(*rows), "arrival", done=done.append)
    assert list(found.users) == done == ["u"]


def test_the_very_first_visit_may_be_the_tests() -> None:
    found = report(read("u,a,2024-05-01T08:00,,test", "u,b,2024-05-01T09:00,,test"), "departure")
    assert (found.asked, found.new) == (2, 2)
    assert found.pooled[MIXTURE].figures()["acc_1"] == 0.0
    assert found.pooled["recency"].asked == 2


@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_text_is_read_or_refused(lines: list[str]) -> None:
    for body in (lines, [HEADER + "\n", *lines]):
        try:
            read_visits(body, "any.csv")
        except InputError as error:
            assert "any.csv" in str(error)


class Rule:
    """A model that takes the first vote for the truth."""

    def predict_proba(self, features: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.column_stack([1 - features[:, 2], features[:, 2]])


def test_gradient_boosting_ranks_the_candidates_of_the_votes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taught: list[int] = []

    def fitted(rows: Sequence[Any]) -> Rule:
        taught.append(len(rows))
        return Rule()

    monkeypatch.setattr(boosting, "_fitted", fitted)
    found = report(read(*regular(60)), "departure", with_trees=True)
    assert found.pooled[BOOSTING].figures()["acc_1"] == 1.0
    assert taught == [90 - 20]
    few = report(read(*regular(8)), "departure", with_trees=True)
    assert few.pooled[BOOSTING].figures()["acc_1"] is not None


def test_without_scikit_learn_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> Iterator[None] | None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", nothing)
    assert not boosting.is_installed()


def test_each_vote_alone_is_counted_too() -> None:
    visits = read(*regular(40)).visits("u")
    result = evaluate(list(questions(visits, "departure")))
    assert result.votes.max() == result.asked
    assert len(result.hits) == len(visits)

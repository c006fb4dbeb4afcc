"""`car evaluate recommendations` on files of visits, also on those that are none."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from internetcar.contract.message import InputError
from internetcar.launcher.command import build
from services.recommendations.evaluation import boosting
from tests.unit.test_recommendations_evaluation import HEADER, regular


def file_of(folder: Path, *rows: str) -> Path:
    path = folder / "visits.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def said(*arguments: str) -> str:
    done = CliRunner().invoke(build(["evaluate"]), ["evaluate", "recommendations", *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_table_has_every_contender_and_every_user(tmp_path: Path) -> None:
    path = file_of(tmp_path, *regular(24), *regular(20, "\x1b[31mv"))
    text = said(str(path), "--no-trees", "--known", "arrival", "--zone", "Europe/Berlin")
    for words in ("22 test visits of 2 users", "Markov + recency", "single kernel", "mixture"):
        assert words in text
    assert "\x1b" not in text


def test_the_same_as_json(tmp_path: Path) -> None:
    found = orjson.loads(said(str(file_of(tmp_path, *regular(24))), "--no-trees", "--json"))
    assert found["pooled"]["mixture"]["acc_1"] > 0.8
    assert found["users"]["u"]["asked"] == 12


def test_without_scikit_learn_the_row_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boosting, "is_installed", lambda: False)
    assert "scikit-learn is not installed" in said(str(file_of(tmp_path, *regular(12))))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "first line is empty"),
        (HEADER.encode() + b"\nu,\xff,2024-05-01T08:00,,test\n", "line 2: not UTF-8"),
        (HEADER.encode() + b"\n" + b"a" * 20_000, "line 2: longer than 10000 bytes"),
        (HEADER.encode() + b"\nu,a,2024-05-01T08:00,,train\n", "no row has split test"),
        (HEADER.encode() + b"\nu,a,2024-05-01T08:00,,never\n", "line 2: split 'never'"),
    ],
)
def test_a_file_that_is_none_is_named_with_what_is_wrong(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "visits.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"visits.csv.*{words}"):
        said(str(path))


def test_a_file_or_zone_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        said(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="no such time zone"):
        said(str(file_of(tmp_path, *regular(8))), "--zone", "../etc/passwd")

"""`car tolls`, on a store as the service leaves it."""

import shutil
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from internetcar.contract.message import InputError
from internetcar.contract.signature import key_id, read_public_key
from internetcar.launcher.command import build
from services.tolls.signing_key import load_or_make_key
from services.tolls.tariff.layout import written
from tests.toll_stand import Drive, Stand, context


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a store, a key and the context; nothing of the user's own is looked at."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("INTERNETCAR_TOLLS_STATE", str(tmp_path))
    monkeypatch.setenv("INTERNETCAR_TOLLS_STORE", str(tmp_path / "tolls.sqlite"))
    (tmp_path / "testville.json").write_text(written(context(groups=[])))
    load_or_make_key(tmp_path / "tolls")
    return tmp_path


def driven(place: Path, drive: Drive, metres: int = 3_500) -> Stand:
    stand = Stand(str(place / "tolls.sqlite"), contexts=[context(groups=[])])
    stand.drive(drive.until(metres))
    stand.close()
    return stand


def car(*arguments: str) -> str:
    result = CliRunner().invoke(build(["tolls"]), ["tolls", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_passages_and_charges_are_listed_and_explained(place: Path) -> None:
    stand = driven(place, Drive())
    said = car("passages")
    assert [said.count(gate) for gate in ("Gate g1", "Gate g2", "Gate g3")] == [1, 1, 1]
    assert "2.50 SGD" in said
    assert "Gate" not in car("passages", "--vehicle-id", "other")
    assert car("passages", "--last", "1").count("Gate") == 1
    charge_id = next(iter(stand.bank.charges))
    assert charge_id in car("charges")
    explained = car("explain", charge_id)
    assert "on the tolled road" in explained
    assert "which is not ours" in explained  # the stand signs with a key of its own
    passage_id = stand.bank.charges[charge_id].passage_id
    assert car("explain", passage_id) == explained
    (place / "tolls" / "tolls.key").unlink()
    assert "no signature can be checked" in car("explain", passage_id)


def test_what_is_unknown_is_named(place: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        car("passages")
    driven(place, Drive())
    with pytest.raises(InputError, match="no such charge or passage"):
        car("explain", "c1")
    with pytest.raises(InputError, match="cannot be read"):
        car("reconcile", str(place / "none.csv"), "--context", str(place / "testville.json"),
            "--vehicle-id", "car")  # fmt: skip


def test_an_invoice_is_held_against_a_recorded_drive_that_was_never_charged(place: Path) -> None:
    stand = driven(place, Drive(origin="recording", clock="recorded", step_m=500), 13_500)
    assert not stand.bank.charges
    invoice = place / "invoice.csv"
    invoice.write_text(
        "Time;Gantry;Amount;Vehicle no\n"
        "01.05.2026 08:01;g1;1,00;SBA 1\n"
        "01.05.2026 08:02;g2;3,50;SBA1\n"
        "01.05.2026 08:06;vague;5,00;SBA1\n"
        "01.05.2026 08:07;g1;1,00;SBA1\n"
        "01.05.2026 08:01;g1;1,00;OTHER\n"
        "soon;g1;1,00;SBA1\n"
    )
    said = car("reconcile", str(invoice), "--context", str(place / "testville.json"),
               "--vehicle-id", "car", "--plate", "SBA1")  # fmt: skip
    told = [line.split() for line in said.splitlines()]
    rows = {words[0]: " ".join(words) for words in told if words and words[0].isdigit()}
    assert "proven" in rows["2"]
    assert "1.00 SGD above our fee of 2.50 SGD" in rows["3"]
    assert "unresolved" in rows["4"]
    assert "contradicted" in rows["5"]
    assert "line 7 is not read" in said
    assert "4 billed, 2 proven, 1 unresolved, 1 contradicted, 2 missing" in said
    assert "billed above our evidence: 2.00 SGD" in said
    passage_id = rows["2"].split()[-1]
    assert "not charged: recording" in car("explain", passage_id)


def test_the_key_and_what_is_provable_are_told(place: Path) -> None:
    shutil.rmtree(place / "tolls")
    (told,) = tomllib.loads(car("key")).items()
    assert key_id(read_public_key(told[1])) == told[0]
    assert car("key") == car("key")
    said = car("provable", "norway", "--sigma", "5", "--interval", "10")
    assert "gates of norway are provable" in said


def test_an_empty_invoice_is_no_error(place: Path) -> None:
    driven(place, Drive(), 500)
    invoice = place / "invoice.csv"
    invoice.write_text("time,place,amount\n")
    said = car("reconcile", str(invoice), "--context", str(place / "testville.json"),
               "--vehicle-id", "car")  # fmt: skip
    assert "0 billed" in said

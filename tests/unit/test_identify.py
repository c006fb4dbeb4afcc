"""`car identify`: the database that explains a bus comes first, whatever else knows some ids."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gateway.databases import Database, DatabaseError, parse_database
from gateway.identify import bus_of_line, fitting_lines, match, rank, raw_value, unexplained
from gateway.traffic import Traffic
from gateway.vehicles import load_vehicle, vehicle_names
from internetcar.contract.message import InputError
from internetcar.launcher import identify
from simulator.bus import BusChoice
from simulator.process import Settings, run
from tests.data import data_path

RUN = CliRunner().invoke
HEAD = 'VERSION ""\nBS_:\nBU_: A\n'
BOTH_ORDERS = (
    parse_database(
        HEAD + "BO_ 1 M: 8 A\n"
        ' SG_ LITTLE : 3|11@1+ (1,0) [0|0] "" A\n'
        ' SG_ BIG : 22|13@0+ (1,0) [0|0] "" A\n'
        ' SG_ LAST : 63|1@1+ (1,0) [0|0] "" A\n',
        "orders",
        "dbc",
    )
    .messages[0]
    .source
)


def database(name: str, *messages: str) -> Database:
    return parse_database(HEAD + "\n".join(messages), name, "dbc")


COUNTED = 'BO_ 256 SPEED: 4 A\n SG_ ALIVE : 8|4@1+ (1,0) [0|15] "" A\n'
MISCOUNTED = 'BO_ 256 SPEED: 4 A\n SG_ ALIVE : 7|4@1+ (1,0) [0|15] "" A\n'
LONGER = 'BO_ 256 SPEED: 8 A\n SG_ ALIVE : 8|4@1+ (1,0) [0|15] "" A\n'


@pytest.fixture
def counted() -> Traffic:
    """A hundred frames whose second byte counts to 15 in its lower half, and twenty others."""
    traffic = Traffic()
    for number in range(100):
        traffic.add(0x100, bytes([number * 7 % 256, number % 16, 0, 0]))
    for _ in range(20):
        traffic.add(0x200, b"\x01")
    return traffic


@settings(max_examples=50)
@given(st.binary(min_size=8, max_size=8))
def test_raw_bits_are_those_cantools_reads(payload: bytes) -> None:
    decoded = BOTH_ORDERS.decode(payload)
    assert isinstance(decoded, dict)
    for one in BOTH_ORDERS.signals:
        assert raw_value(one, payload) == decoded[one.name]


def test_bits_that_did_not_come_have_no_value() -> None:
    assert [raw_value(one, bytes(3)) for one in BOTH_ORDERS.signals].count(None) == 2
    assert all(raw_value(one, b"") is None for one in BOTH_ORDERS.signals)


def test_shares_are_of_all_frames_and_a_counter_that_counts_is_seen(counted: Traffic) -> None:
    found = match(counted, database("counted", COUNTED))
    assert (found.known, found.fitting) == (100 / 120, 100 / 120)
    assert (found.ids_known, found.ids, found.counting, found.counters) == (1, 2, 1, 1)
    assert found.score == pytest.approx(100 / 120)


def test_a_counter_that_does_not_count_and_a_wrong_length_stand_behind(counted: Traffic) -> None:
    candidates = [
        database("longer", LONGER),
        database("miscounted", MISCOUNTED),
        database("other", "BO_ 999 OTHER: 8 A"),
        database("counted", COUNTED),
    ]
    ranked = rank(counted, candidates)
    assert [one.name for one in ranked] == ["counted", "miscounted", "longer"]
    assert (ranked[1].counting, ranked[1].counters) == (0, 1)
    assert ranked[2].fitting == 0.0


def test_of_two_that_know_the_same_the_smaller_is_first(counted: Traffic) -> None:
    many = "\n".join(f"BO_ {number} M{number}: 8 A" for number in range(1000, 1050))
    names = [one.name for one in rank(counted, [database("big", COUNTED, many),
                                                database("small", COUNTED)])]  # fmt: skip
    assert names == ["small", "big"]


def test_a_few_frames_say_nothing_of_a_counter() -> None:
    traffic = Traffic()
    for number in range(5):
        traffic.add(0x100, bytes([0, number, 0, 0]))
    assert match(traffic, database("counted", COUNTED)).counters == 0


def test_the_line_with_the_most_buses_explained_is_first() -> None:
    lines = {name: load_vehicle(name) for name in vehicle_names()}
    generic = "opendbc:hyundai_kia_generic"
    assert fitting_lines([generic], lines) == ["hyundai_kia_generic", "hyundai_kona_ev"]
    with_pcan = [generic, "/somewhere/pcan.fixed.dbc"]
    kona = lines["hyundai_kona_ev"]
    assert fitting_lines(with_pcan, lines)[0] == "hyundai_kona_ev"
    assert [bus.bring for bus in unexplained(kona, [generic])] == ["pcan.dbc"]
    assert unexplained(kona, with_pcan) == []
    assert bus_of_line(kona, "/somewhere/pcan.fixed.dbc") == "pcan"
    assert bus_of_line(kona, "other.dbc") is None
    assert fitting_lines(["other.dbc"], lines) == []


@pytest.fixture
def reference_car(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The reference car's powertrain, ten times as fast as real, on loopback:identify."""
    monkeypatch.setenv("INTERNETCAR_RUN", str(tmp_path))
    stop = threading.Event()
    choice = BusChoice("powertrain", "loopback", "identify")
    thread = threading.Thread(target=run, args=(Settings((choice,), speed_factor=10.0), stop, 0))
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.usefixtures("reference_car")
def test_a_real_car_and_a_live_bus_are_identified(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opendbc", reason="pip install 'internetcar[cars]'")
    monkeypatch.delenv("INTERNETCAR_BROKER", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    monkeypatch.setenv("XDG_STATE_HOME", "/nonexistent")
    log = data_path("can/kona-ev/power-off-on-ready-off.pcan0.ccan1.candump.log")
    result = RUN(identify.app, [str(log), "loopback:identify", "--seconds", "1"])
    assert result.exit_code == 0, result.output
    parts = result.output.split("\n\n")
    can1 = next(part for part in parts if part.startswith("can1 of "))
    assert can1.splitlines()[2].startswith("opendbc:hyundai_kia_generic")
    assert (
        f"car replay {log} --dbc can1=opendbc:hyundai_kia_generic --vehicle hyundai_kia_generic"
        " --broker mqtt://127.0.0.1:1883\n"
    ) in result.output
    assert "or --vehicle hyundai_kona_ev (" in result.output
    assert "it says more with pcan.dbc from github.com/projectgus/kona-ev-dbc" in result.output
    assert "car gateway --bus powertrain=loopback:identify --dbc powertrain=/" in result.output


def test_what_nobody_knows_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identify, "opendbc_names", list)
    log = tmp_path / "odd.log"
    log.write_text("(1.0) can0 1ABCDE01#00\n")
    result = RUN(identify.app, [str(log)])
    assert result.exit_code == 1
    assert "no known database" in result.output


def test_a_silent_bus_says_what_to_look_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERNETCAR_RUN", str(tmp_path))

    def not_installed() -> list[str]:
        raise DatabaseError("opendbc is not installed")

    monkeypatch.setattr(identify, "opendbc_names", not_installed)
    result = RUN(identify.app, ["loopback:silent", "--seconds", "0.1"])
    assert result.exit_code == 1
    assert "silent: 0 frames, 0 identifiers" in result.output
    assert "is the ignition on" in result.output
    assert "note: opendbc is not installed" in result.output


def test_a_bus_of_no_vehicle_line_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identify, "opendbc_names", list)
    monkeypatch.setenv("INTERNETCAR_BROKER", "nonsense")
    own = tmp_path / "own.dbc"
    own.write_text(HEAD + COUNTED)
    log = tmp_path / "own.log"
    log.write_text("".join(f"(1.{n:02}) can0 100#00{n % 16:02X}0000\n" for n in range(40)))
    result = RUN(identify.app, [str(log), "--dbc", str(own)])
    assert result.exit_code == 0, result.output
    assert f"next, with the names of the database:\n  car replay {log} --dbc can0={own}\n" in (
        result.output
    )


def test_wrong_input_is_an_error_in_words(tmp_path: Path) -> None:
    for arguments, words in (
        (["absent.log"], "absent.log: No such file"),
        (["nosuch:x"], "no interface 'nosuch'"),
        ([str(tmp_path / "a.log"), "--dbc", "absent.dbc"], "No such file"),
    ):
        result = RUN(identify.app, arguments)
        assert isinstance(result.exception, InputError)
        assert words in str(result.exception)


def test_help_says_what_is_compared() -> None:
    assert "counters that count" in " ".join(RUN(identify.app, ["--help"]).output.split())

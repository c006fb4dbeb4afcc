"""Coverage and `car dbc`: what databases explain of a recording, and what is wrong with them."""

from collections.abc import Sequence
from pathlib import Path

from typer.testing import CliRunner

from gateway.coverage import coverage
from gateway.databases import load_database, parse_database
from gateway.recordings import open_recording
from gateway.traffic import KEPT_PAYLOADS, MAX_IDS, Traffic, id_text
from internetcar.contract.message import InputError
from internetcar.launcher import dbc
from internetcar.launcher.tables import percent
from tests.data import data_path

RUN = CliRunner().invoke
DBC = """\
VERSION ""
BS_:
BU_: A
BO_ 256 Speed: 8 A
 SG_ SPEED : 0|16@1+ (0.01,0) [0|300] "km/h" A
BO_ 512 Doors: 2 A
 SG_ FRONT_LEFT : 0|1@1+ (1,0) [0|1] "" A
BO_ 768 Never: 8 A
"""
LOG = "power-off-on-ready-off.pcan0.ccan1.candump.log"


def write(folder: Path, lines: Sequence[str]) -> str:
    path = folder / "drive.log"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def write_dbc(folder: Path) -> str:
    path = folder / "car.dbc"
    path.write_text(DBC)
    return str(path)


def test_each_frame_is_known_or_not_and_has_its_length_or_not() -> None:
    traffic = Traffic()
    for can_id, payload in (
        (0x100, bytes(8)),
        (0x100, bytes(6)),
        (0x200, bytes(3)),
        (0x8000_0100, bytes(8)),  # of 29 bits: another identifier
        (0x300 + 1, b""),
        (0x300 + 1, b""),
    ):
        traffic.add(can_id, payload)
    found = coverage(traffic, [parse_database(DBC, "car.dbc", "dbc")])
    assert (found.frames, found.known, found.share) == (6, 3, 0.5)
    assert found.unknown == ((0x301, 2), (0x8000_0100, 1))
    assert [(one.message.name, one.frames, one.lengths) for one in found.shorter] == [
        ("Speed", 1, (6,))
    ]
    assert [(one.message.name, one.frames, one.lengths) for one in found.longer] == [
        ("Doors", 1, (3,))
    ]
    assert [message.name for message in found.unseen] == ["Never"]
    assert found.messages == 3


def test_nothing_heard_is_nothing_known() -> None:
    assert coverage(Traffic(), [parse_database(DBC, "car.dbc", "dbc")]).share == 0.0


def test_traffic_counts_all_and_remembers_some() -> None:
    traffic = Traffic()
    for number in range(1000):
        traffic.add(0x100, bytes([number % 256]))
    assert traffic.ids[0x100].frames == 1000
    assert len(traffic.ids[0x100].payloads) == KEPT_PAYLOADS


def test_a_sender_of_ever_new_identifiers_fills_no_memory() -> None:
    traffic = Traffic()
    for can_id in range(MAX_IDS + 100):
        traffic.add(0x8000_0000 | can_id, b"")
    assert (len(traffic.ids), traffic.frames) == (MAX_IDS, MAX_IDS + 100)


def test_identifiers_and_shares_are_written_as_people_write_them() -> None:
    assert (id_text(0x51), id_text(0x98FE_E300)) == ("0x051", "0x18FEE300")
    assert (percent(24262 / 24263), percent(1.0), percent(0.5)) == ("99.99 %", "100 %", "50 %")


def test_the_kona_is_covered_as_measured() -> None:
    recording = open_recording(data_path(f"can/kona-ev/{LOG}"))
    traffic = dbc.traffic_of(recording)
    found = coverage(traffic["can0"], [load_database(str(data_path("can/kona-ev/pcan.fixed.dbc")))])
    assert (found.known, found.frames) == (24_262, 24_263)
    assert sum(one.frames for one in found.shorter) == 282
    assert found.longer == ()


def test_coverage_is_printed_bus_by_bus(tmp_path: Path) -> None:
    log = write(tmp_path, ["(1.0) can0 100#0011", "(1.1) can0 7FF#", "(1.2) can1 123#", "junk"])
    result = RUN(dbc.app, ["coverage", log, "--dbc", f"can0={write_dbc(tmp_path)}"])
    assert result.exit_code == 0, result.output
    assert "can0: 1 of 2 frames known (50 %)" in result.output
    assert "0x7FF" in result.output
    assert "1 of 3 messages seen" in result.output
    assert "can1: 1 frames, and no --dbc for it" in result.output
    assert "1 broken lines, first: line 4" in result.output


def test_coverage_says_what_is_missing(tmp_path: Path) -> None:
    log = write(tmp_path, ["(1.0) can0 100#0011"])
    source = write_dbc(tmp_path)
    for arguments, words in (
        ([log], "car identify"),
        ([log, "--dbc", f"can7={source}"], "no channel can7; it has can0"),
        ([log, "--dbc", "can0=absent.dbc"], "absent.dbc: No such file"),
        ([str(tmp_path / "absent.log"), "--dbc", source], "No such file"),
    ):
        result = RUN(dbc.app, ["coverage", *arguments])
        assert isinstance(result.exception, InputError)
        assert words in str(result.exception)


def test_lint_names_line_defect_and_mend() -> None:
    result = RUN(dbc.app, ["lint", str(data_path("can/kona-ev/pcan.dbc"))])
    assert result.exit_code == 0
    assert "107 messages, 445 signals; 1 defects mended, 0 left out" in result.output
    assert "line 3: no BS_ and no BU_ after NS_: both added, empty" in result.output


def test_lint_lists_overlaps_and_what_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "odd.dbc"
    overlap = ' SG_ ONE : 0|8@1+ (1,0) [0|0] "" A\n SG_ TWO : 4|8@1+ (1,0) [0|0] "" A\n'
    path.write_text(DBC + overlap + "BO_ 1024 Long: 100 A\n")
    output = RUN(dbc.app, ["lint", str(path)]).output
    assert "decoded all the same: Never.TWO: it shares bits with ONE" in output
    assert "left out: Long: 100 bytes need a transport protocol" in output


def test_names_from_a_file_do_not_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "hostile.kcd"
    path.write_text(
        '<?xml version="1.0"?><NetworkDefinition xmlns="http://kayak.2codeornot2code.org/1.0">'
        '<Bus name="b"><Message id="0x1" name="A&#x85;&#x9b;31m" length="8"/>'
        '<Message id="0x1" name="B" length="8"/></Bus></NetworkDefinition>',
        encoding="utf-8",
    )
    output = RUN(dbc.app, ["lint", str(path)]).output
    assert "left out: A\ufffd\ufffd31m: B has the same identifier" in output


def test_lint_goes_on_after_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    broken = tmp_path / "broken.dbc"
    broken.write_text("not a database")
    result = RUN(dbc.app, ["lint", str(broken), write_dbc(tmp_path)])
    assert result.exit_code == 2
    assert "car: " in result.output
    assert "this is not a DBC file" in result.output
    assert "3 messages, 2 signals; 0 defects mended" in result.output


def test_help_of_each_is_there() -> None:
    assert "lint" in RUN(dbc.app, ["--help"]).output
    for name in ("lint", "coverage"):
        assert RUN(dbc.app, [name, "--help"]).exit_code == 0

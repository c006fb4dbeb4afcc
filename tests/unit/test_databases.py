import os
import sys
from pathlib import Path

import pytest

from gateway.databases import (
    MAX_FILE_BYTES,
    DatabaseError,
    load_database,
    opendbc_names,
    parse_database,
)
from gateway.decode import Decoder, signal_definitions
from tests.data import data_path

DBC = """VERSION ""
BO_ 291 SPEEDS: 8 ECU
 SG_ SPEED : 0|16@1+ (0.01,-5) [0|300] "km/h" ECU
 SG_ GEAR : 16|4@1- (1,0) [0|0] "" ECU
BO_ 2147483939 SPEEDS_29: 8 GATEWAY
 SG_ SPEED : 0|16@1+ (1,0) [0|0] "km/h" ECU
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_DEF_ SG_ "GenSigStartValue" FLOAT 0 1e9;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_DEF_DEF_ "GenSigStartValue" 0;
BA_ "GenMsgCycleTime" BO_ 291 20;
BA_ "GenSigStartValue" SG_ 291 SPEED 1000;
VAL_ 291 GEAR 1 "D" -1 "R" ;
"""
KCD = """<NetworkDefinition xmlns="http://kayak.2codeornot2code.org/1.0">
<Document name="x"/><Bus name="B"><Message id="0x123" name="{name}" length="8">
<Signal name="{name}" offset="0" length="{length}"><Value slope="{slope}"/></Signal>
</Message></Bus></NetworkDefinition>"""
HOSTILE = [
    '__import__("os").system("touch /tmp/owned")',
    "a/b/+/#",
    "x'); raise SystemExit #",
    "\\\\n\\tx\\x00",
    '"""',
    "{0.__class__}",
]


def as_xml(name: str) -> str:
    return name.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def test_a_definition_says_what_the_database_says() -> None:
    speed, gear, other = signal_definitions([[parse_database(DBC, "x", "dbc")]])
    assert (speed.message, speed.signal, speed.unit) == ("SPEEDS", "SPEED", "km/h")
    assert (speed.can_id, speed.bus, speed.index) == (291, 0, 0)
    assert (speed.scale, speed.offset, speed.minimum, speed.maximum) == (0.01, -5, 0, 300)
    assert (speed.initial, speed.cycle_time_ms, speed.senders) == (5.0, 20, ("ECU",))
    assert (gear.minimum, gear.maximum, gear.choices) == (None, None, {1: "D", -1: "R"})
    assert (gear.is_signed, gear.bits) == (True, 4)
    assert (other.can_id, other.cycle_time_ms, other.senders) == (0x80000123, None, ("GATEWAY",))


def test_opendbc_has_58_files_and_what_it_generates() -> None:
    names = opendbc_names()
    assert len([name for name in names if not name.endswith("_generated")]) == 58
    assert "hyundai_canfd_generated" in names


def test_what_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    huge = tmp_path / "huge.dbc"
    with huge.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    endless, pipe = tmp_path / "endless.dbc", tmp_path / "pipe.dbc"
    endless.symlink_to("/dev/zero")
    os.mkfifo(pipe)
    for source, reason in {
        "opendbc:no_such_car": "opendbc has no such database",
        "opendbc:../../etc/passwd": "opendbc has no such database",
        str(tmp_path / "absent.dbc"): "No such file",
        str(tmp_path): "give a file that ends in .dbc, .kcd, .sym, .arxml",
        str(huge): "larger than 64 MiB",
        str(endless): "not a regular file",
        str(pipe): "not a regular file",
    }.items():
        with pytest.raises(DatabaseError, match=reason) as caught:
            load_database(source)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encodings_of_the_tools_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x.DBC"
    path.write_bytes(DBC.replace("km/h", "°C").encode(encoding))
    assert signal_definitions([[load_database(str(path))]])[0].unit == "°C"


@pytest.mark.parametrize("form", ["dbc", "kcd", "sym", "arxml"])
@pytest.mark.parametrize("text", ["", "\0\1\2", "<a>", "[[[[", "BO_", "((((" * 1000])
def test_junk_is_refused_in_one_line(form: str, text: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        parse_database(text, "junk", form)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    text = KCD.format(name=as_xml(name), length=8, slope=1)
    decoder = Decoder([[parse_database(text, "hostile", "kcd")]])
    assert decoder.decode(0, 0x123, b"\x07" + bytes(7), 1) == [(0, 7)]
    assert decoder.signals[0].signal in (name, name.replace("\t", " ").replace("\n", " "))
    assert not Path("/tmp/owned").exists()


@pytest.mark.parametrize("scale", ["1e999", "-1e999"])
def test_a_scale_that_is_no_finite_number_refuses_its_signal_alone(scale: str) -> None:
    text = DBC.replace("(0.01,-5)", f"({scale},0)")
    database = parse_database(text, "x", "dbc")
    assert [(notice.message, notice.signal) for notice in database.refused] == [("SPEEDS", "SPEED")]
    assert "not a finite number" in database.refused[0].reason
    decoder = Decoder([[database]])
    assert decoder.decode(0, 291, b"\xff" * 8, 1) == [(0, -1)]


def test_a_limit_that_is_no_finite_number_is_none() -> None:
    text = DBC.replace("[0|300]", "[-1e999|1e999]")
    speed = signal_definitions([[parse_database(text, "x", "dbc")]])[0]
    assert (speed.minimum, speed.maximum) == (None, None)


def test_a_signal_that_no_frame_holds_is_refused_before_it_takes_memory() -> None:
    with pytest.raises(DatabaseError, match="no signal is that large"):
        parse_database(KCD.format(name="x", length=10**9, slope=1), "x", "kcd")


def test_a_container_is_refused_with_a_clear_word() -> None:
    database = load_database(str(data_path("can/formats/system-4.2.arxml")))
    reasons = [notice.reason for notice in database.refused]
    assert reasons == ["a container of other messages, which the gateway does not unpack"]


def test_of_two_messages_with_one_identifier_the_later_counts() -> None:
    text = DBC + 'BO_ 291 AGAIN: 8 ECU\n SG_ X : 0|8@1+ (1,0) [0|0] "" ECU\n'
    database = parse_database(text, "x", "dbc")
    assert [message.name for message in database.messages] == ["SPEEDS_29", "AGAIN"]
    assert [notice.message for notice in database.refused] == ["SPEEDS"]


def test_overlaps_are_listed_and_decoded() -> None:
    text = DBC.replace("16|4@1-", "8|16@1+")
    database = parse_database(text, "x", "dbc")
    assert [(n.message, n.signal) for n in database.overlaps] == [("SPEEDS", "GEAR")]
    decoder = Decoder([[database]])
    changes = dict(decoder.decode(0, 291, bytes([1, 2, 3, 0, 0, 0, 0, 0]), 1))
    assert changes == {0: 0x0201 * 0.01 - 5, 1: 0x0302}


def test_without_opendbc_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendbc", None)
    with pytest.raises(
        DatabaseError, match=r"\./car installs it; else pip install 'internetcar\[cars\]'"
    ):
        load_database("opendbc:vw_mqb")


def test_a_message_longer_than_a_frame_is_refused() -> None:
    text = DBC + 'BO_ 300 LONG: 200 ECU\n SG_ X : 0|8@1+ (1,0) [0|0] "" ECU\n'
    database = parse_database(text, "x", "dbc")
    assert [notice.message for notice in database.refused] == ["LONG"]
    assert "transport protocol" in database.refused[0].reason


def test_a_signal_beyond_every_frame_is_refused_and_one_beyond_its_message_listed() -> None:
    far = ' SG_ FAR : 1500|8@1+ (1,0) [0|0] "" ECU\n SG_ OUT : 60|8@1+ (1,0) [0|0] "" ECU\n'
    database = parse_database(DBC + "BO_ 300 M: 8 ECU\n" + far, "x", "dbc")
    assert [notice.signal for notice in database.refused] == ["FAR"]
    assert [notice.signal for notice in database.overlaps] == ["OUT"]
    decoder = Decoder([[database]])
    assert decoder.decode(0, 300, bytes(8), 1) == []
    assert [value for _, value in decoder.decode(0, 300, b"\xff" * 9, 2)] == [255]


@pytest.mark.parametrize(("messages", "signals"), [(1, 3000), (30_000, 0), (101, 1000)])
def test_a_crowd_no_vehicle_has_is_refused_at_once(messages: int, signals: int) -> None:
    lines = "".join(f' SG_ S{n} : 0|1@1+ (1,0) [0|0] "" X\n' for n in range(signals))
    crowd = "".join(f"BO_ {number} M{number}: 8 X\n{lines}" for number in range(1, messages + 1))
    with pytest.raises(DatabaseError, match="more than the"):
        parse_database(f'VERSION ""\nNS_ :\nBS_:\nBU_: X\n{crowd}', "crowd.dbc", "dbc")

"""Recordings: every format, the real car's, and files that are broken."""

import os
import random
from itertools import pairwise
from pathlib import Path

import can
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.bus_spec import FrameError
from gateway.recordings import open_recording
from gateway.textlogs import RecordedFrame
from internetcar.socketcan import EXTENDED

DATA = Path(os.environ.get("INTERNETCAR_DATA", Path(__file__).parents[3] / "shared" / "data"))
KONA = DATA / "can" / "kona-ev"
KONA_CANDUMP = KONA / "power-off-on-ready-off.pcan0.ccan1.candump.log"
KONA_GVRET = KONA / "power-off-on-ready-off.gvret.csv"
needs_kona = pytest.mark.skipif(
    not KONA_CANDUMP.exists(), reason="needs the data folder: set INTERNETCAR_DATA"
)

START_S = 1_700_000_000
CLASSIC = [
    can.Message(START_S + 0.25, 0x123, is_extended_id=False, data=b"\x00\xff", channel=0),
    can.Message(START_S + 0.5, 0x123, is_extended_id=True, data=b"12345678", channel=1),
    can.Message(START_S + 0.75, 0x7FF, is_extended_id=False, data=b"", channel=0),
    can.Message(START_S + 1.5, 0x1FFFFFFF, is_extended_id=True, data=b"abc", channel=0),
]
FD = [
    can.Message(
        START_S + 2, 0x18FEE300, is_extended_id=True, is_fd=True, data=bytes(64), channel=0
    ),
    can.Message(START_S + 3, 0x45, is_extended_id=False, is_fd=True, data=bytes(12), channel=1),
]
OTHERS = [
    can.Message(START_S + 4, 0x12, is_extended_id=False, is_remote_frame=True, dlc=4, channel=0),
]


def written(path: Path, messages: list[can.Message]) -> Path:
    with can.Logger(path) as writer:
        for message in messages:
            writer.on_message_received(message)
    return path


def expected(messages: list[can.Message], has_channel: bool = True) -> list[RecordedFrame]:
    return [
        (
            f"can{message.channel if has_channel else 0}",
            message.arbitration_id | (EXTENDED if message.is_extended_id else 0),
            bytes(message.data),
            round(message.timestamp * 1000) * 1_000_000,
        )
        for message in messages
    ]


@pytest.mark.parametrize("suffix", [".log", ".asc", ".blf", ".trc", ".csv"])
def test_a_recording_of_each_format_gives_back_what_was_written(
    suffix: str, tmp_path: Path
) -> None:
    messages = CLASSIC + (FD if suffix in (".log", ".asc", ".blf") else [])
    recording = open_recording(written(tmp_path / f"x{suffix}", [*messages, *OTHERS]))
    frames = list(recording)
    assert [frame[:3] for frame in frames] == [
        frame[:3] for frame in expected(messages, has_channel=suffix != ".csv")
    ]
    steps = [after[3] - before[3] for before, after in pairwise(frames)]
    times = [message.timestamp for message in messages]
    assert steps == [round((after - before) * 1e9) for before, after in pairwise(times)]
    assert recording.broken == 0
    assert recording.remote_frames == (suffix != ".trc")  # python-can does not write them there
    assert recording.bytes_read == recording.size_bytes
    assert not recording.is_relative
    assert abs(frames[0][3] - START_S * 1_000_000_000) <= 300_000_000


@needs_kona
def test_the_real_car_reads_the_same_from_both_formats() -> None:
    candump, gvret = open_recording(KONA_CANDUMP), open_recording(KONA_GVRET)
    frames = list(candump)
    assert len(frames) == 39_546
    assert frames == list(gvret)
    assert candump.channels == {"can0", "can1"}
    assert candump.is_relative
    assert candump.broken == gvret.broken == 0


def test_a_start_shifts_every_instant(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("(1953.613500) can0 109#00\n(1953.713500) can0 109#01\n")
    start_ns = START_S * 1_000_000_000
    assert [frame[3] for frame in open_recording(path, start_ns)] == [
        start_ns,
        start_ns + 100_000_000,
    ]
    assert next(iter(open_recording(path)))[3] == 1_953_613_500_000


def test_a_look_aside_does_not_disturb_the_progress(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("(1.000000) can0 109#00\n" * 10_000)
    recording = open_recording(path)
    frames = iter(recording)
    next(frames)
    assert recording.first_ns == next(iter(recording))[3]
    assert 0 < recording.bytes_read < recording.size_bytes // 2
    assert sum(1 for _ in frames) == 9_999
    assert recording.bytes_read == recording.size_bytes


def test_each_kind_of_candump_line_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.LOG"
    path.write_text(
        "(1.000001) can0 123#00FF\n"
        "(1.000002) can0 00000123#00ff R\n"
        "(1.5) vcan_1 123#\n"
        "(2) can0 7FF#11.22.33\n"
        "(2.1) can0 18FEE300##3" + "AB" * 48 + "\n"
        "(2.2) can0 123#1122334455667788_9\n"
        "(2.3) can0 123#R8\n"
        "(2.4) can0 20000080#0000000000000000\n"
        " (2.500000)  can0  123   [3]  01 02 03   '...'\n"
        "\n"
        "(3.000000000) can0 123#44 T"
    )
    recording = open_recording(path)
    frames = [(channel, f"{can_id:X}", data.hex(), at) for channel, can_id, data, at in recording]
    assert frames == [
        ("can0", "123", "00ff", 1_000_001_000),
        ("can0", "80000123", "00ff", 1_000_002_000),
        ("vcan_1", "123", "", 1_500_000_000),
        ("can0", "7FF", "112233", 2_000_000_000),
        ("can0", "98FEE300", "ab" * 48, 2_100_000_000),
        ("can0", "123", "1122334455667788", 2_200_000_000),
        ("can0", "123", "010203", 2_500_000_000),
        ("can0", "123", "44", 3_000_000_000),
    ]
    assert (recording.error_frames, recording.remote_frames, recording.broken) == (1, 1, 0)


BROKEN = [
    "(1.200000) can0 123#0",
    "(1.200000) can0 123#0G",
    "(1.200000) can0 123#001122334455667788",
    "(1.200000) can0 123",
    "(1.200000) can0 1234#00",
    "(1.200000) can0 FFF#00",
    "(x.200000) can0 123#00",
    "(1.200000) can0 123#00 trailing",
    "can0 123#00",
    "\x00\x01\xff",
    "(1.300000) can0 123  [2] 01",
    "#" * 10_000,
]


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_line_is_counted_and_the_next_one_read(line: str, tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text(f"(1.000000) can0 123#00\n{line}\n(1.400000) can0 123#01\n", "latin-1")
    recording = open_recording(path)
    assert [frame[2] for frame in recording] == [b"\x00", b"\x01"]
    assert recording.broken >= 1
    assert recording.first_broken.startswith("line 2: ")


@pytest.mark.parametrize(
    ("suffix", "line"),
    [
        (".asc", " 0.600000 1  zz             Rx   d 2 00 01"),
        (".trc", "     9       600.000 DT  1     zz Rx -  2    00 01 "),
        (".csv", "1700000000.6,zz,0,0,0,2,AAE="),
    ],
)
def test_a_broken_line_does_not_end_a_text_recording(
    suffix: str, line: str, tmp_path: Path
) -> None:
    path = written(tmp_path / f"x{suffix}", CLASSIC)
    intact = list(open_recording(path))
    lines = path.read_text().splitlines(keepends=True)
    at = next(index for index, text in enumerate(lines) if "FF" in text.upper() and ";" not in text)
    path.write_text("".join([*lines[: at + 1], line + "\n", *lines[at + 1 :]]))
    recording = open_recording(path)
    assert list(recording) == intact
    assert recording.broken == 1
    assert recording.first_broken.startswith(f"line {at + 2}: ")


def test_savvycan_files_with_direction_and_broken_cells(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
        "1000,00000123,false,Rx,0,2,00,FF,\n"
        "2000,18FEE300,true,Rx,1,0,\n"
        "3000,00000123,false,Rx,0,8,00,FF\n"
        "4000,00000FFF,false,Rx,0,1,00\n"
        "x,00000123,false,Rx,0,1,00\n"
        "5000,00000123,false,Rx,0,1,AA\n"
        "6000,00000123"
    )
    recording = open_recording(path)
    assert list(recording) == [
        ("can0", 0x123, b"\x00\xff", 1_000_000),
        ("can1", 0x18FEE300 | EXTENDED, b"", 2_000_000),
        ("can0", 0x123, b"\xaa", 5_000_000),
    ]
    assert recording.broken == 4
    assert recording.first_broken.startswith("line 4: ")
    path.write_text("Time Stamp,ID,Extended,Bus\n1,2,false,0\n")
    with pytest.raises(FrameError, match=r"x\.csv"):
        open_recording(path)


@pytest.mark.parametrize("suffix", [".log", ".asc", ".blf", ".trc", ".csv", ".txt", ".pcap"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"hello\n" * 3000, bytes(range(256)) * 40])
def test_a_file_that_is_no_recording_is_one_clear_error(
    suffix: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f"junk{suffix}"
    path.write_bytes(content)
    with pytest.raises(FrameError, match=f"junk{suffix}") as caught:
        open_recording(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_missing_file_and_a_missing_extra_are_named(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="No such file"):
        open_recording(tmp_path / "no.log")
    (tmp_path / "folder.log").mkdir()
    with pytest.raises(FrameError, match="directory"):
        open_recording(tmp_path / "folder.log")
    (tmp_path / "x.mf4").write_bytes(b"MDF     4.10")
    with pytest.raises(FrameError, match="mf4"):
        open_recording(tmp_path / "x.mf4")


def test_a_cut_recording_gives_what_it_has(tmp_path: Path) -> None:
    path = written(tmp_path / "x.blf", CLASSIC * 3_000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 3])
    recording = open_recording(path)
    assert 0 < len(list(recording)) <= 12_000
    assert recording.broken == 1


@pytest.mark.parametrize("suffix", [".log", ".asc", ".blf", ".trc", ".csv"])
def test_cut_and_flipped_at_random_bytes_it_is_frames_or_our_error(
    suffix: str, tmp_path: Path
) -> None:
    content = written(tmp_path / f"x{suffix}", [*CLASSIC, *OTHERS] * 5).read_bytes()
    dice = random.Random(suffix)
    path = tmp_path / f"cut{suffix}"
    for _ in range(150):
        mangled = bytearray(content[: dice.randrange(len(content) + 1)])
        for _ in range(dice.randrange(4)):
            if mangled:
                mangled[dice.randrange(len(mangled))] = dice.randrange(256)
        path.write_bytes(mangled)
        try:
            frames = list(open_recording(path))
        except FrameError:
            continue
        assert all(len(payload) <= 64 for _, _, payload, _ in frames)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    frames=st.lists(
        st.tuples(
            st.sampled_from(["can0", "can1"]),
            st.one_of(st.integers(0, 0x7FF), st.integers(EXTENDED, EXTENDED | 0x1FFF_FFFF)),
            st.binary(max_size=8),
            st.integers(0, 4_000_000_000_000_000).map(lambda us: us * 1000),
        ),
        min_size=1,
    )
)
def test_what_candump_writes_is_read_back(frames: list[RecordedFrame], tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    lines = [
        f"({at_ns // 10**9}.{at_ns % 10**9 // 1000:06d}) {channel} "
        + (f"{can_id - EXTENDED:08X}" if can_id & EXTENDED else f"{can_id:03X}")
        + f"#{payload.hex().upper()}\n"
        for channel, can_id, payload, at_ns in frames
    ]
    path.write_text("".join(lines))
    assert list(open_recording(path)) == frames

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from internetcar.contract.message import InputError
from services.drone.autopilot import Arm, Result
from services.drone.mavlink import codec as codec_module
from services.drone.mavlink.codec import Codec
from services.drone.mavlink.shipped import KeyFileError, read_key
from services.drone.mavlink.signing import ticks
from services.drone.moment import Moment
from tests.unit.drone_mavlink_vehicle import UTC_MS, Link, Vehicle, mav

KEY = bytes(range(32))
NOW = Moment(5.0, UTC_MS)


def beat() -> object:
    return mav.MAVLink_heartbeat_message(2, 3, 1, 4, 3, 3)


def vehicle(behind_ms: int = 0, key: bytes = KEY) -> Vehicle:
    made = Vehicle(key=key)
    made.link.signing.timestamp = ticks(UTC_MS - behind_ms)
    return made


def test_with_a_key_both_ends_understand_each_other() -> None:
    link = Link(vehicle(), key=KEY).meet()
    link.perform(1, Arm())
    assert link.results == [Result(1, "accepted")]
    assert link.copter.counts.unsigned == 0
    assert link.vehicle.link.signing.goodsig_count > 5
    assert link.vehicle.link.signing.badsig_count == 0


def test_unsigned_and_falsely_signed_packets_are_dropped_and_counted() -> None:
    link = Link(vehicle(), key=KEY)
    for other in (Vehicle(), vehicle(key=bytes(32))):
        other.heartbeat()
        link.copter.receive(other.out.pop(), link.now)
    assert link.status.heard_s is None
    assert link.copter.counts.unsigned == 2


def test_a_packet_that_is_sent_again_is_dropped() -> None:
    codec = Codec(247, KEY)
    packet = vehicle().say(beat())
    assert len(codec.decode(packet, NOW)) == 1
    assert codec.decode(packet, NOW) == []
    assert codec.counts.unsigned == 1


def test_a_forger_cannot_push_the_time_of_a_stream_ahead() -> None:
    codec = Codec(247, KEY)
    forger = vehicle(behind_ms=-1_000_000, key=bytes(32))
    assert codec.decode(forger.say(beat()), NOW) == []
    assert len(codec.decode(vehicle().say(beat()), NOW)) == 1


def test_the_first_packet_may_be_a_minute_old_and_no_more() -> None:
    assert len(Codec(247, KEY).decode(vehicle(59_000).say(beat()), NOW)) == 1
    assert Codec(247, KEY).decode(vehicle(61_000).say(beat()), NOW) == []


def test_every_packet_has_a_later_time_and_a_restart_goes_on_after_it() -> None:
    codec = Codec(247, KEY)
    first = [codec.encode(beat(), NOW) for _ in range(3)]
    later = Codec(247, KEY).encode(beat(), Moment(0.0, UTC_MS + 1))
    times = [int.from_bytes(packet[-12:-6], "little") for packet in (*first, later)]
    assert times == sorted(set(times))
    assert times[0] == ticks(UTC_MS)


def test_a_clock_that_stands_far_back_still_gives_growing_times() -> None:
    codec = Codec(247, KEY)
    codec.decode(vehicle().say(beat()), Moment(0.0, 0))
    packet = codec.encode(beat(), Moment(0.0, 0))
    assert int.from_bytes(packet[-12:-6], "little") > ticks(UTC_MS)


def test_a_first_version_packet_cannot_be_signed_and_is_not_heard() -> None:
    old = Vehicle()
    packet = beat().pack(old.link, force_mavlink1=True)  # type: ignore[attr-defined]
    assert len(Codec(247).decode(packet, NOW)) == 1
    assert Codec(247, KEY).decode(packet, NOW) == []


def test_a_packet_is_found_after_the_beginning_of_another_that_was_cut() -> None:
    packet = Vehicle().say(beat())
    codec = Codec(247)
    assert len(codec.decode(packet[:9] + packet + packet[:2], NOW)) == 1
    assert len(codec.decode(packet[2:], NOW)) == 1
    assert codec.counts.junk_bytes == 9
    unknown_flag = bytes([0xFD, 9, 2])
    assert len(codec.decode(unknown_flag + packet, NOW)) == 1


def test_a_key_is_64_digits_in_a_file_of_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY.hex() + "\n")
    path.chmod(0o600)
    assert read_key(path) == KEY
    for mode in (0o640, 0o604):
        path.chmod(mode)
        with pytest.raises(KeyFileError, match="chmod 600"):
            read_key(path)
    path.chmod(0o600)
    for text in ("zz" * 32, "00" * 31, "ä"):
        path.write_text(text)
        with pytest.raises(KeyFileError, match="MAVLink key"):
            read_key(path)
    os.unlink(path)
    with pytest.raises(KeyFileError, match="cannot read"):
        read_key(path)


def test_without_the_codec_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("codec_alone", codec_module.__file__)
    assert spec is not None
    assert spec.loader is not None
    monkeypatch.setitem(sys.modules, "pymavlink.dialects.v20", None)
    with pytest.raises(InputError, match=r"pip install 'internetcar\[drone\]'"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_a_frame_whose_body_cannot_be_read_is_junk() -> None:
    body = bytes([0xFE, 3, 0, 1, 1, 0]) + bytes(3)
    checksum = mav.x25crc(body[1:])
    checksum.accumulate(bytes([mav.mavlink_map[0].crc_extra]))
    codec = Codec(247)
    assert len(codec.decode(body + checksum.crc.to_bytes(2, "little"), NOW)) == 1
    codec.decode(bytes(range(256)) * 3, NOW)
    assert codec.counts.packets == 1

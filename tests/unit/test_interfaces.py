"""What `ip` and sysfs say about CAN interfaces."""

import json
from pathlib import Path

from gateway.interfaces import CanInterface, find_interfaces, parse_links

ADAPTER = {
    "ifname": "can0",
    "flags": ["NOARP", "UP", "LOWER_UP", "ECHO"],
    "mtu": 16,
    "link_type": "can",
    "linkinfo": {
        "info_kind": "can",
        "info_data": {
            "ctrlmode": ["LISTEN-ONLY", "BERR-REPORTING"],
            "state": "ERROR-ACTIVE",
            "restart_ms": 100,
            "bittiming": {"bitrate": 500000, "sample_point": "0.875"},
        },
    },
    "stats64": {"rx": {"bytes": 8, "packets": 1, "errors": 2, "dropped": 3}},
}


def test_an_adapters_settings_are_read() -> None:
    others = [{"ifname": "lo", "link_type": "loopback"}, {}, 5]
    (link,) = parse_links(json.dumps([*others, ADAPTER]))
    assert link == CanInterface(
        name="can0",
        kind="can",
        is_up=True,
        takes_fd=False,
        controller_state="ERROR-ACTIVE",
        bitrate=500000,
        is_listen_only=True,
        restart_ms=100,
        receive_errors=2,
        dropped=3,
    )
    assert link.fix() is None


def test_what_stands_in_the_way_of_listening_has_a_fix() -> None:
    assert "bitrate" in str(CanInterface("can0", "can", False, False).fix())
    assert "up" in str(CanInterface("vcan0", "vcan", False, True).fix())
    off = CanInterface("can0", "can", True, False, "BUS-OFF", 500000)
    assert "restart-ms" in str(off.fix())


def test_an_unknown_answer_is_no_interface() -> None:
    assert [parse_links(text) for text in ("", "junk", "{}", "[[]]", '"x"')] == [[]] * 5


def test_without_ip_sysfs_tells_what_it_can(tmp_path: Path) -> None:
    for name, kind in (("testcan7", "280"), ("eth0", "1"), ("broken", "x")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "type").write_text(f"{kind}\n")
        (folder / "flags").write_text("0x40081\n")
        (folder / "mtu").write_text("72\n")
    assert find_interfaces(tmp_path) == [CanInterface("testcan7", None, True, True)]

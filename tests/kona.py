"""The recordings of a real Hyundai Kona EV, and what protects its frames."""

import re
from collections.abc import Iterator
from functools import cache

from gateway.checks import CheckRule
from gateway.databases import Database, load_database
from tests.data import data_path

DRIVE = "can/kona-ev/power-off-on-ready-off.pcan0.ccan1.candump.log"
HEATING = "can/kona-ev/heating.comp-can.candump.log"
_LINE = re.compile(r"\((\d+)\.(\d{6})\) can(\d) ([0-9A-F]+)#([0-9A-F]*)\s*\Z")

PROTECTED = {
    (0, 0x109): CheckRule("Checksum", "sum_of_nibbles", counter="Counter"),
    (0, 0x10C): CheckRule("Checksum", "sum_of_nibbles", counter="Counter"),
    (0, 0x2B0): CheckRule("Checksum", "xor_of_nibbles", counter="Counter"),
    (0, 0x220): CheckRule("Checksum", "sum", final_xor=9, counter="Counter"),
    (0, 0x387): CheckRule("WHL_PUL_Chksum", "sum"),
    (1, 0x130): CheckRule("CR_Yrs_Crc1", "crc8_sae_j1850", counter="CR_Yrs_MsgCnt1"),
    (1, 0x140): CheckRule("CR_Yrs_Crc2", "crc8_sae_j1850", counter="CR_Yrs_MsgCnt2"),
    (1, 0x153): CheckRule("CheckSum_TCS1", "sum"),
    (1, 0x160): CheckRule("CF_Ahb_ChkSum", "xor"),
    (1, 0x164): CheckRule("CF_Esc_Chksum", "xor", counter="CF_Esc_AliveCnt"),
    (1, 0x220): CheckRule("ESP12_Checksum", "sum", final_xor=9, counter="ESP12_AliveCounter"),
    (1, 0x251): CheckRule("CF_Mdps_Chksum2", "sum", counter="CF_Mdps_MsgCount2"),
    (1, 0x2B0): CheckRule("CheckSum", "xor_of_nibbles", counter="MsgCount"),
    (1, 0x340): CheckRule("CF_Lkas_Chksum", "sum", counter="CF_Lkas_MsgCount"),
    (1, 0x381): CheckRule("CF_Mdps_Chksum", "sum", counter="CF_Mdps_AliveCnt"),
    (1, 0x387): CheckRule("WHL_PUL_Chksum", "sum"),
}
"""(bus, identifier) → what the recording proves: no frame of it fails."""


def frames(recording: str) -> Iterator[tuple[int, int, bytes, int]]:
    """Bus, identifier, payload and instant (UTC nanoseconds) of every frame of data."""
    for line in data_path(recording).read_text().splitlines():
        if parts := _LINE.match(line):
            seconds, micros, bus, can_id, payload = parts.groups()
            at_ns = int(seconds) * 1_000_000_000 + int(micros) * 1_000
            yield int(bus), int(can_id, 16), bytes.fromhex(payload), at_ns


@cache
def drive_databases() -> tuple[Database, Database]:
    """Of the two buses of the drive."""
    pcan = load_database(str(data_path("can/kona-ev/pcan.fixed.dbc")))
    return pcan, load_database(str(data_path("can/opendbc/hyundai_kia_generic.dbc")))

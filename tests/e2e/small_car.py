"""A car of one message: speed, a counter that counts, and where it is; and its mapping to VSS."""

import json
import struct
from collections.abc import Iterable

SPEED_ID = 0x100
GNSS_ID = 0x200

DBC = """\
VERSION ""
NS_ :
BS_:
BU_: Car
BO_ 256 Motion: 8 Car
 SG_ Speed : 0|16@1+ (0.1,0) [0|300] "km/h" Car
 SG_ Gear : 16|4@1+ (1,0) [0|15] "" Car
 SG_ Count : 24|8@1+ (1,0) [0|255] "" Car
BO_ 512 Gnss: 8 Car
 SG_ Latitude : 0|32@1- (0.0000001,0) [-90|90] "deg" Car
 SG_ Longitude : 32|32@1- (0.0000001,0) [-180|180] "deg" Car
VAL_ 256 Gear 0 "P" 1 "R" 2 "N" 3 "D" 15 "SNA" ;
"""


def mapping(*without: str) -> str:
    """The mapping as KUKSA's flat overlay in JSON, without some leaves."""
    leaves = {
        "Vehicle.Speed": ("float", "Speed", {}),
        "Vehicle.Powertrain.Transmission.CurrentGear": ("int8", "Gear", {}),
        "Vehicle.CurrentLocation.Latitude": ("double", "Latitude", {"group": "position"}),
        "Vehicle.CurrentLocation.Longitude": ("double", "Longitude", {"group": "position"}),
    }
    tree: dict[str, object] = {}
    for path, (datatype, signal, more) in leaves.items():
        if path not in without:
            source = {"signal": signal, "interval_ms": 50, **more}
            tree[path] = {"type": "sensor", "datatype": datatype, "dbc2vss": source}
    return json.dumps(tree)


def speed_frame(speed_kmh: float, gear: int = 3, count: int = 0) -> tuple[int, bytes]:
    return SPEED_ID, struct.pack("<HBB4x", round(speed_kmh * 10), gear, count)


def gnss_frame(lat_deg: float, lon_deg: float) -> tuple[int, bytes]:
    return GNSS_ID, struct.pack("<ii", round(lat_deg * 1e7), round(lon_deg * 1e7))


def log_lines(frames: Iterable[tuple[int, bytes]], period_s: float) -> str:
    """A candump log."""
    return "".join(
        f"({1_700_000_000 + index * period_s:.6f}) can0 {can_id:03X}#{payload.hex().upper()}\n"
        for index, (can_id, payload) in enumerate(frames)
    )

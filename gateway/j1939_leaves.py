"""What J1939 says that no database can: text of any length (pure)."""

from gateway.j1939 import J1939Message
from gateway.obd import vin
from gateway.obd_leaves import VIN_PATH, WMI
from internetcar.contract.message import Value

IDENTIFICATION = 0xFEEC
"""SAE J1939-71, Vehicle Identification (PGN 65260): text that ends with an asterisk."""
IDENTITY = {VIN_PATH: "Vehicle identification number", WMI: "The maker, as the VIN begins"}
"""The leaves, and what they mean."""


def identity(message: J1939Message) -> dict[str, Value]:
    """The leaves that a message says; none where it is another, or holds no VIN.

    Some trucks say more before the asterisk: a VIN has 17 letters, always (ISO 3779).
    """
    if message.pgn != IDENTIFICATION:
        return {}
    text = message.payload.partition(b"*")[0]
    number = vin(text) or vin(text[:17])
    return {} if number is None else {VIN_PATH: number, WMI: number[:3]}

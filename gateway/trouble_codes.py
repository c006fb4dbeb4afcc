"""Trouble codes: two bytes to `P0301`, and `P0301` to a sentence an owner understands (pure)."""

import json
import re
from collections.abc import Mapping

from internetcar.contract.message import InputError

CODE = re.compile(r"[PCBU][0-3][0-9A-F]{3}")
"""A code as SAE J2012 writes it."""

_AREAS = {
    "P": "engine or drivetrain",
    "C": "chassis (brakes, steering, suspension)",
    "B": "body (comfort and safety equipment)",
    "U": "network between the control units",
}
_HYBRID = dict.fromkeys("ABCDEF", "hybrid or electric drive")
_AIR = dict.fromkeys("012AB", "fuel, air or emission control")
_SYSTEMS = {  # SAE J2012: what the third character of a generic P code means
    "P0": {
        **dict.fromkeys("01", "fuel, air or emission control"),
        "2": "fuel injection",
        "3": "ignition or misfire",
        "4": "exhaust cleaning",
        "5": "speed, idle or auxiliary inputs",
        "6": "control unit or its outputs",
        **dict.fromkeys("789", "transmission"),
        **_HYBRID,
    },
    "P2": {
        **_AIR,
        "3": "ignition or misfire",
        "4": "exhaust cleaning",
        "5": "auxiliary inputs",
        "6": "control unit or its outputs",
        **dict.fromkeys("789", "transmission"),
    },
}
_MAKERS = frozenset(("P1", "P30", "P31", "P32", "P33", "C1", "C2", "B1", "B2", "U1", "U2"))
"""How the codes begin that each maker gives a meaning of its own."""


class TroubleCodeError(InputError):
    """A table of texts that cannot be read."""


def parse_codes(data: bytes) -> tuple[str, ...]:
    """The codes of an answer to service 03 or 07 on CAN: a count, then two bytes each.

    A count that says more than came is believed as far as bytes came; 0000 is padding.
    """
    count, pairs = int.from_bytes(data[:1], "big"), data[1:]
    ends = min(count, len(pairs) // 2) * 2
    found = (code(pairs[at : at + 2]) for at in range(0, ends, 2))
    return tuple(dict.fromkeys(each for each in found if each != "P0000"))


def code(pair: bytes) -> str:
    """Two bytes as SAE J2012 writes them: a letter of two bits, then four digits."""
    number = int.from_bytes(pair, "big")
    return f"{'PCBU'[number >> 14]}{number >> 12 & 3}{number & 0xFFF:03X}"


def parse_texts(text: str) -> dict[str, str]:
    """Read the table of texts: a JSON object of codes.

    Raises:
        TroubleCodeError: It is not such a table; names the code.
    """
    try:
        table = json.loads(text)
    except ValueError as error:
        raise TroubleCodeError(f"trouble codes: {error}") from error
    if not isinstance(table, dict):
        raise TroubleCodeError("trouble codes: expected an object of codes")
    for name, sentence in table.items():
        if not CODE.fullmatch(name) or not isinstance(sentence, str):
            raise TroubleCodeError(f"trouble codes: {name!r} is no code with a text")
    return table


def explain(name: str, texts: Mapping[str, str]) -> str:
    """What a code means, in a sentence; one that is not in the table, by its range."""
    if (known := texts.get(name)) is not None:
        return known
    area = _AREAS[name[0]]
    if name[:2] in _MAKERS or name[:3] in _MAKERS:
        return f"Fault in the {area}; only the maker knows this code: look it up for the brand"
    system = _SYSTEMS.get(name[:2], {}).get(name[2])
    return f"Fault in the {area}: {system}" if system else f"Fault in the {area}"

"""The table of trouble codes that comes with the gateway."""

from importlib.resources import files

from gateway.trouble_codes import parse_texts


def load_texts() -> dict[str, str]:
    """What the generic codes of SAE J2012 mean, in plain words."""
    table = files("gateway").joinpath("trouble_codes.json")
    return parse_texts(table.read_text(encoding="utf-8"))

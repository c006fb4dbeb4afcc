"""THREATS.md names tests, and each of them exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
THREATS = (ROOT / "THREATS.md").read_text(encoding="utf-8")


def test_every_test_it_names_exists() -> None:
    files = (ROOT / "tests").rglob("test_*.py")
    known = {
        name
        for path in files
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", THREATS))
    assert len(named) > 20
    assert named <= known, named - known


def test_every_threat_has_a_test() -> None:
    rows = [line for line in THREATS.splitlines() if line.startswith("| ")]
    threats = [row for row in rows if not row.startswith("| what")]
    assert len(threats) > 20
    for row in threats:
        assert "`test_" in row, row

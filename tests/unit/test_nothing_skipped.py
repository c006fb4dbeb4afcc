"""`--nothing-skipped` turns each skip into a failure that keeps its reason."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    "source",
    [
        "import pytest\ndef test_it(): pytest.skip('for want of a nail')",
        "import pytest\npytest.skip('for want of a nail', allow_module_level=True)",
        "import pytest\n@pytest.mark.skip(reason='for want of a nail')\ndef test_it(): pass",
        "import pytest\n@pytest.fixture\ndef nail(): pytest.skip('for want of a nail')\n"
        "def test_it(nail): pass",
    ],
    ids=["in a test", "a whole module", "by a mark", "in a fixture"],
)
def test_a_skip_fails_only_where_it_is_forbidden(source: str, tmp_path: Path) -> None:
    (tmp_path / "test_skipping.py").write_text(source + "\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-c",
        str(tmp_path / "pytest.ini"), str(tmp_path / "test_skipping.py"),
    ]  # fmt: skip
    allowed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "1 skipped" in allowed.stdout
    command.append("--nothing-skipped")
    forbidden = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert forbidden.returncode in (1, 2)
    assert "for want of a nail" in forbidden.stdout
    assert "skipped" not in forbidden.stdout.splitlines()[-1]

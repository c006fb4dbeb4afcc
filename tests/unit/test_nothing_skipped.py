"""`--nothing-skipped` turns each skip into a failure that keeps its reason."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SKIPPING = {
    "test": "import pytest\ndef test_it(): pytest.skip('for want of a nail')",
    "module": "import pytest\npytest.skip('for want of a shoe', allow_module_level=True)",
    "mark": "import pytest\n@pytest.mark.skip(reason='for want of a horse')\ndef test_it(): pass",
    "fixture": "import pytest\n@pytest.fixture\ndef rider(): pytest.skip('for want of a rider')\n"
    "def test_it(rider): pass",
}
WANTS = ("a nail", "a shoe", "a horse", "a rider")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A suite that skips in each way there is."""
    for name, source in SKIPPING.items():
        (tmp_path / f"test_{name}.py").write_text(source + "\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:hypothesispytest",
        "-c", str(folder / "pytest.ini"), "--continue-on-collection-errors", *options, str(folder),
    ]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_skip_passes_where_it_is_not_forbidden(folder: Path) -> None:
    allowed = run(folder)
    assert "4 skipped" in allowed.stdout.splitlines()[-1]
    assert "for want of" not in allowed.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_each_skip_fails_where_it_is_forbidden(folder: Path, workers: str) -> None:
    forbidden = run(folder, "--nothing-skipped", "-n", workers)
    assert forbidden.returncode == 1
    last = forbidden.stdout.splitlines()[-1]
    assert "1 failed, 3 errors" in last
    assert "skipped" not in last
    assert all(f"for want of {want}" in forbidden.stdout for want in WANTS)

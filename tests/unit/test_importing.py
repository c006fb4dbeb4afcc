"""An import for entry points leaves the collector as it found it, and its work out of its way."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from internetcar.contract.importing import import_quickly

LOOKS_OFTEN = """
import gc
found = gc.isenabled()
many = [[] for _ in range(100_000)]
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "looks_often.py").write_text(LOOKS_OFTEN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "looks_often", raising=False)
    return "looks_often"


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    yield
    gc.enable()


def test_nothing_is_collected_while_it_imports_and_what_is_there_is_not_looked_at_again(
    module: str,
) -> None:
    frozen = gc.get_freeze_count()
    runs = sum(generation["collections"] for generation in gc.get_stats())
    imported = import_quickly(module)
    assert not imported.found
    assert sum(generation["collections"] for generation in gc.get_stats()) == runs
    assert gc.isenabled()
    assert gc.get_freeze_count() - frozen > 100_000


def test_what_is_imported_already_is_given_and_nothing_else_is_kept(module: str) -> None:
    imported = import_quickly(module)
    frozen = gc.get_freeze_count()
    kept = [[] for _ in range(100_000)]  # type: ignore[var-annotated]
    assert import_quickly(module) is imported
    assert len(kept) == 100_000
    assert gc.get_freeze_count() <= frozen


def test_a_collector_that_was_off_stays_off(module: str) -> None:
    gc.disable()
    import_quickly(module)
    assert not gc.isenabled()


def test_an_import_that_fails_turns_the_collector_on_again() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_quickly("no_such_module_anywhere")
    assert gc.isenabled()


@pytest.mark.parametrize(
    "script",
    [
        "from services.__main__ import load; load('trips')",
        "from internetcar.launcher.command import build; build(['set'])",
    ],
    ids=["service", "command"],
)
def test_entry_points_import_so(script: str) -> None:
    told = f"import gc; {script}; assert gc.isenabled() and gc.get_freeze_count() > 10_000"
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0

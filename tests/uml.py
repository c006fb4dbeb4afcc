"""Runs a command under a kernel of its own: user-mode Linux, with a real vcan0 and vcan1."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
APT_LINE = "apt-get install -y --no-install-recommends user-mode-linux iproute2 kmod"


def run_in_uml(
    *command: str,
    timeout_s: float = 120,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Status and output of a command run as root in user-mode Linux, from the repository's folder.

    Only variables that begin with INTERNETCAR or PYTHON get inside. Skips the test where there is
    no user-mode Linux.
    """
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if missing := [
        name for name in ("linux.uml", "ip", "insmod") if not shutil.which(name, path=path)
    ]:
        pytest.skip(f"needs {', '.join(missing)}: {APT_LINE}")
    return subprocess.run(
        [str(REPOSITORY / "tests" / "uml-run"), *command],
        cwd=REPOSITORY,
        env={**os.environ, **(environment or {}), "PATH": path, "UML_TIMEOUT": f"{timeout_s:.0f}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout_s + 30,
    )

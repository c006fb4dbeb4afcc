"""A throw-away PostgreSQL for the tests: nobody else's, and gone with them."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from internetcar.launcher.broker import free_port
from internetcar.launcher.child import dying_with_us, end_child
from tests.waiting import eventually

APT_LINE = "apt-get install postgresql"
_NOT_DURABLE = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
)


def programs() -> Path | None:
    """The folder of initdb, which Debian keeps off PATH; the newest version's."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


class Cluster:
    """A server on 127.0.0.1 that can be ended and started again; each `database` is empty."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self._bin, self._files, self._sockets = bin_folder, folder / "files", folder
        self.port = free_port()
        self._user = "postgres" if os.geteuid() == 0 else None  # it does not run as root
        if self._user:
            owner = pwd.getpwnam(self._user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        self._child: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        made = self._start(
            "initdb", "-D", str(self._files), "-A", "trust", "-U", "test", "--no-sync"
        )
        _, complaint = made.communicate()
        assert made.returncode == 0, complaint

    def start(self) -> None:
        """Start the server and wait until it answers."""
        given = (f"listen_addresses=127.0.0.1 unix_socket_directories={self._sockets}").split()
        options = [part for each in (*given, *_NOT_DURABLE) for part in ("-c", each)]
        child = self._start("postgres", "-D", str(self._files), "-p", str(self.port), *options)
        self._child = child

        def answers() -> bool:
            assert child.poll() is None, child.stderr.read() if child.stderr else b""
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                return False
            return True

        eventually(answers)

    def kill(self) -> None:
        """End the server as a power cut would end its connections."""
        if self._child is not None:
            self._child.kill()
            end_child(self._child)
            self._child = None

    def url(self, database: str) -> str:
        """Where a database of this server is."""
        return f"postgresql://test@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """A fresh database's URL."""
        name = f"test{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def _start(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [str(self._bin / program), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            preexec_fn=dying_with_us(),
        )


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A started cluster; its files are removed at the end. Skips where there is no PostgreSQL."""
    bin_folder = programs()
    if bin_folder is None:
        pytest.skip(f"no PostgreSQL: {APT_LINE}")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        cluster = Cluster(folder, bin_folder)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.kill()
    finally:
        shutil.rmtree(folder)

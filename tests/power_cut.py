"""Cuts the power of a computer that writes telemetry, again and again, and looks what is left.

The computer is user-mode Linux with an ext4 disk of its own; the cut is kill -9 from outside at a
random moment. `python -m tests.power_cut --cuts 200` is the long run.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from gateway.journals import Journals
from gateway.outbox import Limits
from gateway.outbox_writer import Outbox
from gateway.telemetry import Batch
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.wire import telemetry_payload, telemetry_topic

REPOSITORY = Path(__file__).parent.parent
AT = "2026-11-21T03:00:00.000Z"
BOOT_S = 60.0
INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
mount -t proc proc /proc; mount -t tmpfs run /run; mkdir /run/disk
mount -t ext4 /dev/ubda /run/disk && cd '{repository}' &&
    '{python}' -m tests.power_cut --inside {journals} --notes '{notes}' >'{notes}.out' 2>&1
echo "end $?" >>'{notes}'; sync; echo o >/proc/sysrq-trigger; sleep 9
"""


class PowerCutError(AssertionError):
    """Something committed is gone, or more than one batch that was not."""


@dataclass(slots=True)
class Outcome:
    """What a number of cuts cost."""

    cuts: int = 0
    committed: int = 0
    committed_lost: int = 0
    most_uncommitted_lost: int = 0


class Computer:
    """One boot after another from the same disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = folder / "disk.img"
        with self.disk.open("wb") as file:
            file.truncate(64 << 20)
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        mkfs = shutil.which("mkfs.ext4", path=path)
        self.linux = shutil.which("linux.uml", path=path)
        if mkfs is None or self.linux is None:
            raise FileNotFoundError("mkfs.ext4 or linux.uml")
        subprocess.run([mkfs, "-q", self.disk], check=True)

    def boot(self, journals: int) -> tuple[subprocess.Popen[bytes], Path]:
        """Start it; it notes what it finds of so many journals, then writes the next."""
        notes = self.folder / f"notes-{journals}"
        init = self.folder / "init"
        init.write_text(
            INIT.format(
                repository=REPOSITORY, python=sys.executable, journals=journals, notes=notes
            )
        )
        init.chmod(0o755)
        process = subprocess.Popen(
            [
                str(self.linux), "mem=256M", "rootfstype=hostfs", "rootflags=/", "rw",
                f"init={init}", "con=null", "con0=null", "quiet", f"uml_dir={self.folder}",
                f"ubda={self.disk}",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        return process, notes


def read_notes(notes: Path) -> list[tuple[str, int, int]]:
    """Each line: what, which journal or status, which sequence; a torn last line is left out."""
    lines = notes.read_text().split("\n")[:-1] if notes.exists() else []
    return [
        (what, int(number), int(sequence))
        for what, number, sequence in ((*line.split(), "0", "0")[:3] for line in lines)
    ]


def wait_for(notes: Path, what: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until something is noted.

    Raises:
        PowerCutError: It ended, or never came so far.
    """
    deadline_s = time.monotonic() + BOOT_S
    while not any(line[0] == what for line in read_notes(notes)):
        if process.poll() is not None or time.monotonic() > deadline_s:
            out = Path(f"{notes}.out")
            said = out.read_text() if out.exists() else "nothing"
            raise PowerCutError(f"no {what!r} in {notes}; it said: {said}")
        time.sleep(0.02)


def check(found: list[tuple[str, int, int]], written: list[tuple[str, int, int]]) -> Outcome:
    """Compare what one boot found of the last journal with what that had noted."""
    journal = max(number for what, number, _ in written if what == "append")
    committed = max((s for what, _, s in written if what == "commit"), default=0)
    appended = max(s for what, _, s in written if what == "append")
    kept = max((s for what, number, s in found if what == "found" and number == journal), default=0)
    return Outcome(1, committed, max(0, committed - kept), appended - max(kept, committed))


def cut_power(cuts: int, seed: int, folder: Path) -> Outcome:
    """Boot and cut so many times; what it cost.

    Raises:
        PowerCutError: A boot found a hole or a damaged batch, or did not come up.
    """
    chance = random.Random(seed)
    computer = Computer(folder)
    total = Outcome()
    written: list[tuple[str, int, int]] = []
    for number in range(cuts + 1):
        process, notes = computer.boot(number)
        try:
            wait_for(notes, "commit", process)
            time.sleep(chance.uniform(0, 1.0))
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        noted = read_notes(notes)
        if written:
            cost = check(noted, written)
            total.cuts += 1
            total.committed += cost.committed
            total.committed_lost += cost.committed_lost
            total.most_uncommitted_lost = max(
                total.most_uncommitted_lost, cost.most_uncommitted_lost
            )
        written = noted
    return total


class Notes:
    """A file outside, which a power cut does not touch."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def write(self, what: str, journal: int, sequence: int) -> None:
        """Note one thing, for good."""
        self._file.write(b"%s %d %d\n" % (what.encode(), journal, sequence))
        os.fsync(self._file.fileno())


def look(path: Path, journals: int, notes: Notes) -> None:
    """Note the last batch of the last two journals; both must be whole from their first."""
    if journals == 0:
        return
    disk = Journals(path, "kona", Limits())
    for journal in range(max(0, journals - 2), journals):
        payloads = disk.batches(f"cut-{journal}", 1, 1_000_000)
        for sequence, payload in enumerate(payloads, 1):
            batch = Telemetry.decode(telemetry_topic("kona"), payload)
            if batch.sequence != sequence:
                raise PowerCutError(f"journal {journal}: {batch.sequence} where {sequence} belongs")
        notes.write("found", journal, len(payloads))
    disk.close()


def write(path: Path, journal: int, notes: Notes) -> None:
    """Write batches as fast as the disk takes them, until the power goes."""
    committed = threading.Semaphore(0)
    outbox = Outbox(path, "kona", Limits(), on_committed=committed.release)
    outbox.start(f"cut-{journal}")
    sequence = 0
    while True:
        sequence += 1
        payload = telemetry_payload(
            journal=f"cut-{journal}", sequence=sequence, previous=None, kind="changes",
            start_at=AT, end_at=AT, clock="free", origin="live",
            samples={"Vehicle.Speed": [(0, os.urandom(random.randrange(1500)).hex())]},
        )  # fmt: skip
        notes.write("append", journal, sequence)
        is_snapshot = sequence % 20 == 1
        outbox.append(Batch(f"cut-{journal}", sequence, payload, is_snapshot=is_snapshot))
        while (stored := outbox.next_unsent()) is None or stored.payload != payload:
            if stored is None:
                committed.acquire()
        outbox.acknowledge(stored.number - 2)
        notes.write("commit", journal, sequence)


def main() -> None:
    """Outside: cut the power. Inside: be the one whose power is cut."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--notes", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is None:
        with tempfile.TemporaryDirectory() as folder:
            sys.stdout.write(f"{cut_power(options.cuts, options.seed, Path(folder))}\n")
        return
    notes, path = Notes(options.notes), Path("/run/disk/outbox.db")
    look(path, options.inside, notes)
    write(path, options.inside, notes)


if __name__ == "__main__":
    main()

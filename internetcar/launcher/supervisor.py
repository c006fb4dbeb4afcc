"""Keeps child processes running: one that dies is started again, and all end with us."""

import logging
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from internetcar.launcher.child import dying_with_us, end_child

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 10.0
HELD_S = 30.0
"""A child that ran for so long was well: its next death is answered quickly again."""


class _Child:
    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.name = name
        self.command = command
        self.environ = environ
        self.process: subprocess.Popen[bytes] | None = None
        self.started_s = 0.0
        self.retry_s = 0.0
        self.delay_s = FIRST_DELAY_S


class Supervisor:
    """Starts children in order, watches them, and ends them in the reverse order.

    Args:
        output: Where their output goes; `None`: to our stderr.
        notify: Gets a sentence for each death.
    """

    def __init__(self, output: IO[bytes] | None, notify: Callable[[str], None]) -> None:
        self._output = output
        self._notify = notify
        self._children: list[_Child] = []

    def start(
        self, name: str, command: Sequence[str], environ: Mapping[str, str], *, without: str = "\0"
    ) -> None:
        """Start a child and keep it running.

        Args:
            name: What the notices call it.
            command: Its command line.
            environ: What its environment has beside ours.
            without: Variables of ours that begin so are not for it.
        """
        ours = {key: text for key, text in os.environ.items() if not key.startswith(without)}
        child = _Child(name, command, {**ours, **environ})
        self._children.append(child)
        self._spawn(child)

    def pid(self, name: str) -> int | None:
        """The process of a child; `None` while it is not running."""
        for child in self._children:
            if child.name == name and child.process is not None and child.process.poll() is None:
                return child.process.pid
        return None

    def watch(self) -> None:
        """Start again what has died; call it often."""
        now_s = time.monotonic()
        for child in self._children:
            if child.process is None:
                if now_s >= child.retry_s:
                    self._spawn(child)
            elif (code := child.process.poll()) is not None:
                if now_s - child.started_s > HELD_S:
                    child.delay_s = FIRST_DELAY_S
                child.retry_s = now_s + child.delay_s
                self._notify(
                    f"the {child.name} ended with code {code}; again in {child.delay_s:.1f} s"
                )
                child.delay_s = min(2 * child.delay_s, LONGEST_DELAY_S)
                child.process = None

    def stop(self) -> None:
        """End all children, the last started first."""
        for child in reversed(self._children):
            if child.process is not None:
                end_child(child.process)
        self._children.clear()

    def _spawn(self, child: _Child) -> None:
        child.started_s = time.monotonic()
        child.process = subprocess.Popen(
            child.command,
            stdin=subprocess.DEVNULL,
            stdout=self._output if self._output is not None else 2,
            stderr=self._output,
            env=child.environ,
            preexec_fn=dying_with_us(),
            start_new_session=True,  # Ctrl-C is for us: we end them in order
        )
        log.info("started the %s (process %d)", child.name, child.process.pid)

"""How a service's process dies: it lives again and again in one process until that is killed."""

import logging
import os
import random
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Literal

from services import points
from services.database import Database
from tests.bench.toll_services import SERVICES, Replica, serve
from tests.bench.toll_town import Town

Death = Literal["error", "exit", "kill at a point", "kill"]
DEATHS: tuple[Death, ...] = ("error", "exit", "kill at a point", "kill")
WEIGHTS = (24, 4, 1, 1)
"""A death by error costs no new process; one in fifteen is a real kill -9."""
EXIT = 3
"""How a process says that it ended as it was told to."""
MOST_REACHED = 60
LONGEST_LIFE_S = 0.15


class EndError(Exception):
    """The process ends here."""


@dataclass(frozen=True)
class Life:
    """How long a service lives.

    Attributes:
        death: How it ends; `None`: it does not.
        reached: At how many named points it is still alive.
    """

    death: Death | None = None
    reached: int = 0

    @classmethod
    def drawn(cls, chance: random.Random) -> "Life":
        """Any life and death."""
        return cls(chance.choices(DEATHS, WEIGHTS)[0], chance.randint(1, MOST_REACHED))


def live(replica: Replica, town: Town, pipe: Pipe, others: Pipe, life: Life) -> None:
    """The lives of a service in one process, which has its store open for all of them."""
    others.close()
    logging.disable()  # each death would be told
    database: Database | None = None
    while True:
        _await(life)
        try:
            if database is None:
                database = SERVICES[replica.service][0](replica.url)
            serve(replica, database, town, pipe)
        except EndError:
            points.install(None)
            pipe.send(("died", 0, "", b""))
        kind, word = "", None
        while kind != "begin":  # what was sent to the dead one is lost
            kind, _, _, word = pipe.recv()
        assert isinstance(word, Life)
        life = word


def _await(life: Life) -> None:
    """Die at a named point, if that is the death of this life."""
    left = life.reached

    def hook(point: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            if life.death == "error":
                raise EndError(point)
            if life.death == "kill at a point":
                os.kill(os.getpid(), signal.SIGKILL)
            os._exit(EXIT)

    points.install(None if life.death in (None, "kill") else hook)

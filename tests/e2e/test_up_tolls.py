"""`car up` pays at a gantry by itself; what dies on the way changes nothing in the statement."""

import os
import re
import signal

import pytest

from tests.conftest import need_mosquitto
from tests.e2e.stage import Actor, Stage, children
from tests.waiting import PATIENCE_S, eventually

DRIVE_S = 300.0
"""The first gantry is passed after 45 s, and said 20 s later, on a machine that keeps up."""
PASSED = r"^toll 74 = 5\.00 SGD  .* UTC, Citybound AYE .*  \(.*07:58, car"
PAID = "wallet demo = 45.00 SGD"
ALONE = ["--without", "drone", "--without", "trips", "--without", "recommendations"]
"""None of these has a part in a payment; in peace they run beside it."""
PROCESSES = ("gateway", "services payments", "services tolls", "simulator.toll_charger")


def kill(up: Actor, words: str) -> None:
    """kill -9 of a child of `up`, and wait until it has been started again."""

    def found() -> set[int]:
        return {pid for pid, line in children(up.process.pid).items() if words in line}

    eventually(lambda: bool(found()), PATIENCE_S)
    before = found()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: bool(found() - before), PATIENCE_S)


def says(up: Actor, pattern: str) -> bool:
    return re.search(pattern, up.stdout, re.MULTILINE) is not None


def statement(stage: Stage) -> list[str]:
    """The amounts that the wallet's owner reads, in order."""
    told = stage.ended("wallet", "statement", "demo")
    assert told.process.returncode == 0, told.stderr
    return re.findall(r"-?\d+\.\d\d", told.stdout)


@pytest.mark.parametrize("is_disturbed", [False, True], ids=["in peace", "with kill -9"])
def test_a_gantry_is_paid_once_whatever_dies_on_the_way(
    stage: Stage, *, is_disturbed: bool
) -> None:
    need_mosquitto()
    up = stage.car("up", "--plain", "--broker", "mosquitto", *(ALONE if is_disturbed else []))
    eventually(lambda: "\nVehicle.Speed = " in up.stdout, PATIENCE_S)
    if is_disturbed:
        for words in (*PROCESSES, "mosquitto -c"):
            kill(up, words)
    eventually(lambda: says(up, PASSED), DRIVE_S)
    if is_disturbed:
        for words in PROCESSES:
            kill(up, words)
    eventually(lambda: PAID in up.stdout, DRIVE_S)
    explained = stage.ended("tolls", "explain", passage_of(stage))
    assert "parallel road" in explained.stdout
    assert statement(stage) == EXPECTED
    assert up.stderr.count("; again in ") == (2 * len(PROCESSES) if is_disturbed else 0)
    assert up.end() == 0


def passage_of(stage: Stage) -> str:
    """The id of the only passage there is."""
    (found,) = re.findall(r"\bp[0-9a-f]{32}\b", stage.ended("tolls", "passages").stdout)
    return str(found)


EXPECTED = ["0.00", "50.00", "50.00", "-5.00", "45.00", "45.00"]
"""Opening balance; play money and the balance; the toll and the balance; closing balance."""

"""A car drives past gates; tolls, payments and the toll charger are processes around a broker."""

import random
import time

from internetcar.launcher.broker import RunningBroker
from services.tolls.passages.charging import asked_minor
from tests.e2e.stage import Stage
from tests.e2e.toll_stage import Log, Tolls

CORRECTS = """
[[rules]]
gate = "north-2"
verdict = "corrected"
change_minor = -50
reason = "smaller class"
"""
GATES = 3


def test_a_passage_is_charged_posted_and_billed_and_a_correction_comes_back(
    stage: Stage, mosquitto: RunningBroker
) -> None:
    tolls = Tolls(stage, mosquitto, CORRECTS)
    tolls.until_ready()
    log = Log(mosquitto.url)
    log.begin(tolls)
    log.say(0, len(log.batches))
    tolls.until(lambda: tolls.is_settled(GATES) and tolls.paid_minor() == 340, "all is paid")
    log.link.stop()
    found = {e.account.known.finding.gate: e for e in tolls.entries()}
    assert {gate: asked_minor(e.account.movements) for gate, e in found.items()} == {
        "north-1": 100, "north-2": 200, "north-3": 40,
    }  # fmt: skip
    assert found["north-1"].account.billings[0].verdict == "confirmed"
    refund = found["north-2"].account.movements[-1]
    assert (refund.kind, refund.amount_minor) == ("refund", 50)
    settings = ("--settings", str(tolls.tolls_toml))
    said = stage.ended("tolls", "explain", refund.charge_id, *settings).stdout
    assert "corrected by the operator: smaller class" in said
    assert "signed by our key" in said
    assert "DOES NOT FIT" not in said
    shown = stage.ended("tolls", "passages", *settings).stdout
    assert shown.count("proven") == GATES


def test_each_passage_is_paid_once_whoever_is_killed(
    stage: Stage, mosquitto: RunningBroker
) -> None:
    tolls = Tolls(stage, mosquitto)
    tolls.until_ready()
    log = Log(mosquitto.url)
    chance = random.Random(4)
    whom = ["tolls", "payments", "broker"] * 2
    chance.shuffle(whom)
    log.begin(tolls)
    step = (len(log.batches) - 10) // len(whom) + 1
    for number, name in enumerate(whom):
        log.say(10 + number * step, min(10 + (number + 1) * step, len(log.batches)))
        time.sleep(chance.uniform(0, 1.5))
        if name == "broker":
            tolls.kill_broker()
        else:
            tolls.kill(name)
        log.say_again()

    def is_over() -> bool:
        log.say_again()
        return tolls.is_settled(GATES) and tolls.paid_minor() == 390

    tolls.until(is_over, "all is paid once")
    log.link.stop()
    entries = tolls.entries()
    assert [len(e.account.movements) for e in entries] == [1] * GATES
    assert [asked_minor(e.account.movements) for e in entries] == [100, 250, 40]
    assert [e.revision for e in entries] == [1] * GATES

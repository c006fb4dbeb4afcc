"""One command delivered a hundred times, among others and across deaths: one take-off."""

import random
from collections.abc import Callable
from datetime import timedelta

from internetcar.contract.drone import DroneReply, DroneRequest
from internetcar.contract.message import instant
from tests.bench.drone_runs import FAST_S, Campaign, Row, world
from tests.bench.report import Figure
from tests.drone_life import settings
from tests.drone_talk import ASKER
from tests.drone_world import World

DELIVERIES = 100
OVER_S = 100.0
"""From the first delivery to the last, about: the flight is over before."""
KINDS = ("after_take_off", "after_take_off", "any_time")
"""When the service dies: only once it flies; or at any instant, in the midst of a turn too."""
STRANGER = "stranger"


def run(seed: int) -> Row:
    """One command, a hundred times."""
    kind = KINDS[seed % len(KINDS)]
    chance, row = random.Random(f"deliveries {seed}"), Row(seed, kind)
    config = settings(allow={ASKER: ("launch", "return"), STRANGER: ()})
    with world(seed, row, config=config, step_s=FAST_S) as here:
        here.ready()
        _deliver(here, row, chance)
        here.until_down(300.0)
        here.run(2.0)
        row.figures["take_offs"] = here.truth.take_offs
        _judge(here, row)
    return row


def _deliver(here: World, row: Row, chance: random.Random) -> None:
    wish = here.request(
        "takeoff_to_point", "the-one", data={"target_height": chance.uniform(8.0, 20.0)},
        expires_at=instant(here.now.utc_ms) + timedelta(seconds=chance.uniform(5.0, 59.0)),
    )  # fmt: skip
    others: list[DroneRequest] = []
    times = sorted(
        [0.0, *(chance.uniform(0.0, OVER_S) ** chance.choice((1.0, 0.5)) for _ in range(99))]
    )
    deaths = _Deaths(here, chance, is_any_time=row.kind == "any_time")
    began = here.now.s
    for at_s in times:
        while here.now.s - began < at_s:
            deaths.turn(here.now.s - began)
            here.step()
        here.deliver(wish, retained=at_s > 0.0 and chance.random() < 0.1)
        if at_s > 0.0 and chance.random() < 0.5:
            other = _other(here, wish, chance, others)
            here.deliver(other, retained=other.tid == "retained")
        if chance.random() < 0.05 and here.conductor is not None:
            here.conductor.ask(wish.topic, wish.encode()[: chance.randint(1, 80)], here.now)
    if here.conductor is None:
        here.start()


def _other(
    here: World, wish: DroneRequest, chance: random.Random, others: list[DroneRequest]
) -> DroneRequest:
    """Something else that must not take off: nothing of it is a launch of a docked drone."""
    expired = here.now.utc_ms - chance.randint(10_001, 100_000)
    made: list[Callable[[], DroneRequest]] = [
        lambda: wish.model_copy(update={"data": {"target_height": 25.0}}),
        lambda: wish.model_copy(update={"requester": STRANGER}),
        lambda: wish.model_copy(update={"requester": "nobody"}),
        lambda: wish.model_copy(update={"tid": f"d{here.now.utc_ms}", "dry_run": True}),
        lambda: here.request("takeoff_to_point", timestamp=expired),
        lambda: here.request("takeoff_to_point", "retained"),
        lambda: here.request("flighttask_execute", requester=STRANGER, data={"task": "scout"}),
    ]
    if here.state in ("takeoff", "enroute", "on_task", "returning"):
        made.append(lambda: here.request("takeoff_to_point"))  # busy now, and for ever
        if here.truth.take_offs:
            made.append(lambda: here.request("return_home"))
        other = chance.choice(made)()
        others.append(other)
        return other
    return chance.choice(others) if others and chance.random() < 0.5 else chance.choice(made)()


class _Deaths:
    """Kills the service and makes it anew."""

    def __init__(self, here: World, chance: random.Random, *, is_any_time: bool) -> None:
        self._here, self._chance = here, chance
        first = 0.0 if is_any_time else 15.0
        count = chance.randint(1, 4)
        times = [chance.uniform(first, OVER_S * 0.8) for _ in range(count)]
        if is_any_time:
            times[0] = chance.uniform(0.0, 20.0)
        self._times = sorted(times)
        self._is_any_time, self._back_s = is_any_time, 0.0

    def turn(self, now_s: float) -> None:
        """Die when it is time; live again a little later."""
        here = self._here
        if here.conductor is None:
            if now_s >= self._back_s:
                here.start()
            return
        if not self._times or now_s < self._times[0]:
            return
        if not self._is_any_time and not here.truth.take_offs:
            return
        self._times.pop(0)
        self._back_s = now_s + self._chance.uniform(0.1, 6.0)
        how = self._chance.random()
        if how < 0.25:
            here.store.die_before = True
        elif how < 0.5:
            here.store.die_after = True
        else:
            here.kill()


def _judge(here: World, row: Row) -> None:
    count = here.truth.take_offs
    if count > 1 or (count < 1 and row.kind != "any_time"):
        row.faults.append(f"{count} take-offs: {here.states()}")
    replies = [
        each.encode()
        for each in here.heard
        if isinstance(each, DroneReply) and each.tid == "the-one" and each.requester == ASKER
        and each.data.output.reason not in ("retained", "id_conflict", "malformed")
    ]  # fmt: skip
    row.figures["answers"] = len(set(replies))
    if len(set(replies)) > 1:
        row.faults.append(f"{len(set(replies))} different answers to one tid: {set(replies)}")


def figures(campaign: Campaign) -> list[Figure]:
    """The number furthest from one."""
    counts = campaign.all("take_offs", "after_take_off")
    worst = max(counts, key=lambda count: abs(count - 1.0), default=float("nan"))
    early = campaign.all("take_offs", "any_time")
    most = max(early, default=float("nan"))
    flown = sum(early) / len(early) if early else float("nan")
    words = f"of one command, furthest from 1 of {len(counts)} runs, restarts in the air"
    return [
        Figure("takeoffs_per_100_deliveries", worst, words, "= 1", worst == 1),
        Figure(
            "takeoffs_any_death",
            most,
            f"the most of {len(early)}, deaths at any instant",
            "≤ 1",
            most <= 1,
        ),
        Figure("takeoffs_any_death_mean", flown, "the same, mean: an early death ends a launch"),
    ]

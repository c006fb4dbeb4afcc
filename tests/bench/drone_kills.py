"""Deaths of service, broker and links at random times from the launch on: landed safely?"""

import random
from collections.abc import Callable

from services.drone.geodesy import Place, distance_m, moved, towards
from simulator.copter.state import Mode
from tests.bench.drone_runs import FAST_S, Campaign, Row, world
from tests.bench.report import Figure
from tests.drone_car import START, Goes
from tests.drone_life import settings
from tests.drone_talk import Sky
from tests.drone_world import World, point

ALTERNATE = moved(START, towards(45.0, 120.0))
NEAR_M = 5.0
LANDS_MPS = 1.0
"""The autopilot lands at 0.5 m/s; a fall is far above it."""
KINDS = (
    "killed", "killed_for_good", "killed_in_a_turn", "broker", "broker_for_good", "link",
    "link_for_good", "drone_silent", "car_silent", "killed_and_broker", "hung", "many",
)  # fmt: skip


def run(seed: int) -> Row:
    """One flight, and what is taken from it."""
    kind = KINDS[seed % len(KINDS)]
    chance, row = random.Random(f"kills {seed}"), Row(seed, kind)
    place = {"name": "field", "latitude": ALTERNATE.lat_deg, "longitude": ALTERNATE.lon_deg}
    config = settings(flight={"alternates": [place]})
    sky = Sky(chance.uniform(0.0, 7.0), chance.uniform(0.0, 360.0))
    driver = Goes(chance.uniform(0.0, 360.0))
    with world(seed, row, config=config, sky=sky, driver=driver, step_s=FAST_S) as here:
        here.ready()
        _fly(here, row, chance, driver)
    return row


def _fly(here: World, row: Row, chance: random.Random, driver: Goes) -> None:
    there = moved(START, towards(chance.uniform(0.0, 360.0), chance.uniform(40.0, 200.0)))
    if chance.random() < 0.5:
        data = {"task": "scout", "points": [point(there)]}
        reply = here.ask("flighttask_execute", data=data)
    else:
        spot = point(there)
        reply = here.ask("takeoff_to_point", data={
            "target_latitude": spot["latitude"], "target_longitude": spot["longitude"],
        })  # fmt: skip
    assert reply.data.result == 0, reply
    began = here.now.s
    homes = _homes(here)
    plan = _plan(row.kind, here, chance)
    if chance.random() < 0.4:
        plan.append(
            (chance.uniform(10.0, 90.0), lambda: driver.go(chance.uniform(10.0, 80.0), 4.0))
        )
    calls_home_s = chance.uniform(40.0, 120.0)
    plan.append((calls_home_s, lambda: here.deliver(here.request("return_home"))))
    for at_s, happens in sorted(plan, key=lambda each: each[0]):
        here.run(max(0.0, began + at_s - here.now.s))
        happens()
    here.until(lambda: here.now.s - began > 130.0 and _is_down(here), 1_500.0)
    here.run(15.0)
    _judge(here, row, homes)


def _is_down(here: World) -> bool:
    return not here.truth.is_armed and here.truth.is_on_ground


Happening = tuple[float, Callable[[], object]]


def _plan(kind: str, here: World, chance: random.Random) -> list[Happening]:
    """What happens when, from the launch on."""
    at_s = chance.uniform(0.0, 100.0)
    for_s = chance.uniform(0.2, 15.0) if chance.random() < 0.7 else chance.uniform(15.0, 60.0)
    back_s = at_s + for_s

    def cut(*, is_cut: bool, up: bool = True) -> None:
        here.down.is_cut = is_cut
        if up:
            here.up.is_cut = is_cut

    def revive() -> None:
        if here.conductor is None:
            here.start()

    def arm_death() -> None:
        if chance.random() < 0.5:
            here.store.die_before = True
        else:
            here.store.die_after = True

    def hang(*, is_hung: bool) -> None:
        here.copter.is_hung = is_hung

    def silence(*, is_silent: bool) -> None:
        here.is_car_silent = is_silent

    kill, broker_goes = here.kill, lambda: here.broker(is_there=False)
    broker_comes = lambda: here.broker(is_there=True)  # noqa: E731
    plans: dict[str, list[Happening]] = {
        "killed": [(at_s, kill), (back_s, revive)],
        "killed_for_good": [(at_s, kill)],
        "killed_in_a_turn": [(at_s, arm_death), (back_s + 20.0, kill), (back_s + 21.0, revive)],
        "broker": [(at_s, broker_goes), (back_s, broker_comes)],
        "broker_for_good": [(at_s, broker_goes)],
        "link": [(at_s, lambda: cut(is_cut=True)), (back_s, lambda: cut(is_cut=False))],
        "link_for_good": [(at_s, lambda: cut(is_cut=True))],
        "drone_silent": [
            (at_s, lambda: cut(is_cut=True, up=False)), (back_s, lambda: cut(is_cut=False)),
        ],
        "car_silent": [
            (at_s, lambda: silence(is_silent=True)),
            (back_s if chance.random() < 0.5 else 500.0, lambda: silence(is_silent=False)),
        ],
        "killed_and_broker": [
            (at_s, broker_goes), (at_s + chance.uniform(0.0, 5.0), kill),
            (back_s + 5.0, revive), (back_s + chance.uniform(0.0, 30.0), broker_comes),
        ],
        "hung": [(at_s, lambda: hang(is_hung=True)), (back_s, lambda: hang(is_hung=False))],
    }  # fmt: skip
    if kind == "many":
        some = chance.sample(["killed", "broker", "link", "drone_silent", "killed_in_a_turn"], 3)
        return [each for name in some for each in _plan(name, here, chance)]
    return plans[kind]


def _homes(here: World) -> list[Place]:
    """Where the autopilot's own returns lead: its home when each began."""
    homes: list[Place] = []
    modes = [here.truth.mode]

    def look() -> None:
        mode = here.truth.mode
        if mode is Mode.RTL and modes[0] is not Mode.RTL and here.truth.home:
            homes.append(Place(*here.truth.home))
        modes[0] = mode

    here.each_step.append(look)
    return homes


def _judge(here: World, row: Row, homes: list[Place]) -> None:
    truth = here.truth
    why: list[str] = []
    if not _is_down(here):
        why.append("not down and disarmed")
    if truth.has_crashed:
        why.append("crashed")
    if truth.breaches:
        why.append(f"{truth.breaches} breaches")
    if truth.take_offs > 1:
        why.append(f"{truth.take_offs} take-offs")
    row.figures["take_offs"] = truth.take_offs
    for landing in here.landings:
        if landing.speed_mps > LANDS_MPS:
            why.append(f"came down at {landing.speed_mps:.1f} m/s")
        ends = [here.car_true, ALTERNATE, *homes[-1:]]
        ends += [landing.car_true, *([landing.car_said] if landing.car_said else [])]
        nearest = min(distance_m(landing.place, end) for end in ends)
        row.figures["nearest"] = max(nearest, row.figures.get("nearest", 0.0))
        if nearest > NEAR_M:
            why.append(f"{nearest:.0f} m from car, alternate and home")
    row.figures["is_safe"] = float(not why)
    if why:
        row.faults.append(f"{'; '.join(why)}; {here.detail}; {' '.join(here.states())}")


def figures(campaign: Campaign) -> list[Figure]:
    """How many of all."""
    safe = campaign.all("is_safe")
    value = sum(safe) / max(1, len(campaign.rows))
    flown = sum(1 for row in campaign.rows if row.figures.get("take_offs"))
    words = (
        f"of {len(campaign.rows)} deaths and cuts in lockstep ({flown} in flights that took off)"
    )
    found = [Figure("landed_share", value, words, "= 1", value == 1.0)]
    for kind in KINDS:
        rows = campaign.of(kind)
        if rows:
            part = sum(row.figures.get("is_safe", 0.0) for row in rows) / len(rows)
            found.append(Figure(f"landed_{kind}", part, f"of {len(rows)} of them"))
    return found

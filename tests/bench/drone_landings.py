"""Landings on a car that stood, moved, creeps; beside it the autopilot's own return alone."""

import copy
import random

from services.drone.geodesy import Place, distance_m, moved, towards
from simulator.copter import modes
from simulator.copter.copter import Settings as CopterSettings
from simulator.copter.copter import SimCopter
from simulator.copter.state import Mode
from tests.bench.drone_runs import FAST_S, Campaign, Row, world
from tests.bench.report import Figure
from tests.drone_car import START, Driver, Goes, Jam, Parked
from tests.drone_talk import Sky
from tests.drone_world import STEP_S, World, point

KINDS = ("parked", "moved", "jam", "parked_noise", "moved_noise", "rtl_moved")
BEFORE_M, MOVED_M = 26.0, 100.0
"""So far the car creeps while the drone is out, and so far it drives during the return."""
SIGMA_M = 2.5


def run(seed: int) -> Row:
    """One flight out and back."""
    kind = KINDS[seed % len(KINDS)]
    chance, row = random.Random(f"landings {seed}"), Row(seed, kind)
    heading = chance.uniform(0.0, 360.0)
    driver: Driver = Parked()
    if "moved" in kind:
        driver = Goes(heading)
    elif kind == "jam":
        driver = Jam(chance, until_s=chance.uniform(100.0, 200.0), heading_deg=heading)
    sky = Sky(chance.uniform(0.0, 7.5), chance.uniform(0.0, 360.0))
    sigma = SIGMA_M if kind.endswith("noise") else 0.0
    step_s = STEP_S if kind == "parked" or seed % 5 == 0 else FAST_S
    with world(seed, row, driver=driver, sky=sky, sigma_m=sigma, step_s=step_s) as here:
        _fly(here, row, chance)
    return row


def _fly(here: World, row: Row, chance: random.Random) -> None:
    here.ready()
    way = towards(chance.uniform(0.0, 360.0), chance.uniform(80.0, 250.0))
    place = point(moved(START, way))
    data = {
        "target_latitude": place["latitude"], "target_longitude": place["longitude"],
        "target_height": chance.uniform(20.0, 60.0),
    }  # fmt: skip
    reply = here.ask("takeoff_to_point", data=data)
    if reply.data.result or not here.until_state("on_task", seconds=200.0):
        row.faults.append(f"not on task: {here.state} {here.detail} {reply.data.output.detail}")
        return
    if isinstance(here.driver, Goes):
        here.driver.go(BEFORE_M, 1.5)
        here.run(25.0)
    naive = _naive(here)
    if row.kind.startswith("rtl"):
        modes.set_mode(here.copter.state, Mode.RTL)
    else:
        here.ask("return_home")
    if isinstance(here.driver, Goes):
        here.driver.go(MOVED_M, chance.uniform(3.0, 8.0))
    if not here.until_down():
        row.faults.append(f"not down: {here.state} {here.detail}")
        return
    here.run(3.0)
    _judge(here, row)
    row.figures["naive"] = distance_m(naive, here.car_true)


def _judge(here: World, row: Row) -> None:
    landing = here.landings[-1]
    row.figures |= {"error": landing.error_m, "true": landing.true_error_m}
    row.figures["later"] = landing.later_error_m
    row.figures["battery"] = landing.battery_pct
    if landing.has_crashed or landing.speed_mps > 1.0:
        row.faults.append(f"came down at {landing.speed_mps:.1f} m/s")
    if here.state != "docked":
        row.faults.append(f"{here.state} after it: {here.detail}")
    most = 0.5 if row.kind == "parked" else 1.0
    if landing.error_m > most and not row.kind.endswith("noise"):
        row.faults.append(f"{landing.error_m:.2f} m beside the car; {' '.join(here.states())}")


def _naive(here: World) -> Place:
    """Where the autopilot's own return, begun now, lands: home is where it took off."""
    alone = SimCopter(CopterSettings(), random.Random(0))
    alone.state, alone.is_hung = copy.deepcopy(here.copter.state), True
    state = alone.state
    state.parameters["FS_GCS_ENABLE"] = 0
    state.set_home(*state.plane.north_east(*START), 0.0, is_locked=True)
    modes.set_mode(state, Mode.RTL)
    while state.is_armed:
        alone.advance(1.0)
    return Place(alone.truth.lat_deg, alone.truth.lon_deg)


def figures(campaign: Campaign) -> list[Figure]:
    """The largest of all runs."""
    parked = max(campaign.all("error", "parked"), default=float("nan"))
    moved_ = max(campaign.all("error", "moved", "jam"), default=float("nan"))
    count = len(campaign.of("moved", "jam"))
    rows = [
        Figure(
            "landing_m",
            parked,
            "m, parked, largest, to the car's last position",
            "< 0.5",
            parked < 0.5,
        ),
        Figure(
            "landing_moved_m",
            moved_,
            f"m, moved 100 m or creeping ({count}), largest",
            "< 1",
            moved_ < 1.0,
        ),
    ]
    words = {
        "moved": "moved 100 m alone, largest", "jam": "creeping alone, largest",
        "rtl_moved": "moved 100 m, the autopilot's own return with our home, largest",
    }  # fmt: skip
    for kind, meaning in words.items():
        value = max(campaign.all("error", kind), default=float("nan"))
        rows.append(Figure(f"landing_{kind}_only_m", value, f"m, {meaning}"))
    later = max(campaign.all("later", "jam"), default=float("nan"))
    words_later = "m, creeping, largest, a second after it touched: the car may have driven off"
    rows.append(Figure("landing_jam_later_m", later, words_later))
    for kind in ("parked_noise", "moved_noise"):
        value = max(campaign.all("true", kind), default=float("nan"))
        rows.append(
            Figure(
                f"landing_{kind}_true_m",
                value,
                f"m, GNSS noise {SIGMA_M} m, to the true place, largest",
            )
        )
        value = max(campaign.all("error", kind), default=float("nan"))
        rows.append(Figure(f"landing_{kind}_m", value, "m, the same, to the car's last position"))
    naive = campaign.all("naive", "moved")
    value = max(naive, default=float("nan"))
    return [*rows, Figure("landing_naive_m", value, "m, peer: RTL alone, moved, largest")]

import json
import math
import random

import numpy as np
import pytest

from services.tolls.detection.alternatives import alternatives, assumed, lanes_m
from services.tolls.detection.bends import BENDS
from services.tolls.detection.detector import Detector
from services.tolls.detection.evidence import assess
from services.tolls.detection.likelihood import Fits, fit
from services.tolls.detection.network import Network, frame_of
from services.tolls.detection.paths import Way
from services.tolls.detection.plane import Plane, mercator, stretch, turn_rad
from services.tolls.detection.position import Spot
from services.tolls.detection.provable import Provability, provable
from services.tolls.detection.rows import Seen, white_m
from services.tolls.detection.window import window
from services.tolls.objects import Gate, Road
from tests.data import data_path
from tests.unit.tolled import Leg, at, autoregressive, drive, findings, gate, straight, verdicts


def seen(right_m: float = 0.0, count: int = 20, sigma_m: float = 5.0) -> list[Seen]:
    """Fixes without error, a second apart, half before and half behind the gate."""
    return [
        Seen(float(i), 20.0 * (i - count // 2), right_m, sigma_m, 0.0) for i in range(count)
    ]  # fmt: skip


def ratio(fits: Fits, other_m: float) -> float:
    return fits.log_likelihood([0.0]) - fits.log_likelihood([other_m])


def test_fixes_are_counted_for_what_they_are_worth() -> None:
    second, tenth = fit(seen(count=61)), fit(seen(count=61)[::10])
    assert 0.6 < second.fits[0].precision / tenth.fits[0].precision < 1.6
    worth = second.fits[0].precision * 25.0
    assert 1.4 < worth < 2.1, "over a minute a constant is seen twice"


def test_the_log_ratio_is_that_of_two_normals_and_changes_sign_between_them() -> None:
    for where in (0.0, 10.0, 21.5, 43.0):
        fits = fit(seen(where))
        wanted = (43.0 - 2 * where) * 43.0 * fits.fits[0].precision / 2.0
        assert ratio(fits, 43.0) == pytest.approx(wanted, abs=0.5)


def test_the_offset_is_found_with_an_honest_sigma() -> None:
    chance, off = random.Random(3), []
    for _ in range(200):
        noise, bias, fixes = autoregressive(5.0), 4.0, []
        for one in seen(count=60):
            fixes.append(one._replace(right_m=bias + noise(chance, 0.0)[0]))
        place, sigma = fit(fixes).offset
        off.append((place - bias) / sigma)
    assert 0.7 < math.sqrt(sum(each * each for each in off) / len(off)) < 1.15


def test_a_jump_is_noticed_and_makes_it_less_certain() -> None:
    calm = seen(count=40)
    jumped = [
        one._replace(right_m=15.0) if 10 <= i < 30 else one for i, one in enumerate(calm)
    ]  # fmt: skip
    assert fit(calm).jumps == 0
    assert fit(jumped).jumps == 2
    assert ratio(fit(jumped), 25.8) < 13.8 < ratio(fit(calm), 25.8)


def test_what_nothing_explains_makes_it_less_certain() -> None:
    chance = random.Random(1)
    wild = [
        one._replace(right_m=chance.choice([-40.0, 40.0]), at_s=one.at_s * 10) for one in seen()
    ]
    assert fit(wild).excess > 1.0


def test_white_noise_is_told_by_the_fixes() -> None:
    chance = random.Random(1)
    at_s = np.arange(200.0)
    noise = np.array([chance.gauss(0, 2.0) for _ in range(200)])
    assert white_m(at_s, noise) == pytest.approx(2.0, rel=0.2)
    assert white_m(at_s * 10, noise) == 0.5


def test_a_bend_alone_speaks_for_no_way() -> None:
    bent = [
        one._replace(right_m=one.run_m**2 / 1000.0, course_rad=one.run_m / 500.0) for one in seen()
    ]  # fmt: skip
    assert abs(fit(bent).offset[0]) < 5.0
    assert ratio(fit(bent), 43.0) > 13.8
    assert ratio(fit(bent), -43.0) > 13.8


def test_a_plane_is_right_across_the_date_line_and_near_the_pole() -> None:
    east, north = Plane.at(-17.0, 179.999).metres(-17.0, -179.999)
    assert east == pytest.approx(212.9, abs=0.2)
    assert north == 0.0
    assert math.isfinite(mercator(90.0, 0.0)[1])
    assert stretch(60.0) == pytest.approx(2.0)
    assert turn_rad(math.radians(350), math.radians(10)) == pytest.approx(math.radians(20))


def test_a_way_is_measured_from_the_gate_and_goes_on_beyond_its_ends() -> None:
    way = Way.through([(-100.0, 5.0), (-100.0, 5.0), (0.0, 5.0), (100.0, 105.0)])
    assert way is not None
    along, right, turn = way.place(50.0, 55.0)
    assert (along, right) == pytest.approx((math.hypot(50, 50), 0.0), abs=1e-6)
    assert turn == pytest.approx(math.pi / 4)
    assert way.place(-500.0, 0.0)[:2] == pytest.approx((-500.0, -5.0))
    assert way.at(-500.0) == pytest.approx((-500.0, 5.0, 0.0))
    assert Way.through([(1.0, 1.0), (1.0, 1.0)]) is None


@pytest.mark.parametrize(
    "fields", [{"bearing_deg": None}, {"line": (at(0, 1), at(0, 1))}, {"bearing_deg": 127.0}]
)
def test_a_gate_without_a_way_through_it_has_no_frame(fields: dict[str, object]) -> None:
    assert frame_of(gate(**fields)) is None  # type: ignore[arg-type]  # any of its fields
    assert Network([gate(**fields)]).near(1.3, 103.85) == ([], math.inf)  # type: ignore[arg-type]
    assert Network([gate(**fields)]).along((1.3, 103.85), (1.4, 103.85), 10.0) == []  # type: ignore[arg-type]


def names(gates: list[Gate], roads: list[Road] | None = None) -> list[tuple[str, float]]:
    """Of the first gate's alternatives: name and separation."""
    frames = Network(gates).frames
    found = alternatives(frames, gates, roads or [])[0]
    return [(each.name, round(each.separation_m, 1)) for each in found]


def test_alternatives_are_the_ways_that_come_near() -> None:
    mine = gate("g")
    assert names([mine]) == []
    assert names([mine, gate("beside", right_m=20.0)]) == [("gate beside", 15.5)]
    assert names([mine, gate("far", right_m=150.0)]) == []
    assert names([mine, gate("ahead", along_m=60.0, right_m=2.0)]) == []
    assert names([mine, gate("opposite", right_m=9.0, turned_deg=180.0)]) == [
        ("gate opposite", 9.0)
    ]
    assert names([mine, gate("silent", right_m=20.0, bearing_deg=None)]) == [("gate silent", 15.5)]
    crossing = gate("crossing", line=(at(4, 15), at(-4, 25)), turned_deg=40.0)
    assert names([mine, crossing]) == [("gate crossing", 20.0)]
    bent = gate("bent", right_m=20.0, carriageway=(at(-300, 20), at(0, 20), at(300, 60)))
    assert names([mine, bent]) == [("gate bent", 20.0)]
    assert names([mine, gate("askew", line=(at(17.1, -1.5), at(12.9, 7.5)))]) == [
        ("gate askew", 0.0)
    ]
    dot = gate("dot", right_m=20.0, carriageway=(at(0, 20), at(0, 20)))
    assert names([mine, dot]) == []


def test_a_road_is_an_alternative_in_either_direction() -> None:
    there = Road(id="r", line=(at(-300, 18), at(300, 18)))
    back = Road(id="b", line=(at(300, 18), at(-300, 18)))
    far = Road(id="far", line=(at(-300, 180), at(300, 180)))
    dot = Road(id="dot", line=(at(0, 9), at(0, 9)))
    assert names([gate()], [there, back, far, dot]) == [("r", 18.0), ("b", 18.0)]


def test_a_free_road_is_assumed_nearer_for_a_better_receiver() -> None:
    assert [each.offsets_m for each in assumed(5.0)] == [(-43.0,), (43.0,)]
    assert assumed(3.0)[1].separation_m == pytest.approx(27.9)


def test_lanes_keep_from_the_edges() -> None:
    assert lanes_m(1.0) == (0.0,)
    assert lanes_m(8.5) == pytest.approx((-7.0, -3.5, 0.0, 3.5, 7.0))


def spot(at_ms: int, net_m: float, along_m: float, right_m: float = 0.0) -> Spot:
    return Spot(at_ms, net_m, net_m, *at(along_m, right_m), 5.0, None)


def test_a_window_ends_where_the_vehicle_was_elsewhere() -> None:
    frame = frame_of(gate())
    assert frame is not None
    near = [spot(0, 0.0, -50.0), spot(5000, 100.0, 50.0)]
    assert len(window(frame, near, 50.0).fixes) == 2
    early = spot(-50_000_000, -100.0, -150.0)
    assert len(window(frame, [early, *near], 50.0).fixes) == 2
    aside = spot(-50_000, -400.0, -150.0, 390.0)
    assert len(window(frame, [aside, *near], 50.0).fixes) == 2
    far = spot(-500_000, -6400.0, -6450.0)
    assert len(window(frame, [far, *near], 50.0).fixes) == 2


def test_a_window_goes_on_beyond_a_tunnel_that_begins_at_the_gate() -> None:
    frame = frame_of(gate())
    assert frame is not None
    approach = [spot(second * 1000, second * 20.0, second * 20.0 - 99.0) for second in range(6)]
    beyond = spot(90_000, 1800.0, 1701.0)
    assert len(window(frame, [*approach, beyond], 99.0).fixes) == 7
    run_out = [spot(second * 1000, second * 20.0, second * 20.0 - 99.0) for second in range(6, 10)]
    assert len(window(frame, [*approach, *run_out, beyond], 99.0).fixes) == 10


def test_one_fix_is_no_evidence() -> None:
    frame = frame_of(gate())
    assert frame is not None
    assert assess(frame, [], [spot(0, 0.0, -50.0)], 50.0) is None


def judged(gates: list[Gate], roads: list[Road] | None = None) -> Provability:
    return provable(gates, roads or [], 5.0, 1.0)[0]


def test_what_is_provable_and_against_what() -> None:
    alone = judged([gate()])
    assert alone.is_provable
    assert (alone.alternative, alone.reason) == ("parallel road", "")
    assert not judged([gate(bearing_deg=None)]).is_provable
    assert judged([gate(bearing_deg=127.0)]).reason == "its direction runs along its line"
    beside = judged([gate(right_m=-6.1), gate("b", right_m=6.1)])
    assert not beside.is_provable
    assert beside.alternative == "gate b"
    assert judged([gate(), gate("b", right_m=0.2, turned_deg=180.0)]).is_provable
    leaving = Road(id="slip", line=(at(-900, 3), at(0, 3), at(800, 500)))
    assert judged([gate()], [leaving]).is_provable


def test_a_road_that_may_bend_unknown_to_the_context_is_harder_to_prove() -> None:
    straight_on, bent = (provable([gate()], [], 5.0, 1.0, bend)[0] for bend, _ in BENDS[::3])
    assert straight_on.is_provable
    assert not bent.is_provable
    assert bent.log_ratio < straight_on.log_ratio
    rare = provable([gate()], [], 5.0, 10.0, BENDS[-1][0])[0]
    assert rare.unresolved > bent.unresolved


def test_provable_holds_what_it_says() -> None:
    for seed in range(20):
        samples = drive(straight(seconds=95), noise=autoregressive(5.0), right_m=4.0, seed=seed)
        assert verdicts(findings(Detector([gate()]), samples)) == {"g": ["proven"]}


def singapore() -> dict[str, Gate]:
    """The surveyed gantries, with the direction their normal has towards `directionDegrees`."""
    text = data_path("tolls/singapore/erp-data.json").read_text(encoding="utf-8")
    found = {}
    towards = {"63": 20.0, "64": 200.0, "42": 88.0, "33": 88.0}
    for one in json.loads(text)["gantries"]:
        number, direction = one["gantryNo"], one["directionDegrees"]
        if one["line"] and (number in towards or direction is not None):
            found[number] = Gate(
                id=number, label=one["label"], line=one["line"],
                bearing_deg=towards.get(number, direction),
            )  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("through", "beside", "is_money"),
    [("63", "64", True), ("64", "63", True), ("93", "91", True), ("91", "93", True),
     ("42", "33", False), ("33", "42", False)],
)  # fmt: skip
@pytest.mark.parametrize("outage", [False, True])
def test_real_pairs_of_gantries(through: str, beside: str, is_money: bool, outage: bool) -> None:
    gates = singapore()
    frame = frame_of(gates[through])
    assert frame is not None
    detector = Detector(list(gates.values()))
    legs = [Leg(25, 20.0), Leg(10, 20.0, has_fix=not outage), Leg(60, 20.0)]
    turned = math.degrees(frame.bearing_rad) - 37.0
    radians = math.radians(turned)
    from_gate = drive(
        legs, along_m=-600.0 * math.cos(radians), right_m=-600.0 * math.sin(radians),
        turned_deg=turned, noise=autoregressive(5.0),
    )  # fmt: skip
    shift = frame.plane.lat_deg - 1.3, frame.plane.lon_deg - 103.85
    moved = [
        type(one)(
            one.at_ms,
            None if one.lat_deg is None else one.lat_deg + shift[0],
            None if one.lon_deg is None else one.lon_deg + shift[1],
            one.accuracy_m, one.heading_deg, one.speed_mps, one.odometer_m, one.is_reverse,
        )
        for one in from_gate
    ]  # fmt: skip
    said = verdicts(findings(detector, moved))
    assert "proven" not in said.get(beside, [])
    assert ("proven" in said.get(through, [])) == is_money

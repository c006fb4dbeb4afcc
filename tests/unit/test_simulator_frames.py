"""The simulated car's frames say what the car does, and its controllers obey command frames."""

from collections import defaultdict
from itertools import pairwise

import cantools
import pytest
from cantools.database.can import Database, Message
from hypothesis import given
from hypothesis import strategies as st

from simulator.encode import EXTENDED, RULES, EncodeError, Sender, can_id, listeners, protection
from simulator.garage import (
    SINGAPORE,
    load_databases,
    load_route,
    reference_folder,
    reference_simulation,
)
from simulator.route import Route
from simulator.signals import SPEAKERS
from simulator.simulation import Frame, Simulation
from tests.unit.test_reference_car import SETTABLE

START_AT_MS = 1_783_382_280_000


@pytest.fixture(scope="module")
def databases() -> dict[str, Database]:
    return load_databases(reference_folder())


@pytest.fixture(scope="module")
def route() -> Route:
    return load_route(SINGAPORE)


@pytest.fixture
def car(databases: dict[str, Database], route: Route) -> Simulation:
    """A car that has been driving for a while."""
    simulation = Simulation(databases, route, seed=2, start_at_ms=START_AT_MS)
    for _ in simulation.frames_until(30.0):
        pass
    return simulation


@pytest.fixture(scope="module")
def troubled() -> Simulation:
    """A car that hears anything."""
    return reference_simulation()


@pytest.fixture(scope="module")
def minute(databases: dict[str, Database], route: Route) -> list[Frame]:
    simulation = Simulation(databases, route, seed=2, start_at_ms=START_AT_MS)
    return list(simulation.frames_until(60.0))


def message_of(databases: dict[str, Database], frame: Frame) -> Message:
    return databases[frame.bus].get_message_by_frame_id(frame.can_id & ~EXTENDED)


def said(frames: list[Frame], databases: dict[str, Database], name: str) -> dict[str, float]:
    """The last values of a message in these frames."""
    values: dict[str, float] = {}
    for frame in frames:
        message = message_of(databases, frame)
        if message.name == name:
            decoded = message.decode_simple(frame.payload, decode_choices=False)
            values |= {key: float(str(value)) for key, value in decoded.items()}
    return values


def test_the_same_seed_says_the_same_and_another_does_not(
    databases: dict[str, Database], route: Route
) -> None:
    def drive(seed: int, pieces: int) -> list[Frame]:
        simulation = Simulation(databases, route, seed, start_at_ms=START_AT_MS)
        ends = [20.0 * (piece + 1) / pieces for piece in range(pieces)]
        return [frame for end in ends for frame in simulation.frames_until(end)]

    once = drive(7, pieces=1)
    assert once == drive(7, pieces=137)
    assert once != drive(8, pieces=1)


def test_frames_come_in_the_order_of_time_and_no_later_than_asked(minute: list[Frame]) -> None:
    times = [frame.t_s for frame in minute]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= 60


def test_every_cyclic_message_keeps_its_cycle(
    minute: list[Frame], databases: dict[str, Database]
) -> None:
    times: dict[str, list[float]] = defaultdict(list)
    for frame in minute:
        times[message_of(databases, frame).name].append(frame.t_s)
    cyclic = [m for d in databases.values() for m in d.messages if m.cycle_time]
    assert set(times) == {message.name for message in cyclic}
    for message in cyclic:
        gaps = {round((b - a) * 1_000) for a, b in pairwise(times[message.name])}
        assert gaps == {message.cycle_time}, message.name
        assert times[message.name][0] * 1_000 < (message.cycle_time or 0)


def test_every_frame_is_as_its_database_says(
    minute: list[Frame], databases: dict[str, Database]
) -> None:
    for frame in minute:
        message = message_of(databases, frame)
        assert len(frame.payload) == message.length
        assert bool(frame.can_id & EXTENDED) == message.is_extended_frame
        assert frame.is_fd == message.is_fd
        for name, value in message.decode_simple(frame.payload, decode_choices=False).items():
            signal = message.get_signal_by_name(name)
            assert signal.minimum is not None
            assert signal.maximum is not None
            assert float(signal.minimum) <= float(str(value)) <= float(signal.maximum), name


def test_what_is_decoded_is_what_the_car_does(
    car: Simulation, databases: dict[str, Database]
) -> None:
    frames = list(car.frames_until(32.0))
    truth = car.truth
    motion = said(frames, databases, "Vehicle_Motion")
    assert motion["Vehicle_Speed"] == pytest.approx(truth.speed_mps * 3.6, abs=0.5)
    assert motion["Vehicle_Speed"] > 5
    position = said(frames, databases, "GNSS_Position")
    assert position["GNSS_Latitude"] == pytest.approx(truth.lat_deg, abs=2e-4)
    assert position["GNSS_Longitude"] == pytest.approx(truth.lon_deg, abs=2e-4)
    assert START_AT_MS + 31_000 < position["GNSS_Time"] <= START_AT_MS + 32_000
    tyres = said(frames, databases, "Tire_Status")
    assert {f"Tire_Pressure_{wheel}" for wheel in ("FL", "FR", "RL", "RR")} <= set(tyres)
    assert all(200 < tyres[name] < 280 for name in tyres if "Pressure" in name)
    seats = said(frames, databases, "Occupant_Status")
    assert seats["Belt_Driver"] == 1
    assert 1 <= seats["Occupant_Identifier_Driver"] <= 4
    assert said(frames, databases, "Drive_Mode")["Gear_Selected"] == 3


def test_every_message_is_spoken(databases: dict[str, Database]) -> None:
    cyclic = {m.name for d in databases.values() for m in d.messages if m.cycle_time}
    assert cyclic == set(SPEAKERS) | {"GNSS_Position"}


def test_the_receiver_is_silent_in_the_tunnel_and_says_so(
    databases: dict[str, Database], route: Route
) -> None:
    inside_m = next(m for m in range(0, 50_000, 10) if route.at(m).tunnel) + 200.0
    simulation = Simulation(databases, route, start_m=inside_m, start_at_ms=START_AT_MS)
    frames = list(simulation.frames_until(8.0))
    assert simulation.truth.in_tunnel
    assert "GNSS_Position" not in {message_of(databases, frame).name for frame in frames}
    assert said(frames, databases, "GNSS_Status")["GNSS_Fix_Type"] == 0


@pytest.mark.parametrize(
    ("rule", "check"), [("crc8_sae_j1850", 0x4B), ("crc8_autosar", 0xDF), ("xor8", 0x31)]
)
def test_checksums_give_the_published_check_value(rule: str, check: int) -> None:
    assert RULES[rule](b"123456789") == check


def test_counters_count_and_checksums_hold(
    minute: list[Frame], databases: dict[str, Database]
) -> None:
    last: dict[str, int] = {}
    for frame in minute:
        message = message_of(databases, frame)
        guard = protection(message)
        if guard is None:
            continue
        assert guard.holds(frame.payload)
        damaged = bytes((frame.payload[0] ^ 1,)) + frame.payload[1:]
        assert not guard.holds(damaged)
        counter = int(str(message.decode_simple(frame.payload)[guard.counter]))
        if message.name in last:
            assert counter == (last[message.name] + 1) % 16
        last[message.name] = counter
    assert len(last) >= 5


def command(databases: dict[str, Database], path: str, value: object) -> Frame:
    """The frame that the mapping's rule makes of a value, as a gateway would send it."""
    rule = SETTABLE[path]["vss2dbc"]
    message = databases[rule["bus"]].get_message_by_name(rule["message"])
    table = {entry["from"]: entry["to"] for entry in rule.get("transform", {}).get("mapping", ())}
    values = {signal.name: signal.initial or 0 for signal in message.signals}
    values[rule["signal"]] = table.get(value, value)
    payload = message.encode(values)
    guard = protection(message)
    sealed = payload if guard is None else guard.seal(payload)
    return Frame(0.0, rule["bus"], can_id(message), sealed, message.is_fd)


def wanted(path: str, now: object) -> object:
    """A value of the leaf that differs from what it says now."""
    leaf = SETTABLE[path]
    if leaf["datatype"] == "boolean":
        return not now
    if "allowed" in leaf:
        return "FAST" if "Wiping" in path else "DAB"
    return {"Temperature": 26.5, "ChargeLimit": 90}.get(path.rpartition(".")[2], 40)


def feedback(path: str, frames: list[Frame], databases: dict[str, Database]) -> object:
    rule = SETTABLE[path]["dbc2vss"]
    number = said(frames, databases, rule["message"])[rule["signal"]]
    table = rule.get("transform", {}).get("mapping")
    if table is None:
        return number
    message = databases[rule["bus"]].get_message_by_name(rule["message"])
    choices = message.get_signal_by_name(rule["signal"]).choices
    assert choices is not None
    name = str(choices[int(number)])
    return next(entry["to"] for entry in table if entry["from"] == name)


@pytest.mark.parametrize("path", SETTABLE)
def test_a_command_frame_is_obeyed_and_seen_in_time(
    path: str, car: Simulation, databases: dict[str, Database]
) -> None:
    now = feedback(path, list(car.frames_until(31.0)), databases)
    value = wanted(path, now)
    frame = command(databases, path, value)
    car.receive(frame.bus, frame.can_id, frame.payload)
    timeout_s = SETTABLE[path]["vss2dbc"]["timeout_ms"] / 1_000
    seen = []
    while car.truth.at_s < 31.0 + timeout_s and value not in seen:
        step = list(car.frames_until(car.truth.at_s + 0.5))
        if any(message_of(databases, f).name == SETTABLE[path]["dbc2vss"]["message"] for f in step):
            seen.append(feedback(path, step, databases))
    assert value in seen


def test_the_horn_falls_silent_by_itself(car: Simulation, databases: dict[str, Database]) -> None:
    frame = command(databases, "Vehicle.Body.Horn.IsActive", True)
    car.receive(frame.bus, frame.can_id, frame.payload)
    assert said(list(car.frames_until(30.5)), databases, "Light_Status")["Horn"] == 1
    assert said(list(car.frames_until(32.0)), databases, "Light_Status")["Horn"] == 0


def test_a_window_takes_its_time(car: Simulation, databases: dict[str, Database]) -> None:
    path = "Vehicle.Cabin.Door.Row1.DriverSide.Window.Position"
    frame = command(databases, path, 100)
    car.receive(frame.bus, frame.can_id, frame.payload)
    half = said(list(car.frames_until(32.0)), databases, "Window_Status")
    assert 20 < half["Window_FrontDriver_Position"] < 80


def test_a_warmer_set_point_warms_the_cabin(databases: dict[str, Database], route: Route) -> None:
    temperatures = []
    for set_point in (None, 27.0):
        simulation = Simulation(databases, route, seed=2, start_at_ms=START_AT_MS)
        for _ in simulation.frames_until(30.0):
            pass
        for seat in ("Driver", "Passenger"):
            if set_point is not None:
                path = f"Vehicle.Cabin.HVAC.Station.Row1.{seat}.Temperature"
                frame = command(databases, path, set_point)
                simulation.receive(frame.bus, frame.can_id, frame.payload)
        frames = list(simulation.frames_until(300.0))
        temperatures.append(said(frames, databases, "Cabin_Climate")["Temperature_Cabin"])
    assert temperatures[1] > temperatures[0] + 2


def test_a_damaged_command_is_not_obeyed(car: Simulation, databases: dict[str, Database]) -> None:
    path = "Vehicle.Body.Lights.Hazard.IsSignaling"
    frame = command(databases, path, True)
    damaged = frame.payload[:-1] + bytes((frame.payload[-1] ^ 0xFF,))
    for payload in (damaged, frame.payload[:-1], b"", frame.payload + b"\0"):
        car.receive(frame.bus, frame.can_id, payload)
    car.receive("powertrain", frame.can_id, frame.payload)
    car.receive(frame.bus, frame.can_id | EXTENDED, frame.payload)
    assert feedback(path, list(car.frames_until(31.0)), databases) is False


def test_what_no_controller_accepts_changes_nothing(
    car: Simulation, databases: dict[str, Database]
) -> None:
    path = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
    before = feedback(path, list(car.frames_until(31.0)), databases)
    frame = command(databases, path, 90.0)
    car.receive(frame.bus, frame.can_id, frame.payload)
    source = command(databases, "Vehicle.Cabin.Infotainment.Media.Played.Source", 5)
    car.receive(source.bus, source.can_id, source.payload)
    frames = list(car.frames_until(32.0))
    assert feedback(path, frames, databases) == before
    assert said(frames, databases, "Media_Status")["Media_Source"] == 11


@given(st.sampled_from(sorted(SETTABLE)), st.binary(max_size=64))
def test_any_bytes_on_a_command_id_are_obeyed_or_ignored(
    databases: dict[str, Database], troubled: Simulation, path: str, payload: bytes
) -> None:
    rule = SETTABLE[path]["vss2dbc"]
    message = databases[rule["bus"]].get_message_by_name(rule["message"])
    troubled.receive(rule["bus"], can_id(message), payload)
    assert list(troubled.frames_until(troubled.truth.at_s + 0.1))


def test_the_reference_car_drives_on_the_morning_of_its_route(
    databases: dict[str, Database], route: Route
) -> None:
    frames = list(reference_simulation().frames_until(1.0))
    position = said(frames, databases, "GNSS_Position")
    assert route.starts_at_ms <= position["GNSS_Time"] <= route.starts_at_ms + 1_000


def test_a_car_without_buses_lives_in_silence(route: Route) -> None:
    simulation = Simulation({}, route, seed=2)
    assert list(simulation.frames_until(30.0)) == []
    assert simulation.truth.speed_mps > 5


def test_a_message_without_a_cycle_cannot_be_sent(databases: dict[str, Database]) -> None:
    with pytest.raises(EncodeError, match="GenMsgCycleTime"):
        Sender(databases["comfort"].get_message_by_name("Door_Command"))


HEAD = """VERSION ""
BU_: A
BO_ 1 Guarded: 3 A
 SG_ Guarded_Counter : 0|4@1+ (1,0) [0|15] "" A
 SG_ Guarded_Checksum : 8|{bits}@1+ (1,0) [0|255] "" A
 SG_ Light_Request : 16|2@1+ (1,0) [0|3] "" A
BA_DEF_ BO_ "ChecksumRule" STRING;
BA_DEF_DEF_ "ChecksumRule" "";
BA_ "ChecksumRule" BO_ 1 "{rule}";
"""


@pytest.mark.parametrize(
    ("bits", "rule", "renamed", "words"),
    [
        (8, "crc99", "Guarded_Counter", "unknown checksum rule 'crc99'"),
        (7, "xor8", "Guarded_Counter", "not one whole byte"),
        (8, "xor8", "Guarded_Count", "one signal that ends in _Counter"),
    ],
)
def test_a_database_with_a_wrong_guard_is_refused_in_words(
    bits: int, rule: str, renamed: str, words: str
) -> None:
    text = HEAD.format(bits=bits, rule=rule).replace("Guarded_Counter", renamed)
    database = cantools.database.load_string(text, "dbc")
    assert isinstance(database, Database)
    with pytest.raises(EncodeError, match=words):
        protection(database.messages[0])


def test_a_request_needs_a_value_for_no_request() -> None:
    text = HEAD.format(bits=8, rule="").replace("Guarded:", "Light_Command:")
    database = cantools.database.load_string(text, "dbc")
    assert isinstance(database, Database)
    with pytest.raises(EncodeError, match="Light_Request: no value NO_REQUEST"):
        listeners(database)

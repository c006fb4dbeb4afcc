"""A car without a database: the gateway asks it over OBD-II, as a process with a real broker."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from internetcar.launcher.broker import RunningBroker
from tests.data import data_path
from tests.e2e.obd_car import CHANNEL, BusEcu, bus_ecu
from tests.e2e.observer import Observer
from tests.e2e.stage import Actor, Stage
from tests.unit.obd_car import VIN
from tests.waiting import eventually

SPEED, ENGINE = "Vehicle.Speed", "Vehicle.Powertrain.CombustionEngine.Speed"
VIN_PATH = "Vehicle.VehicleIdentification.VIN"
TEXT, PENDING = "Vehicle.Diagnostics.DTCText", "Vehicle.Diagnostics.PendingDTCText"
MIL = "Vehicle.OBD.Status.IsMILOn"
WANTED = (SPEED, ENGINE, VIN_PATH, TEXT, PENDING, MIL)
BUDGET = 5.0
DBC = """\
VERSION ""
NS_ :
BS_:
BU_: Car
BO_ 256 Motion: 2 Car
 SG_ Speed : 0|16@1+ (0.1,0) [0|300] "km/h" Car
"""


@pytest.fixture
def car(stage: Stage) -> Iterator[BusEcu]:
    assert stage
    with bus_ecu() as started:
        yield started


def gateway(stage: Stage, broker: RunningBroker, *more: str) -> Actor:
    return stage.car(
        *("gateway", "--bus", f"can0=loopback:{CHANNEL}", "--obd", "--vehicle-id", "petrol"),
        *("--state", str(stage.state), "--broker", broker.url.secret, *more),
    )


def catalog(observer: Observer) -> dict[str, Any]:
    return {
        path: leaf
        for payload in observer.last("catalog").values()
        for path, leaf in json.loads(payload)["leaves"].items()
    }


def assert_within_budget(stamps: list[float]) -> None:
    """Of the whole time, by the kernel's stamps; a stall of a second may delay the first one."""
    assert (len(stamps) - 1 - BUDGET) / (stamps[-1] - stamps[0]) <= BUDGET


def test_a_car_is_asked_what_it_knows_and_says_it(
    broker: RunningBroker, stage: Stage, car: BusEcu
) -> None:
    with Observer(broker.url) as observer:
        running = gateway(stage, broker, "--transmit")
        observer.until(lambda heard: set(WANTED) <= set(heard.signals()))
        said = {path: signal["value"] for path, signal in observer.signals().items()}
        assert said[SPEED] == 50.0
        assert said[ENGINE] == 1_726.0
        assert said[VIN_PATH] == VIN
        assert said[MIL] is True
        codes = said[TEXT]
        assert [text[:6] for text in codes] == ["C0035:", "P0301:", "P0420:", "U0100:"]
        assert "misfire" in codes[1].lower()
        assert [text[:6] for text in said[PENDING]] == ["P0171:"]
        observer.until(lambda heard: set(WANTED) <= set(catalog(heard)))
        leaves = catalog(observer)
        assert leaves[SPEED]["source"] == "can0/OBD.01.0D"
        assert leaves[TEXT]["datatype"] == "string[]"
        assert "Vehicle.OBD.EVAPVaporPressure" not in leaves  # this car has it not
        observer.until(
            lambda heard: (
                set(WANTED)
                <= {path for each in heard.of("telemetry") for path in each.body["samples"]}
            )
        )
        presence = observer.until_presence(online=True)
        assert presence["buses"]["can0"]["transmit"]
        spoken = stage.ended("codes", "--broker", broker.url.secret, "--vehicle-id", "petrol")
        assert spoken.process.returncode == 0
        assert "the warning light is on; 4 codes stored, 1 pending" in spoken.stdout
        assert "P0171  pending" in spoken.stdout
        nobody = stage.ended("codes", "--broker", broker.url.secret, "--vehicle-id", "nope")
        assert nobody.process.returncode == 2
        assert "no vehicle 'nope' on this broker; there are: petrol" in nobody.stderr
        assert not any(heard.body["asleep"] for heard in observer.of("presence"))
        assert running.end() == 0
    assert_within_budget(car.questions)
    assert "Traceback" not in running.stderr
    assert "petrol: leaves from 1 buses as OBD-II or J1939 tells them" in running.stderr


def test_beside_a_database_its_signals_win(
    mosquitto: RunningBroker, stage: Stage, car: BusEcu
) -> None:
    dbc, mapping = stage.folder / "car.dbc", stage.folder / "mapping.json"
    dbc.write_text(DBC)
    leaf = {"type": "sensor", "datatype": "float", "dbc2vss": {"signal": "Speed"}}
    mapping.write_text(json.dumps({SPEED: leaf}))
    car.is_talking = True
    with Observer(mosquitto.url) as observer:
        gateway(stage, mosquitto, "--transmit", "--dbc", str(dbc), "--mapping", str(mapping))
        observer.until(lambda heard: set(WANTED) <= set(heard.signals()))
        assert observer.signals()[SPEED]["value"] == 100.0
        assert observer.signals()[ENGINE]["value"] == 1_726.0
        observer.until(lambda heard: SPEED in catalog(heard))
        assert catalog(observer)[SPEED]["source"] == "can0/Motion.Speed"
        mapping.write_text(json.dumps({"Vehicle.OtherSpeed": leaf}))
        observer.until(lambda heard: heard.signals()[SPEED]["value"] == 50.0)
        observer.until(lambda heard: catalog(heard)[SPEED]["source"] == "can0/OBD.01.0D")
        assert observer.signals()[VIN_PATH]["value"] == VIN
        observer.until(lambda heard: VIN_PATH in catalog(heard))


def test_a_silent_bus_is_left_alone_and_asked_again_when_it_wakes(
    mosquitto: RunningBroker, stage: Stage, car: BusEcu
) -> None:
    with Observer(mosquitto.url) as observer:
        gateway(stage, mosquitto, "--transmit")
        observer.until(lambda heard: VIN_PATH in heard.signals())
        car.ecu.is_awake = False
        observer.until(lambda heard: problems(heard) == [SILENT])
        asked = len(car.heard)
        observer.until_more("health", 5)
        assert len(car.heard) == asked
        car.ecu.is_awake = car.is_talking = True
        eventually(lambda: len(car.heard) > asked)
        observer.until(lambda heard: problems(heard) == [])
    assert_within_budget(car.questions)


SILENT = "bus can0 is not asked over OBD-II: the bus is silent"


def problems(observer: Observer) -> list[str]:
    healths = observer.of("health")
    found: list[str] = healths[-1].body.get("problems", []) if healths else ["no health yet"]
    return found


def test_a_car_without_a_controller_is_asked_a_few_times_only(
    mosquitto: RunningBroker, stage: Stage, car: BusEcu
) -> None:
    car.ecu.is_awake = False
    with Observer(mosquitto.url) as observer:
        gateway(stage, mosquitto, "--transmit")
        observer.until(lambda heard: problems(heard) == [SILENT])
        assert observer.signals() == {}
        asked = len(car.heard)
        observer.until_more("health", 3)
        assert len(car.heard) == asked
    assert asked <= 8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--bus", "can0=loopback:obd", "--obd"), "set transmit = true (or --transmit)"),
        (("--obd", "--transmit"), "--transmit goes with --bus"),
        (
            ("--bus", "can0=loopback:a", "--bus", "b=loopback:b", "--obd", "--transmit"),
            "--obd goes with one --bus",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    stage: Stage, arguments: tuple[str, ...], words: str
) -> None:
    refused = stage.ended("gateway", *arguments)
    assert refused.process.returncode == 2
    assert words in refused.stderr


def test_a_settings_file_that_asks_without_transmit_is_refused(stage: Stage) -> None:
    config = stage.folder / "car.toml"
    config.write_text('[[buses]]\nname = "can0"\nobd = true\n')
    refused = stage.ended("gateway", "--config", str(config), "--check")
    assert refused.process.returncode == 2
    assert "buses.0.obd: OBD only answers questions: set transmit = true" in refused.stderr
    config.write_text('[[buses]]\nname = "can0"\nobd = true\ntransmit = true\n')
    taken = stage.ended("gateway", "--config", str(config), "--check")
    assert taken.process.returncode == 0, taken.stderr


def test_recordings_tell_what_a_tester_was_answered_and_a_trucks_vin(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    kona = data_path("can/kona-ev/car-scanner.obd-uds.candump.log")
    truck = data_path("can/j1939/truck-bam.log")
    with Observer(mosquitto.url) as observer:
        for log, option in ((kona, "--obd"), (truck, "--j1939")):
            played = stage.ended(
                *("replay", str(log), option, "--fast", "--fresh", "--vehicle-id", option[2:]),
                *("--broker", mosquitto.url.secret),
            )
            assert played.process.returncode == 0, played.stderr
        observer.until(lambda heard: VIN_PATH in heard.signals())
        said = {
            tuple(topic.split("/")[2::2]): json.loads(payload)
            for topic, payload in observer.last("signal").items()
        }
    assert said["obd", "Vehicle.Diagnostics.DTCList"]["value"] == []
    assert said["obd", VIN_PATH]["quality"] == "not_available"  # its controllers know none
    assert said["j1939", VIN_PATH]["value"] == "1L06130RELP969468"
    assert "Vehicle.Diagnostics.DTCList" in catalog(observer)


def test_codes_are_explained_without_a_car(stage: Stage) -> None:
    named = stage.ended("codes", "p0301", "U0100")
    assert named.process.returncode == 0
    assert "P0301" in named.stdout
    strange = stage.ended("codes", "P9999")
    assert strange.process.returncode == 2
    assert "P9999: no trouble code" in strange.stderr


def test_the_simulated_car_can_be_asked(mosquitto: RunningBroker, stage: Stage) -> None:
    with Observer(mosquitto.url) as observer:
        stage.car("simulate")
        stage.car(
            *("gateway", "--bus", "can0=loopback:powertrain", "--obd", "--transmit"),
            *("--vehicle-id", "asked", "--state", str(stage.state)),
            *("--broker", mosquitto.url.secret),
        )
        charge = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
        observer.until(
            lambda heard: {VIN_PATH, "Vehicle.Exterior.AirTemperature"} <= set(heard.signals())
        )
        said = {path: signal["value"] for path, signal in observer.signals().items()}
        assert said[VIN_PATH] == "SGPTESTCAR0000001"
        assert said["Vehicle.Diagnostics.DTCList"] == []
        assert charge not in said or 50 < said[charge] < 100

"""ELM327 and STN adapters on a line, as the bus of a gateway process."""

from pathlib import Path

import pytest

from gateway.settings import make_settings
from internetcar.launcher.broker import RunningBroker
from simulator.ecu import Ecu
from simulator.elm327 import SimulatedElm
from tests.e2e.command_car import DBC, REQUESTER, TEMPERATURE, VEHICLE, Desk, mapping
from tests.e2e.observer import Observer
from tests.e2e.stage import Stage
from tests.elm_line import serial_adapter
from tests.unit.obd_car import PETROL, VIN
from tests.waiting import eventually

pytest.importorskip("serial", reason="needs pyserial: pip install 'python-can[serial]'")

STN = "STN2120 v5.6.5"
SPEED, VIN_PATH = "Vehicle.Speed", "Vehicle.VehicleIdentification.VIN"
CODES = "Vehicle.Diagnostics.DTCList"


def chip(stn: str | None = None) -> SimulatedElm:
    return SimulatedElm([Ecu(0, lambda: PETROL)], stn=stn)


@pytest.mark.parametrize(
    ("stn", "says"),
    [
        (None, "ELM327 v1.5: answers requests, cannot listen to the bus"),
        (STN, f"{STN}: listens, and answers requests"),
    ],
)
def test_a_car_behind_an_adapter_is_asked(
    mosquitto: RunningBroker, stage: Stage, stn: str | None, says: str
) -> None:
    simulated = chip(stn)
    with serial_adapter(simulated) as (_, name), Observer(mosquitto.url) as observer:
        gateway = stage.car(
            *("gateway", "--bus", f"elm327://{name}", "--obd", "--transmit"),
            *("--vehicle-id", "elm", "--state", str(stage.state)),
            *("--broker", mosquitto.url.secret),
        )
        observer.until(lambda heard: {SPEED, VIN_PATH, CODES} <= set(heard.signals()))
        assert observer.signals()[SPEED]["value"] == 50.0
        assert observer.signals()[VIN_PATH]["value"] == VIN
        assert observer.signals()[CODES]["value"] == sorted(PETROL.stored)
        eventually(lambda: says in gateway.stderr)
        observer.until(lambda heard: heard.of("health"))
        assert observer.of("health")[-1].body.get("problems", []) == []
        assert gateway.end() == 0
    assert "Traceback" not in gateway.stderr


def test_a_stn_listens_without_transmit(
    mosquitto: RunningBroker, stage: Stage, tmp_path: Path
) -> None:
    dbc, rules = tmp_path / "car.dbc", tmp_path / "mapping.json"
    dbc.write_text(DBC)
    rules.write_text(mapping())
    simulated = chip(STN)
    with serial_adapter(simulated) as (adapter, name), Observer(mosquitto.url) as observer:
        gateway = stage.car(
            *("gateway", "--bus", f"can0=elm327://{name}", "--dbc", f"can0={dbc}"),
            *("--mapping", str(rules), "--vehicle-id", "stn", "--state", str(stage.state)),
            *("--broker", mosquitto.url.secret),
        )
        eventually(lambda: simulated.is_monitoring)

        def is_heard() -> bool:
            adapter.hear(0x310, b"\xf4\x01")
            return SPEED in observer.signals()

        eventually(is_heard)
        assert observer.signals()[SPEED]["value"] == 50.0
        eventually(lambda: f"{STN}: only listens" in gateway.stderr)
        assert gateway.end() == 0
    assert simulated.sent == []


def test_an_elm_without_transmit_says_why_it_is_refused(
    mosquitto: RunningBroker, stage: Stage, tmp_path: Path
) -> None:
    dbc = tmp_path / "car.dbc"
    dbc.write_text(DBC)
    simulated = chip()
    with serial_adapter(simulated) as (_, name):
        gateway = stage.car(
            *("gateway", "--bus", f"can0=elm327://{name}", "--dbc", str(dbc)),
            *("--vehicle-id", "elm", "--state", str(stage.state)),
            *("--broker", mosquitto.url.secret),
        )
        eventually(lambda: "cannot listen to the bus, it only answers requests" in gateway.stderr)
        eventually(lambda: "leaves from 1 buses" in gateway.stderr)  # it goes on without it
        assert gateway.end() == 0
    assert simulated.sent == []


def test_a_command_is_refused_on_an_adapter(
    mosquitto: RunningBroker, stage: Stage, tmp_path: Path
) -> None:
    dbc, rules, config = (tmp_path / name for name in ("car.dbc", "mapping.json", "car.toml"))
    dbc.write_text(DBC)
    rules.write_text(mapping())
    simulated = chip(STN)
    with serial_adapter(simulated) as (_, name), Desk(mosquitto.url) as desk:
        config.write_text(
            f'vehicle_id = "{VEHICLE}"\nmapping = "{rules}"\nstate = "{tmp_path / "state"}"\n'
            f'[[buses]]\nname = "can0"\ninterface = "elm327"\nchannel = "{name}"\n'
            f'transmit = true\ndbc = ["{dbc}"]\n'
            f'[commands]\ntrust_clock = true\n[commands.allow]\n{REQUESTER} = ["*"]\n'
        )
        stage.car("gateway", "--config", str(config), "--broker", mosquitto.url.secret)
        eventually(lambda: simulated.is_monitoring)
        desk.until_presence(online=True)
        desk.ask("a1", TEMPERATURE, 21.5)
        assert desk.until_final("a1") == ["rejected(bus)"]
        detail = desk.of("command-status")[-1].body["detail"]
        assert "is an ELM327 adapter" in detail
    assert simulated.sent == []


def test_the_adapter_is_a_bus_of_the_settings() -> None:
    bus = {"interface": "elm327", "channel": "//192.168.0.10:35000", "obd": True, "transmit": True}
    assert make_settings(buses=[bus]).buses[0].obd is True

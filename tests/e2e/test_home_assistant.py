"""A real gateway and broker, and Home Assistant's side of them by mosquitto's own tools."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from internetcar.launcher.broker import APT_LINE, RunningBroker
from tests.conftest import need_mosquitto
from tests.e2e.live_car import VEHICLE, Traffic, gateway, traffic
from tests.e2e.observer import Observer
from tests.e2e.small_car import mapping
from tests.e2e.stage import Stage
from tests.home_assistant import check_device, read, write
from tests.readme import README
from tests.waiting import eventually

TOPIC = f"homeassistant/device/internetcar_{VEHICLE}/config"
BIRTH = "homeassistant/status"
GEAR = "sensor.Vehicle.Powertrain.Transmission.CurrentGear"


@pytest.fixture
def driving(stage: Stage) -> Iterator[Traffic]:
    assert stage
    with traffic() as started:
        yield started


def tool(name: str, broker: RunningBroker, *arguments: str) -> str:
    """What one of mosquitto's tools prints."""
    if shutil.which(name) is None:
        pytest.skip(f"no {name}: {APT_LINE}")
    url = broker.url
    command = [name, "-h", url.host, "-p", str(url.port), "-u", str(url.username)]
    return subprocess.run(
        [*command, "-P", str(url.password), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


def retained(broker: RunningBroker, topic: str) -> str:
    """What the broker remembers of a topic; it is waited for."""
    return tool("mosquitto_sub", broker, "-t", topic, "-C", "1", "-W", "20").strip()


def device(broker: RunningBroker) -> dict[str, Any]:
    return check_device(TOPIC, retained(broker, TOPIC).encode())


def announcements(observer: Observer) -> list[dict[str, Any]]:
    return [heard.body["components"] for heard in observer.heard if heard.topic == TOPIC]


def test_a_late_home_assistant_finds_the_device_and_reads_every_topic(
    mosquitto: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    gateway(stage, mosquitto.url)
    with Observer(mosquitto.url) as observer:
        observer.until_presence(online=True)
        observer.until(lambda heard: len(heard.signals()) == 4 and heard.of("position"))
    found = device(mosquitto)
    assert driving.rounds
    assert set(found) > {"connected", "last_seen", "location", "sensor.Vehicle.Speed", GEAR}
    shown = {}
    for key, made in found.items():
        topic = made.get("state_topic") or made["json_attributes_topic"]
        template = made.get("value_template") or made["json_attributes_template"]
        shown[key] = read(template, retained(mosquitto, topic).encode())
    assert shown["connected"] == "online"
    assert shown[GEAR] == "3"
    assert 0 <= float(shown["sensor.Vehicle.Speed"]) < 250
    assert "None" not in shown.values()
    assert json.loads(shown["location"])["latitude"] == pytest.approx(1.35, abs=0.06)


def test_it_is_said_again_when_home_assistant_is_born(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    gateway(stage, mosquitto.url)
    before = device(mosquitto)
    tool("mosquitto_pub", mosquitto, "-t", TOPIC, "-r", "-n")
    with Observer(mosquitto.url, TOPIC) as observer:
        tool("mosquitto_pub", mosquitto, "-t", BIRTH, "-m", "offline")
        tool("mosquitto_pub", mosquitto, "-t", BIRTH, "-m", "online")
        observer.until(announcements)
        assert announcements(observer)[0] == before
        mosquitto.restart()
        observer.until(lambda heard: len(announcements(heard)) > 1)
    assert device(mosquitto) == before


def test_a_leaf_that_leaves_the_mapping_is_removed_also_while_the_gateway_is_away(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    running = gateway(stage, mosquitto.url)
    assert GEAR in device(mosquitto)
    with Observer(mosquitto.url, TOPIC) as observer:
        observer.until(announcements)
        (stage.folder / "mapping.json").write_text(
            mapping("Vehicle.Powertrain.Transmission.CurrentGear")
        )
        observer.until(lambda heard: len(announcements(heard)) > 2)
        assert [said.get(GEAR) for said in announcements(observer)[1:]] == [
            {"platform": "sensor"}, None
        ]  # fmt: skip
        assert running.end() == 0
        said = len(announcements(observer))
        (stage.folder / "mapping.json").write_text(mapping("Vehicle.Speed"))
        gateway(stage, mosquitto.url)
        observer.until(lambda heard: len(announcements(heard)) > said + 1)
        speed = [one.get("sensor.Vehicle.Speed") for one in announcements(observer)[said:]]
    assert {"platform": "sensor"} in speed
    found = device(mosquitto)
    assert "sensor.Vehicle.Speed" not in found
    assert GEAR in found


def test_who_does_not_want_it_is_not_announced(mosquitto: RunningBroker, stage: Stage) -> None:
    off = {"INTERNETCAR_GATEWAY_HOME_ASSISTANT__ENABLED": "false"}
    with Observer(mosquitto.url, "#") as observer:
        gateway(stage, mosquitto.url, **off)
        observer.until_presence(online=True)
        observer.until_more("telemetry", 3)
        assert not announcements(observer)


def test_who_no_longer_wants_it_is_forgotten(mosquitto: RunningBroker, stage: Stage) -> None:
    running = gateway(stage, mosquitto.url)
    assert device(mosquitto)
    assert running.end() == 0
    with Observer(mosquitto.url, TOPIC) as observer:
        observer.until(lambda heard: heard.heard)
        gateway(stage, mosquitto.url, INTERNETCAR_GATEWAY_HOME_ASSISTANT__ENABLED="false")
        observer.until(lambda heard: not heard.heard[-1].payload)
        assert [bool(heard.payload) for heard in observer.heard] == [True, False]


def test_the_prefix_name_and_requester_are_those_of_the_settings(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    prefix = "INTERNETCAR_GATEWAY_HOME_ASSISTANT__"
    gateway(stage, mosquitto.url, **{f"{prefix}PREFIX": "ha", f"{prefix}NAME": "Mum's car"})
    said = json.loads(retained(mosquitto, f"ha/device/internetcar_{VEHICLE}/config"))
    assert said["device"]["name"] == "Mum's car"


@pytest.mark.parametrize(
    ("protocol", "said"),
    [("5", "does not permit us to publish homeassistant/"), ("3.1.1", "each connection ends when")],
)
def test_a_broker_that_forbids_it_leaves_the_gateway_well(
    protocol: Literal["5", "3.1.1"], said: str, stage: Stage, tmp_path: Path
) -> None:
    need_mosquitto()
    access = "topic readwrite v1/#\n"
    with RunningBroker("mosquitto", tmp_path / "strict", access) as broker:
        broker.url = replace(broker.url, protocol=protocol)
        running = gateway(stage, broker.url)
        with Observer(broker.url) as observer:
            observer.until(lambda _: said in running.stderr)
            observer.until_presence(online=True, after=len(observer.heard) - 1)
            observer.until_more("health", 3)
            assert observer.of("health")[-1].body["problems"] == []
            observer.until_more("telemetry", 3)


def test_up_on_somebody_elses_broker_says_how_much_it_announces(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    up = stage.car("up", "--plain", "--fresh", "--broker", mosquitto.url.secret)
    eventually(lambda: "announced " in up.stdout, 60)
    (line,) = [line for line in up.stdout.splitlines() if line.startswith("announced ")]
    found = check_device(TOPIC, retained(mosquitto, TOPIC.replace(VEHICLE, "demo")).encode())
    assert line == f"announced {len(found)} entities to Home Assistant (30 enabled)"
    assert f"says: {line}\n" in README
    assert up.end() == 0


def test_what_home_assistant_sends_is_confirmed_by_the_car(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    """Every kind of control of the simulated car, with its own template and topic."""
    topic = TOPIC.replace(VEHICLE, "demo")
    up = stage.car("up", "--plain", "--fresh", "--broker", mosquitto.url.secret)
    eventually(lambda: "Vehicle.Speed = " in up.stdout, 60)
    found = check_device(topic, retained(mosquitto, topic).encode())
    wanted: dict[str, object] = {
        "climate": 21.5, "number.Vehicle.Cabin.Infotainment.Media.Volume": 45.0,
        "switch.Vehicle.Body.Lights.Hazard.IsSignaling": "payload_on",
        "select.Vehicle.Body.Windshield.Front.Wiping.Mode": "SLOW",
        "lock.Vehicle.Cabin.Door.Row1.DriverSide.IsLocked": "payload_lock",
        "button.Vehicle.Body.Horn.IsActive": "payload_press",
    }  # fmt: skip
    with Observer(mosquitto.url, "v1/vehicle/demo/command-status") as observer:
        for key, value in wanted.items():
            name = "temperature_command" if key == "climate" else "command"
            chosen = found[key]
            said = chosen.get(value, value) if isinstance(value, str) else value
            payload = write(chosen.get(f"{name}_template", "{{ value }}"), said)
            assert "/command/home-assistant/" in chosen[f"{name}_topic"]
            observer.publish(chosen[f"{name}_topic"], payload)
        observer.until(lambda heard: sum(s.body["final"] for s in heard.heard) >= len(wanted))
        ends = {
            said.body["path"]: (said.body["state"], said.body.get("reason"))
            for said in observer.heard
            if said.body["final"]
        }
    assert set(ends.values()) == {("confirmed", None)}, ends
    assert len(ends) == len(wanted)

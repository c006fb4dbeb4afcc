"""The folder `home-assistant`: an app by its documented keys, whose script starts the gateway."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings import HomeAssistantSettings

ROOT = Path(__file__).parent.parent
APP = ROOT / "home-assistant"
CONFIG: dict[str, Any] = yaml.safe_load((APP / "config.yaml").read_text())

REQUIRED = {"name", "version", "slug", "description", "arch"}
OPTIONAL = {
    "init": bool, "host_network": bool, "uart": bool, "privileged": list, "map": list,
    "services": list, "options": dict, "schema": dict, "startup": str,
}  # fmt: skip
"""Those of the documented keys that we use, with their documented types."""
TYPE = re.compile(
    r"(str|bool|email|url|password|port|(int|float)(\([\d.]*,[\d.]*\))?|match\(.+\)"
    r"|list\(.+\)|device(\(.+\))?)\??"
)
ENVIRONMENT = "INTERNETCAR_GATEWAY_HOME_ASSISTANT__"
ALLOW = "INTERNETCAR_GATEWAY_COMMANDS__ALLOW"


def test_the_app_has_what_the_documentation_asks_for() -> None:
    assert set(CONFIG) >= REQUIRED
    assert set(CONFIG) - REQUIRED <= set(OPTIONAL)
    assert all(isinstance(CONFIG[key], OPTIONAL[key]) for key in set(CONFIG) - REQUIRED)
    assert set(CONFIG["arch"]) <= {"aarch64", "amd64"}
    assert CONFIG["startup"] in ("initialize", "system", "services", "application", "once")
    assert CONFIG["services"] == ["mqtt:want"]
    assert set(CONFIG["privileged"]) <= {"NET_ADMIN", "NET_RAW"}
    assert [entry["type"] for entry in CONFIG["map"]] == ["share"]
    assert re.fullmatch(r"[a-z0-9_]+", CONFIG["slug"])


def test_every_option_has_a_type_and_a_default_or_a_question_mark() -> None:
    for name, kind in CONFIG["schema"].items():
        (text,) = kind if isinstance(kind, list) else [kind]
        assert TYPE.fullmatch(text), f"{name}: {text}"
        assert text.endswith("?") is (name not in CONFIG["options"]), name
    assert set(CONFIG["options"]) <= set(CONFIG["schema"])
    documented = re.findall(r"^\| `(\w+)` \|", (APP / "DOCS.md").read_text(), re.MULTILINE)
    assert documented == [name for name in documented if name in CONFIG["schema"]]
    assert set(documented) == set(CONFIG["schema"])


def test_its_version_and_python_are_those_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    assert f'\nversion = "{CONFIG["version"]}"\n' in project
    app, image = ((folder / "Dockerfile").read_text() for folder in (APP, ROOT))
    assert f'io.hass.version="{CONFIG["version"]}"' in app
    assert re.findall("^FROM .*$", app, re.MULTILINE)[0] in image
    assert "run.sh" in app


class Machine:
    """Where the app runs: its options, a `car` and an `ip` that only say what they are asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        self.options = dict(CONFIG["options"])
        self.environ = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "OPTIONS": str(folder / "options.json"),
            "STATE": str(folder / "state"),
            "SHARE": str(folder),
        }
        self.program("car", 'for word in "$@"; do echo "$word"; done; env >"$OPTIONS.env"')
        self.program("ip", 'echo "$@" >>"$OPTIONS.ip"')

    def program(self, name: str, script: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, *arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
        Path(self.environ["OPTIONS"]).write_text(json.dumps({**self.options, **options}))
        return subprocess.run(
            ["sh", str(APP / "run.sh"), *arguments],
            env=self.environ, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def said(self, kind: str) -> list[str]:
        path = Path(f"{self.environ['OPTIONS']}.{kind}")
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_script_is_one_for_any_shell() -> None:
    subprocess.run(["sh", "-n", str(APP / "run.sh")], check=True)


def test_the_options_are_the_gateways_settings(machine: Machine) -> None:
    ended = machine.run(
        broker="mqtt://me:secret@broker", name="Mum's car", vehicle="toyota",
        dbc=["can0=my car.dbc", "opendbc:vw_mqb"], mapping="map.json", bitrate=500000,
        bus="can0=slcan:/dev/ttyACM0",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    words = ended.stdout.splitlines()
    assert words[:3] == ["gateway", "--bus", "can0=slcan:/dev/ttyACM0"]
    pairs = list(zip(words[1::2], words[2::2], strict=True))
    assert set(pairs) == {
        ("--bus", "can0=slcan:/dev/ttyACM0"), ("--vehicle-id", "car"), ("--bitrate", "500000"),
        ("--state", machine.environ["STATE"]), ("--vehicle", "toyota"), ("--mapping", "map.json"),
        ("--dbc", "can0=my car.dbc"), ("--dbc", "opendbc:vw_mqb"),
    }  # fmt: skip
    told = machine.said("env")
    assert "INTERNETCAR_BROKER=mqtt://me:secret@broker" in told
    assert f"{ENVIRONMENT}NAME=Mum's car" in told
    assert f"{ENVIRONMENT}REQUESTER={HomeAssistantSettings().requester}" in told
    assert f"{ALLOW}={{}}" in told
    assert "secret" not in ended.stdout
    assert machine.said("ip") == []


def test_a_socketcan_interface_is_brought_up_listening_only(machine: Machine) -> None:
    ended = machine.run(broker="mqtt://broker", bus="engine=can1", bitrate=250000)
    assert machine.said("ip") == [
        "link set can1 down", "link set can1 up type can bitrate 250000 listen-only on"
    ]  # fmt: skip
    assert "--bitrate" not in ended.stdout.splitlines()


def test_what_may_be_set_is_the_requesters_alone(machine: Machine) -> None:
    globs = ["Vehicle.Cabin.*", 'it\'s "x"']
    ended = machine.run(broker="mqtt://broker", transmit=True, requester="me", allow=globs,
                        bitrate=500000)  # fmt: skip
    assert "--transmit" in ended.stdout.splitlines()
    assert "--obd" not in ended.stdout.splitlines()
    assert machine.said("ip")[1] == "link set can0 up type can bitrate 500000 listen-only off"
    (told,) = [line for line in machine.said("env") if line.startswith(f"{ALLOW}=")]
    assert json.loads(told.removeprefix(f"{ALLOW}=")) == {"me": globs}


def test_an_elm327_asks_the_car(machine: Machine) -> None:
    ended = machine.run(broker="mqtt://broker", transmit=True, obd=True,
                        bus="elm327:///dev/ttyUSB0")  # fmt: skip
    words = ended.stdout.splitlines()
    assert words[:3] == ["gateway", "--bus", "elm327:///dev/ttyUSB0"]
    assert {"--transmit", "--obd"} <= set(words)
    assert machine.said("ip") == []


class Supervisor(BaseHTTPRequestHandler):
    """Its answer for the service mqtt."""

    def do_GET(self) -> None:
        is_ours = self.headers["Authorization"] == "Bearer token"
        self.send_response(200 if is_ours and self.path == "/services/mqtt" else 403)
        self.end_headers()
        found = {"host": "core-mosquitto", "port": 1883, "ssl": False, "username": "addons",
                 "password": "p@ss/word"}  # fmt: skip
        self.wfile.write(json.dumps({"result": "ok", "data": found}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def supervisor() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Supervisor) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_without_a_broker_it_is_home_assistants(machine: Machine, supervisor: str) -> None:
    machine.environ |= {"SUPERVISOR": supervisor, "SUPERVISOR_TOKEN": "token"}
    ended = machine.run()
    assert ended.returncode == 0, ended.stderr
    told = machine.said("env")
    assert "INTERNETCAR_BROKER=mqtt://addons:p%40ss%2Fword@core-mosquitto:1883" in told


def test_without_any_broker_it_says_what_to_do(machine: Machine, supervisor: str) -> None:
    machine.environ |= {"SUPERVISOR": supervisor, "SUPERVISOR_TOKEN": "another"}
    ended = machine.run()
    assert ended.returncode != 0
    assert ended.stderr.startswith("no broker: install the app Mosquitto broker")
    assert ended.stdout == ""


@pytest.mark.parametrize(
    "options",
    [
        {"bus": "powertrain=loopback:x", "vehicle": "reference"},
        {"bus": "powertrain=loopback:x", "vehicle": "reference", "transmit": True,
         "allow": ["Vehicle.Cabin.HVAC.*"]},
        {"bus": "elm327:///dev/ttyUSB0", "transmit": True, "obd": True},
    ],
)  # fmt: skip
def test_the_real_gateway_takes_what_the_script_says(
    machine: Machine, options: dict[str, object]
) -> None:
    (machine.folder / "bin" / "car").unlink()
    python = f'exec {sys.executable} -m internetcar.launcher "$@"'
    machine.program("car", f"cd {ROOT} && {python}")
    ended = machine.run("--check", broker="mqtt://broker", **options)
    assert ended.returncode == 0, ended.stderr
    assert "leaves" in ended.stdout

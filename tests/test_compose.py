"""compose.yaml is valid, keeps no secret, and its services run, as plain processes, as it says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from internetcar.launcher.broker import free_port
from tests.conftest import need_mosquitto
from tests.waiting import PATIENCE_S, eventually

ROOT = Path(__file__).parent.parent
PASSWORDS = {"BROKER_PASSWORD_GATEWAY": "between-us", "BROKER_PASSWORD_HOME": "sweet-home"}
SERVICES = {
    "BROKER_PASSWORD_PAYMENTS": "of-the-wallet",
    "BROKER_PASSWORD_TOLLS": "of-tolls",
    "BROKER_PASSWORD_DRONE": "of-the-drone",
    "BROKER_PASSWORD_TRIPS": "of-trips",
    "BROKER_PASSWORD_RECOMMENDATIONS": "of-recommendations",
}
PROFILES = ("demo", "car", "tolls", "drone", "trips", "recommendations")
PLACES = re.compile(r"(?<![\w.])(?=/(deploy|etc|mosquitto|run|tmp|var)\b)")
"""Where a path inside a container begins."""


def config(profile: str, passwords: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What docker-compose makes of the file."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose: apt-get install docker-compose")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("BROKER_")}
    return subprocess.run(
        [program, "--file", str(ROOT / "compose.yaml"), "--profile", profile, "config"],
        env=kept | passwords,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services with the passwords filled in."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    text = re.sub(
        r"(?<!\$)\$\{(\w+)[^}]*\}", lambda variable: (PASSWORDS | SERVICES)[variable[1]], text
    )
    found: dict[str, Any] = yaml.safe_load(text)["services"]
    return found


@pytest.mark.parametrize("profile", PROFILES)
def test_it_is_valid(profile: str) -> None:
    ended = config(profile, PASSWORDS)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("profile", ["demo", "car"])
@pytest.mark.parametrize("missing", list(PASSWORDS))
def test_it_is_refused_without_passwords(profile: str, missing: str) -> None:
    ended = config(profile, PASSWORDS | {missing: ""})
    assert ended.returncode != 0
    assert missing in ended.stderr
    assert "openssl rand" in ended.stderr


def test_each_profile_is_whole(services: dict[str, Any]) -> None:
    members = {
        profile: {name for name, service in services.items() if profile in service["profiles"]}
        for profile in PROFILES
    }
    assert members == {
        "demo": {"broker", "gateway", "simulator"},
        "car": {"broker", "car-gateway"},
        "tolls": {"broker", "payments", "tolls"},
        "drone": {"broker", "drone"},
        "trips": {"broker", "trips"},
        "recommendations": {"broker", "recommendations"},
    }
    for names in members.values():
        for name in names:
            assert set(services[name].get("depends_on", ())) <= names
    assert services["simulator"]["network_mode"] == "service:gateway"
    assert services["car-gateway"]["network_mode"] == "host"


def test_every_service_is_restrained_and_watched(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["restart"] == "unless-stopped", name
        assert service["cap_drop"] == ["ALL"], name
        assert service["healthcheck"]["test"], name
        assert re.search(r":\d+\.\d+\.\d+$", service["image"]), "a fixed version"
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name


class Containers:
    """Runs services as plain processes, each below a folder that stands for its container's root.

    There is nothing in that folder but what the service mounts, so a path it needs and does not
    mount is missed. The broker's port becomes a free one of 127.0.0.1.
    """

    def __init__(self, services: dict[str, Any], folder: Path) -> None:
        self._services = services
        self._folder = folder
        for name in services:
            self._here(name, "").mkdir(mode=0o700)
        self._port = str(free_port())
        self._image = dict(
            assignment.split("=", 1)
            for line in (ROOT / "Dockerfile").read_text().splitlines()
            if line.startswith("ENV ")
            for assignment in shlex.split(line)[1:]
        )

    @contextmanager
    def running(self, name: str) -> Iterator["subprocess.Popen[bytes]"]:
        """One service, as long as the context lasts."""
        service = self._services[name]
        for mount in self._tmpfs(name):
            self._here(name, mount.partition(":")[0]).mkdir(mode=0o700, parents=True)
        for volume in service.get("volumes", ()):
            self._mount(name, *volume.split(":")[:2])
        command = [self._translate(name, part) for part in service["command"]]
        if service["image"].startswith("internetcar:"):
            command = [sys.executable, "-m", "internetcar.launcher", *command]
        log = self._folder / f"{name}.log"
        with log.open("wb") as output:
            child = subprocess.Popen(command, stderr=output, **self._place(name))
        try:
            yield child
        finally:
            child.terminate()
            assert child.wait(PATIENCE_S) in (0, -15), log.read_text()
        assert not self._written_elsewhere(name), "the container's root is read-only"

    def is_healthy(self, name: str) -> bool:
        """What the service's health check says."""
        kind, *test = self._services[name]["healthcheck"]["test"]
        test = [self._translate(name, part.replace("$$", "$")) for part in test]
        command = ["sh", "-c", *test] if kind == "CMD-SHELL" else test
        command[0] = {"python": sys.executable}.get(command[0], command[0])
        ended = subprocess.run(command, capture_output=True, check=False, **self._place(name))
        return ended.returncode == 0

    def until_healthy(self, name: str) -> None:
        """Wait until the health check says so; each is a process of its own."""
        eventually(lambda: self.is_healthy(name), turn_s=0.5)

    def client(self, user: str, password: str) -> list[str]:
        """The arguments by which mosquitto's clients find the broker."""
        return ["-h", "127.0.0.1", "-p", self._port, "-u", user, "-P", password]

    def volume(self, source: str) -> Path:
        """Where what a service mounts really is: a volume, or a folder beside compose.yaml."""
        place = self._folder / Path(source).name
        place.mkdir(mode=0o700, exist_ok=True)
        return place

    def _mount(self, name: str, source: str, target: str) -> None:
        place = self._here(name, target)
        place.parent.mkdir(parents=True, exist_ok=True)
        if source != "./deploy":
            place.symlink_to(self.volume(source))
            return
        shutil.copytree(ROOT / source, place)
        for file in place.iterdir():
            file.write_text(self._translate(name, file.read_text()))
        if os.geteuid() == 0:  # else mosquitto changes its user and cannot read the folder
            with (place / "mosquitto.conf").open("a") as settings:
                settings.write("user root\n")

    def _written_elsewhere(self, name: str) -> list[str]:
        """Files outside what the service mounts."""
        root = self._here(name, "")
        mounts = [self._here(name, mount.partition(":")[0]) for mount in self._tmpfs(name)]
        files = (path for path in root.rglob("*") if path.is_file() and "deploy" not in path.parts)
        return [str(file) for file in files if not any(map(file.is_relative_to, mounts))]

    def _tmpfs(self, name: str) -> list[str]:
        return list(self._services[name].get("tmpfs", ()))

    def _place(self, name: str) -> dict[str, Any]:
        """Working directory and environment."""
        service = self._services[name]
        given = self._image | service.get("environment", {})
        environ = {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/usr/bin",
            "PYTHONPATH": str(ROOT),
            **{key: self._translate(name, text) for key, text in given.items()},
        }
        return {"env": environ, "cwd": self._here(name, service.get("working_dir", "/"))}

    def _here(self, name: str, path: str) -> Path:
        return self._folder / f"{name}-root" / path.lstrip("/")

    def _translate(self, name: str, text: str) -> str:
        text = PLACES.sub(str(self._here(name, "")), text)
        text = re.sub(r"@(broker|127\.0\.0\.1):1883", f"@127.0.0.1:{self._port}", text)
        text = text.replace("listener 1883", f"listener {self._port} 127.0.0.1")
        return text.replace("mosquitto_sub", f"mosquitto_sub -p {self._port}")


@pytest.fixture
def containers(services: dict[str, Any], tmp_path: Path) -> Containers:
    need_mosquitto()
    return Containers(services, tmp_path)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_the_demo_runs_and_is_healthy(containers: Containers, stack: ExitStack) -> None:
    assert not containers.is_healthy("broker")
    stack.enter_context(containers.running("broker"))
    containers.until_healthy("broker")
    assert not containers.is_healthy("gateway")
    with containers.running("gateway"):
        containers.until_healthy("gateway")
        assert not containers.is_healthy("simulator")
        stack.enter_context(containers.running("simulator"))
        containers.until_healthy("simulator")
    assert not containers.is_healthy("gateway")


def test_the_gateway_runs_with_a_cars_own_folder(containers: Containers, stack: ExitStack) -> None:
    buses = (
        f'[[buses]]\nname = "{name}"\ninterface = "loopback"\nchannel = "{name}"\n'
        for name in ("powertrain", "comfort")
    )
    settings = 'vehicle_id = "mine"\nvehicle = "reference"\n' + "".join(buses)
    (containers.volume("my-car") / "internetcar.toml").write_text(settings)
    stack.enter_context(containers.running("broker"))
    containers.until_healthy("broker")
    with containers.running("car-gateway"):
        containers.until_healthy("car-gateway")


def test_the_wallet_and_the_toll_service_run_and_are_healthy(
    containers: Containers, stack: ExitStack
) -> None:
    for name in ("payments", "tolls"):
        (containers.volume("my-services") / f"{name}.toml").write_text("")
    stack.enter_context(containers.running("broker"))
    containers.until_healthy("broker")
    for name in ("payments", "tolls"):
        stack.enter_context(containers.running(name))
        containers.until_healthy(name)


def test_the_drones_service_runs_and_is_healthy(containers: Containers, stack: ExitStack) -> None:
    settings = f'vehicle_id = "mine"\nurl = "udpin://127.0.0.1:{free_port()}"\n'
    (containers.volume("my-services") / "drone.toml").write_text(settings)
    stack.enter_context(containers.running("broker"))
    containers.until_healthy("broker")
    stack.enter_context(containers.running("drone"))
    containers.until_healthy("drone")


@pytest.mark.parametrize("name", ["trips", "recommendations"])
def test_the_service_of_trips_and_that_of_recommendations_run_and_are_healthy(
    containers: Containers, stack: ExitStack, name: str
) -> None:
    (containers.volume("my-services") / f"{name}.toml").write_text("")
    stack.enter_context(containers.running("broker"))
    containers.until_healthy("broker")
    stack.enter_context(containers.running(name))
    containers.until_healthy(name)


def test_home_hears_everything_and_says_only_what_is_its_own(
    containers: Containers, stack: ExitStack
) -> None:
    stack.enter_context(containers.running("broker"))
    containers.until_healthy("broker")
    home = containers.client("home", PASSWORDS["BROKER_PASSWORD_HOME"])
    say = ["mosquitto_pub", *home, "-V", "5", "-q", "1", "-r", "-m", "1", "-t"]
    own = [
        "v1/vehicle/demo/command/home/Vehicle.X", "v1/vehicle/demo/drone/d1/services/home",
        "v1/vehicle/demo/drone/d1/weather", "v1/vehicle/demo/home/lamp",
        "v1/vehicle/demo/recommendation/control/home",
        "v1/vehicle/demo/recommendation/feedback/home",
    ]  # fmt: skip
    foreign = [
        "v1/vehicle/demo/signal/Vehicle.Speed", "v1/vehicle/demo/command/alice/Vehicle.X",
        "v1/vehicle/demo/command/gateway/Vehicle.X", "v1/vehicle/demo/command/Home/Vehicle.X",
        "v1/vehicle/demo/command/home", "v1/vehicle/demo/command/home/a/b",
        "v1/vehicle/demo/command-status", "v1/vehicle/demo/presence", "v1/client/home/x",
        "v1/vehicle/demo/drone/d1/services/alice", "v1/vehicle/demo/drone/d1/services_reply/home",
        "v1/vehicle/demo/drone/d1/state", "v1/vehicle/demo/recommendation/destination",
        "v1/vehicle/demo/recommendation/control/alice",
    ]  # fmt: skip
    for topic in (*foreign, *own):
        subprocess.run([*say, topic], capture_output=True, check=False)
    hear = ["mosquitto_sub", *home, "-t", "v1/#", "-W", "2", "-F", "%t"]
    heard = subprocess.run(hear, capture_output=True, text=True, check=False).stdout.split()
    assert sorted(heard) == own
    nobody = ["mosquitto_sub", *containers.client("home", "wrong"), "-t", "v1/#", "-W", "5"]
    assert subprocess.run(nobody, capture_output=True, check=False).returncode == 5


@pytest.mark.parametrize("password", ["", "with:colon", "two\nlines", "p@ssword"])
def test_the_broker_does_not_start_with_a_password_that_would_not_fit(
    services: dict[str, Any], password: str, tmp_path: Path
) -> None:
    service = services["broker"]
    service = service | {"environment": service["environment"] | {"HOME_PASSWORD": password}}
    containers = Containers({"broker": service}, tmp_path)
    refusal = pytest.raises(AssertionError, match="the password of home must be")
    with refusal, containers.running("broker") as broker:
        broker.wait(PATIENCE_S)

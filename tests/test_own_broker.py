"""The README's rules for a broker with users and passwords, on a real mosquitto."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from internetcar.contract.broker_url import BrokerUrl
from internetcar.launcher.broker import free_port, mosquitto_path
from internetcar.launcher.child import dying_with_us, end_child
from tests.conftest import need_mosquitto
from tests.e2e.command_car import FAN, VEHICLE, Desk, ecu, gateway
from tests.e2e.stage import Stage
from tests.readme import blocks
from tests.waiting import eventually

GATEWAY = f"{VEHICLE}-gateway"
USERS = (GATEWAY, "alice", "home-assistant", "watcher")
TOPIC = f"v1/vehicle/{VEHICLE}"


class OwnBroker:
    """mosquitto with the README's two files; a watcher may do everything."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        (configured,), (access,) = blocks("conf"), blocks("acl")
        passwords = folder / "passwords"
        passwords.write_text("".join(f"{name}:of-{name}\n" for name in USERS))
        passwords.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
        access = access.replace("mycar", VEHICLE) + "\nuser watcher\ntopic readwrite #\n"
        (folder / "access").write_text(access)
        text = configured.replace("/etc/mosquitto", str(folder))
        text = text.replace("listener 1883", f"listener {self.port} 127.0.0.1")
        text += f"persistence_location {folder}/\nuser root\n"
        (folder / "mosquitto.conf").write_text(text)
        program = mosquitto_path()
        assert program is not None
        self.child = subprocess.Popen(
            [program, "-c", str(folder / "mosquitto.conf")],
            stderr=subprocess.DEVNULL,
            preexec_fn=dying_with_us(),
        )
        eventually(self._listens)

    def url(self, name: str) -> BrokerUrl:
        return BrokerUrl("127.0.0.1", self.port, name, f"of-{name}", protocol="5")

    def _listens(self) -> bool:
        say = ["mosquitto_pub", "-p", str(self.port), "-t", "x", "-n"]
        user = ["-u", "watcher", "-P", "of-watcher"]
        return subprocess.run([*say, *user], capture_output=True, check=False).returncode == 0


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[OwnBroker]:
    need_mosquitto()
    folder = tmp_path / "broker"
    folder.mkdir(mode=0o700)
    started = OwnBroker(folder)
    yield started
    end_child(started.child)


def say(broker: OwnBroker, name: str, topic: str) -> None:
    url = broker.url(name)
    user = ["-p", str(url.port), "-u", name, "-P", url.password or "", "-q", "1", "-m", name]
    subprocess.run(
        ["mosquitto_pub", "-V", "5", *user, "-t", topic], capture_output=True, check=False
    )


@pytest.mark.parametrize(
    ("name", "own", "foreign"),
    [
        (
            "alice",
            [f"{TOPIC}/command/alice/{FAN}", f"{TOPIC}/telemetry-request"],
            [
                f"{TOPIC}/command/bob/{FAN}", f"{TOPIC}/command/Alice/{FAN}",
                f"{TOPIC}/command/alice", f"{TOPIC}/command/alice/a/b", f"{TOPIC}/command/%u/{FAN}",
                f"{TOPIC}/presence", f"{TOPIC}/command-status", "v1/client/alice/x",
                "v1/client/bob/x", "homeassistant/status",
            ],
        ),
        (
            "home-assistant",
            [f"{TOPIC}/command/home-assistant/{FAN}", "homeassistant/status"],
            [f"{TOPIC}/command/alice/{FAN}", f"{TOPIC}/signal/{FAN}", "v1/client/alice/x"],
        ),
        (
            GATEWAY,
            [f"{TOPIC}/presence", "v1/client/alice/answer", f"{TOPIC}/command-status",
             f"homeassistant/device/internetcar_{VEHICLE}/config"],
            ["v1/vehicle/leaf/presence", "homeassistant/status", "v1/vehicle/leaf/command/alice/x"],
        ),
    ],
)  # fmt: skip
def test_a_user_says_what_is_its_own_and_nothing_under_anothers_name(
    own_broker: OwnBroker, name: str, own: list[str], foreign: list[str]
) -> None:
    with Desk(own_broker.url("watcher"), "#") as watcher:
        for topic in (*foreign, *own):
            say(own_broker, name, topic)
        watcher.until(lambda heard: len(heard.heard) >= len(own))
        assert [heard.topic for heard in watcher.heard] == own


def test_a_user_hears_the_car_and_the_answers_of_its_own(own_broker: OwnBroker) -> None:
    topics = [f"{TOPIC}/presence", "v1/client/alice/x", "v1/client/bob/x", "other"]
    with Desk(own_broker.url("alice"), "#", "v1/client/#") as alice:
        for topic in (*reversed(topics), f"{TOPIC}/health"):
            say(own_broker, "watcher", topic)
        alice.until(lambda heard: heard.of("health"))
        assert {heard.topic for heard in alice.heard} == {*topics[:2], f"{TOPIC}/health"}


def test_a_person_sets_something_in_the_car(own_broker: OwnBroker, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, Stage(tmp_path / "stage") as stage:
        patch.setenv("XDG_RUNTIME_DIR", str(stage.run))
        with ecu() as car, Desk(own_broker.url("alice"), f"{TOPIC}/#") as desk:
            allow = {"alice": [FAN], "home-assistant": [FAN]}
            gateway(stage, own_broker.url(GATEWAY), allow=allow)
            desk.until_heard()
            asked = stage.ended("set", FAN, "44", "--broker", own_broker.url("alice").secret)
            assert asked.stdout.splitlines() == ["accepted", "sent", "confirmed"], asked.stderr
            assert (asked.wait(), car.fan_pct) == (0, 44)
            with Desk(own_broker.url("home-assistant"), f"{TOPIC}/command-status") as home:
                home.command(FAN, 45, requester="home-assistant")
                home.until(lambda _: car.fan_pct == 45)

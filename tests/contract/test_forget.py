"""`car forget`: a broker remembers nothing of a vehicle any more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from internetcar.contract.broker_url import BrokerUrl
from internetcar.contract.link import Link
from internetcar.contract.message import InputError
from internetcar.contract.retry import BrokerUnreachableError
from internetcar.launcher import forget, secure_broker
from internetcar.launcher.broker import RunningBroker, free_port
from tests.conftest import need_mosquitto
from tests.contract.test_link import HERE, running, stranger
from tests.secure_place import WATCHER, Place
from tests.waiting import PATIENCE_S, eventually

GONE = HERE.model_copy(update={"online": False})
SIGNALS = [f"v1/vehicle/kona/signal/Vehicle.Leaf{number}" for number in range(600)]
OTHERS = [
    "v1/vehicle/kona2/presence",
    "v1/vehicle/leaf/presence",
    "homeassistant/device/internetcar_leaf/config",
]
MINE = [*SIGNALS, "v1/vehicle/kona/toll/charge", "homeassistant/device/internetcar_kona/config"]


def car_forget(*words: str) -> None:
    typer.main.get_command(forget.app).main([*words], "forget", standalone_mode=False)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forget, "_QUIET_S", 0.4)


def fill(url: BrokerUrl, *, online: bool) -> None:
    with running(Link(url, "filler")) as link:
        presence = HERE if online else GONE
        for topic in (*MINE, *OTHERS):
            assert link.publish_bytes(topic, b"{}", retain=True)
        assert link.publish_bytes(presence.topic, presence.encode(), retain=True)
        assert link.drain(PATIENCE_S)


def remembered(url: BrokerUrl) -> set[str]:
    with running(Link(url, "teller")) as link:
        link.publish_bytes("z/fence", b"{}", retain=True)
        assert link.drain(PATIENCE_S)
    with stranger(url, "#") as heard:
        eventually(lambda: any(topic == "z/fence" for topic, _, _ in heard))
        if url.protocol == "3.1.1":  # the embedded broker keeps no order
            eventually(lambda: set(OTHERS) <= {topic for topic, _, _ in heard})
        return {topic for topic, _, retained in heard if retained} - {"z/fence"}


def test_all_of_one_vehicle_is_cleared_and_counted(
    broker: RunningBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(broker.url, online=False)
    car_forget("--vehicle-id", "kona", "--broker", broker.url.secret)
    assert f"{len(MINE) + 1} retained messages of kona cleared" in capsys.readouterr().out
    assert remembered(broker.url) == set(OTHERS)
    car_forget("--vehicle-id", "kona", "--broker", broker.url.secret)
    assert ": 0 retained messages" in capsys.readouterr().out


def test_a_vehicle_that_is_online_is_forgotten_only_when_told_so(mosquitto: RunningBroker) -> None:
    fill(mosquitto.url, online=True)
    with pytest.raises(InputError, match="kona is online"):
        car_forget("--vehicle-id", "kona", "--broker", mosquitto.url.secret)
    assert HERE.topic in remembered(mosquitto.url)
    car_forget("--vehicle-id", "kona", "--broker", mosquitto.url.secret, "--yes")
    assert remembered(mosquitto.url) == set(OTHERS)


@pytest.mark.parametrize("payload", [b"junk", b"{}", b"\xff"])
def test_a_presence_nobody_can_read_is_cleared(mosquitto: RunningBroker, payload: bytes) -> None:
    with running(Link(mosquitto.url, "filler")) as link:
        link.publish_bytes(HERE.topic, payload, retain=True)
        assert link.drain(PATIENCE_S)
    car_forget("--vehicle-id", "kona", "--broker", mosquitto.url.secret)
    assert remembered(mosquitto.url) == set()


def test_a_broker_that_does_not_permit_it_is_told_of(tmp_path: Path) -> None:
    need_mosquitto()
    allowed = "topic readwrite #\n"
    with RunningBroker("mosquitto", tmp_path / "broker", allowed) as running_broker:
        fill(running_broker.url, online=False)
        running_broker._access = "topic read #\ntopic write v1/vehicle/kona/signal/+\n"
        running_broker.restart()
        with pytest.raises(InputError, match=r"left on mqtt://.*permit"):
            car_forget("--vehicle-id", "kona", "--broker", running_broker.url.secret)


def test_no_broker_is_one_line() -> None:
    url = f"mqtt://127.0.0.1:{free_port()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forget, "_CONNECT_S", 0.5)
        with pytest.raises(BrokerUnreachableError):
            car_forget("--vehicle-id", "kona", "--broker", url)


@pytest.mark.parametrize("vehicle_id", ["#", "+", "a/b", "", "kona/#", "$SYS", "%u"])
def test_a_vehicle_id_cannot_be_a_wildcard(vehicle_id: str) -> None:
    with pytest.raises(InputError, match="--vehicle-id"):
        car_forget("--vehicle-id", vehicle_id, "--broker", "mqtt://127.0.0.1:1")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path / "authority") as running_place:
        yield running_place


def test_whoever_has_the_authority_clears_what_services_said_too(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with place.client(WATCHER, "#") as watcher:
        for topic in ("v1/vehicle/kona/toll/charge", *MINE[-1:], *OTHERS, HERE.topic):
            watcher.say(topic, GONE.encode(), retain=True)
        watcher.until(HERE.topic)
    car_forget("--vehicle-id", "kona", "--folder", str(place.secure.path))
    assert "3 retained messages of kona cleared" in capsys.readouterr().out
    assert "forget-" not in (place.folder / "access").read_text()
    place.write_rules()
    secure_broker.reload(place.folder)
    with place.client(WATCHER, "#") as watcher:
        watcher.until(OTHERS[-1])
        assert set(watcher.topics()) == set(OTHERS)


def test_without_the_authoritys_broker_nothing_is_left_in_the_rules(place: Place) -> None:
    place.stop()
    with pytest.raises(InputError, match="no broker runs here"):
        car_forget("--vehicle-id", "kona", "--folder", str(place.secure.path))
    assert "forget-" not in (place.folder / "access").read_text()


def test_a_vehicle_forgets_what_its_gateway_said(place: Place) -> None:
    with place.client("kona", HERE.topic) as kona:
        kona.say(HERE.topic, GONE.encode(), retain=True)
        kona.until(HERE.topic)
    car_forget("--vehicle-id", "kona", "--broker", place.url("kona").secret)
    with place.client("kona", HERE.topic, "v1/vehicle/kona/health") as kona:
        kona.say("v1/vehicle/kona/health", b"fence")
        kona.until_payload(b"fence")
        assert HERE.topic not in kona.topics()

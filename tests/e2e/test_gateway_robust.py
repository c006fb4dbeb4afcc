"""The gateway as a process: what comes from outside changes nothing that it should not."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from internetcar.launcher.broker import RunningBroker
from tests.e2e.live_car import VEHICLE, Traffic, gateway, traffic
from tests.e2e.observer import Observer
from tests.e2e.small_car import DBC, mapping, speed_frame
from tests.e2e.stage import Actor, Stage
from tests.waiting import eventually

TOPIC = f"v1/vehicle/{VEHICLE}"
JUNK = [
    *(b"", b"null", b"5", b"[]", b"{}", b'{"online": 1}', b"\xff\xfe", b"[" * 100_000),
    b'{"journal": "j", "first": 1, "last": 2, "reply_to": "a/b/#"}',
    os.urandom(99),
]
BOUNDS = [(-1, 5), (0, 5), (1 << 40, 1 << 41), ((1 << 63) - 1,) * 2, ((1 << 64) - 1,) * 2]
GEAR = "Vehicle.Powertrain.Transmission.CurrentGear"


@pytest.fixture
def driving(stage: Stage) -> Iterator[Traffic]:
    assert stage
    with traffic() as started:
        yield started


def replace(path: Path, text: str) -> None:
    """As an editor does: never half a file."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def until_said(actor: Actor, text: str, times: int) -> None:
    eventually(lambda: actor.stderr.count(text) >= times)


def test_a_changed_mapping_is_taken_up_and_a_leaf_that_is_gone_is_cleared(
    mosquitto: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    with Observer(mosquitto.url) as observer:
        running = gateway(stage, mosquitto.url)
        observer.until(lambda heard: GEAR in heard.signals())
        assert driving.rounds
        replace(stage.folder / "mapping.json", mapping(GEAR))
        observer.until(lambda heard: GEAR not in heard.signals())
        observer.until_more("health")
        assert not any(heard.body["asleep"] for heard in observer.of("presence"))
        assert running.is_running
        journals = {heard.body["journal"] for heard in observer.of("telemetry")}
    with Observer(mosquitto.url) as late:
        late.until(lambda heard: "Vehicle.Speed" in heard.signals())
        late.until_more("telemetry")
        assert GEAR not in late.signals()
        leaves = [path for heard in late.of("catalog") for path in heard.body["leaves"]]
        assert "Vehicle.Speed" in leaves
        assert GEAR not in leaves
        assert journals == {heard.body["journal"] for heard in late.of("telemetry")}
    taken_up = next(heard.body for heard in late.of("telemetry"))
    assert GEAR not in taken_up["samples"]


def test_a_broken_mapping_is_refused_and_the_old_one_stays(
    mosquitto: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    rules = stage.folder / "mapping.json"
    with Observer(mosquitto.url) as observer:
        running = gateway(stage, mosquitto.url)
        observer.until(lambda heard: GEAR in heard.signals())
        assert driving.rounds
        for times, broken in enumerate(('{"Vehicle": ', mapping().replace('"Gear"', "5"), "{}"), 1):
            replace(rules, broken)
            until_said(running, "not taken up", times)
        rules.unlink()
        observer.until_more("health")
        observer.until_more("signal")
        assert GEAR in observer.signals()
        rules.write_text(mapping(GEAR))
        observer.until(lambda heard: GEAR not in heard.signals())
        assert running.is_running
    assert "Traceback" not in running.stderr


def test_a_silent_car_is_asleep_once_keeps_its_values_and_wakes(
    mosquitto: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    with Observer(mosquitto.url) as observer:
        gateway(stage, mosquitto.url, INTERNETCAR_GATEWAY_ASLEEP_AFTER_S="0.5")
        observer.until(lambda heard: len(heard.of("telemetry")) > 2)
        driving.pause()
        observer.until(lambda heard: heard.of("presence")[-1].body["asleep"])
        before = len(observer.of("presence"))
        observer.until_more("health", 3)
        assert len(observer.of("presence")) == before
        assert {signal["quality"] for signal in observer.signals().values()} == {"valid"}
        driving.go_on()
        observer.until(lambda heard: not heard.of("presence")[-1].body["asleep"])
        observer.until_more("telemetry")
        assert len(observer.of("presence")) == before + 1


def test_a_car_that_has_not_spoken_yet_is_not_asleep_at_once(
    mosquitto: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    driving.pause()
    with Observer(mosquitto.url) as observer:
        gateway(stage, mosquitto.url)
        observer.until(lambda heard: len(heard.of("health")) >= 2)
        assert not any(heard.body["asleep"] for heard in observer.of("presence"))


def test_junk_on_every_topic_it_hears_does_nothing(
    broker: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    chance = random.Random(3)
    with Observer(broker.url) as observer:
        running = gateway(stage, broker.url)
        presence = observer.until_presence(online=True)
        observer.until_more("telemetry", 3)
        assert driving.rounds
        asked = f'{{"journal": "{presence["journal"]}", "first": %d, "last": %d, "reply_to": "me"}}'
        shapes = [*JUNK, *((asked % bounds).encode() for bounds in BOUNDS)]
        for topic in ("presence", "telemetry-request"):
            for shape in chance.sample(shapes, len(shapes)):
                observer.publish(f"{TOPIC}/{topic}", shape, retain=topic == "presence")
        for _ in range(200):
            observer.publish(f"{TOPIC}/telemetry-request", (asked % (1, 1 << 40)).encode(), qos=0)
        observer.until_more("telemetry", 5)
        assert running.is_running
        assert "Traceback" not in running.stderr
        with Observer(broker.url, f"{TOPIC}/presence") as late:
            assert late.until_presence(online=True)["journal"] == presence["journal"]
        assert running.end() == 0
    topics = {heard.topic for heard in observer.heard if heard.topic.startswith("v1/client")}
    assert topics <= {f"v1/client/me/telemetry/{VEHICLE}"}


def test_random_frames_are_counted_and_hurt_nobody(
    mosquitto: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    chance = random.Random(11)
    with Observer(mosquitto.url) as observer:
        running = gateway(stage, mosquitto.url)
        observer.until(lambda heard: len(heard.of("telemetry")) > 2)
        driving.pause()
        observer.until_more("health", 2)
        before = observer.of("health")[-1].body["buses"]["can0"]
        unknown = 0
        for count in range(2000):
            is_extended = chance.random() < 0.5
            can_id = chance.getrandbits(29 if is_extended else 11)
            if chance.random() < 0.2:
                can_id, is_extended = chance.choice((0x100, 0x200)), False
            unknown += is_extended or can_id not in (0x100, 0x200)
            payload = chance.randbytes(chance.randint(0, 8))
            driving.send(can_id, payload, is_extended_id=is_extended)
            if count % 500 == 0:
                until_frames(observer, before["frames"] + count // 2)
        until_frames(observer, before["frames"] + 2000)
        after = observer.of("health")[-1].body["buses"]["can0"]
        assert after["unknown_ids"] - before["unknown_ids"] == unknown - after["dropped"]
        driving.send(*speed_frame(77.5))
        observer.until(lambda heard: heard.signals()["Vehicle.Speed"]["value"] == 77.5)
        assert running.is_running
        assert "Traceback" not in running.stderr


def until_frames(observer: Observer, wanted: int) -> None:
    """Wait until health says so many frames, received or dropped."""

    def frames() -> int:
        counted = observer.of("health")[-1].body["buses"]["can0"]
        return int(counted["frames"]) + int(counted["dropped"])

    eventually(lambda: frames() >= wanted)


def test_check_says_what_is_there_or_the_first_thing_that_is_wrong(stage: Stage) -> None:
    (stage.folder / "small.dbc").write_text(DBC)
    (stage.folder / "mapping.json").write_text(mapping())
    config = stage.folder / "internetcar.toml"
    config.write_text(
        "vehicle_id = 'small'\n"
        f"mapping = '{stage.folder / 'mapping.json'}'\n"
        "[[buses]]\nname = 'can0'\ninterface = 'loopback'\nchannel = 'small'\n"
        f"dbc = ['{stage.folder / 'small.dbc'}']\n"
    )
    checked = stage.ended("gateway", "--config", str(config), "--check")
    assert checked.process.returncode == 0, checked.stderr
    assert "small.dbc: 2 messages" in checked.stdout
    assert checked.stdout.endswith("ok: 4 leaves\n")
    config.write_text(config.read_text().replace("vehicle_id", "vehicel_id"))
    wrong = stage.ended("gateway", "--config", str(config), "--check")
    assert wrong.process.returncode == 2
    assert wrong.stderr.endswith(f"car: {config}: vehicel_id: no such setting\n")


@pytest.mark.usefixtures("driving")
def test_other_frames_are_asked_of_the_kernel_when_the_mapping_changes_and_counts_go_on(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    (stage.folder / "small.dbc").write_text(DBC)
    (stage.folder / "mapping.json").write_text(mapping())
    config = stage.folder / "internetcar.toml"
    config.write_text(
        f"vehicle_id = '{VEHICLE}'\nmapping = '{stage.folder / 'mapping.json'}'\n"
        "[[buses]]\nname = 'can0'\ninterface = 'loopback'\nchannel = 'small'\n"
        f"known_ids_only = true\ndbc = ['{stage.folder / 'small.dbc'}']\n"
    )
    with Observer(mosquitto.url) as observer:
        running = stage.car(
            *("gateway", "--config", str(config), "--broker", mosquitto.url.secret),
            *("--state", str(stage.state)),
            environ={},
        )
        observer.until(lambda heard: GEAR in heard.signals())
        observer.until(lambda heard: len(heard.of("health")) > 1)
        before = observer.of("health")[-1].body["buses"]["can0"]["frames"]
        replace(stage.folder / "mapping.json", mapping("Vehicle.Speed", GEAR))
        until_said(running, "is taken up", 1)
        observer.until_more("health", 2)
        assert observer.of("health")[-1].body["buses"]["can0"]["frames"] >= before
        assert running.is_running


@pytest.mark.usefixtures("driving")
def test_two_gateways_with_one_vehicle_id_both_stay_and_the_older_says_so(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    with Observer(mosquitto.url) as observer:
        older = gateway(stage, mosquitto.url)
        observer.until(lambda heard: heard.of("health"))
        newer = gateway(stage, mosquitto.url, "--state", str(stage.folder / "another"))
        until_said(older, "speaks for", 1)
        observer.until(
            lambda heard: any(
                problem.startswith("taken_over")
                for health in heard.of("health")
                for problem in health.body["problems"]
            )
        )
    for running in (older, newer):
        assert running.is_running
        assert "another client came with our id" not in running.stderr

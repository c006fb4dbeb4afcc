"""`car set` as a person uses it: what it prints, and how it ends."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from internetcar.launcher.broker import RunningBroker
from tests.e2e.command_car import (
    COMMAND_ID,
    FAN,
    HORN,
    LIGHT,
    REQUESTER,
    TEMPERATURE,
    VEHICLE,
    Desk,
    Ecu,
    ecu,
    gateway,
    write_config,
)
from tests.e2e.live_car import gateway as other_gateway
from tests.e2e.stage import Stage


@pytest.fixture
def car(stage: Stage) -> Iterator[Ecu]:
    assert stage
    with ecu() as started:
        yield started


def ask(stage: Stage, broker: RunningBroker, *arguments: str) -> tuple[int, list[str], str]:
    """Exit code, printed lines and complaints."""
    actor = stage.ended("set", *arguments, "--broker", broker.url.secret)
    return actor.wait(), actor.stdout.splitlines(), actor.stderr


def test_a_person_sees_each_state_and_whether_it_happened(
    broker: RunningBroker, stage: Stage, car: Ecu
) -> None:
    with Desk(broker.url) as desk:
        gateway(stage, broker.url)
        desk.until_heard()
        desk.until_heard("Vehicle.Speed")
        assert ask(stage, broker, TEMPERATURE, "21.5") == (0, ["accepted", "sent", "confirmed"], "")
        assert car.temperature_c == 21.5
        code, lines, _ = ask(stage, broker, "Vehicle.Speed", "21")
        assert (code, len(lines)) == (1, 1)
        assert lines[0].startswith("rejected: not_allowed: Vehicle.Speed")
        code, lines, _ = ask(stage, broker, FAN, "-5")
        assert (code, lines) == (1, ["rejected: out_of_range: -5 is not in 0…100"])
        code, lines, _ = ask(stage, broker, TEMPERATURE, "22", "--dry-run")
        assert (code, lines) == (0, ["checked: would send 0x301 2c ff 01 97 on can0"])
        assert ask(stage, broker, HORN, "true")[0] == 0
        assert ask(stage, broker, LIGHT, "true")[0] == 0
        assert ask(stage, broker, LIGHT, "--release")[1:] == (["released"], "")
        car.is_deaf = True
        code, lines, _ = ask(stage, broker, TEMPERATURE, "25")
        assert code == 1
        assert lines[:2] == ["accepted", "sent"]
        assert lines[2].startswith("timeout: no_feedback: Vehicle.Temperature")
    assert [frame[0] for frame in car.heard_of(COMMAND_ID)] == [43, 50]
    written = stage.ended("audit", "--state", str(stage.folder / "state"), "--last", "3")
    assert written.wait() == 0
    assert [state in written.stdout for state in ("accepted", "sent", "no_feedback")] == [True] * 3
    assert "out_of_range" not in written.stdout  # that was before the last three
    nowhere = stage.ended("audit", "--state", str(stage.folder / "none"))
    assert (nowhere.wait(), "has none" in nowhere.stderr) == (2, True)


def test_the_same_id_is_not_sent_twice(mosquitto: RunningBroker, stage: Stage, car: Ecu) -> None:
    with Desk(mosquitto.url) as desk:
        gateway(stage, mosquitto.url)
        desk.until_heard()
        assert ask(stage, mosquitto, HORN, "true", "--id", "once")[0] == 0
        assert ask(stage, mosquitto, HORN, "true", "--id", "once") == (0, ["confirmed"], "")
        code, lines, _ = ask(stage, mosquitto, HORN, "false", "--id", "once")
        assert code == 1
        assert lines[0].startswith("rejected: id_conflict")
    assert len(car.heard) == 1


def test_silence_is_said_after_two_seconds(mosquitto: RunningBroker, stage: Stage) -> None:
    code, lines, _ = ask(stage, mosquitto, TEMPERATURE, "21", "--vehicle-id", "nobody")
    assert code == 1
    assert lines[0].startswith("no answer: nobody's gateway is away")


def test_which_vehicle_is_asked_where_several_are_online(
    mosquitto: RunningBroker, stage: Stage, car: Ecu
) -> None:
    with Desk(mosquitto.url) as desk:
        code, _, complaint = ask(stage, mosquitto, TEMPERATURE, "21")
        assert code == 2
        assert "no vehicle online" in complaint
        gateway(stage, mosquitto.url)
        desk.until_heard()
        other_gateway(stage, mosquitto.url)
        desk.until(lambda heard: len(heard.last("presence")) == 2)
        code, _, complaint = ask(stage, mosquitto, TEMPERATURE, "21")
        assert code == 2
        assert "settable, small" in complaint
        assert ask(stage, mosquitto, TEMPERATURE, "21", "--vehicle-id", VEHICLE)[0] == 0
    assert len(car.heard) == 1


def test_who_asks_is_the_brokers_user(mosquitto: RunningBroker, stage: Stage) -> None:
    anonymous = replace(mosquitto.url, username=None, password=None)
    actor = stage.ended("set", TEMPERATURE, "21", "--broker", anonymous.secret)
    assert actor.wait() == 2
    assert "--requester NAME" in actor.stderr
    code, _, complaint = ask(stage, mosquitto, TEMPERATURE, "21", "--requester", "alice")
    assert code == 2
    assert f"knows us as {REQUESTER}" in complaint
    code, _, complaint = ask(stage, mosquitto, TEMPERATURE)
    assert code == 2
    assert "--release" in complaint


def test_a_broker_that_forbids_it_is_named(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("broker")
    with RunningBroker("mosquitto", folder / "b", access="topic read #\n") as strict:
        code, lines, _ = ask(stage, strict, TEMPERATURE, "21", "--vehicle-id", VEHICLE)
    assert code == 1
    assert lines == ["refused: the broker's rules do not let car ask this"]


def test_a_check_says_who_may_set_what(stage: Stage) -> None:
    allow = {"alice": ["Vehicle.Temp*"], "bob": ["Vehicle.Nothing"]}
    config = write_config(stage.folder, allow=allow, transmit=False)
    checked = stage.ended("gateway", "--config", str(config), "--check")
    assert checked.wait() == 0
    assert "alice may set 1 leaves" in checked.stdout
    assert "note: can0 only listens, so nothing is set there" in checked.stdout
    assert "note: commands.allow: bob: Vehicle.Nothing matches nothing" in checked.stdout

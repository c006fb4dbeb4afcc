"""What docs/ shows works: a flow in the real Node-RED, and a device of twenty lines."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from internetcar.contract.commands import Command, CommandStatus
from internetcar.contract.message import Message, Value
from internetcar.contract.signals import Quality, Signal
from internetcar.launcher.broker import RunningBroker
from internetcar.launcher.up import REQUESTERS
from tests.e2e import node_red
from tests.e2e.observer import Observer
from tests.e2e.stage import PYTHON, REPOSITORY, Actor, Stage

DOCS = REPOSITORY / "docs"
CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
RAIN = "Vehicle.Body.Raindetection.Intensity"
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
STARTED_S = 90.0


def say(observer: Observer, message: Message) -> None:
    observer.publish(message.topic, message.encode(), message.QOS, retain=message.RETAIN)


def signal(path: str, value: Value, quality: Quality = "valid") -> Signal:
    return Signal(vehicle_id="demo", path=path, value=value, at=AT, quality=quality)


def status(requester: str, **fields: Any) -> CommandStatus:
    told = {"vehicle_id": "demo", "requester": requester, "path": "Vehicle.X", "at": AT, **fields}
    return CommandStatus.model_validate(told)


def payloads(observer: Observer, topic: str) -> list[str]:
    return [heard.payload.decode() for heard in observer.heard if heard.topic == topic]


def commands(observer: Observer) -> list[Command]:
    return [Command.decode(heard.topic, heard.payload) for heard in observer.of("command")]


def until_started(running: Actor, observer: Observer) -> None:
    """Wait until the flow hears what it asked for last: only then does a switch do something."""
    word = status("node-red", id="hello", state="accepted", final=False)

    def answers() -> bool:
        assert running.is_running, running.stdout
        say(observer, word)
        return "accepted" in payloads(observer, "home/cabin/status")

    observer.until(lambda _: answers(), STARTED_S)


def test_the_flow_in_the_real_node_red_tells_of_a_low_charge_and_sets_the_temperature(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    flow = json.loads((DOCS / "node-red-flow.json").read_text())
    with Observer(mosquitto.url, "#") as observer:
        say(observer, signal(CHARGE, 15, "stale"))
        running = node_red.start(stage, flow, mosquitto.url)
        until_started(running, observer)
        for value in (50, 20, 19.5, 20.5, 19.9, 30, 18):
            say(observer, signal(CHARGE, value))
        notices = ["The car has 19.5 % left", "The car has 18 % left"]
        observer.until(lambda heard: len(payloads(heard, "home/notice")) >= len(notices))
        assert payloads(observer, "home/notice") == notices

        for word in (b"ON", b"what", b"OFF"):
            observer.publish("home/cabin/switch", word)
        observer.until(lambda heard: len(heard.of("command")) > 1)
        first, second = commands(observer)
        assert (first.requester, first.value, second.value) == ("node-red", 22, 18)
        assert first.path == "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
        assert first.id != second.id
        assert not any(heard.retained for heard in observer.of("command"))

        say(observer, status("alice", id="a", state="sent", final=False))
        say(observer, status("node-red", id=first.id, state="confirmed", final=True))
        because = {"state": "rejected", "final": True, "reason": "rate_limited"}
        say(observer, status("node-red", id=second.id, **because))
        refused = "rejected: rate_limited"
        observer.until(lambda heard: refused in payloads(heard, "home/cabin/status"))
        shown = [word for word in payloads(observer, "home/cabin/status") if word != "accepted"]
        assert shown == ["confirmed", refused]
        assert running.is_running


def test_the_device_of_twenty_lines_closes_the_window_when_rain_begins(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    script = DOCS / "device.py"
    assert len([line for line in script.read_text().splitlines() if line]) <= 20
    url = mosquitto.url
    with Observer(url, "#") as observer:
        say(observer, signal(RAIN, None, "not_available"))  # what it hears first
        device = stage.start(
            *(PYTHON, "-W", "error", str(script), url.host, str(url.port)),
            *(str(url.username), str(url.password), "demo"),
        )
        observer.until(lambda _: _rains(observer) and bool(commands(observer)))
        assert len(commands(observer)) == 1
        for junk in (b"", b"5", b"null", b"not JSON", b'{"value":"x","quality":"valid"}'):
            observer.publish(signal(RAIN, 0).topic, junk)
        unknown: tuple[None, Quality] = (None, "not_available")
        dry: list[tuple[Value, Quality]] = [(0, "valid"), (3, "valid")]
        rain: list[tuple[Value, Quality]] = [(50, "valid"), (60, "valid")]
        for value, quality in (rain[0], unknown, rain[1], *dry, *rain):
            say(observer, signal(RAIN, value, quality))
        observer.until(lambda _: len(commands(observer)) > 1)
        say(observer, signal(RAIN, 0))
        say(observer, signal(RAIN, 11))
        observer.until(lambda _: len(commands(observer)) > 2)
        assert len(commands(observer)) == 3
        assert {command.value for command in commands(observer)} == {0}
        command = commands(observer)[-1]
        assert command.path == "Vehicle.Cabin.Door.Row1.DriverSide.Window.Position"
        assert command.requester == url.username
        assert device.is_running


def _rains(observer: Observer) -> bool:
    """Let it rain, also on those who come before it."""
    said = signal(RAIN, 80)
    observer.publish(said.topic, said.encode())
    return True


def test_what_docs_shows_the_simulated_car_obeys() -> None:
    flow = json.loads((DOCS / "node-red-flow.json").read_text())
    topics = [node["topic"] for node in flow if "/command/" in node.get("topic", "")]
    assert {topic.split("/")[4] for topic in topics} <= set(REQUESTERS)
    assert topics


def test_what_docs_shows_is_all_tried() -> None:
    shown = {path.name for path in Path(DOCS).iterdir()}
    assert shown == {"node-red-flow.json", "device.py"}

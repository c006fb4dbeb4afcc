"""The gateway as a process: frames on a bus become messages, whatever is killed in between."""

import os
import random
import signal
from collections.abc import Iterator
from itertools import groupby

import pytest

from internetcar.contract.telemetry import TelemetryRequest
from internetcar.launcher.broker import RunningBroker
from tests.e2e.live_car import VEHICLE, Traffic, gateway, traffic
from tests.e2e.log_reader import REQUESTER, LogReader
from tests.e2e.observer import Observer
from tests.e2e.stage import Stage
from tests.waiting import eventually

TOPIC = f"v1/vehicle/{VEHICLE}"


@pytest.fixture
def driving(stage: Stage) -> Iterator[Traffic]:
    assert stage
    with traffic() as started:
        yield started


def test_frames_on_a_bus_are_heard_as_every_kind_of_message(
    broker: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    with Observer(broker.url) as observer:
        running = gateway(stage, broker.url)
        presence = observer.until_presence(online=True)
        assert (presence["origin"], presence["asleep"]) == ("live", False)
        assert presence["buses"]["can0"]["state"] == "up"
        assert presence["buses"]["can0"]["listen_only"]
        observer.until(lambda heard: len(heard.of("telemetry")) > 5 and heard.of("health")[1:])
        assert driving.rounds
        speed = observer.signals()["Vehicle.Speed"]
        assert 0 <= speed["value"] < 250
        assert speed["quality"] == "valid"
        assert observer.signals()["Vehicle.Powertrain.Transmission.CurrentGear"]["value"] == 3
        catalog = {path for heard in observer.of("catalog") for path in heard.body["leaves"]}
        assert catalog == set(observer.signals())
        assert observer.of("health")[-1].body["buses"]["can0"]["frames"] > 0
        for heard in observer.of("position"):
            place = heard.body
            assert place["latitude"] - 1.3 == pytest.approx(place["longitude"] - 103.8, abs=1e-6)
        assert observer.of("position")
        assert not any(heard.body["asleep"] for heard in observer.of("presence"))
        with Observer(broker.url, f"{TOPIC}/signal/#") as late:
            late.until(lambda heard: len(heard.signals()) == len(catalog))
            assert all(late.heard[index].retained for index in range(len(catalog)))
        running.kill()
        gone = observer.until_presence(online=False)
        assert gone["journal"] == presence["journal"]
    log = LogReader()
    log.attend(observer)
    log.step()
    log.assert_complete()
    assert_pairs_are_whole(log)
    assert log.applied[0].kind == "snapshot"
    assert log.requests == 0


def assert_pairs_are_whole(log: LogReader) -> None:
    """Each latitude in the log has its own frame's longitude at the same instant."""
    pairs = 0
    for batch in log.applied:
        norths = batch.samples.get("Vehicle.CurrentLocation.Latitude", [])
        easts = batch.samples.get("Vehicle.CurrentLocation.Longitude", [])
        assert len(norths) == len(easts)
        for north, east in zip(norths, easts, strict=True):
            assert north[0] == east[0]
            assert isinstance(north[1], float)
            assert isinstance(east[1], float)
            assert north[1] - 1.3 == pytest.approx(east[1] - 103.8, abs=1e-6)
            pairs += 1
    assert pairs > 5


def test_a_gateway_that_says_goodbye_leaves_nothing_unsent(
    broker: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    with Observer(broker.url) as observer:
        running = gateway(stage, broker.url)
        observer.until(lambda heard: len(heard.of("telemetry")) > 3)
        assert driving.rounds
        running.send(signal.SIGTERM)
        observer.until_presence(online=False)
        assert running.wait() == 0
    assert "stay on disk" not in running.stderr
    assert "Traceback" not in running.stderr


def test_a_killed_gateway_loses_no_committed_batch_and_the_next_names_its_journal(
    broker: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    chance, log = random.Random(5), LogReader()
    with Observer(broker.url) as observer:
        log.attend(observer)
        for _ in range(2):
            running = gateway(stage, broker.url)
            observer.until_more("telemetry", chance.randint(1, 8))
            running.kill()
        assert driving.rounds
        gateway(stage, broker.url)
        observer.until(
            lambda heard: len({batch.body["journal"] for batch in heard.of("telemetry")}) == 3
        )

        def is_read() -> bool:
            log.step()
            return len(log.sequences()) == 3

        eventually(is_read)
    log.assert_complete()
    journals = list(log.sequences())
    begins = [batch for batch in log.applied if batch.sequence == 1]
    assert [batch.previous for batch in begins] == [None, *journals[:-1]]
    assert begins[1].previous_last == len(log.sequences()[journals[0]])


def test_a_killed_broker_costs_nothing_after_repair(
    mosquitto: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    chance, log = random.Random(5), LogReader()
    with Observer(mosquitto.url) as observer:
        log.attend(observer)
        gateway(stage, mosquitto.url)
        for _ in range(2):
            observer.until_more("telemetry", chance.randint(1, 8))
            assert mosquitto.pid is not None
            os.kill(mosquitto.pid, signal.SIGKILL)
            driving.until_more(40)
            mosquitto.restart()
        observer.until_more("telemetry", 10)
        newest = max(heard.body["sequence"] for heard in observer.of("telemetry"))

        def is_read() -> bool:
            log.step()
            return log.position is not None and log.position.sequence >= newest

        eventually(is_read)
    log.assert_complete()
    assert len(log.sequences()) == 1


def test_what_happened_while_there_was_no_broker_is_sent_when_there_is_one(
    broker: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    broker.stop()
    alone = gateway(stage, broker.url)
    eventually(lambda: "leaves from 1 buses" in alone.stderr)
    driving.until_more(40)
    assert alone.end() == 0
    assert "batches stay on disk" in alone.stderr
    broker.restart()
    with Observer(broker.url) as observer:
        gateway(stage, broker.url)
        observer.until(lambda heard: len(heard.of("telemetry")) > 5)

        def journals() -> list[str]:
            bodies = [heard.body for heard in observer.of("telemetry")]
            return [journal for journal, _ in groupby(bodies, lambda body: body["journal"])]

        eventually(lambda: len(journals()) == 2)
    log = LogReader()
    log.attend(observer)
    log.step()
    log.assert_complete()
    assert list(log.sequences()) == journals()


def test_a_reader_that_is_killed_again_and_again_applies_everything_once(
    mosquitto: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    chance = random.Random(7)
    log = LogReader()
    gateway(stage, mosquitto.url)
    for _ in range(4):
        with Observer(mosquitto.url) as observer:
            log.attend(observer)
            wanted = len(log.applied) + chance.randint(1, 8)

            def is_read(wanted: int = wanted) -> bool:
                log.step()
                return len(log.applied) >= wanted

            eventually(is_read)
        driving.until_more(chance.randint(5, 50))
    log.assert_complete()
    assert log.requests


def test_what_a_reader_asks_for_comes_byte_for_byte_to_it_alone(
    mosquitto: RunningBroker, stage: Stage, driving: Traffic
) -> None:
    answer_topic = f"v1/client/{REQUESTER}/telemetry/{VEHICLE}"
    with Observer(mosquitto.url) as observer:
        gateway(stage, mosquitto.url)
        observer.until(lambda heard: len(heard.of("telemetry")) > 6)
        assert driving.rounds
        first = {heard.body["sequence"]: heard.payload for heard in observer.of("telemetry")}
        journal = observer.of("telemetry")[0].body["journal"]
        for asked, begin, end in ((journal, 2, 5), ("unknown", 1, 9), (journal, 5, 2)):
            request = TelemetryRequest(
                vehicle_id=VEHICLE, journal=asked, first=begin, last=end, reply_to=REQUESTER
            )
            observer.publish(request.topic, request.encode())

        def answers() -> list[bytes]:
            return [heard.payload for heard in observer.heard if heard.topic == answer_topic]

        observer.until(lambda _: len(answers()) >= 4)
        observer.until_more("telemetry", 3)
    assert answers() == [first[sequence] for sequence in (2, 3, 4, 5)]
    clients = {heard.topic for heard in observer.heard if heard.topic.startswith("v1/client/")}
    assert clients == {answer_topic}

"""A recording of a real car through `car replay`, heard by an independent subscriber."""

import hashlib
import re
import signal

import pytest

from internetcar.launcher.broker import RunningBroker
from tests.data import data_path
from tests.e2e.observer import Observer
from tests.e2e.small_car import DBC, log_lines, speed_frame
from tests.e2e.stage import PYTHON, Actor, Stage

START = "2022-03-01T08:00:00Z"
FRAMES = 39_546
GOLDEN = "170d60fcda836ebf6daf532577ec4df4055a6155db7834c73a489b9fc9281f7e"
"""SHA-256 over all telemetry in its order and the last payload of every signal topic.

Byte for byte: the order of leaves within a batch, which is that of decoding, is part of it.
"""

IMPATIENT = """
import gateway.replay
gateway.replay.STALLED_S = 0.5
from internetcar.launcher.command import main
main()
"""

CRAMPED = """
import gateway.replay
from gateway.outbox import Limits
gateway.replay.Limits = lambda **_: Limits(unsent_bytes=500)
from internetcar.launcher.command import main
main()
"""


def kona_log(suffix: str = "pcan0.ccan1.candump.log") -> str:
    return str(data_path(f"can/kona-ev/power-off-on-ready-off.{suffix}"))


def kona(broker: RunningBroker, log: str, *more: str) -> list[str]:
    """`car replay` of the drive with the car's own mapping."""
    return [
        *("replay", log, "--vehicle-id", "kona", "--broker", broker.url.secret),
        *("--vehicle", "hyundai_kona_ev"),
        *("--dbc", f"can0={data_path('can/kona-ev/pcan.dbc')}"),
        *("--dbc", f"can1={data_path('can/opendbc/hyundai_kia_generic.dbc')}"),
        *("--start", START, *more),
    ]


@pytest.fixture
def small(stage: Stage) -> list[str]:
    """`car replay` of half a second of one message, without a mapping."""
    (stage.folder / "small.dbc").write_text(DBC)
    speeds = [speed_frame(speed) for speed in (10, 10, 20, 30, 30, 40)]
    (stage.folder / "small.log").write_text(log_lines(speeds, period_s=0.02))
    return [
        *("replay", str(stage.folder / "small.log")),
        *("--dbc", f"can0={stage.folder / 'small.dbc'}", "--vehicle-id", "small"),
    ]


def fingerprint(observer: Observer) -> str:
    digest = hashlib.sha256()
    for heard in observer.of("telemetry"):
        digest.update(heard.payload + b"\n")
    for topic, payload in sorted(observer.last("signal").items()):
        digest.update(topic.encode() + b" " + payload + b"\n")
    return digest.hexdigest()


def sequences(observer: Observer) -> list[int]:
    return [heard.body["sequence"] for heard in observer.of("telemetry")]


def samples(observer: Observer, path: str) -> list[float]:
    """A leaf's values in the changes of all batches."""
    return [
        sample[1]
        for heard in observer.of("telemetry")
        if heard.body["kind"] == "changes"
        for sample in heard.body["samples"].get(path, [])
    ]


def errors(actor: Actor) -> list[str]:
    return [line for line in actor.stderr.splitlines() if not line.startswith("INFO ")]


def test_the_real_car_is_the_same_on_every_broker(broker: RunningBroker, stage: Stage) -> None:
    with Observer(broker.url) as observer:
        arguments = kona(broker, kona_log(), "--fast", "--fresh", "--journal", "golden")
        played = stage.ended(*arguments)
        assert played.process.returncode == 0, played.stderr
        assert f"{FRAMES} frames" in played.stdout
        presence = observer.until_presence(online=False)
    paths = observer.signals()
    assert len([path for path in paths if path.startswith("Vehicle.")]) >= 25
    assert sequences(observer) == list(range(1, len(sequences(observer)) + 1))
    assert (presence["clock"], presence["origin"]) == ("recorded", "recording")
    assert fingerprint(observer) == GOLDEN


def test_the_same_frames_as_gvret_csv_are_the_same_telemetry(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    with Observer(mosquitto.url) as observer:
        arguments = kona(mosquitto, kona_log("gvret.csv"), "--fast", "--fresh")
        played = stage.ended(*arguments, "--journal", "golden")
        assert played.process.returncode == 0, played.stderr
        observer.until_presence(online=False)
    assert fingerprint(observer) == GOLDEN


def test_without_a_mapping_every_changed_signal_is_said_where_pacing_is_off(
    mosquitto: RunningBroker, stage: Stage, small: list[str]
) -> None:
    with Observer(mosquitto.url) as observer:
        played = stage.ended(
            *small, "--broker", mosquitto.url.secret, "--fast", "--fresh", "--no-pacing"
        )
        assert played.process.returncode == 0, played.stderr
        observer.until_presence(online=False)
    assert samples(observer, "Motion.Speed") == [10, 20, 30, 40]
    assert observer.signals()["Motion.Speed"]["value"] == 40
    said = [heard for heard in observer.of("signal") if heard.topic.endswith("Motion.Speed")]
    assert list(dict.fromkeys(heard.body["value"] for heard in said)) == [10, 20, 30, 40]


def test_pacing_keeps_the_last_change_of_an_interval(
    mosquitto: RunningBroker, stage: Stage, small: list[str]
) -> None:
    with Observer(mosquitto.url) as observer:
        played = stage.ended(*small, "--broker", mosquitto.url.secret, "--fast", "--fresh")
        assert played.process.returncode == 0, played.stderr
        observer.until_presence(online=False)
    assert samples(observer, "Motion.Speed") == [10, 40]


def test_a_value_that_fell_due_before_the_next_frame_is_said(
    mosquitto: RunningBroker, stage: Stage, small: list[str]
) -> None:
    speeds = [speed_frame(speed) for speed in (10, 20, 30)]
    (stage.folder / "small.log").write_text(log_lines(speeds, period_s=0.06))
    with Observer(mosquitto.url) as observer:
        played = stage.ended(*small, "--broker", mosquitto.url.secret, "--fast", "--fresh")
        assert played.process.returncode == 0, played.stderr
        observer.until_presence(online=False)
    assert samples(observer, "Motion.Speed") == [10, 20, 30]


def test_one_broken_stamp_costs_one_frame_and_is_said(
    mosquitto: RunningBroker, stage: Stage, small: list[str]
) -> None:
    log = stage.folder / "small.log"
    lines = log_lines([speed_frame(speed) for speed in range(10)], period_s=0.2).splitlines()
    lines[3] = lines[3].replace("(1700000", "(1702592")
    log.write_text("\n".join(lines) + "\n")
    with Observer(mosquitto.url) as observer:
        played = stage.ended(*small, "--broker", mosquitto.url.secret, "--fresh")
        assert played.process.returncode == 0, played.stderr
        observer.until_presence(online=False)
    assert samples(observer, "Motion.Speed") == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert "1 frames left out: their time is far from the others', first: 170259" in played.stderr


def test_devices_that_are_seconds_apart_are_one_time(
    mosquitto: RunningBroker, stage: Stage, small: list[str]
) -> None:
    log = stage.folder / "small.log"
    lines = log_lines([speed_frame(speed) for speed in range(40)], period_s=0.1).splitlines()
    behind = [f"({1_699_999_998 + index / 10:.6f}) can1 200#00" for index in range(40)]
    log.write_text("".join(f"{line}\n{late}\n" for line, late in zip(lines, behind, strict=True)))
    with Observer(mosquitto.url) as observer:
        dbc = f"can1={stage.folder / 'small.dbc'}"
        played = stage.ended(
            *small, "--dbc", dbc, "--broker", mosquitto.url.secret, "--fast", "--fresh"
        )
        assert played.process.returncode == 0, played.stderr
        observer.until_presence(online=False)
    assert len(observer.of("telemetry")) < 12


def test_a_loop_goes_on_in_the_recordings_time_until_it_is_ended(
    mosquitto: RunningBroker, stage: Stage, small: list[str]
) -> None:
    with Observer(mosquitto.url) as observer:
        arguments = ("--broker", mosquitto.url.secret, "--loop", "--speed", "50")
        played = stage.car(*small, *arguments)
        observer.until(lambda heard: len(heard.of("telemetry")) >= 20)
        played.send(signal.SIGINT)
        assert played.wait() == 0, played.stderr
        observer.until_presence(online=False)
    instants = [heard.body["end_at"] for heard in observer.of("telemetry")]
    assert instants == sorted(instants)
    assert sequences(observer) == list(range(1, len(instants) + 1))


def test_a_broker_that_goes_away_costs_nothing_but_another_run(
    mosquitto: RunningBroker, stage: Stage
) -> None:
    arguments = kona(mosquitto, kona_log(), "--state", str(stage.state))
    with Observer(mosquitto.url) as observer:
        played = stage.start(PYTHON, "-c", IMPATIENT, *arguments, "--speed", "8")
        observer.until(lambda heard: len(heard.of("telemetry")) >= 2)
        mosquitto.stop()
    assert played.wait() == 1
    told = errors(played)[-1]
    assert (count := re.match(r"car: (\d+) telemetry batches are not acknowledged", told)), told
    assert str(stage.state) in told
    mosquitto.restart()
    with Observer(mosquitto.url) as later:
        again = stage.ended(*arguments, "--fast")
        assert again.process.returncode == 0, again.stderr
        later.until_presence(online=False)
    batches = [heard.body for heard in [*observer.of("telemetry"), *later.of("telemetry")]]
    first, second = dict.fromkeys(batch["journal"] for batch in batches)
    of_first = {batch["sequence"] for batch in batches if batch["journal"] == first}
    begin = next(batch for batch in batches if batch["journal"] == second)
    assert of_first == set(range(1, max(of_first) + 1))
    assert (begin["previous"], begin["previous_last"]) == (first, max(of_first))
    assert len(later.of("telemetry")) >= int(count[1])


def test_a_vehicle_that_is_online_is_not_spoken_for(
    mosquitto: RunningBroker, stage: Stage, small: list[str]
) -> None:
    there = (
        b'{"online": true, "journal": "j", "since": "2022-01-01T00:00:00Z", "clock": "free",'
        b' "origin": "live", "software": "x"}'
    )
    with Observer(mosquitto.url) as observer:
        observer.publish("v1/vehicle/small/presence", there, retain=True)
        arguments = (*small, "--broker", mosquitto.url.secret, "--fast", "--fresh")
        refused = stage.ended(*arguments)
        assert refused.process.returncode == 2
        (line,) = errors(refused)
        assert "online already (journal j)" in line
        assert "--take-over" in line
        assert not observer.of("telemetry")
        taken = stage.ended(*arguments, "--take-over")
        assert taken.process.returncode == 0, taken.stderr
        observer.until(lambda heard: heard.of("telemetry"))


def test_a_cut_file_is_played_up_to_the_cut_and_says_so(
    mosquitto: RunningBroker, stage: Stage, small: list[str]
) -> None:
    log = stage.folder / "small.log"
    log.write_text(log.read_text()[:-6])
    played = stage.ended(*small, "--broker", mosquitto.url.secret, "--fast", "--fresh")
    assert played.process.returncode == 0, played.stderr
    assert "5 frames" in played.stdout
    assert "1 broken lines, first: line 6" in played.stderr


def test_telemetry_that_was_given_up_is_no_success(
    mosquitto: RunningBroker, stage: Stage, small: list[str]
) -> None:
    speeds = [speed_frame(speed) for speed in range(300)]
    (stage.folder / "small.log").write_text(log_lines(speeds, period_s=0.2))
    arguments = (*small, "--broker", mosquitto.url.secret, "--fast", "--fresh")
    played = stage.start(PYTHON, "-c", CRAMPED, *arguments)
    assert played.wait() == 1
    assert "telemetry batches were given up, stated as lost" in played.stderr

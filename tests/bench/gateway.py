"""The gateway under 32,000 frames/s on eight buses, end to end: loss, CPU, latency, memory.

Run `python -m tests.bench.gateway`; with `--json` stdout is one flat object. Four phase-shifted
copies of the real two-bus log at 2.19 times its pace come over `loopback` from another process;
telemetry, outbox and pacing are as shipped.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from gateway.pacing import Pace
from gateway.setup import Setup
from internetcar.launcher.broker import BrokerError, RunningBroker
from tests.bench import kona
from tests.bench.ear import Ear
from tests.bench.report import CannotMeasureError, Figure, main, progress
from tests.bench.traffic import BUSES, COPIES, KONA_FRAMES_PER_S, Sent, channel

SPEED = 2.19
SECONDS = float(os.environ.get("INTERNETCAR_BENCH_SECONDS", "60"))
FLOOR_SECONDS = 20.0
STEP_SECONDS = 5.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def measure() -> list[Figure]:
    """All figures, in one run."""
    kona.frames()
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        os.environ["INTERNETCAR_RUN"] = str(folder / "run")
        try:
            broker = RunningBroker("mosquitto", folder / "broker")
        except BrokerError as error:
            raise CannotMeasureError(str(error)) from error
        with broker:
            os.environ["INTERNETCAR_BROKER"] = broker.url.secret
            config = _write_config(folder)
            first_signal_s = _first_signal_s(folder, config, broker)
            figures, messages_per_s = _under_load(folder, config, broker, first_signal_s)
            floor_ms = _floor_ms(folder, broker, messages_per_s)
            figures["p50_over_floor_ms"] -= floor_ms
            figures["frames_per_s_zero_loss"] = _zero_loss(folder, config, broker)
    return _report(figures)


def _write_config(folder: Path) -> Path:
    """Settings and mapping of one vehicle with four times the Kona's buses and leaves."""
    rules = json.loads(kona.MAPPING.read_text(encoding="utf-8"))
    copies = {}
    pipeline = Setup(kona.settings()).assemble().pipeline
    for copy in range(COPIES):
        for leaf, bound in enumerate(pipeline.leaves):
            rule = json.loads(json.dumps(rules[bound.path]))
            bus = 2 * copy + pipeline.message_of(leaf).bus
            copies[f"Copy{copy}.{bound.path}"] = rule
            rule["dbc2vss"]["bus"] = f"can{bus}"
    mapping = folder / "mapping.json"
    mapping.write_text(json.dumps(copies), encoding="utf-8")
    lines = [
        'vehicle_id = "bench"', f'mapping = "{mapping}"', f'state = "{folder / "state"}"',
    ]  # fmt: skip
    for bus in range(BUSES):
        source = list(kona.DATABASES.values())[bus % 2]
        lines += [
            "[[buses]]", f'name = "can{bus}"', 'interface = "loopback"',
            f'channel = "{channel(bus)}"', f'dbc = ["{source}"]',
        ]  # fmt: skip
    config = folder / "internetcar.toml"
    config.write_text("\n".join(lines), encoding="utf-8")
    return config


@contextmanager
def _process(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen([sys.executable, "-m", *arguments], stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(20)


def _send(speed: float, seconds: float, folder: Path) -> tuple[Sent, float]:
    record = folder / "sent"
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench.traffic", str(speed), str(seconds), str(record)],
        check=True, capture_output=True,
    )  # fmt: skip
    return Sent(record), float(ended.stdout)


def _first_signal_s(folder: Path, config: Path, broker: RunningBroker) -> float:
    progress("first signal after start …")
    record = str(folder / "sent")
    with (
        Ear(broker.url, "bench") as ear,
        _process("tests.bench.traffic", "1", "60", record),
    ):
        time.sleep(2.0)
        start_ns = time.time_ns()
        with _process("gateway", str(config)):
            ear.wait_for(lambda: bool(ear.signals), 30, "no signal came")
            return (ear.signals[0][0] - start_ns) / 1e9


def _under_load(
    folder: Path, config: Path, broker: RunningBroker, first_signal_s: float
) -> tuple[dict[str, float], float]:
    progress(f"32,000 frames/s on eight buses for {SECONDS:.0f} s …")
    with Ear(broker.url, "bench") as ear, _process("gateway", str(config)) as gateway:
        ear.wait_for(lambda: ear.is_online, 30, "the gateway did not come online")
        ear.wait_for(lambda: ear.frames is not None, 30, "the gateway says no health")
        before_s, began_s = _cpu_s(gateway.pid), time.monotonic()
        sent, _ = _send(SPEED, SECONDS, folder)
        share = (_cpu_s(gateway.pid) - before_s) / (time.monotonic() - began_s)
        ear.wait_until_still()
        lost = sent.frames - (ear.frames or 0) + ear.missing_batches()
        latencies = _latencies_ms(ear, sent)
        figures = {
            "loss_32k": lost / sent.frames,
            "core_share_32k": share,
            "p50_over_floor_ms": median(latencies),
            "cpu_us_per_frame": share * SECONDS / sent.frames * 1e6,
            "rss_mib": _peak_mib(gateway.pid),
            "first_signal_s": first_signal_s,
        }
        progress(f"{sent.frames} frames, {len(ear.signals)} signals, {len(latencies)} not held")
        return figures, len(ear.signals) / SECONDS


def _latencies_ms(ear: Ear, sent: Sent) -> list[float]:
    """From frame sent to subscriber, over the changes that pacing does not hold.

    A frame that left its leaf's whole interval after the last sample of that leaf arrived cannot
    have been held.
    """
    pipeline = Setup(kona.settings()).assemble().pipeline
    leaves = {
        bound.path: (pipeline.message_of(leaf), bound.rule.pace(Pace()).interval_ns)
        for leaf, bound in enumerate(pipeline.leaves)
    }
    last: dict[str, tuple[int, object]] = {}
    latencies = []
    for received_ns, topic_path, at_ms, value in ear.signals:
        copy, _, path = topic_path.partition(".")
        message, interval_ns = leaves[path]
        bus = 2 * int(copy.removeprefix("Copy")) + message.bus
        sent_ns = sent.sent_ns(bus, message.definition.can_id, at_ms)
        before = last.get(topic_path)
        last[topic_path] = (received_ns, value)
        if sent_ns is None or before is None or before[1] == value:
            continue
        if sent_ns - before[0] >= interval_ns:
            latencies.append((received_ns - sent_ns) / 1e6)
    return latencies


def _floor_ms(folder: Path, broker: RunningBroker, messages_per_s: float) -> float:
    progress("the floor: a pass-through at the same message rate …")
    every = max(1, round(32_000 / messages_per_s))
    with Ear(broker.url, "bench") as ear, _process("tests.bench.passthrough", str(every)):
        ear.wait_for(lambda: "floor/ready" in ear.floor, 30, "the pass-through did not start")
        sent, _ = _send(SPEED, FLOOR_SECONDS, folder)
        ear.wait_until_still()
        latencies = []
        for bus in range(BUSES):
            for number, received_ns in enumerate(ear.floor.get(f"floor/{bus}", [])):
                latencies.append((received_ns - sent.of_bus[bus][number * every]) / 1e6)
    floor_ms = median(latencies)
    progress(f"floor p50 {floor_ms:.3f} ms over {len(latencies)} messages")
    return floor_ms


def _zero_loss(folder: Path, config: Path, broker: RunningBroker) -> float:
    """The highest rate tried at which every frame was decoded; the sender may be what ends it."""
    best, speed = 0.0, SPEED
    while True:
        progress(f"zero loss at {speed * KONA_FRAMES_PER_S * COPIES:.0f} frames/s? …")
        with Ear(broker.url, "bench") as ear, _process("gateway", str(config)):
            ear.wait_for(lambda: ear.is_online, 30, "the gateway did not come online")
            sent, took_s = _send(speed, STEP_SECONDS, folder)
            ear.wait_until_still()
            if sent.frames != ear.frames:
                return best
            best = sent.frames / took_s
            if took_s > STEP_SECONDS * 1.05:
                progress("the sender cannot send faster")
                return best
        speed *= 1.5


def _cpu_s(pid: int) -> float:
    """User and system time of a process, its threads and its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS_PER_S


def _peak_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise CannotMeasureError("this kernel does not say VmHWM")


def _report(values: dict[str, float]) -> list[Figure]:
    share, over = values["core_share_32k"], values["p50_over_floor_ms"]
    return [
        Figure("loss_32k", values["loss_32k"], "frames and batches lost, share of the frames sent",
               "0", values["loss_32k"] == 0),
        Figure("core_share_32k", share, "of one core, whole process", "≤ 0.2", share <= 0.2),
        Figure("p50_over_floor_ms", over, "frame sent to subscriber, above the pass-through",
               "≤ 0.5", over <= 0.5),
        Figure("cpu_us_per_frame", values["cpu_us_per_frame"], "µs"),
        Figure("frames_per_s_zero_loss", values["frames_per_s_zero_loss"], "highest rate tried"),
        Figure("rss_mib", values["rss_mib"], "peak resident memory", "≤ 64",
               values["rss_mib"] <= 64),
        Figure("first_signal_s", values["first_signal_s"], "from start to the first signal",
               "≤ 2", values["first_signal_s"] <= 2),
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure, "Gateway, 32,000 frames/s on 8 buses (four copies of the Kona log)")

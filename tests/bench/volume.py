"""What an hour of driving costs in telemetry and on disk: `python -m tests.bench.volume`.

The Kona log, looped for an hour of its own time, with its mapping and default pacing. Payload bytes
are those of the telemetry topic; bytes written are those the process hands to write(): the store's
files, the write-ahead log, checkpoints and acknowledgements included.
"""

import multiprocessing
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gateway.recordings import Recording
from gateway.replay import Replay
from internetcar.launcher.broker import BrokerError, RunningBroker
from tests.bench import kona
from tests.bench.ear import Ear
from tests.bench.report import CannotMeasureError, Figure, main, progress

HOUR_NS = 3_600_000_000_000
GAP_NS = 1_000_000
START_NS = 1_700_000_000_000_000_000


class LoopedRecording(Recording):
    """The log from memory, again and again, for an hour of its own time."""

    def __init__(self, path: Path) -> None:
        self._frames = kona.frames()
        super().__init__(path)

    def __iter__(self) -> Iterator[tuple[str, int, bytes, int]]:
        base_ns = START_NS
        while True:
            for channel, can_id, payload, at_ns in self._frames:
                if base_ns + at_ns - START_NS > HOUR_NS:
                    return
                yield channel, can_id, payload, base_ns + at_ns
            base_ns += self._frames[-1][3] + GAP_NS


def measure() -> list[Figure]:
    """Both figures, from one hour."""
    kona.frames()
    with tempfile.TemporaryDirectory() as folder:
        try:
            broker = RunningBroker("mosquitto", Path(folder) / "broker")
        except BrokerError as error:
            raise CannotMeasureError(str(error)) from error
        with broker, Ear(broker.url, "kona") as ear:
            progress("an hour of the recording's time …")
            written = multiprocessing.get_context("spawn").Queue()
            arguments = (broker.url, Path(folder) / "state", written)
            child = multiprocessing.get_context("spawn").Process(target=_drive, args=arguments)
            child.start()
            child.join()
            if child.exitcode:
                raise CannotMeasureError(f"the replay ended with code {child.exitcode}")
            ear.wait_until_still()
            payload_bytes = ear.telemetry_bytes
            if ear.missing_batches():
                raise CannotMeasureError(f"{ear.missing_batches()} batches did not arrive")
    megabytes, ratio = payload_bytes / 1e6, written.get() / payload_bytes
    return [
        Figure("mb_per_hour", megabytes, "telemetry payload, MB (10^6)", "≤ 10", megabytes <= 10),
        Figure("disk_written_per_byte", ratio, "handed to write() per payload byte", "≤ 2",
               ratio <= 2),
    ]  # fmt: skip


def _drive(broker: object, state: Path, written: "multiprocessing.Queue[int]") -> None:
    replay = Replay(kona.settings(), LoopedRecording(kona.LOG), broker, state)  # type: ignore[arg-type] # a BrokerUrl through a process boundary
    before = _written_bytes()
    played = replay.run(lambda _done, _total: None)
    if played.batches_left:
        raise CannotMeasureError("the broker did not take the telemetry")
    written.put(_written_bytes() - before)


def _written_bytes() -> int:
    """What this process handed to write(2) and its kin; sockets are not among them."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])
    raise CannotMeasureError("this kernel does not say wchar")


if __name__ == "__main__":
    main(measure, "An hour of the Kona log: telemetry volume and bytes written")

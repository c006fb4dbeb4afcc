"""How fast a recording goes through the whole gateway: `python -m tests.bench.replay`."""

import tempfile
import time
from pathlib import Path

from gateway.recordings import open_recording
from gateway.replay import Replay
from internetcar.launcher.broker import BrokerError, RunningBroker
from tests.bench import kona
from tests.bench.report import CannotMeasureError, Figure, main, progress


def measure() -> list[Figure]:
    """The Kona log from file to acknowledged telemetry, as `car replay --fast` does it."""
    recorded = kona.frames()
    with tempfile.TemporaryDirectory() as folder:
        try:
            broker = RunningBroker("mosquitto", Path(folder) / "broker")
        except BrokerError as error:
            raise CannotMeasureError(str(error)) from error
        with broker:
            best_s = min(_once(broker, Path(folder) / str(turn)) for turn in range(5))
    length_s = (recorded[-1][3] - recorded[0][3]) / 1e9
    return [
        Figure("frames_per_s", len(recorded) / best_s, "best of five, one process"),
        Figure("times_real_time", length_s / best_s, "times the recording's own pace"),
    ]


def _once(broker: RunningBroker, state: Path) -> float:
    replay = Replay(kona.settings(), open_recording(kona.LOG), broker.url, state)
    began_s = time.perf_counter()
    played = replay.run(lambda _done, _total: None)
    took_s = time.perf_counter() - began_s
    if played.batches_left or not played.is_said:
        raise CannotMeasureError("the broker did not take the replay")
    progress(f"{played.frames} frames in {took_s:.3f} s")
    return took_s


if __name__ == "__main__":
    main(measure, "Replay of the Kona log (39,546 frames, two buses), mapped, paced, acknowledged")

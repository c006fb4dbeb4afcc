"""How the gateway fares: counters of all parts as one message a second (pure)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.drain import BusCounters
from gateway.pipeline import Pipeline
from internetcar.contract.presence import BusHealth, Health

DEFAULT_BITRATE = 500_000


class HealthWatch:
    """Turns counters that only grow into rates."""

    def __init__(self, bus_names: Sequence[str], bitrates: Sequence[int | None]) -> None:
        self._names = bus_names
        self._bitrates = [bitrate or DEFAULT_BITRATE for bitrate in bitrates]
        self._before = [(0, 0.0)] * len(bus_names)
        self._before_ns: int | None = None

    def take(
        self,
        pipeline: Pipeline,
        counters: Sequence[BusCounters],
        *,
        vehicle_id: str,
        wall_ms: int,
        unsent: tuple[int, int],
        commands_refused: int = 0,
        problems: Sequence[str],
    ) -> Health:
        """The health now; rates are over the time since the last call.

        Args:
            pipeline: Whose frames and unmappable values are counted.
            counters: Of each bus.
            vehicle_id: Whose health.
            wall_ms: UTC milliseconds since 1970.
            unsent: Batches and bytes the broker has not got.
            commands_refused: Since the start.
            problems: What a person should look at, in words.
        """
        elapsed_s = (pipeline.now_ns - (self._before_ns or pipeline.now_ns)) / 1e9
        self._before_ns = pipeline.now_ns
        buses = {}
        for bus, (name, counted) in enumerate(zip(self._names, counters, strict=True)):
            frames_before, bits_before = self._before[bus]
            self._before[bus] = (counted.frames, counted.bits)
            bits_per_s = max(0.0, counted.bits - bits_before) / elapsed_s if elapsed_s else 0.0
            more_frames = max(0, counted.frames - frames_before)
            frames_per_s = more_frames / elapsed_s if elapsed_s else 0.0
            buses[name] = BusHealth(
                load=round(bits_per_s / self._bitrates[bus], 4),
                frames_per_s=round(frames_per_s, 1),
                frames=counted.frames,
                unknown_ids=pipeline.decoder.unknown_frames[bus],
                decode_errors=pipeline.decoder.errors[bus],
                error_frames=counted.error_frames,
                dropped=counted.dropped,
            )
        return Health(
            vehicle_id=vehicle_id,
            at=datetime.fromtimestamp(wall_ms / 1000, UTC),
            buses=buses,
            outbox_batches=unsent[0],
            outbox_bytes=unsent[1],
            unmappable={
                bound.path: count
                for bound, count in zip(pipeline.leaves, pipeline.unmappable, strict=True)
                if count
            },
            commands_refused=commands_refused,
            problems=list(problems),
        )

"""A pipeline made of the texts of a DBC and a mapping."""

import json
from typing import Any

from gateway.assembly import assemble
from gateway.databases import parse_database
from gateway.mapping import parse_mapping
from gateway.pacing import Pace, Sample
from gateway.pipeline import Pipeline

MS = 1_000_000
UTC_NS = 1_700_000_000_000_000_000
"""The instant of a test's beginning, so that nobody takes one clock for the other."""


class Car:
    """Feeds a pipeline; `now` is the milliseconds since the beginning, on both clocks."""

    def __init__(
        self,
        dbc: str,
        leaves: dict[str, dict[str, Any]] | None,
        *,
        allow: dict[str, list[str]] | None = None,
        **pace: Any,
    ) -> None:
        mapping = None if leaves is None else parse_mapping(json.dumps(leaves), "test.json")
        database = parse_database(dbc, "test.dbc", "dbc")
        self.assembly = assemble([[database]], ["can0"], mapping, Pace(**pace), allow=allow)
        self.pipeline: Pipeline = self.assembly.pipeline

    def feed(self, now: int, can_id: int, payload: bytes) -> None:
        self.pipeline.now_ns = now * MS
        self.pipeline.feed(0, can_id, payload, UTC_NS + now * MS)

    def take(self, now: int) -> list[tuple[str, Any, str, int]]:
        """Path, value, quality and age of the instant in milliseconds since the beginning."""
        self.pipeline.now_ns = now * MS
        return self.named(self.pipeline.take())

    def named(self, samples: list[Sample]) -> list[tuple[str, Any, str, int]]:
        return [
            (self.assembly.paths[leaf], value, quality, (at_ns - UTC_NS) // MS)
            for leaf, value, quality, at_ns in samples
        ]


def leaf(signal: str, datatype: str = "float", **more: Any) -> dict[str, Any]:
    """A leaf of the mapping; `min`, `max` and `unit` are of VSS, the rest of `dbc2vss`."""
    of_vss: dict[str, Any] = {key: more.pop(key) for key in ("min", "max", "unit") if key in more}
    source = {"signal": signal, **more}
    return {"type": "sensor", "datatype": datatype, **of_vss, "dbc2vss": source}

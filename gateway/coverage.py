"""How far databases explain what came over a bus (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.databases import Database, MessageDefinition
from gateway.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Unexpected:
    """Frames of a known message that have another length than it is defined with."""

    message: MessageDefinition
    frames: int
    lengths: tuple[int, ...]
    """The lengths that came, in bytes."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the databases of one bus know of its traffic."""

    frames: int
    known: int
    """Frames whose identifier a database has."""
    unknown: tuple[tuple[int, int], ...]
    """Each unknown `can_id` with its frames, the most frequent first."""
    shorter: tuple[Unexpected, ...]
    longer: tuple[Unexpected, ...]
    unseen: tuple[MessageDefinition, ...]
    """Messages of which no frame came, in the databases' order."""
    messages: int
    """How many messages the databases have."""

    @property
    def share(self) -> float:
        """Known frames of all frames, 0…1; 0 where nothing came."""
        return self.known / self.frames if self.frames else 0.0


def coverage(traffic: Traffic, databases: Iterable[Database]) -> Coverage:
    """Hold the traffic of one bus against its databases.

    Where two databases have the same identifier the first counts, as in the gateway.
    """
    messages: dict[int, MessageDefinition] = {}
    for database in databases:
        for message in database.messages:
            messages.setdefault(message.can_id, message)
    unknown = [(i, heard.frames) for i, heard in traffic.ids.items() if i not in messages]
    seen = [message for can_id, message in messages.items() if can_id in traffic.ids]
    return Coverage(
        frames=traffic.frames,
        known=sum(traffic.ids[message.can_id].frames for message in seen),
        unknown=tuple(sorted(unknown, key=lambda one: (-one[1], one[0]))),
        shorter=_unexpected(traffic, seen, is_shorter=True),
        longer=_unexpected(traffic, seen, is_shorter=False),
        unseen=tuple(m for can_id, m in messages.items() if can_id not in traffic.ids),
        messages=len(messages),
    )


def _unexpected(
    traffic: Traffic, messages: Sequence[MessageDefinition], *, is_shorter: bool
) -> tuple[Unexpected, ...]:
    found = []
    for message in messages:
        lengths = {
            length: frames
            for length, frames in traffic.ids[message.can_id].lengths.items()
            if (length < message.length if is_shorter else length > message.length)
        }
        if lengths:
            found.append(Unexpected(message, sum(lengths.values()), tuple(sorted(lengths))))
    return tuple(found)

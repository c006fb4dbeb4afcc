"""Where a vehicle's trips stand, as plain data for the store (pure)."""

import hashlib
import zlib

from pydantic import BaseModel, Field, ValidationError

from internetcar.contract.presence import Clock, Origin
from internetcar.contract.trips import UNKNOWN_DRIVER, Place, WhyEnded
from services.trips.behaviour import Behaviour
from services.trips.driving import Motion
from services.trips.energy import Energy
from services.trips.geometry import Route
from services.trips.reading import Reading
from services.trips.travel import Spot, Travel

_MOST_BYTES = 1 << 22


class Trip(BaseModel):
    """A trip that is not yet final.

    Attributes:
        trip_id: Derived from vehicle, origin and start.
        run: Of this reading of it: its details in the store.
        origin: Of the log.
        clock: Of the log, at the start.
        started_ms: UTC ms.
        off_ms: When it was switched off, or fell silent; `None`: it is on.
        why: Why it ended, should it have.
        driver: Who drives.
        start: Where it began.
        heard_ms: When the car last said anything new.
        progress_ms: Of the last progress.
        is_told: Its start was said.
        revision: Of its end as it was last said; 0: not yet.
        crash_ms: When an airbag went off.
        stopped_ms: How long it was off in between.
        unknown_ms: How long nothing is known of.
        outside: Mean of the temperature outside: °C·ms, and ms.
        settings: By leaf, the number of its last change in the store, and when that was, UTC ms.
        changes: How many changes of settings there are.
        recent: By leaf, when a setting was last changed, UTC ms; what is long ago is not kept.
        has_power: The car says whether it is on, so that standing can be told from being off.
    """

    trip_id: str
    run: str
    origin: Origin
    clock: Clock
    started_ms: int
    off_ms: int | None = None
    why: WhyEnded = "power_off"
    driver: str = UNKNOWN_DRIVER
    start: Place | None = None
    heard_ms: int
    progress_ms: int
    is_told: bool = False
    revision: int = 0
    crash_ms: int | None = None
    stopped_ms: int = 0
    unknown_ms: int = 0
    outside: tuple[float, int] = (0.0, 0)
    settings: dict[str, tuple[int, int]] = Field(default_factory=dict)
    changes: int = 0
    recent: dict[str, int] = Field(default_factory=dict)
    has_power: bool = False
    travel: Travel = Field(default_factory=Travel)
    energy: Energy = Field(default_factory=Energy)
    behaviour: Behaviour = Field(default_factory=Behaviour)
    motion: Motion = Field(default_factory=Motion)
    route: Route = Field(default_factory=Route)

    def shift(self, shift_ms: int) -> None:
        """The clock was set: all instants move along; the id stays as it was said."""
        self.started_ms += shift_ms
        self.heard_ms += shift_ms
        self.progress_ms += shift_ms
        self.off_ms = None if self.off_ms is None else self.off_ms + shift_ms
        self.crash_ms = None if self.crash_ms is None else self.crash_ms + shift_ms
        self.settings = {
            leaf: (number, at_ms + shift_ms) for leaf, (number, at_ms) in self.settings.items()
        }
        self.recent = {leaf: at_ms + shift_ms for leaf, at_ms in self.recent.items()}
        travel, behaviour = self.travel, self.behaviour
        for spot in {id(s): s for s in (
            travel.spot, travel.counted, travel.before_hole, travel.doubted
        ) if s is not None}.values():  # fmt: skip
            spot.at_ms += shift_ms
        travel.speed_at_ms += shift_ms
        travel.said_ms += shift_ms
        travel.odometer_at_ms += shift_ms
        self.energy.at_ms += shift_ms
        self.motion.shift(shift_ms)
        behaviour.speeds.clear()
        for event in behaviour.running.values():
            event.begun_ms += shift_ms
            event.last_ms += shift_ms


class State(BaseModel):
    """Where a vehicle's log was read up to, and its trip, if there is one.

    Attributes:
        journal: The journal read last.
        sequence: Its last batch.
        end_ms: Up to when it was read, UTC ms; 0: nothing yet.
        clock: Of it.
        origin: Of it.
        in_hole: Something is missing before what comes next.
        reading: What is known of each leaf.
        spot: The last fix there was.
        trip: The trip that is not yet final.
        off_ms: When the trip before ended, UTC ms; 0: not known.
    """

    journal: str = ""
    sequence: int = 0
    end_ms: int = 0
    clock: Clock = "synchronized"
    origin: Origin = "live"
    in_hole: bool = False
    reading: Reading = Field(default_factory=Reading)
    spot: Spot | None = None
    trip: Trip | None = None
    off_ms: int = 0

    def dump(self) -> bytes:
        """As few bytes, for they are written each second."""
        return zlib.compress(self.model_dump_json(exclude_defaults=True).encode(), 1)

    @classmethod
    def load(cls, kept: bytes) -> "State":
        """What `dump` wrote.

        Raises:
            ValueError: It was written in another format.
        """
        try:
            unpacker = zlib.decompressobj()
            return cls.model_validate_json(unpacker.decompress(kept, _MOST_BYTES))
        except (zlib.error, ValidationError) as error:
            raise ValueError("the state of its trips is of another format") from error


def trip_id_of(vehicle_id: str, origin: Origin, started_ms: int) -> str:
    """The id of a trip: the same for ever, since it derives from what happened."""
    text = f"{vehicle_id}\0{origin}\0{started_ms}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]

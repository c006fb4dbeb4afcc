"""From a vehicle's log to its trips, batch by batch; time is the log's (pure)."""

from collections.abc import Collection
from dataclasses import dataclass

from internetcar.contract.message import milliseconds
from internetcar.contract.presence import Clock, Origin
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.trips import TripProgress, TripStarted
from services.trips import leaves, telling
from services.trips.observing import Detail, begun, harsh, is_on, note_recent, observe, passed
from services.trips.reading import Known, Reading, read
from services.trips.state import State, Trip

MERGE_MS = 300_000
"""A stop that is shorter is part of the trip; silence that is not shorter ends it."""
_APART_MS = 5_000
"""Batches that lie further apart leave a time of which the log says nothing."""
_LONGEST_MS = 24 * 3_600_000
"""A batch that claims to say everything of a longer time says nothing."""
_EARLIEST_MS = -10 * 365 * 24 * 3_600_000
"""A clock that is set to so long before 1970 tells of another time."""
_SETTLE_MS = 2_000
_PROGRESS_MS = 10_000


@dataclass(frozen=True, slots=True)
class Ended:
    """A trip has ended; its details are in the store. `is_final`: nothing more comes of it."""

    trip: Trip
    is_final: bool


Event = TripStarted | TripProgress | Detail | Ended


class Follower:
    """Follows one vehicle through its log; what happened is in `events`.

    Args:
        vehicle_id: Whom.
        state: Where its log stands; it is changed.
        settings: Leaves that count as settings.
    """

    def __init__(self, vehicle_id: str, state: State, settings: Collection[str]) -> None:
        self.vehicle_id = vehicle_id
        self.state = state
        self.settings = frozenset(settings)
        self.events: list[Event] = []

    def on_batch(self, batch: Telemetry, *, has_gap: bool) -> None:
        """Apply the next batch.

        Args:
            batch: The next of the vehicle's log.
            has_gap: Batches before this one are lost for good.
        """
        state = self.state
        start_ms, end_ms = milliseconds(batch.start_at), milliseconds(batch.end_at)
        says = batch.kind != "dropped" and 0 <= end_ms - start_ms <= _LONGEST_MS
        is_next = says and not has_gap and not state.in_hole
        state.in_hole = state.in_hole or has_gap or not says
        if says:
            is_known = state.journal == batch.journal
            self.connect(start_ms, end_ms, batch.clock, batch.origin, is_next=is_next and is_known)
            state.journal, state.sequence = batch.journal, batch.sequence
            wanted = self.settings.union(leaves.MOTION)
            for at_ms, told in read(state.reading, batch, wanted):
                self.on_moment(at_ms, told)
            self.on_time(end_ms)

    def connect(
        self, start_ms: int, end_ms: int, clock: Clock, origin: Origin, *, is_next: bool
    ) -> None:
        """What comes now begins here: after a hole, after the clock was set, or all anew.

        Args:
            start_ms: Where it begins, UTC ms; with what a slow bus said late, before the last end.
            end_ms: Where it ends.
            clock: Of what comes.
            origin: Of it.
            is_next: Nothing is missing, and it is of the same run of the same gateway.
        """
        state = self.state
        if state.end_ms and origin != state.origin:
            self._anew(start_ms)
        elif state.end_ms:
            later_ms = start_ms - state.end_ms
            is_back = end_ms < state.end_ms - _APART_MS
            is_ahead = later_ms > _APART_MS and (state.clock, clock) == ("free", "synchronized")
            began_ms = state.trip.started_ms if state.trip else start_ms
            may_set = clock != "recorded" and began_ms + later_ms > _EARLIEST_MS
            if is_next and may_set and (is_back or is_ahead):
                self._shift(later_ms)
            elif is_back:
                self._anew(start_ms)
            elif later_ms > _APART_MS or state.in_hole:
                self._on_hole(start_ms)
        state.in_hole = False
        state.clock, state.origin = clock, origin
        state.end_ms = state.end_ms or start_ms

    def on_moment(self, at_ms: int, told: dict[str, Known]) -> None:
        """Apply what was told at an instant."""
        state = self.state
        is_news = at_ms >= state.end_ms
        at_ms = max(at_ms, state.end_ms)  # a snapshot tells what has been for some time
        self._pass(at_ms)
        known = state.reading.known
        chosen = {leaf for leaf in told.keys() & self.settings if told[leaf] is not None}
        changed = {leaf for leaf in chosen if known.get(leaf) != told[leaf]}
        anew = [leaf for leaf in changed if known.get(leaf) is not None]
        # What is chosen stays so where a bus is silent for a while.
        known.update({leaf: told[leaf] for leaf in told.keys() - self.settings | chosen})
        on, trip = is_on(state.reading), state.trip
        if trip is None:
            if on:
                state.trip = begun(self.vehicle_id, at_ms, state)
        elif trip.off_ms is not None:
            if on:
                trip.stopped_ms += at_ms - trip.off_ms
                trip.off_ms, trip.heard_ms = None, at_ms
                trip.energy.skip_to(at_ms)
        elif on is False:
            self._off(trip, at_ms)
        self.events += observe(state, at_ms, told, changed)
        if state.trip is not None and state.trip.is_told:
            note_recent(state.trip, at_ms, anew)
        if is_news and state.trip is not None:
            state.trip.heard_ms = at_ms

    def on_time(self, at_ms: int) -> None:
        """The log says no more up to now."""
        state = self.state
        self._pass(max(at_ms, state.end_ms))
        trip = state.trip
        if trip is None or trip.off_ms is not None:
            return
        if state.end_ms - trip.heard_ms >= MERGE_MS:
            self._lose(trip, trip.heard_ms)
            for leaf in (leaves.POWER, leaves.ENGINE_RUNNING, leaves.ENGINE_SPEED, leaves.SPEED,
                         leaves.OBD_ENGINE_SPEED, leaves.IS_MOVING):  # fmt: skip
                state.reading.known.pop(leaf, None)  # a car that sleeps does not say so
            return
        is_settled = state.end_ms - trip.started_ms >= _SETTLE_MS
        if not trip.is_told and is_settled:
            self._tell(trip)
        if trip.is_told and state.end_ms - trip.progress_ms >= _PROGRESS_MS:
            trip.progress_ms = state.end_ms
            self.events.append(telling.progress(self.vehicle_id, state, trip))

    def settle(self) -> None:
        """The log may never go on: say how the trip has ended as far as anybody knows.

        It is kept: should the log go on, so does the trip, and its end is said again.
        """
        trip = self.state.trip
        if trip is None:
            return
        self._say_end(trip)
        ended = trip.model_copy(deep=True)
        if ended.off_ms is None:
            ended.off_ms, ended.why = self.state.end_ms, "signal_lost"
        self.events.append(Ended(ended, is_final=False))

    def finish(self) -> None:
        """The log has come to its end: nothing more of it will come."""
        trip = self.state.trip
        if trip is not None and trip.off_ms is None:
            self._lose(trip, self.state.end_ms)
        elif trip is not None:
            self._end(trip)

    def _pass(self, at_ms: int) -> None:
        """Up to now all was as it is known."""
        state = self.state
        trip = state.trip
        if trip is not None and trip.off_ms is None:
            passed(trip, state.end_ms, at_ms, state.reading)
        elif trip is not None and trip.off_ms is not None and at_ms - trip.off_ms >= MERGE_MS:
            self._end(trip)
        state.end_ms = at_ms

    def _on_hole(self, start_ms: int) -> None:
        """Nothing is known from where the log was read to up to where it goes on."""
        state = self.state
        span_ms = max(0, start_ms - state.end_ms)
        trip = state.trip
        if trip is not None and trip.off_ms is None:
            if span_ms >= MERGE_MS:
                self._lose(trip, state.end_ms)
            else:
                trip.travel.on_hole()
                trip.motion.lose()
                self.events += self._harsh(trip)
                trip.energy.skip_to(start_ms)
                trip.unknown_ms += span_ms
                trip.heard_ms = max(trip.heard_ms, start_ms)
        elif trip is not None and trip.off_ms is not None and start_ms - trip.off_ms >= MERGE_MS:
            self._end(trip)
        state.end_ms = max(state.end_ms, start_ms)

    def _shift(self, shift_ms: int) -> None:
        """The clock was set in the midst of a run: no time has passed."""
        state = self.state
        state.end_ms += shift_ms
        state.off_ms += shift_ms if state.off_ms else 0
        state.reading.shift(shift_ms)
        if state.spot is not None:
            state.spot = state.spot.model_copy(update={"at_ms": state.spot.at_ms + shift_ms})
        if state.trip is not None:
            state.trip.shift(shift_ms)

    def _anew(self, start_ms: int) -> None:
        """What comes is told from another time, or of another origin."""
        self.finish()
        self.state.reading, self.state.spot, self.state.off_ms = Reading(), None, 0
        self.state.end_ms = start_ms

    def _off(self, trip: Trip, at_ms: int) -> None:
        trip.off_ms, trip.why = at_ms, "power_off"
        trip.travel.on_stop()
        trip.motion.lose()
        self.events += self._harsh(trip)

    def _lose(self, trip: Trip, at_ms: int) -> None:
        self._off(trip, at_ms)
        trip.why = "signal_lost"
        self._end(trip)

    def _end(self, trip: Trip) -> None:
        """Nothing more comes of a trip."""
        self._say_end(trip)
        self.events.append(Ended(trip, is_final=True))
        if trip.travel.spot is not None:
            self.state.spot = trip.travel.spot.model_copy()
        self.state.trip, self.state.off_ms = None, trip.off_ms or 0

    def _say_end(self, trip: Trip) -> None:
        if not trip.is_told and trip.travel.total()[0] >= telling.LEAST_M:
            self._tell(trip)
        trip.revision += 1

    def _tell(self, trip: Trip) -> None:
        """Say that a trip has started, and note how things stand."""
        trip.is_told = True
        details = telling.standing(self.state.reading, trip, sorted(self.settings))
        self.events += details
        self.events.append(telling.started(self.vehicle_id, self.state, trip, details))

    def _harsh(self, trip: Trip) -> list[Detail]:
        return harsh(trip, trip.behaviour.end())


def advance(
    vehicle_id: str, state: State, batch: Telemetry, settings: Collection[str], *, has_gap: bool
) -> tuple[State, list[Event]]:
    """Apply the next batch of a vehicle's log: where it stands then, and what happened."""
    follower = Follower(vehicle_id, state.model_copy(deep=True), settings)
    follower.on_batch(batch, has_gap=has_gap)
    return follower.state, follower.events

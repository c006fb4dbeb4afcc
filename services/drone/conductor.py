"""Binds the pilot to car, broker, autopilot and store.

Messages and bytes go in, messages and bytes come out; there is no socket, no thread, no clock.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from internetcar.contract.drone import (
    DroneReply,
    DroneState,
    DroneWeather,
    State,
)
from internetcar.contract.message import Instant, Message, milliseconds
from internetcar.contract.presence import Presence
from internetcar.contract.signals import Position, Signal
from services.database_errors import StoreError
from services.drone.autopilot import Arm, Autopilot, Counts, DroneStatus, Result, TakeOff
from services.drone.broker import telling
from services.drone.broker.reception import Reception
from services.drone.broker.telling import Identity
from services.drone.events import (
    Asked,
    BrokerLink,
    CarFix,
    CarPresence,
    CarSignal,
    Effect,
    Event,
    Heard,
    Perform,
    Twin,
    WeatherReport,
)
from services.drone.geodesy import Place
from services.drone.moment import Moment
from services.drone.store import Store

log = logging.getLogger(__name__)

OSD_EVERY_S = 0.5
RETRY_S = 2.0
"""How long a store that failed is left alone, unless something waits that must be on disk."""
_UNSAVED = "what is to be done cannot be written to disk first"


class Pilot(Protocol):
    """What decides; the same events at the same moments give the same effects."""

    def handle(self, event: Event, now: Moment) -> Sequence[Effect]:
        """What it does about an event."""

    def remembered(self) -> str:
        """What it wants to have again after a restart, as text, equal for equal memories."""

    @property
    def predicted_pct(self) -> float | None:
        """What would be left of the battery on the car, if it returned now."""

    def state(self) -> DroneState:
        """What the drone does."""

    @property
    def state_name(self) -> State:
        """The name of that state alone."""


class Recorder(Protocol):
    """Keeps what was heard and decided."""

    def write(self, event: Event, now: Moment, effects: Sequence[Effect]) -> None:
        """Keep one event and what was decided on it."""


class Conductor:
    """One drone's whole service but for its sockets.

    Args:
        identity: Which drone.
        pilot: Decides.
        autopilot: Flies.
        reception: Stands before the pilot.
        store: Keeps what must last.
        recorder: Keeps every event, for `replay`.
    """

    def __init__(
        self,
        identity: Identity,
        pilot: Pilot,
        autopilot: Autopilot,
        reception: Reception,
        store: Store,
        recorder: Recorder | None = None,
    ) -> None:
        self.identity = identity
        self._pilot = pilot
        self._autopilot = autopilot
        self._reception = reception
        self._store = store
        self._recorder = recorder
        self._performs: list[Perform] = []
        self._messages: list[Message] = []
        self._denied: list[Result] = []
        self._saved: str | None = None
        self._trouble = ""
        self._retry_s = 0.0
        self._osd_s: float | None = None
        self._firmware = ""
        self._car: Place | None = None

    @property
    def counts(self) -> Counts:
        """What came from the autopilot's side."""
        return self._autopilot.counts

    @property
    def requesters(self) -> Collection[str]:
        """Who may ask for something."""
        return self._reception.requesters

    @property
    def state(self) -> State:
        """What the drone does."""
        return self._pilot.state_name

    def greeting(self) -> list[Message]:
        """What a broker must hear first on each connection, since it may have forgotten.

        The presence comes last: another service answers it, and its state must not be hidden.
        """
        presence = telling.presence(self.identity, self._firmware, online=True)
        return [self._pilot.state(), presence]

    def broker(self, now: Moment, *, is_connected: bool) -> None:
        """Say that the broker is there, or is not."""
        self._step(BrokerLink(is_connected), now)

    def twin(self, now: Moment, *, is_heard: bool) -> None:
        """Say that another service speaks for the drone, too, or does not any more."""
        self._step(Twin(is_heard), now)

    def hear(self, message: Message, now: Moment) -> None:
        """Take what the broker brought: the car's messages, or the weather."""
        if (event := _event(message, now)) is not None:
            self._step(event, now)

    def ask(self, topic: str, payload: bytes, now: Moment, *, retained: bool = False) -> None:
        """Take a packet from a request topic, whatever it is."""
        self._take(self._reception.receive(topic, payload, now, retained=retained), now)

    def receive(self, data: bytes, now: Moment) -> None:
        """Take what the transport brought."""
        self._autopilot.receive(data, now)

    def turn(self, now: Moment) -> list[Message]:
        """Let time pass: decide, write down, then act; what is to be said comes back."""
        self._autopilot.turn(now)
        status = self._autopilot.status(now)
        results = (*self._denied, *self._autopilot.results())
        self._denied.clear()
        self._step(Heard(status, results), now)
        is_kept = self._save(now)
        for perform in self._performs:
            if not is_kept and isinstance(perform.intent, Arm | TakeOff):
                self._denied.append(Result(perform.id, "denied", _UNSAVED))
            else:
                self._autopilot.perform(perform.id, perform.intent, now)
        self._performs.clear()
        self._messages += self._of_itself(status, now)
        said, self._messages = self._messages, []
        return said

    def outgoing(self) -> Sequence[bytes]:
        """What the transport must send now, one item a datagram."""
        return self._autopilot.outgoing()

    def _take(self, judged: Asked | DroneReply | None, now: Moment) -> None:
        if isinstance(judged, Asked):
            self._step(judged, now)
        elif judged is not None:
            self._messages.append(judged)

    def _step(self, event: Event, now: Moment) -> None:
        effects = self._pilot.handle(event, now)
        if self._recorder is not None:
            self._recorder.write(event, now, effects)
        if isinstance(event, CarFix):
            self._car = event.place
        for effect in effects:
            if isinstance(effect, Perform):
                self._performs.append(effect)
                continue
            self._messages.append(effect)
            if isinstance(effect, DroneReply):
                self._reception.answered(effect)

    def _save(self, now: Moment) -> bool:
        """Write down what is new; whether all that was decided is on disk."""
        memory, answers = self._pilot.remembered(), self._reception.unsaved()
        changed = None if memory == self._saved else memory
        if changed is None and not answers:
            return True
        is_urgent = any(isinstance(each.intent, Arm | TakeOff) for each in self._performs)
        if self._trouble and now.s < self._retry_s and not is_urgent:
            return False
        try:
            self._store.save(changed, answers, now.utc_ms)
        except StoreError as error:
            self._retry_s = now.s + RETRY_S
            self._say_trouble(str(error), now)
            return False
        self._saved = memory
        self._reception.saved(answers)
        self._say_trouble("", now)
        return True

    def _say_trouble(self, trouble: str, now: Moment) -> None:
        if bool(trouble) != bool(self._trouble):
            detail = trouble or "the store can be written again"
            log.warning("store: %s", detail)
            level = 2 if trouble else 0
            self._messages.append(telling.health(self.identity, now, "store", level, detail))
        self._trouble = trouble

    def _of_itself(self, status: DroneStatus, now: Moment) -> Iterator[Message]:
        if status.firmware != self._firmware:
            self._firmware = status.firmware
            yield telling.presence(self.identity, self._firmware, online=True)
        if self._osd_s is None or not 0 <= now.s - self._osd_s < OSD_EVERY_S:
            self._osd_s = now.s
            predicted_pct = self._pilot.predicted_pct
            yield telling.osd(self.identity, status, self.state, self._car, predicted_pct, now)


def _event(message: Message, now: Moment) -> Event | None:
    """What a message means to the pilot; `None`: nothing."""
    match message:
        case Position():
            place = Place(message.latitude, message.longitude)
            age_s = _age_s(message.at, now)
            return CarFix(place, message.accuracy_m, message.heading_deg, message.speed_kmh, age_s)
        case Signal():
            return CarSignal(message.path, message.value, message.quality, _age_s(message.at, now))
        case Presence():
            return CarPresence(message.online, message.origin, message.clock)
        case DroneWeather():
            return WeatherReport(
                wind_mps=message.wind_speed,
                gust_mps=message.wind_gust,
                from_deg=message.wind_from,
                rain_pct=message.rain,
                temperature_c=message.temperature,
                age_s=_age_s(message.at, now),
            )
    return None


def _age_s(at: Instant, now: Moment) -> float:
    return (now.utc_ms - milliseconds(at)) / 1_000

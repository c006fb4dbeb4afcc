"""A simulated vehicle as frames in the order of time; nothing here waits or knows a bus."""

import heapq
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cantools.database.can import Database

from simulator.body import Body
from simulator.car import Car, Truth
from simulator.ecu import Ecu, Facts, electric_car
from simulator.encode import Listener, Sender, listeners, senders
from simulator.route import Route
from simulator.signals import SPEAKERS, gnss_position
from simulator.vehicle import charge_level_pct

STEP_MS = 20
"""Step of the model: the shortest cycle."""
POSITION = "GNSS_Position"
OBD_BUS = "powertrain"
"""Where the car answers a tester; it says nothing of this kind unasked."""
VIN = "SGPTESTCAR0000001"
STATUS_OF = {
    **{f"Window_{d}": f"Window_{d}_Position" for d in ("FrontDriver", "FrontPassenger")},
    **{f"Window_{d}": f"Window_{d}_Position" for d in ("RearDriver", "RearPassenger")},
    "Trunk": "Trunk_Open",
}
"""Where a status signal is not called as its request without `_Request`."""
SWITCHES = ("Light_", "Door_", "Trunk", "Horn", "HVAC_AC", "HVAC_Re", "HVAC_De", "Charging_Flap")
"""Requests whose values are 1 for off and 2 for on."""


class Frame(NamedTuple):
    """One frame: seconds since the start, bus, id as in canid_t, payload, whether it is CAN FD."""

    t_s: float
    bus: str
    can_id: int
    payload: bytes
    is_fd: bool


class Simulation:
    """One car on its buses.

    Args:
        databases: Bus name → its DBC.
        route: The road.
        seed: Two simulations with equal arguments send equal frames.
        start_m: Where on the road the car stands at the start.
        start_at_ms: UTC of the start, in milliseconds since 1970: what the receiver tells.
    """

    def __init__(
        self,
        databases: Mapping[str, Database],
        route: Route,
        seed: int = 1,
        start_m: float = 0.0,
        start_at_ms: int = 0,
    ):
        self.car = Car(route, seed, start_m)
        self._start_at_ms = start_at_ms
        self._now_ms = 0
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._queue: list[tuple[int, int]] = []
        self._senders: list[tuple[str, Sender]] = []
        self._ecu = Ecu(0, self._facts) if OBD_BUS in databases else None
        for bus, database in databases.items():
            for identifier, listener in listeners(database).items():
                self._listeners[bus, identifier] = listener
            for sender in senders(database):
                index = len(self._senders)
                self._senders.append((bus, sender))
                heapq.heappush(self._queue, (index * 7 % sender.cycle_ms, index))

    @property
    def truth(self) -> Truth:
        """The true position and motion at the last frame."""
        return self.car.truth

    def frames_until(self, t_s: float) -> Iterator[Frame]:
        """The frames from the last call up to `t_s` seconds since the start, in order."""
        until_ms = round(t_s * 1_000)
        while self._queue and self._queue[0][0] <= until_ms:
            due_ms, index = self._queue[0]
            self._advance_to(due_ms)
            bus, sender = self._senders[index]
            heapq.heapreplace(self._queue, (due_ms + sender.cycle_ms, index))
            if sender.name == POSITION:
                values = gnss_position(self.car, self._start_at_ms + due_ms)
            else:
                values = SPEAKERS[sender.name](self.car)
            if values is not None:
                payload = sender.encode(values)
                yield Frame(due_ms / 1_000, bus, sender.can_id, payload, sender.is_fd)
        self._advance_to(until_ms)
        if self._ecu is not None:
            for can_id, payload in self._ecu.take(until_ms * 1_000_000):
                yield Frame(until_ms / 1_000, OBD_BUS, can_id, payload, is_fd=False)

    def receive(self, bus: str, can_id: int, payload: bytes) -> None:
        """Hear a frame of somebody else; the controllers obey those that command them."""
        listener = self._listeners.get((bus, can_id))
        if listener is not None:
            self.car.body.obey(_status_values(listener.requests(payload)))
        elif self._ecu is not None and bus == OBD_BUS:
            self._ecu.feed(can_id, payload, self._now_ms * 1_000_000)

    @property
    def body(self) -> Body:
        """The controllers, for tests and for what happens to a car from outside."""
        return self.car.body

    def _facts(self) -> Facts:
        car = self.car
        current = electric_car(
            speed_kmh=car.state.speed_mps * 3.6,
            charge_pct=charge_level_pct(car.state, car.parameters),
            odometer_m=car.odometer_m + car.state.distance_m,
            outside_c=car.weather.outside_c,
        )
        return Facts(current, vin=VIN)

    def _advance_to(self, due_ms: int) -> None:
        while self._now_ms + STEP_MS <= due_ms:
            self._now_ms += STEP_MS
            self.car.advance(STEP_MS / 1_000)


def _status_values(requests: Mapping[str, float]) -> dict[str, float]:
    """Requests under the names and values of the status signals they want to change."""
    wanted = {}
    for name, value in requests.items():
        subject = name.removesuffix("_Request")
        wanted[STATUS_OF.get(subject, subject)] = value - 1 if name.startswith(SWITCHES) else value
    return wanted

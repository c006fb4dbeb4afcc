"""CAN frames in, and out where a bus says so: several buses of any kind in one thread.

`socketcan` and `loopback` are read by the fast path in `drain.py`, every other interface through
python-can. A bus that is missing, down or refused is tried again every second; the others go on.
"""

import contextlib
import logging
import select
import time
from collections.abc import Callable, Iterable, Mapping

from gateway.bus_spec import ELM327, RAW, BusSpec, FrameError, adapter, elm327
from gateway.drain import BusCounters, FrameDrain, FrameSink, State, WireTime
from gateway.opening import Opener
from gateway.ports import BusMissingError, BusRefusedError, LoopbackPort, Port, SocketCanPort
from gateway.waker import Waker

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_PATIENCE_S = 5.0  # at the start for each bus; one that takes longer comes later
_POLL_S = 0.005  # how often an interface without a file descriptor is asked
_NO_SINKS: Mapping[int, FrameSink] = {}


class Buses:
    """Several buses, read in one thread.

    Args:
        specs: the order gives each bus its index.
        coalesce_s: under load frames are collected for so long, and read together: wake-ups cost
            more than frames. A frame that comes alone is not delayed.
        waker: ends a wait early.
        now_ns: the monotonic clock.

    Raises:
        FrameError: two buses have the same name.
    """

    def __init__(
        self,
        specs: Iterable[BusSpec],
        coalesce_s: float = 0.0005,
        waker: Waker | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.specs = tuple(specs)
        names = [spec.name for spec in self.specs]
        if twice := {name for name in names if names.count(name) > 1}:
            raise FrameError(f"two buses are named {', '.join(sorted(twice))}")
        self._coalesce_s = coalesce_s
        self._now_ns = now_ns
        self._drain = FrameDrain()
        self._counters = [BusCounters() for _ in self.specs]
        self._dropped_before = [0] * len(self.specs)
        self._ports: list[Port | None] = [None] * len(self.specs)
        self._readable = select.epoll()
        self._waker = waker or Waker()
        self._readable.register(self._waker, select.EPOLLIN)
        self._by_descriptor: dict[int, int] = {}
        self._asked: list[int] = []
        self._next_look = 0.0
        self._awake_at = 0.0
        self._is_busy = False
        self._opener = Opener(self._open)
        for bus in range(len(self.specs)):
            self._look_at(bus, patience_s=_PATIENCE_S)

    def wait(self, timeout_s: float) -> None:
        """Returns when there may be something to drain, at the latest after so many seconds."""
        if self._now_s() >= self._next_look:
            self.look()
        if self._is_busy:
            self._rest()
            return
        limit = min(timeout_s, self._next_look - self._now_s())
        self._readable.poll(max(0.0, min(limit, _POLL_S) if self._asked else limit))
        self._is_busy = self._rest()

    def drain(self, sink: FrameSink, sinks: Mapping[int, FrameSink] = _NO_SINKS) -> int:
        """Hands the data frames that have arrived to the sink; returns how many frames came.

        Of each bus at most about a thousand, so that a flood leaves time for the rest. Error and
        remote frames are counted, not handed on.

        Args:
            sink: takes the frames of every bus, ...
            sinks: ... but of those that have one of their own here.
        """
        total = 0
        for descriptor, _ in self._readable.poll(0):
            if descriptor == self._waker.fileno():
                self._waker.clear()
            else:
                bus = self._by_descriptor[descriptor]
                total += self._drain_bus(bus, sinks.get(bus, sink))
        for bus in tuple(self._asked):
            total += self._drain_bus(bus, sinks.get(bus, sink))
        self._is_busy = self._is_busy and total > 0
        return total

    def counters(self, bus: int) -> BusCounters:
        """What this bus has brought, up to date."""
        counters = self._counters[bus]
        if (port := self._ports[bus]) is not None:
            counters.dropped = self._dropped_before[bus] + port.dropped
        return counters

    def volts(self, bus: int) -> float | None:
        """Of the car's small battery, where the bus's adapter measures it."""
        port = self._ports[bus]
        return None if port is None else port.volts

    def succeed(self, former: "Buses") -> None:
        """Take the place of others of the same names, which are closed: their counts go on."""
        for bus, before in enumerate(former._counters):
            own = self._counters[bus]
            own.frames += before.frames
            own.error_frames += before.error_frames
            own.remote_frames += before.remote_frames
            own.junk += before.junk
            own.bits += before.bits
            self._dropped_before[bus] += before.dropped

    def send(self, bus: int, can_id: int, payload: bytes, is_fd: bool = False) -> None:
        """Sends one frame.

        Raises:
            FrameError: the bus may not transmit, is not there, or cannot take the frame.
        """
        spec, port = self.specs[bus], self._ports[bus]
        if not spec.transmit:
            raise FrameError(f"bus {spec.name} only listens: set transmit = true to let it send")
        if is_fd and not spec.fd:
            raise FrameError(f"bus {spec.name} is not CAN FD: set fd = true if it is")
        if len(payload) > (64 if is_fd else 8):
            raise FrameError(f"bus {spec.name}: {len(payload)} bytes do not fit one frame")
        if port is None:
            raise FrameError(f"bus {spec.name} is {self._counters[bus].state}")
        try:
            port.send(can_id, payload, is_fd)
        except OSError as error:
            raise FrameError(f"bus {spec.name} did not take the frame: {error}") from error

    def look(self) -> None:
        """Opens what can be opened now, and sees which buses are up. `wait` does it each second."""
        self._next_look = self._now_s() + _LOOK_S
        for bus in range(len(self.specs)):
            self._look_at(bus)

    def close(self) -> None:
        """Gives all buses back."""
        for bus in range(len(self.specs)):
            self._forget(bus)
        self._opener.close()
        self._readable.close()

    def _rest(self) -> bool:
        """Sleeps on when the last wake-up was less than `coalesce_s` ago; says whether it was."""
        left = self._awake_at + self._coalesce_s - self._now_s()
        if left > 0:
            time.sleep(left)
        self._awake_at = self._now_s()
        return left > 0

    def _now_s(self) -> float:
        return self._now_ns() / 1e9

    def _drain_bus(self, bus: int, sink: FrameSink) -> int:
        port = self._ports[bus]
        if port is None:
            return 0
        try:
            return port.drain(bus, sink, self._counters[bus])
        except BusMissingError as missing:
            self._lose(bus, "missing", str(missing))
        except OSError:  # said once; from then on the socket is only silent
            self._look_at(bus)
        return 0

    def _look_at(self, bus: int, patience_s: float = 0.0) -> None:
        had = self._ports[bus]
        try:
            if had is None:
                is_raw = self.specs[bus].interface in RAW
                self._adopt(bus, self._open(bus) if is_raw else self._opener.port(bus, patience_s))
            if (port := self._ports[bus]) is not None:
                self._note(bus, *port.look())
        except BusMissingError as missing:
            self._lose(bus, "missing", str(missing))
            if had is not None:  # it may be there again already, as another interface
                self._look_at(bus)
        except BusRefusedError as refused:
            self._lose(bus, "refused", str(refused))

    def _open(self, bus: int) -> Port:
        spec = self.specs[bus]
        wire_time = WireTime.of(_data_bitrate_ratio(spec))
        port: Port
        if spec.interface == "socketcan":
            port = SocketCanPort(spec.channel, self._drain, wire_time, spec.can_ids)
        elif spec.interface == "loopback":
            port = LoopbackPort(spec.channel, self._drain, wire_time)
        elif spec.interface == ELM327:
            port = elm327().Elm327Port(
                spec.channel,
                wire_time,
                transmits=spec.transmit,
                bitrate=spec.bitrate,
                now_ns=self._now_ns,
                **spec.options,
            )
        else:
            port = adapter().AdapterPort(
                spec.interface,
                spec.channel,
                wire_time,
                is_fd=spec.fd,
                is_listen_only=spec.listen_only and not spec.transmit,
                **({} if spec.bitrate is None else {"bitrate": spec.bitrate}),
                **spec.options,
            )
        return port

    def _adopt(self, bus: int, port: Port | None) -> None:
        if port is None:
            return
        self._ports[bus] = port
        descriptor = port.fileno()
        if descriptor is None:
            self._asked.append(bus)
        else:
            self._by_descriptor[descriptor] = bus
            self._readable.register(descriptor, select.EPOLLIN)

    def _lose(self, bus: int, state: State, reason: str) -> None:
        self._forget(bus)
        self._note(bus, state, reason)

    def _forget(self, bus: int) -> None:
        port = self._ports[bus]
        if port is None:
            return
        self._dropped_before[bus] = self.counters(bus).dropped
        self._ports[bus] = None
        descriptor = port.fileno()
        if descriptor is None:
            self._asked.remove(bus)
        else:
            del self._by_descriptor[descriptor]
            with contextlib.suppress(OSError):  # an unplugged adapter's is closed already
                self._readable.unregister(descriptor)
        port.close()

    def _note(self, bus: int, state: State, reason: str) -> None:
        counters = self._counters[bus]
        if (state, reason) != (counters.state, counters.reason):
            log.log(
                logging.INFO if state == "up" else logging.WARNING,
                "bus %s is %s%s",
                self.specs[bus].name,
                state,
                f": {reason}" if reason else "",
            )
        counters.state, counters.reason = state, reason


def _data_bitrate_ratio(spec: BusSpec) -> float:
    if spec.bitrate is None or spec.data_bitrate is None:
        return 4.0
    return spec.data_bitrate / spec.bitrate

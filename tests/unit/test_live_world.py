"""The car as commands see it: through the gateway's own pipeline and buses."""

import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.actuators import CommandMessage
from gateway.bus_spec import BusSpec, parse_bus
from gateway.condition import NoValueError
from gateway.encoding import Refusal
from gateway.feedback import Feedback
from gateway.frames import Buses
from gateway.live_world import LiveWorld
from gateway.world import Sent
from tests.unit.paced import MS, UTC_NS, Car, leaf

DBC = """\
BO_ 256 Command: 2 Gateway
 SG_ Wanted : 0|8@1+ (1,0) [0|255] "" Car
BO_ 257 Status: 2 Car
 SG_ Shown : 0|8@1+ (1,0) [0|100] "" Gateway
BO_ 258 Pages: 2 Car
 SG_ Page M : 0|8@1+ (1,0) [0|0] "" Gateway
 SG_ One m1 : 8|8@1+ (1,0) [0|0] "" Gateway
 SG_ Two m2 : 8|8@1+ (1,0) [0|0] "" Gateway
BO_ 259 Long: 12 Gateway
 SG_ Far : 88|8@1+ (1,0) [0|255] "" Car
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_ "GenMsgCycleTime" BO_ 257 100;
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","StandardCAN_FD";
BA_ "VFrameFormat" BO_ 259 2;
"""
X, FAR, ONE = "Vehicle.X", "Vehicle.Far", "Vehicle.One"
LEAVES: dict[str, dict[str, Any]] = {
    X: {
        **leaf("Shown", "uint8"), "type": "actuator",
        "vss2dbc": {"signal": "Wanted", "allow": True},
    },
    FAR: {"type": "actuator", "datatype": "uint8", "vss2dbc": {"signal": "Far", "allow": True}},
    ONE: leaf("One", "uint8"),
    "Vehicle.Two": leaf("Two", "uint8"),
}  # fmt: skip


class Bench:
    """A world on a pipeline that is fed by hand, and one bus whose other end is a socket."""

    def __init__(self, spec: BusSpec) -> None:
        self.buses = Buses([spec])
        self.buses.look()
        self.car = Car(DBC, LEAVES)
        self.world = LiveWorld(lambda: self.buses, lambda: UTC_NS + 5 * MS)
        self.world.use(self.car.assembly)
        self.actuators = self.car.assembly.actuators

    def feedback(self, path: str = X) -> Feedback:
        return Feedback(path, self.car.assembly.paths.index(path), 0.5)

    def message(self, path: str = X) -> CommandMessage:
        return self.actuators[path].message


@pytest.fixture(autouse=True)
def _own_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERNETCAR_RUN", str(tmp_path))


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(parse_bus("can0=loopback:a", transmit=True))
    yield made
    made.buses.close()


def why_no_value(bench: Bench, path: str = X) -> str:
    with pytest.raises(NoValueError) as caught:
        bench.world.value_of(path)
    return str(caught.value)


def test_a_condition_sees_the_newest_value_before_it_is_paced(bench: Bench) -> None:
    assert why_no_value(bench) == "Vehicle.X was not heard yet"
    bench.car.feed(0, 257, b"\5\0")
    bench.car.take(0)
    bench.car.feed(1, 257, b"\6\0")
    assert bench.world.value_of(X) == 6


def test_a_condition_sees_no_value_that_is_not_valid(bench: Bench) -> None:
    bench.car.feed(0, 257, b"\xc8\0")
    bench.car.take(0)
    assert why_no_value(bench) == "Vehicle.X is out_of_range"
    bench.car.feed(1, 257, b"\5\0")
    for now in range(0, 2000, 50):
        bench.car.feed(now, 258, b"\1\1")
        bench.car.take(now)
    assert why_no_value(bench) == "Vehicle.X is stale"


def test_a_condition_sees_no_value_of_a_bus_that_sleeps(bench: Bench) -> None:
    bench.car.feed(0, 257, b"\5\0")
    bench.car.take(0)
    bench.car.take(1000)
    assert bench.world.value_of(X) == 5
    bench.car.take(1200)
    assert why_no_value(bench) == "Vehicle.X is old: its bus is silent"


def test_a_condition_sees_no_value_of_which_nobody_knows_how_often_it_comes(bench: Bench) -> None:
    for count in range(12):
        bench.car.feed(count * 50, 258, b"\1\5")
        bench.car.take(count * 50)
        if count == 5:
            assert "how often it comes is not known" in why_no_value(bench, ONE)
    for count in range(12, 24):
        bench.car.feed(count * 50, 258, b"\1\5")
        bench.car.take(count * 50)
    assert bench.world.value_of(ONE) == 5


def test_only_a_frame_after_the_send_shows_something(bench: Bench) -> None:
    bench.car.feed(0, 257, b"\5\0")
    feedback = bench.feedback()
    assert bench.world.frames_of(feedback) == 1
    sent = Sent(UTC_NS + 10 * MS, bench.world.frames_of(feedback))
    assert bench.world.shown(feedback, sent) is None
    bench.car.feed(9, 257, b"\5\0")  # it was on its way when we sent
    assert bench.world.shown(feedback, sent) is None
    bench.car.feed(11, 257, b"\5\0")
    assert bench.world.shown(feedback, sent) == 5


def test_a_frame_whose_value_is_not_valid_shows_nothing(bench: Bench) -> None:
    bench.car.feed(11, 257, b"\xc8\0")
    assert bench.world.shown(bench.feedback(), Sent(UTC_NS, 0)) is None
    bench.car.feed(12, 257, b"")
    assert bench.world.shown(bench.feedback(), Sent(UTC_NS, 0)) is None


def test_a_frame_of_another_page_shows_nothing(bench: Bench) -> None:
    bench.car.feed(1, 258, b"\1\5")
    sent = Sent(UTC_NS + 2 * MS, 1)
    bench.car.feed(3, 258, b"\2\5")
    assert bench.world.shown(bench.feedback(ONE), sent) is None
    assert bench.world.shown(bench.feedback("Vehicle.Two"), sent) == 5
    bench.car.feed(4, 258, b"\1\5")
    assert bench.world.shown(bench.feedback(ONE), sent) == 5


def test_stamps_of_an_adapter_are_not_compared_with_our_clock(tmp_path: Path) -> None:
    made = Bench(parse_bus("can0=virtual:stamps", transmit=True))
    made.car.feed(1, 257, b"\5\0")
    assert made.world.shown(made.feedback(), Sent(UTC_NS + 10 * MS, 0)) == 5
    assert made.world.shown(made.feedback(), Sent(UTC_NS + 10 * MS, 1)) is None
    made.buses.close()


def test_what_another_node_sends_is_known_and_its_newest_frame(bench: Bench) -> None:
    message = bench.message()
    assert not bench.world.is_sent_by_others(message)
    assert bench.world.payload_of(message) is None
    bench.car.feed(0, 256, b"\1\2")
    bench.car.feed(1, 256, b"\3\4")
    assert bench.world.is_sent_by_others(message)
    assert bench.world.payload_of(message) == b"\3\4"


def test_a_frame_is_sent_on_its_bus_and_is_no_frame_of_another_node(bench: Bench) -> None:
    other = Buses([parse_bus("a=loopback:a")])
    other.look()
    assert bench.world.why_not_send(bench.message()) is None
    assert bench.world.send(bench.message(), b"\5\6") == UTC_NS + 5 * MS
    received: list[tuple[int, int, bytes]] = []
    other.wait(5)
    other.drain(lambda bus, can_id, payload, at_ns: received.append((bus, can_id, payload)))
    other.close()
    assert received == [(0, 256, b"\5\6")]
    bench.buses.wait(0.05)
    assert bench.buses.drain(bench.car.pipeline.feed) == 0
    assert not bench.world.is_sent_by_others(bench.message())


def refusal(bench: Bench, path: str = X) -> tuple[str, str]:
    found = bench.world.why_not_send(bench.message(path))
    assert isinstance(found, Refusal)
    return found.reason, found.detail


def test_a_frame_of_can_fd_needs_such_a_bus(bench: Bench) -> None:
    assert refusal(bench, FAR) == ("bus", "bus can0 is not CAN FD: set `fd = true` if it is")
    with pytest.raises(Refusal, match="bus: bus can0 is not CAN FD"):
        bench.world.send(bench.message(FAR), bytes(12))


def test_a_bus_that_only_listens_is_sent_nothing() -> None:
    made = Bench(parse_bus("can0=loopback:a"))
    assert refusal(made)[0] == "not_transmitting"
    with pytest.raises(Refusal, match="only listens"):
        made.world.send(made.message(), b"\1\2")
    made.buses.close()


def test_a_bus_that_is_not_there_is_sent_nothing() -> None:
    made = Bench(parse_bus("can0=socketcan:absent0", transmit=True))
    until = time.monotonic() + 5
    while made.buses.counters(0).reason == "" and time.monotonic() < until:
        made.buses.look()
        time.sleep(0.01)
    reason, detail = refusal(made)
    assert reason == "bus"
    assert detail.startswith("bus can0 is ")
    with pytest.raises(Refusal):
        made.world.send(made.message(), struct.pack("<H", 5))
    made.buses.close()

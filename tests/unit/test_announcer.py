"""The announcer's voice: once on each occasion, and nothing is forgotten while it cannot speak."""

import threading

import pytest

from gateway.announcer import QUIET_S, SETTLED_S, Announcer
from gateway.settings import HomeAssistantSettings
from internetcar.contract.delivery import Outcome
from internetcar.contract.home_assistant import Birth
from internetcar.contract.subscriptions import Received
from tests.unit.announcing import TOPIC, Clock, Listening, Patient, catalog


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wall() -> Listening:
    return Listening()


@pytest.fixture
def announcer(wall: Listening) -> Announcer:
    return Patient(wall)


def test_a_leaf_that_goes_is_removed_and_then_no_longer_named(
    wall: Listening, announcer: Announcer
) -> None:
    announcer.describe(catalog("A.x", "A.y"))
    announcer.describe(catalog("A.x"))
    assert wall.keys() == [["A.x", "A.y"], ["A.x", "-A.y"], ["A.x"]]
    assert wall.payloads[1]["binary_sensor.A.y"] == {"platform": "binary_sensor"}


def test_it_is_said_again_on_every_connection_and_birth(
    wall: Listening, announcer: Announcer
) -> None:
    announcer.introduce()
    assert wall.payloads == []
    announcer.describe(catalog("A.x"))
    announcer.introduce()
    announcer.on_birth(Birth(prefix="homeassistant", state="online"))
    announcer.on_birth(Birth(prefix="homeassistant", state="offline"))
    announcer.pump()
    assert wall.keys() == [["A.x"]] * 3


def test_what_an_earlier_run_left_is_removed(wall: Listening, announcer: Announcer) -> None:
    announcer.describe(catalog("A.x", "A.y"))
    earlier = wall.topics[TOPIC]
    announcer.describe(catalog("A.y"))
    del wall.payloads[:]
    announcer.hear(Received(TOPIC, earlier, retained=True))
    announcer.hear(Received(TOPIC, wall.topics[TOPIC], retained=True))
    announcer.hear(Received(TOPIC, b"", retained=True))
    assert wall.keys() == [["A.y", "-A.x"], ["A.y"]]


def test_another_gateways_announcement_is_not_answered(
    wall: Listening, announcer: Announcer
) -> None:
    announcer.describe(catalog("A.x", "A.y"))
    other = wall.topics[TOPIC]
    announcer.describe(catalog("A.y"))
    said = len(wall.payloads)
    announcer.hear(Received(TOPIC, other, retained=False))
    assert len(wall.payloads) == said


def test_what_the_broker_remembers_before_the_leaves_are_known_is_left(
    wall: Listening, announcer: Announcer
) -> None:
    announcer.describe(catalog("A.x"))
    other = Announcer(wall, "small", HomeAssistantSettings(), "x")
    other.hear(Received(TOPIC, wall.topics[TOPIC], retained=True))
    assert len(wall.payloads) == 1


def test_what_found_no_room_is_said_as_places_get_free(
    wall: Listening, announcer: Announcer
) -> None:
    announcer.describe(catalog("A.x", "A.y"))
    wall.places = 0
    announcer.describe(catalog("A.x"))
    wall.places = 1
    announcer.pump()
    assert wall.keys()[1:] == [["A.x", "-A.y"]]
    announcer.pump()
    assert wall.keys()[2:] == []
    wall.places = 1
    announcer.pump()
    announcer.pump()
    assert wall.keys()[2:] == [["A.x"]]


def test_a_leaf_that_is_back_before_it_was_removed_stays(
    wall: Listening, announcer: Announcer
) -> None:
    announcer.describe(catalog("A.x", "A.y"))
    wall.is_open = False
    announcer.describe(catalog("A.x"))
    announcer.describe(catalog("A.x", "A.y"))
    wall.is_open = True
    announcer.introduce()
    assert wall.keys() == [["A.x", "A.y"], ["A.x", "A.y"]]


def test_a_control_needs_a_requester_who_may_set_the_leaf(wall: Listening) -> None:
    announcer = Patient(wall)
    announcer.describe(catalog("A.x", "A.y", settable=True), {"A.x"})
    announcer.describe(catalog("A.x", "A.y"))
    assert "switch.A.x" in wall.payloads[0]
    assert "binary_sensor.A.y" in wall.payloads[0]
    assert wall.payloads[1]["switch.A.x"] == {"platform": "switch"}
    assert "binary_sensor.A.x" in wall.payloads[2]


def test_a_broker_that_does_not_know_home_assistant_is_no_problem_of_the_vehicles(
    wall: Listening, announcer: Announcer
) -> None:
    for topic, left in ((TOPIC, None), ("v1/vehicle/small/health", "v1/vehicle/small/health")):
        wall.not_permitted = topic
        announcer.pump()
        assert wall.not_permitted == left


@pytest.fixture
def timed(wall: Listening, clock: Clock) -> Announcer:
    announcer = Announcer(wall, "small", HomeAssistantSettings(), "x", clock=clock)
    announcer.describe(catalog("A.x"))
    return announcer


def test_what_the_broker_forbids_is_tried_again_after_an_hour(
    wall: Listening, timed: Announcer, clock: Clock
) -> None:
    wall.not_permitted = TOPIC
    timed.pump()
    timed.on_connected()
    clock.now_s += QUIET_S - 1
    timed.pump()
    assert len(wall.payloads) == 1
    clock.now_s += 2
    timed.pump()
    assert len(wall.payloads) == 2


def test_a_broker_that_hangs_up_on_each_announcement_is_left_in_peace(
    wall: Listening, timed: Announcer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        clock.now_s += 2
        timed.on_connected()
    assert len(wall.payloads) == 3
    assert "each connection ends when homeassistant/device/" in caplog.text
    clock.now_s += QUIET_S
    timed.on_connected()
    assert len(wall.payloads) == 4


def test_a_connection_that_is_lost_now_and_then_is_not_the_announcements_fault(
    wall: Listening, timed: Announcer, clock: Clock
) -> None:
    for pause_s in (1, 1, 60, 1, 1, 60, 1):
        clock.now_s += pause_s
        timed.on_connected()
    assert len(wall.payloads) == 8


def test_it_says_how_many_once(
    wall: Listening, announcer: Announcer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    announcer.describe(catalog(*(f"Message.Signal_{n}" for n in range(2000))))
    announcer.introduce()
    assert len(caplog.messages) == 2
    assert caplog.messages[0].endswith(" entities to Home Assistant (2 enabled)")
    assert caplog.messages[1].endswith(" entities are not announced: there is no room for more")


def test_it_says_how_many_when_the_broker_has_them(
    wall: Listening, announcer: Announcer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    wall.waits = True
    announcer.describe(catalog("A.x"))
    assert caplog.messages == []
    wall.deliveries[-1].finish(Outcome.NOT_PERMITTED)
    assert caplog.messages == []
    announcer.introduce()
    wall.deliveries[-1].finish(Outcome.ACKNOWLEDGED)
    assert caplog.messages == ["announced 3 entities to Home Assistant (2 enabled)"]


def test_a_car_that_tells_its_leaves_one_by_one_is_said_when_it_has_told_them(
    wall: Listening, timed: Announcer, clock: Clock
) -> None:
    for count in range(2, 8):
        clock.now_s += 0.4
        timed.describe(catalog(*(f"A.x{n}" for n in range(count))))
    assert wall.keys() == [["A.x"]]
    clock.now_s += SETTLED_S
    timed.pump()
    timed.pump()
    found = [f"A.x{n}" for n in range(7)]
    assert wall.keys()[1:] == [[*found, "-A.x"], found]


def test_a_change_waits_for_no_more_where_the_device_is_said_anyway(
    wall: Listening, timed: Announcer, clock: Clock
) -> None:
    timed.describe(catalog("A.x", "A.y"))
    timed.on_birth(Birth(prefix="homeassistant", state="online"))
    clock.now_s += SETTLED_S
    timed.pump()
    assert wall.keys() == [["A.x"], ["A.x", "A.y"]]


class Watched(Listening):
    """Tries, whenever it is asked what the broker forbids, to speak from another thread."""

    announcer: Announcer | None = None
    spoke_between = False

    @property
    def not_permitted(self) -> str | None:
        if self.announcer is not None:
            other = threading.Thread(target=self.announcer.introduce, daemon=True)
            self.announcer = None
            other.start()
            other.join(0.1)
            self.spoke_between = not other.is_alive()
        return None

    @not_permitted.setter
    def not_permitted(self, topic: str | None) -> None:
        pass


def test_only_one_thread_speaks_at_a_time() -> None:
    wall = Watched()
    announcer = Announcer(wall, "small", HomeAssistantSettings(), "x")
    wall.announcer = announcer
    announcer.pump()
    assert wall.announcer is None
    assert not wall.spoke_between

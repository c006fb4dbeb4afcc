"""The drone's service without sockets: one answer for a request for ever, and what is on disk."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from internetcar.contract.drone import (
    DroneEvent,
    DroneOsd,
    DronePresence,
    DroneReply,
    DroneState,
    DroneWeather,
)
from internetcar.contract.message import Message, instant
from internetcar.contract.presence import Presence
from internetcar.contract.signals import Position, Signal
from services.database import Database
from services.database_errors import StoreError
from services.drone.autopilot import Arm, DronePosition, DroneStatus, TakeOff
from services.drone.broker.reception import Reception
from services.drone.broker.telling import Identity
from services.drone.conductor import Conductor
from services.drone.events import (
    Asked,
    BrokerLink,
    CarFix,
    CarPresence,
    CarSignal,
    Heard,
    Twin,
    WeatherReport,
)
from services.drone.geodesy import Place
from services.drone.store import Answer, DroneStore, Kept, PatientStore, Store, open_store
from tests.drone_stand import (
    NOW_MS,
    BrokenStore,
    WritingAutopilot,
    WritingPilot,
    moment,
    request,
)

ALLOW: Any = {"alice": frozenset({"launch", "return"}), "bob": frozenset()}


class Stand:
    """A service, and what it said."""

    def __init__(self, store: Store) -> None:
        self.pilot = WritingPilot(store.memory())
        self.autopilot = WritingAutopilot()
        identity = Identity("demo", "drone1", NOW_MS, "test")
        reception = Reception(store, ALLOW)
        self.conductor = Conductor(identity, self.pilot, self.autopilot, reception, store)
        self.said: list[Message] = []

    def turn(self, s: float = 0.0) -> list[Message]:
        new = self.conductor.turn(moment(s))
        self.said += new
        return new

    def deliver(self, asked: Any, s: float = 0.0, *, retained: bool = False) -> None:
        self.conductor.ask(asked.topic, asked.encode(), moment(s), retained=retained)

    def ask(self, asked: Any, s: float = 0.0, *, retained: bool = False) -> DroneReply | None:
        """The answer to a request in the next turn."""
        self.deliver(asked, s, retained=retained)
        replies = [each for each in self.turn(s) if isinstance(each, DroneReply)]
        assert len(replies) <= 1
        return replies[0] if replies else None

    def of(self, cls: type[Message]) -> list[Any]:
        return [each for each in self.said if isinstance(each, cls)]

    @property
    def takeoffs(self) -> int:
        return sum(isinstance(each, TakeOff) for each in self.autopilot.performed)


def outcome(reply: DroneReply | None) -> str | None:
    assert reply is not None
    output = reply.data.output
    return output.reason or output.status


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> DroneStore:
    return DroneStore(database, "demo", "drone1")


@pytest.fixture
def broken() -> BrokenStore:
    return BrokenStore()


def test_what_is_saved_is_there_again_and_of_one_drone_only(
    database: Database, store: DroneStore
) -> None:
    assert store.memory() is None
    store.save("one", [], NOW_MS)
    store.save("two", [Answer("alice", "t1", "d", b"reply")], NOW_MS)
    store.save(None, [], NOW_MS)
    assert store.memory() == "two"
    assert store.kept("alice", "t1") == Kept("d", b"reply")
    other = DroneStore(database, "demo", "drone2")
    assert (other.memory(), other.kept("alice", "t1")) == (None, None)


def test_a_reserved_request_gets_its_answer_once(store: DroneStore) -> None:
    store.reserve("alice", "t1", "d", NOW_MS)
    store.reserve("alice", "t1", "d", NOW_MS)
    assert store.kept("alice", "t1") == Kept("d", None)
    store.save(None, [Answer("alice", "t1", "d", b"first")], NOW_MS)
    store.save(None, [Answer("alice", "t1", "d", b"second")], NOW_MS)
    assert store.kept("alice", "t1") == Kept("d", b"first")


def test_one_request_delivered_a_hundred_times_takes_off_once(store: DroneStore) -> None:
    replies = []
    for life in range(4):
        stand = Stand(store)
        for each in range(25):
            s = life * 100.0 + each
            replies.append(stand.ask(request(), s))
            stand.ask(request("other", requester="bob", s=s), s)
            stand.turn(s + 0.5)
        assert stand.takeoffs == (1 if life == 0 else 0)
    assert outcome(replies[0]) == "accepted"
    assert {reply and reply.encode() for reply in replies} == {replies[0] and replies[0].encode()}


def test_one_tid_for_two_wishes_is_a_conflict(store: DroneStore) -> None:
    stand = Stand(store)
    assert outcome(stand.ask(request())) == "accepted"
    assert outcome(stand.ask(request(data={"task": "beacon"}))) == "id_conflict"
    assert outcome(stand.ask(request(dry_run=True))) == "id_conflict"
    assert outcome(stand.ask(request())) == "accepted"


def test_two_requesters_may_choose_the_same_tid(store: DroneStore) -> None:
    stand = Stand(store)
    assert outcome(stand.ask(request())) == "accepted"
    stop = request(requester="bob", method="drone_emergency_stop", data={})
    assert outcome(stand.ask(stop)) == "accepted"


def test_another_launch_while_it_flies_is_busy_for_ever(store: DroneStore) -> None:
    stand = Stand(store)
    stand.ask(request())
    assert outcome(stand.ask(request("t2"))) == "busy"
    stand.pilot.memory = "docked"
    assert outcome(stand.ask(request("t2"))) == "busy"


def test_a_dry_run_is_answered_anew_each_time_and_leaves_its_tid_free(store: DroneStore) -> None:
    stand = Stand(store)
    assert outcome(stand.ask(request(dry_run=True))) == "accepted"
    assert outcome(stand.ask(request(dry_run=True))) == "accepted"
    assert stand.autopilot.performed == []
    assert outcome(stand.ask(request())) == "accepted"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (request(s=-11.0), "expired"),
        (request(s=6.0), "lifetime"),
        (request(requester="bob"), "not_allowed"),
        (request(requester="mallory", method="drone_emergency_stop", data={}), "not_allowed"),
    ],
)
def test_what_may_not_be_asked_never_reaches_the_pilot(
    store: DroneStore, asked: Any, reason: str
) -> None:
    stand = Stand(store)
    assert outcome(stand.ask(asked)) == reason
    assert outcome(stand.ask(asked)) == reason
    assert stand.pilot.heard == []


def test_what_lay_in_the_future_is_refused_also_when_its_time_comes(store: DroneStore) -> None:
    stand = Stand(store)
    asked = request(s=6.0)
    assert outcome(stand.ask(asked)) == "lifetime"
    assert outcome(stand.ask(asked, 6.0)) == "lifetime"


def test_a_retained_request_is_refused_and_does_nothing(store: DroneStore) -> None:
    stand = Stand(store)
    assert outcome(stand.ask(request(), retained=True)) == "retained"
    assert stand.pilot.heard == []


def test_a_broken_request_is_answered_and_a_cleared_topic_is_not(store: DroneStore) -> None:
    stand = Stand(store)
    stand.conductor.ask(request().topic, b"{", moment(0))
    stand.conductor.ask(request().topic, b"", moment(0))
    stand.conductor.ask("nobody", b"{", moment(0))
    stand.turn()
    assert [outcome(each) for each in stand.of(DroneReply)] == ["malformed"]


def test_a_death_between_question_and_answer_is_told_and_does_not_fly(store: DroneStore) -> None:
    stand = Stand(store)
    stand.conductor.ask(request().topic, request().encode(), moment(0))  # and no turn
    again = Stand(store)
    first, second = again.ask(request(), 1.0), again.ask(request(), 2.0)
    assert outcome(first) == "restarted"
    assert first == second
    assert again.takeoffs == 0


def test_what_is_decided_is_on_disk_before_it_is_done(store: DroneStore) -> None:
    stand = Stand(store)
    seen: list[str | None] = []
    stand.autopilot.before = lambda: seen.append(store.memory())
    stand.ask(request())
    stand.turn()
    assert seen == ["armed", "armed", "takeoff"]


def test_nothing_is_written_while_nothing_changes(broken: BrokenStore) -> None:
    stand = Stand(broken)
    for each in range(10):
        stand.turn(each)
    assert broken.saves == 1


def test_without_a_store_nobody_launches_but_return_and_stop_go_on(broken: BrokenStore) -> None:
    stand = Stand(broken)
    stand.turn()
    broken.is_broken = True
    assert outcome(stand.ask(request())) == "store"
    back = request("t2", method="return_home", data={})
    assert outcome(stand.ask(back)) == "accepted"
    assert outcome(stand.ask(back)) == "accepted"
    assert len(stand.pilot.heard) == 1, "the same request is the same without a disk"
    assert outcome(stand.ask(request("t3", requester="bob"))) == "not_allowed"
    assert stand.autopilot.turns > 0
    health = [each.data["list"][0] for each in stand.of(DroneEvent)]
    assert [(each["code"], each["level"]) for each in health] == [("store", 2)]


def test_what_is_not_on_disk_is_not_armed_and_the_pilot_is_told(broken: BrokenStore) -> None:
    stand = Stand(broken)
    stand.ask(request("t0", dry_run=True))
    broken.is_broken = True
    stand.pilot.memory = "preflight"
    stand.turn(1.0)
    stand.turn(1.05)
    assert stand.autopilot.performed == []
    denied = [each for each in stand.pilot.heard if isinstance(each, Heard)]
    assert [each.results[0].outcome for each in denied] == ["denied"]


def test_a_store_that_comes_back_gets_what_it_missed(broken: BrokenStore) -> None:
    stand = Stand(broken)
    broken.is_broken = True
    stand.ask(request("t2", method="return_home", data={}))
    broken.is_broken = False
    stand.turn(0.5)
    assert broken.rows == {}, "a store that failed is left alone for a while"
    stand.turn(3.0)
    assert broken.text == "docked"
    health = [each.data["list"][0]["level"] for each in stand.of(DroneEvent)]
    assert health == [2, 0]


def test_answers_that_missed_the_disk_are_written_later(broken: BrokenStore) -> None:
    stand = Stand(broken)
    stand.deliver(request())
    broken.is_broken = True
    stand.turn()
    broken.is_broken = False
    stand.turn(3.0)
    assert broken.rows["alice", "t1"].reply is not None


def test_a_store_that_hangs_holds_nobody(broken: BrokenStore) -> None:
    goes_on = threading.Event()
    broken.memory = lambda: str(goes_on.wait(60))  # type: ignore[method-assign] # a lock somewhere
    patient = PatientStore(broken, patience_s=0.01)
    with pytest.raises(StoreError, match="did not answer"):
        patient.memory()
    with pytest.raises(StoreError, match="still hangs"):
        patient.kept("alice", "t1")
    goes_on.set()


def test_a_patient_store_does_what_the_store_does(store: DroneStore) -> None:
    patient = PatientStore(store, patience_s=60)
    patient.reserve("alice", "t1", "d", NOW_MS)
    patient.save("one", [], NOW_MS)
    assert (patient.memory(), patient.kept("alice", "t1")) == ("one", Kept("d", None))


def test_an_answer_on_disk_that_cannot_be_read_does_not_fly(broken: BrokenStore) -> None:
    stand = Stand(broken)
    stand.ask(request())
    broken.rows["alice", "t1"] = Kept(broken.rows["alice", "t1"].digest, b"{")
    again = Stand(broken)
    assert outcome(again.ask(request())) == "store"
    assert not [each for each in again.pilot.heard if isinstance(each, Asked)]


def test_what_the_car_says_reaches_the_pilot_with_its_age(broken: BrokenStore) -> None:
    stand = Stand(broken)
    at, now = instant(NOW_MS), moment(1.5)
    where = {"vehicle_id": "demo", "drone_id": "drone1"}
    for message in (
        Position(vehicle_id="demo", latitude=1.0, longitude=2.0, accuracy_m=3.0, at=at),
        Signal(vehicle_id="demo", path="Vehicle.Speed", value=4.0, at=at, quality="stale"),
        Presence(
            vehicle_id="demo", online=True, journal="j", since=at, clock="free",
            origin="simulation", software="",
        ),
        DroneWeather.model_validate({**where, "at": at, "wind_speed": 5.0, "rain": 6.0}),
        DroneOsd.model_validate({**where, "at": at, "mode_code": 0, "mode": "", "armed": False}),
    ):  # fmt: skip
        stand.conductor.hear(message, now)
    stand.conductor.broker(now, is_connected=True)
    stand.conductor.twin(now, is_heard=True)
    assert stand.pilot.heard == [
        CarFix(Place(1.0, 2.0), 3.0, None, None, 1.5),
        CarSignal("Vehicle.Speed", 4.0, "stale", 1.5),
        CarPresence(True, "simulation", "free"),
        WeatherReport(5.0, None, None, 6.0, None, 1.5),
        BrokerLink(True),
        Twin(True),
    ]


def test_where_the_drone_is_goes_out_twice_a_second(broken: BrokenStore) -> None:
    stand = Stand(broken)
    car = Position(vehicle_id="demo", latitude=1.0, longitude=2.0, at=instant(NOW_MS))
    stand.conductor.hear(car, moment(0))
    position = DronePosition(Place(1.0, 2.001), 50.0, 30.0, 3.0, 4.0, 1.0, 90.0, 100.0)
    stand.autopilot.told = DroneStatus(firmware="Fake 2.0", position=position, battery_pct=80.0)
    for each in range(40):
        stand.turn(each / 20)
    osd = stand.of(DroneOsd)
    assert len(osd) == 4
    assert (osd[0].horizontal_speed, osd[0].elevation, osd[0].height) == (5.0, 30.0, 50.0)
    assert osd[0].home_distance == pytest.approx(111.2, abs=0.2)
    assert osd[0].battery.predicted_percent == 77.7
    assert [each.autopilot for each in stand.of(DronePresence)] == ["Fake 2.0"]


def test_a_new_connection_hears_presence_and_the_last_state(broken: BrokenStore) -> None:
    stand = Stand(broken)
    stand.ask(request())
    stand.turn()
    state, presence = stand.conductor.greeting()
    assert isinstance(presence, DronePresence)
    assert isinstance(state, DroneState)
    assert state.state == "takeoff"


def test_bytes_pass_through(broken: BrokenStore) -> None:
    stand = Stand(broken)
    stand.conductor.receive(b"packet", moment(0))
    assert stand.autopilot.received == [b"packet"]
    assert list(stand.conductor.outgoing()) == [b"heartbeat"]


def test_a_launch_that_is_asked_is_heard_by_the_pilot_once(broken: BrokenStore) -> None:
    stand = Stand(broken)
    stand.deliver(request())
    stand.deliver(request())
    assert stand.pilot.heard == [Asked(request())]
    stand.turn()
    first, second = stand.of(DroneReply)
    assert first == second


def test_arming_is_asked_of_the_autopilot_once(broken: BrokenStore) -> None:
    stand = Stand(broken)
    stand.ask(request())
    for each in range(5):
        stand.turn(each)
    assert sum(isinstance(each, Arm) for each in stand.autopilot.performed) == 1

"""What a drone says, in words for a terminal."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internetcar.contract.drone import (
    Battery,
    DroneEvent,
    DroneOsd,
    DronePresence,
    DroneReply,
    DroneState,
    Interlock,
    ReplyData,
    ReplyOutput,
)
from internetcar.contract.drone_health import DroneHealth
from internetcar.contract.message import instant
from internetcar.launcher.drone_words import (
    event_line,
    health_lines,
    interlock_rows,
    osd_line,
    presence_line,
    reply_lines,
    state_line,
)
from internetcar.launcher.view import VehicleView

WHERE: dict[str, Any] = {"vehicle_id": "demo", "drone_id": "drone1"}
AT = instant(1_780_000_000_000)
REST = Interlock(id="car_at_rest", value=71.5, limit=1, result="tripped", words="it drives")
WIND = Interlock(id="wind", value=True, result="ok", assumed=True, words="3 m/s, assumed")


def event(method: str, **data: Any) -> DroneEvent:
    return DroneEvent(**WHERE, timestamp=1, method=method, data=data)


def reply(**output: Any) -> DroneReply:
    data = ReplyData(result=0, output=ReplyOutput(**output))
    return DroneReply(**WHERE, requester="a", tid="t", timestamp=1, method="m", data=data)


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ({"status": "accepted"}, "accepted"),
        ({"status": "accepted", "dry_run": True}, "would be accepted"),
        ({"status": "rejected", "dry_run": True}, "would be rejected"),
        (
            {"status": "rejected", "reason": "busy", "detail": "it flies"},
            "rejected: busy: it flies",
        ),
    ],
)
def test_an_answer_is_one_line(output: dict[str, Any], line: str) -> None:
    assert reply_lines(reply(**output)) == [line]


def test_interlocks_are_a_table_that_says_what_tripped_and_what_is_assumed() -> None:
    assert interlock_rows([REST, WIND]) == [
        ("car_at_rest", "71.5", "1", "TRIPPED", "it drives"),
        ("wind", "yes", "—", "assumed", "3 m/s, assumed"),
    ]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            event("rule_decision", rule="scout", because=["traffic stands"], outcome="launched"),
            "rule scout: traffic stands → launched",
        ),
        (
            event(
                "rule_decision", rule="scout", because="it stands", outcome="blocked",
                interlocks=[REST.model_dump()],
            ),
            "rule scout: it stands → blocked: it drives",
        ),
        (event("rule_decision", rule="x", outcome="due"), "rule x: it is due → due"),
        (
            event("interlock_trip", interlocks=[REST.model_dump()], then="return"),
            "interlock: it drives → return",
        ),
        (
            event("hms", list=[{"code": "store", "level": 2, "detail": "full"}, 7]),
            "health: store alarm: full",
        ),
        (event("hms", list=[{"code": "x", "level": 9}]), "health: x 9: "),
        (
            event("scout_report", points=[{}, {}], length_m=297.4, duration_s=56, pictures=6),
            "scout report: 2 points, 297 m, 56 s, 6 pictures",
        ),
        (event("driver_request", ask="stop", detail="now"), "asks the driver to stop: now"),
        (
            event("return_home_info", planned_path_points=[{}], reason="it is done"),
            "returns over 1 points: it is done",
        ),
        (
            event("flighttask_progress", status="failed", step="docked", reason="x", detail="y"),
            "flighttask: failed: x: y",
        ),
        (event("something_new"), "something new: "),
    ],
)  # fmt: skip
def test_an_event_is_one_line(told: DroneEvent, line: str) -> None:
    assert event_line(told) == line


@given(
    st.sampled_from(["rule_decision", "interlock_trip", "hms", "scout_report", "driver_request",
                     "return_home_info", "x_progress"]),
    st.dictionaries(
        st.sampled_from(["rule", "because", "list", "interlocks", "points", "length_m", "status",
                         "planned_path_points", "detail", "pictures"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda inner: st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=5,
        ),
    ),
)  # fmt: skip
def test_any_data_are_a_line_that_steers_no_terminal(method: str, data: dict[str, Any]) -> None:
    assert event_line(event(method, **data)).isprintable()


def test_a_state_says_for_whom_and_what_is_tripped() -> None:
    state = DroneState(
        **WHERE, state="hold", since=AT, task="scout", requester="car", detail="waits",
        interlocks=[REST],
    )  # fmt: skip
    assert state_line(state) == "drone hold, task scout, for car: waits; tripped: it drives"


def test_where_it_is_is_one_line() -> None:
    osd = DroneOsd(
        **WHERE, at=AT, mode_code=5, mode="GUIDED", armed=True, latitude=1.0, longitude=2.0,
        elevation=30.4, horizontal_speed=5.0, home_distance=12.0,
        battery=Battery(capacity_percent=80.0, predicted_percent=60.0),
    )  # fmt: skip
    assert osd_line(osd) == (
        "GUIDED, armed, 1.000000,2.000000, 30 m high, 5 m/s fast, 12 m from the car,"
        " 80 % battery, 60 % predicted at the landing"
    )
    bare = DroneOsd(**WHERE, at=AT, mode_code=0, mode="", armed=False)
    assert osd_line(bare) == "no mode, not armed"


def test_presence_names_the_autopilot() -> None:
    presence = DronePresence(**WHERE, online=True, since=AT, autopilot="ArduCopter 4.6.3")
    assert presence_line(presence) == "drone1 of demo is online (ArduCopter 4.6.3)"
    gone = presence.model_copy(update={"online": False, "autopilot": ""})
    assert presence_line(gone) == "drone1 of demo is offline (no autopilot heard)"


def test_health_says_what_was_not_taken_in_and_nothing_where_all_is_well() -> None:
    assert health_lines(DroneHealth(**WHERE, at=AT)) == []
    health = DroneHealth(**WHERE, at=AT, requests_dropped=12_000, foreign=3, problems=["a\u202eb"])
    assert health_lines(health) == [
        "not taken in: 12,000 requests dropped, 3 packets of other MAVLink systems",
        "look: a\ufffdb",
    ]


def test_the_view_says_each_state_once_and_what_is_under_way_only_by_it() -> None:
    view = VehicleView("demo")
    state = DroneState(**WHERE, state="docked", since=AT)
    assert view.on_drone_state(state) == "drone docked"
    assert view.on_drone_state(state) is None
    assert view.on_drone_event(event("flighttask_progress", status="in_progress")) is None
    assert view.on_drone_event(event("driver_request", ask="stop")) == (
        "drone: asks the driver to stop"
    )
    assert list(view.drone_lines) == ["drone: asks the driver to stop"]

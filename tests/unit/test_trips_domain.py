"""A log becomes trips: merged, dropped, corrected and never doubled."""

from datetime import timedelta

import pytest

from internetcar.contract.message import milliseconds
from internetcar.contract.telemetry import Telemetry
from internetcar.contract.trips import TripProgress
from services.trips.domain import Follower
from services.trips.leaves import (
    AIRBAGS,
    BATTERY_POWER,
    CONSUMED,
    ENGINE_RUNNING,
    ENGINE_SPEED,
    FIX_TYPE,
    FUEL_SINCE_START,
    IS_MOVING,
    LATITUDE,
    LONGITUDE,
    LONGITUDINAL,
    ODOMETER,
    OUTSIDE,
    POWER,
    SETTINGS,
    SPEED,
)
from services.trips.state import State
from tests.trip_log import AT, DRIVER, Kept, TripLog

SET_POINT = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
FAN = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
TRACK = "Vehicle.Cabin.Infotainment.Media.Played.Track"


def driven(log: TripLog, **options: object) -> Kept:
    return Kept().read(log.batches, **options)  # type: ignore[arg-type]  # gap_before


def test_a_trip_is_from_power_on_to_power_off() -> None:
    (trip,) = driven(TripLog().asleep(2).drive(each_s=1).asleep(6)).trips
    assert trip.started_at == AT + timedelta(seconds=120)
    assert (trip.ended_at - trip.started_at).total_seconds() == 122
    assert (trip.why, trip.distance_from) == ("power_off", "odometer")
    assert trip.distance_m == 2_000
    assert trip.idle_s == 1
    assert trip.start is not None
    assert trip.end is not None
    assert trip.start.latitude == pytest.approx(1.3)
    assert trip.end.latitude == pytest.approx(1.318, abs=1e-4)
    assert trip.route[-1][:2] == (trip.end.latitude, trip.end.longitude)


def test_its_end_is_said_five_minutes_after_and_not_before() -> None:
    log = TripLog().drive()
    log.say({}, 298)
    assert driven(log).ends == []
    log.say({}, 2)
    assert len(driven(log).ends) == 1


@pytest.mark.parametrize(("stop_s", "count"), [(298, 1), (301, 2)])
def test_a_stop_under_five_minutes_is_part_of_the_trip(stop_s: int, count: int) -> None:
    log = TripLog().drive()
    log.say({}, stop_s - 1).drive().asleep(6)
    kept = driven(log)
    assert len(kept.trips) == len(kept.starts) == count
    assert sum(trip.distance_m for trip in kept.trips) == 4_000
    assert kept.trips[0].stopped_s == (stop_s if count == 1 else 0)


def test_a_move_under_three_hundred_metres_is_no_trip() -> None:
    kept = driven(TripLog().drive(17, each_s=1).asleep(6))
    (end,) = kept.ends
    assert end.is_dropped
    assert kept.trips == []
    assert [end.trip_id for end in kept.ends] == [start.trip_id for start in kept.starts]


def test_a_blink_of_the_ignition_is_not_even_said() -> None:
    kept = driven(TripLog().on().off().asleep(6))
    assert (kept.starts, kept.ends) == ([], [])


def test_where_it_is_is_said_each_ten_seconds_of_the_trip() -> None:
    kept = driven(TripLog().drive(60, each_s=1).asleep(6))
    moved = [event for event in kept.events if isinstance(event, TripProgress)]
    assert [event.elapsed_s for event in moved] == [10, 20, 30, 40, 50, 60]
    assert [event.distance_m for event in moved] == sorted(event.distance_m for event in moved)
    assert moved[-1].speed_kmh == 60
    assert moved[-1].position is not None


@pytest.mark.parametrize(
    ("on", "off"),
    [
        ({ENGINE_RUNNING: True}, {ENGINE_RUNNING: False}),
        ({ENGINE_SPEED: 800.0}, {ENGINE_SPEED: 0.0}),
        ({IS_MOVING: True}, {IS_MOVING: False}),
        ({}, {}),
    ],
    ids=["engine running", "engine speed", "is moving", "speed alone"],
)
def test_a_car_that_hides_its_power_mode_has_trips_too(
    on: dict[str, object], off: dict[str, object]
) -> None:
    leaves = (ODOMETER, LATITUDE, LONGITUDE) if IS_MOVING in on else ()
    log = TripLog(*leaves).say({SPEED: 0.0} if not leaves else {}).say(on)
    log.seconds(120, 60.0, 20).seconds(1).say(off).asleep(6)
    (trip,) = driven(log).trips
    assert trip.distance_m == pytest.approx(2_000, abs=1)
    assert (trip.idle_s is None) == (IS_MOVING in on or not on), "standing and off look the same"


def test_a_power_mode_that_says_nothing_changes_nothing() -> None:
    log = TripLog().on().seconds(60, 60.0, 20).say({POWER: "UNDEFINED"})
    log.say({POWER: None})
    log.seconds(60, 60.0, 20).seconds(1).off().asleep(6)
    (trip,) = driven(log).trips
    assert trip.stopped_s == 0
    assert trip.distance_m == pytest.approx(2_033, abs=1)


def test_an_engine_that_stops_at_a_light_ends_no_trip() -> None:
    log = TripLog().say({ENGINE_RUNNING: True}).seconds(60, 60.0, 20)
    log.seconds(1).say({ENGINE_RUNNING: False}, 40)
    log.say({ENGINE_RUNNING: True}).seconds(60, 60.0, 20).seconds(1).say({ENGINE_RUNNING: False})
    (trip,) = driven(log.asleep(6)).trips
    assert trip.distance_m == 2_000
    assert trip.stopped_s == 40


def test_the_driver_is_who_is_named_first_and_before_it_has_moved() -> None:
    log = TripLog().say({DRIVER: ""}).on().seconds(3).say({DRIVER: "anna"})
    log.say({DRIVER: "bert"}).seconds(120, 60.0, 20).say({DRIVER: "carl"}).seconds(1)
    kept = driven(log.off().say({DRIVER: ""}).asleep(6))
    assert [start.driver for start in kept.starts] == ["unknown"]
    assert [trip.driver for trip in kept.trips] == ["bert"]


def test_an_airbag_makes_its_end_a_crash() -> None:
    log = TripLog().on().seconds(60, 60.0, 20).say({AIRBAGS[0]: True}).seconds(2)
    kept = driven(log)
    follower = Follower("kona", kept.state, SETTINGS)
    follower.settle()
    kept.take("kona", follower.events)
    (trip,) = kept.trips
    assert trip.why == "crash"


def test_settings_are_noted_at_the_start_and_when_they_change() -> None:
    log = TripLog().say({SET_POINT: 21.0, TRACK: "One"}).on().seconds(4)
    log.say({SET_POINT: 21.0}).say({SET_POINT: None}).say({SET_POINT: 21.0})
    log.say({SET_POINT: 22.0}).say({SET_POINT: 23.5}).seconds(120, 60.0, 20)
    log.say({TRACK: "Two\x07"}).off().asleep(6)
    (trip,) = driven(log).trips
    told = [(each.path, each.offset_s, each.value) for each in trip.settings]
    assert told == [
        (SET_POINT, 0, 21.0), (TRACK, 0, "One"),
        (SET_POINT, 9, 23.5),  # what was passed on the way there nobody wanted
        (TRACK, 130, "Two"),
    ]  # fmt: skip


def test_what_was_changed_in_the_last_ten_minutes_is_told_with_where_it_is() -> None:
    log = TripLog().say({SET_POINT: 21.0, OUTSIDE: 3.5}).on().seconds(4)
    log.say({SET_POINT: 22.0, FAN: 40})  # nobody knew the fan before: it was not changed
    log.say({SET_POINT: 22.0}).say({FAN: 55}).seconds(580, 60.0, 10).say({OUTSIDE: 200.0}, 30)
    moved = [each for each in driven(log).events if isinstance(each, TripProgress)]
    told = [[(each.path, each.offset_s, each.value) for each in it.changed] for it in moved]
    assert told[0] == [(FAN, 7, 55), (SET_POINT, 5, 22.0)], "the newest first"
    assert told[-2] == told[0]
    assert (moved[-1].elapsed_s, told[-1]) == (618, [])
    assert [moved[0].outside_c, moved[-1].outside_c] == [3.5, None]


def test_a_long_drive_with_music_still_tells_what_was_changed() -> None:
    log = TripLog().say({SET_POINT: 21.0}).on()
    for number in range(420):
        log.say({TRACK: f"Track {number}"}, 6)
    moved = driven(log.say({SET_POINT: 18.0}, 10)).events
    last = [each for each in moved if isinstance(each, TripProgress)][-1]
    assert (last.changed[0].path, last.changed[0].value) == (SET_POINT, 18.0)


def test_what_is_told_of_changes_fits_in_a_message_however_long_their_words() -> None:
    texts = [f"Vehicle.Cabin.Text{number:02}" for number in range(30)]
    log = TripLog().say({**dict.fromkeys(texts, "a"), SET_POINT: 20.0}).on().seconds(4)
    log.say({SET_POINT: 21.0}).say(dict.fromkeys(texts, "\U00010348" * 200), 20)
    kept = Kept([*SETTINGS, *texts]).read(log.batches)
    (moved,) = (each for each in kept.events if isinstance(each, TripProgress))
    assert len(moved.encode()) <= TripProgress.MAX_PAYLOAD_BYTES
    assert 12 < len(moved.changed) < 24
    assert moved.changed[0].path == texts[0]


def test_of_words_that_do_not_fit_the_longest_are_left_out() -> None:
    texts = [f"Vehicle.Cabin.Text{number:02}" for number in range(23)]
    log = TripLog().say({**dict.fromkeys(texts, "a"), SET_POINT: 20.0}).on().seconds(4)
    log.say({SET_POINT: 21.0}).say(dict.fromkeys(texts, "\U00010348" * 200), 20)
    kept = Kept([*SETTINGS, *texts]).read(log.batches)
    (moved,) = (each for each in kept.events if isinstance(each, TripProgress))
    assert (moved.changed[-1].path, moved.changed[-1].value) == (SET_POINT, 21.0)


def test_there_are_only_so_many_settings() -> None:
    log = TripLog().on()
    for number in range(420):
        log.say({TRACK: f"Track {number}"}, 6)
    (trip,) = driven(log.seconds(60, 60.0, 20).off().asleep(6)).trips
    assert len(trip.settings) == 400


def test_a_hole_is_bridged_and_counted() -> None:
    log = TripLog().on().seconds(60, 60.0, 5)
    count = len(log.batches)
    log.hole(60, batches=60).say({})
    log.driven_m += 1_000
    log.seconds(60, 60.0, 5).seconds(1).off().asleep(6)
    (trip,) = driven(log, gap_before=[count]).trips
    assert (trip.distance_m, trip.unknown_s) == (3_000, 60)
    (without,) = Kept().read(_only(log, SPEED), [count]).trips
    assert without.distance_from == "speed"
    assert without.distance_m == pytest.approx(2_000, abs=1), "nothing says how far it went"
    (bridged,) = Kept().read(_only(log, SPEED, LATITUDE, LONGITUDE), [count]).trips
    assert bridged.distance_m == pytest.approx(3_000, abs=1)


def _only(log: TripLog, *leaves: str) -> list[Telemetry]:
    """The same log of a car that tells less."""
    return [
        batch.model_copy(
            update={"samples": {k: v for k, v in batch.samples.items() if k in (POWER, *leaves)}}
        )
        for batch in log.batches
    ]


def test_a_stated_loss_is_a_hole() -> None:
    log = TripLog().on().seconds(60, 60.0, 5).dropped(60, 60)
    log.driven_m += 1_000
    log.seconds(60, 60.0, 5).seconds(1).off().asleep(6)
    (trip,) = driven(log).trips
    assert (trip.distance_m, trip.unknown_s) == (3_000, 60)


def test_a_hole_of_five_minutes_ends_the_trip_where_it_began() -> None:
    log = TripLog().on().seconds(60, 60.0, 20)
    count = len(log.batches)
    log.hole(301, batches=301).seconds(60, 60.0, 20).seconds(1).off().asleep(6)
    first, second = driven(log, gap_before=[count]).trips
    assert (first.why, second.why) == ("signal_lost", "power_off")
    assert (first.ended_at - first.started_at).total_seconds() == 61
    assert second.started_at - first.ended_at == timedelta(seconds=301)


def test_a_hole_after_it_was_switched_off_does_not_lose_its_end() -> None:
    log = TripLog().drive()
    count = len(log.batches)
    (trip,) = driven(log.hole(3_600).seconds(5), gap_before=[count]).trips
    assert trip.why == "power_off"


def test_a_car_that_falls_asleep_without_a_word_has_ended_its_trip() -> None:
    log = TripLog().on().seconds(60, 60.0, 20).seconds(1).asleep(6)
    kept = driven(log)
    (trip,) = kept.trips
    assert trip.why == "signal_lost"
    assert (trip.ended_at - trip.started_at).total_seconds() <= 62
    kept.read(log.say({LATITUDE: 1.4}).batches[-1:])
    assert kept.state.trip is None, "what wakes later is not on because it was when it fell asleep"


def test_a_clock_that_is_set_while_driving_moves_the_trip_and_adds_nothing() -> None:
    log = TripLog(clock="free").on().seconds(60, 60.0, 20)
    log.at += timedelta(days=2_000)
    log.clock = "synchronized"
    kept = driven(log.seconds(60, 60.0, 20).seconds(1).off().asleep(6))
    (trip,) = kept.trips
    assert trip.started_at == AT + timedelta(days=2_000)
    assert (trip.ended_at - trip.started_at).total_seconds() == 122
    assert (trip.distance_m, trip.unknown_s) == (2_000, 0)
    assert [start.trip_id for start in kept.starts] == [trip.trip_id]


def test_a_clock_that_is_set_back_is_no_other_trip() -> None:
    log = TripLog().on().seconds(60, 60.0, 20)
    log.at -= timedelta(hours=1)
    (trip,) = driven(log.seconds(60, 60.0, 20).seconds(1).off().asleep(6)).trips
    assert trip.distance_m == pytest.approx(2_000, abs=20)
    assert trip.started_at == AT - timedelta(hours=1)


def test_a_clock_set_while_parked_ends_the_trip_of_before_once() -> None:
    log = TripLog(clock="free").drive()
    log.at += timedelta(days=2)
    log.clock = "synchronized"
    (trip,) = driven(log.asleep(6).drive(each_s=20).asleep(0)).trips
    assert trip.ended_at == AT + timedelta(days=2, seconds=122)


def test_a_recording_in_a_loop_is_one_trip_each_time_round() -> None:
    log = TripLog(clock="recorded", origin="recording")
    for _ in range(2):
        log.at = AT
        log.driven_m = 0.0
        log.drive(each_s=20)
    kept = driven(log.asleep(6))
    assert [end.trip_id for end in kept.ends] == [kept.ends[0].trip_id] * 2
    assert [end.distance_m for end in kept.ends] == [2_000, 2_000]


def test_a_slow_bus_that_says_late_what_was_is_no_step_of_the_clock() -> None:
    log = TripLog().on().seconds(120, 60.0, 20)
    late = log.say({SET_POINT: 21.0}).batches[-1]
    log.batches[-1] = late.model_copy(update={"start_at": late.start_at - timedelta(seconds=50)})
    (trip,) = driven(log.seconds(1).off().asleep(6)).trips
    assert (trip.unknown_s, trip.why, trip.started_at) == (0, "power_off", AT)


def test_what_a_snapshot_repeats_is_no_news() -> None:
    log = TripLog().on().seconds(60, 60.0, 20)
    log.say({SPEED: (-61_000, 10.0), ODOMETER: (-50_000, 9_000_000)})
    (trip,) = driven(log.seconds(60, 60.0, 20).seconds(1).off().asleep(6)).trips
    assert trip.distance_m == pytest.approx(2_016, abs=1)


def test_another_origin_is_another_trip() -> None:
    log = TripLog().on().seconds(60, 60.0, 20)
    log.origin = "simulation"
    kept = driven(log.seconds(60, 60.0, 20).seconds(1).off().asleep(6))
    assert [(trip.origin, trip.why) for trip in kept.trips] == [
        ("live", "signal_lost"), ("simulation", "power_off"),
    ]  # fmt: skip


def test_a_trip_that_nobody_goes_on_with_is_told_and_goes_on_all_the_same() -> None:
    log = TripLog().on()
    log.say({SPEED: 60.0, ODOMETER: 10_000_400}, 0.5)
    kept = driven(log)
    assert kept.starts == [], "it is on for no two seconds"
    kept.state.trip.travel.speed_m = 400  # type: ignore[union-attr]  # as if it had leapt
    kept.state.trip.travel.is_whole = False  # type: ignore[union-attr]
    follower = Follower("kona", kept.state, SETTINGS)
    follower.settle()
    kept.take("kona", follower.events)
    assert len(kept.starts) == len(kept.ends) == 1
    assert follower.state.trip is not None


def test_settling_where_nothing_is_open_says_nothing() -> None:
    follower = Follower("kona", State(), SETTINGS)
    follower.settle()
    follower.finish()
    assert follower.events == []


def test_the_end_of_a_log_ends_what_was_switched_off() -> None:
    kept = driven(TripLog().drive())
    follower = Follower("kona", kept.state, SETTINGS)
    follower.finish()
    kept.take("kona", follower.events)
    assert [trip.why for trip in kept.trips] == ["power_off"]


def test_a_state_survives_its_store_also_in_the_midst_of_a_shifted_trip() -> None:
    log = (
        TripLog(clock="free").on().seconds(40, 60.0, 20).say({"Vehicle.Acceleration.Lateral": 6.0})
    )
    kept = driven(log)
    assert kept.state.trip is not None
    kept.state.trip.recent = {SET_POINT: 7_000}
    kept.state.trip.shift(5_000)
    assert kept.state.trip.recent == {SET_POINT: 12_000}
    assert kept.state.trip.started_ms == milliseconds(AT) + 5_000
    assert State.load(kept.state.dump()) == kept.state
    with pytest.raises(ValueError, match="another format"):
        State.load(b"no state")


def test_a_car_that_was_switched_off_and_not_heard_again_has_ended_there() -> None:
    log = TripLog().drive()
    kept = driven(log)
    follower = Follower("kona", kept.state, SETTINGS)
    follower.settle()
    kept.take("kona", follower.events)
    (trip,) = kept.trips
    assert (trip.why, trip.ended_at) == ("power_off", log.at - timedelta(seconds=1))


def test_it_begins_where_it_was_parked_though_the_clock_was_set_and_there_is_no_fix() -> None:
    log = TripLog(clock="free").drive().asleep(6)
    log.at += timedelta(days=2)
    log.clock = "synchronized"
    log.say({FIX_TYPE: "NONE"}).on().say({LATITUDE: 0.5}).seconds(60, 60.0, 20)
    log.say({FIX_TYPE: "THREE_D"}).seconds(60, 60.0, 20).off().asleep(6)
    first, second = driven(log).trips
    assert second.start == first.end
    assert second.route[0][2] > 60, "without a fix it has no route"


def test_of_very_many_harsh_events_the_first_are_listed_and_all_counted() -> None:
    log = TripLog().on()
    for _ in range(205):
        log.say({LONGITUDINAL: -6.0}).say({LONGITUDINAL: 0.0}, 2)
    (trip,) = driven(log.seconds(120, 60.0, 20).off().asleep(6)).trips
    assert (len(trip.harsh), trip.harsh_count) == (200, 205)
    assert trip.harsh[1].offset_s == 4
    assert {each.kind for each in trip.harsh} == {"braking"}


def test_energy_and_fuel_of_a_hybrid_are_those_of_its_meters() -> None:
    log = TripLog().say({CONSUMED: 500.0, FUEL_SINCE_START: 9.0}).on()
    log.say({CONSUMED: 500.5, FUEL_SINCE_START: 0.0}).seconds(120, 60.0, 20)
    log.say({CONSUMED: 501.0, FUEL_SINCE_START: 0.25}).off().asleep(6)
    (trip,) = driven(log).trips
    assert (trip.energy_wh, trip.fuel_ml) == (1_000, 250)


def test_a_position_beyond_the_earth_is_none() -> None:
    log = TripLog(SPEED).on().say({LATITUDE: 91.0, LONGITUDE: 1.0}).seconds(60, 60.0, 20)
    (trip,) = driven(log.off().asleep(6)).trips
    assert (trip.start, trip.route, trip.distance_from) == (None, [], "speed")


@pytest.mark.parametrize("between", ["hole", "stop", "clock"])
def test_no_energy_is_reckoned_for_time_that_was_not_driven(between: str) -> None:
    log = TripLog(clock="free").say({BATTERY_POWER: -36_000.0}).on().seconds(60, 60.0, 20)
    gaps = []
    if between == "hole":
        gaps = [len(log.batches)]
        log.hole(60, batches=60)
    elif between == "stop":
        log.off().say({}, 59).on()
    else:
        log.at += timedelta(seconds=60)
        log.clock = "synchronized"
    log.say({}).seconds(60, 60.0, 20).off().asleep(6)
    (trip,) = Kept().read(log.batches, gaps).trips
    assert trip.energy_wh == pytest.approx(1_220, abs=11)


@pytest.mark.parametrize(("moved_m", "is_moved"), [(100.0, False), (5_000.0, True)])
def test_a_car_that_is_found_where_it_cannot_have_driven_begins_there(
    moved_m: float, is_moved: bool
) -> None:
    log = TripLog().on().seconds(120, 36.0).off().asleep(6)
    log.driven_m += moved_m  # towed, or on a ferry, or its log is lost
    log.say({POWER: "ON"}).seconds(120, 36.0).off().asleep(6)
    first, second = driven(log).trips
    assert first.end is not None
    assert second.start is not None
    assert (second.start.latitude > first.end.latitude + 0.01) is is_moved


def test_a_gateway_that_restarts_on_the_way_makes_one_trip_of_it() -> None:
    log = TripLog().on().seconds(60, 60.0, 5)
    log.journal, log.sequence = "j2", 0
    log.at += timedelta(seconds=40)
    log.driven_m += 500
    log.say({POWER: (-40_000, "ON")}).seconds(60, 60.0, 5).seconds(1).off().asleep(6)
    (trip,) = driven(log).trips
    assert (trip.unknown_s, trip.distance_m) == (40, 2_500)

"""A jam is told from a red light."""

import pytest

from services.drone.rules.book import paths
from tests.unit.drone_rules import BRAKE, GEAR, SPEED, Car, fired, only, rule_table


def jam(**options: object) -> Car:
    rule = {"task": "scout", "cooldown_s": 0, "when": [{"condition": "jam", **options}]}
    return Car(only(scout=rule))


def test_standing_longer_than_any_light_is_a_jam() -> None:
    car = jam()
    car.drive(50.0, 60, gear=127)
    car.drive(0.0, 180, gear=127)
    assert fired(car.due) == []
    car.drive(0.0, 3, gear=127)
    assert fired(car.due) == ["scout"]
    assert car.due[0].because == "a jam: the car stands for 180 s"


@pytest.mark.parametrize("red_s", [30, 90, 150])
def test_red_lights_are_no_jam(red_s: int) -> None:
    car = jam()
    for _ in range(8):
        car.drive(50.0, 60, gear=127)
        car.drive(0.0, red_s, gear=127)
    assert car.due == []


def test_the_queue_before_one_light_is_no_jam() -> None:
    car = jam()
    car.drive(50.0, 120, gear=127)
    car.drive(0.0, 80, gear=127)
    car.drive(12.0, 20, gear=127)
    car.drive(0.0, 80, gear=127)
    car.drive(50.0, 120, gear=127)
    assert car.due == []


def test_two_long_lights_with_a_crawl_between_them_are_no_jam() -> None:
    car = jam()
    car.drive(50.0, 120, gear=127)
    for _ in range(2):
        car.drive(0.0, 150, gear=127)
        car.drive(10.0, 30, gear=127)
    car.drive(50.0, 120, gear=127)
    assert car.due == []


def stop_and_go(car: Car, times: int) -> None:
    for _ in range(times):
        car.drive(10.0, 15, gear=127)
        car.drive(0.0, 30, gear=127)


def test_stopping_again_and_again_without_getting_on_is_a_jam() -> None:
    car = jam()
    car.drive(80.0, 60, gear=127)
    stop_and_go(car, 5)
    assert car.due == []
    stop_and_go(car, 2)
    assert fired(car.due) == ["scout"]
    assert "stops" in car.due[0].because


def test_rolling_slowly_for_long_is_a_jam() -> None:
    car = jam()
    car.drive(80.0, 60, gear=127)
    car.drive(5.0, 320, gear=127)
    assert fired(car.due) == ["scout"]


def test_slow_but_steady_traffic_is_no_jam() -> None:
    car = jam()
    car.drive(80.0, 60, gear=127)
    car.drive(20.0, 600, gear=127)
    assert car.due == []


def test_the_mean_speed_has_a_limit_of_its_own() -> None:
    car = jam(moved_m=9_000, mean_kmh=4.0)
    car.drive(80.0, 60, gear=127)
    car.drive(5.0, 400, gear=127)
    assert car.due == []


def test_a_car_that_has_not_driven_yet_is_in_no_jam() -> None:
    car = jam()
    car.drive(0.0, 400, gear=127)
    stop_and_go(car, 10)
    assert car.due == []


def test_a_drive_of_yesterday_is_no_drive() -> None:
    car = jam(driven_within_s=100)
    car.drive(50.0, 30, gear=127)
    car.drive(20.0, 120, gear=127)
    car.drive(0.0, 300, gear=127)
    assert car.due == []


@pytest.mark.parametrize("gear", [0, -1, 126])
def test_without_a_gear_to_drive_there_is_no_jam(gear: int) -> None:
    car = jam()
    car.drive(50.0, 60, gear=127)
    car.drive(0.0, 400, gear=gear)
    assert car.due == []


def test_no_word_of_the_gear_is_no_jam() -> None:
    car = jam()
    car.drive(50.0, 60)
    car.drive(0.0, 400)
    assert car.due == []


def test_a_manual_gearbox_may_be_in_neutral() -> None:
    car = jam(needs_drive=False)
    car.drive(50.0, 60, gear=4, brake=False)
    car.drive(0.0, 200, gear=0, brake=False)
    assert fired(car.due) == ["scout"]
    parked = jam(needs_drive=False)
    parked.drive(50.0, 60, gear=4, brake=False)
    parked.drive(0.0, 200, gear=0, brake=True)
    assert parked.due == []


def test_the_current_gear_counts_where_no_other_is_said() -> None:
    car = jam()
    car.say("Vehicle.Powertrain.Transmission.CurrentGear", 1)
    car.drive(50.0, 10)
    for _ in range(190):
        car.say("Vehicle.Powertrain.Transmission.CurrentGear", 1)
        car.drive(0.0, 1)
    assert fired(car.due) == ["scout"]


def test_one_jam_is_one_jam_until_traffic_runs_freely() -> None:
    car = jam()
    car.drive(80.0, 60, gear=127)
    car.drive(0.0, 200, gear=127)
    stop_and_go(car, 20)
    car.drive(0.0, 300, gear=127)
    assert fired(car.due) == ["scout"]
    car.drive(60.0, 60, gear=127)
    car.drive(0.0, 200, gear=127)
    assert fired(car.due) == ["scout", "scout"]
    assert car.due[0].tid != car.due[1].tid


def test_parking_ends_a_jam() -> None:
    car = jam()
    car.drive(80.0, 60, gear=127)
    car.drive(0.0, 200, gear=127)
    car.drive(0.0, 20, gear=126)
    car.drive(0.0, 200, gear=127)
    assert fired(car.due) == ["scout", "scout"]


def test_nobody_knows_what_the_car_did_while_nobody_listened() -> None:
    car = jam()
    car.drive(80.0, 60, gear=127)
    car.drive(0.0, 170, gear=127)
    car.turn(30.0)
    car.drive(0.0, 170, gear=127)
    assert car.due == []
    car.drive(0.0, 20, gear=127)
    assert fired(car.due) == ["scout"]


def test_a_speed_that_is_bad_begins_the_waiting_anew() -> None:
    car = jam()
    car.drive(80.0, 60, gear=127)
    car.drive(0.0, 170, gear=127)
    car.say(SPEED, 0.0, "error")
    car.turn()
    car.drive(0.0, 170, gear=127)
    assert car.due == []


def test_after_a_restart_the_drive_before_the_jam_is_not_forgotten() -> None:
    car = jam()
    car.drive(80.0, 60, gear=127)
    car.drive(0.0, 100, gear=127)
    car.restart()
    car.drive(0.0, 185, gear=127)
    assert fired(car.due) == ["scout"]


def test_a_jam_reads_speed_gear_and_brake() -> None:
    used = paths(rule_table(only(scout={"when": ["jam"]})))
    assert used == {SPEED, GEAR, BRAKE, "Vehicle.Powertrain.Transmission.CurrentGear"}

"""The settings of the drone service, and the pilot that is made of them."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from internetcar.contract.message import InputError
from internetcar.contract.settings import SettingsError
from internetcar.launcher.up_drone import _write_settings
from services.drone.assembly import make_pilot
from services.drone.events import Asked, BrokerLink, CarPresence, Event
from services.drone.record.recording import Recording
from services.drone.record.replay import replay_file
from services.drone.settings import DroneSettings
from services.settings import load_settings
from tests.drone_stand import moment, request

LEAST: dict[str, Any] = {"vehicle_id": "demo", "url": "udpin://127.0.0.1:14550"}


def loaded(folder: Path, text: str) -> DroneSettings:
    path = folder / "drone.toml"
    path.write_text('vehicle_id = "demo"\nurl = "tcp://127.0.0.1:5760"\n' + text)
    return load_settings(DroneSettings, path)


def test_a_car_and_a_url_are_enough() -> None:
    settings = DroneSettings(**LEAST)
    assert (settings.drone_id, settings.origin, settings.clock) == ("drone1", "live", "real")
    assert settings.rights == {}
    assert "scout" in settings.rules


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "http://x"}, {"url": "udpin://"}, {"url": "tcp"}, {"url": ""}, {"share": "a"},
        {"allow": {"a b": ["launch"]}}, {"allow": {"a": ["everything"]}}, {"system_id": 0},
        {"system_id": 256}, {"clock": "none"}, {"origin": "none"}, {"drone_id": "a/b"},
        {"limits": {"wind": 3}}, {"rules": {"scout": {"when": ["no_such"]}}}, {"no_such": 1},
        {"flight": {"fix_fresh_s": 60}}, {"limits": {"heartbeat_s": 60}},
        {"flight": {"broker_s": 60}}, {"flight": {"rest_s": 60}}, {"flight": {"land_below_m": 30}},
        {"flight": {"return_height_m": 130}}, {"limits": {"ceiling_m": 20}},
        {"flight": {"ceiling_m": 50}}, {"flight": {"heartbeat_s": 2}},
        {"flight": {"cruise_mps": 8}},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DroneSettings(**{**LEAST, **changed})


def test_rights_and_rooms_are_read_from_a_file(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        '[allow]\nalice = ["launch", "return"]\n[limits]\nwind_mps = 5\n[assumed]\nwind_mps = 2\n'
        "[airframe]\ncruise_mps = 8\n[flight]\nreturn_height_m = 40\n[tasks.scout]\nahead_m = 50\n"
        "[rules.scout]\nenabled = false\n",
    )
    assert settings.rights == {"alice": {"launch", "return"}}
    assert (settings.limits.wind_mps, settings.assumed.wind_mps) == (5.0, 2.0)
    assert (settings.flight.return_height_m, settings.tasks.scout.ahead_m) == (40.0, 50.0)
    assert not settings.rules["scout"].enabled
    make_pilot(settings, None)


def test_a_wrong_key_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"limits\.wind_mp: no such setting") as caught:
        loaded(tmp_path, "[limits]\nwind_mp = 5\n")
    assert len(str(caught.value).splitlines()) == 1


def test_only_the_origin_of_the_settings_may_launch(tmp_path: Path) -> None:
    pilot = make_pilot(loaded(tmp_path, 'origin = "recording"\n'), None)
    pilot.handle(CarPresence(True, "live", "synchronized"), moment(0))
    (reply, *_) = pilot.handle(Asked(request(dry_run=True)), moment(0))
    told = orjson.loads(reply.encode())  # type: ignore[union-attr] # the first is the reply
    limits = {each["id"]: each.get("limit") for each in told["data"]["output"]["interlocks"]}
    assert limits["origin"] == "recording"


def test_one_ceiling_is_for_the_plan_and_for_the_interlock(tmp_path: Path) -> None:
    pilot = make_pilot(loaded(tmp_path, "[limits]\nceiling_m = 50\n"), None)
    data = {"target_latitude": 1.3, "target_longitude": 103.8, "target_height": 60.0}
    asked = request(method="takeoff_to_point", data=data, dry_run=True)
    (reply, *_) = pilot.handle(Asked(asked), moment(0))
    told = orjson.loads(reply.encode())["data"]["output"]  # type: ignore[union-attr] # the reply
    assert "60 m is above the ceiling of 50 m" in told["detail"]
    limits = {each["id"]: each.get("limit") for each in told["interlocks"]}
    assert limits["ceiling"] == 50.0


def test_an_origin_below_the_limits_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="write origin above all tables"):
        loaded(tmp_path, '[limits]\norigin = "recording"\n')


@pytest.mark.parametrize("text", [None, "{", '{"type": "x"}', "\xff"])
def test_a_file_of_zones_that_is_none_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "zones.json"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"zones\.json"):
        make_pilot(DroneSettings(**LEAST, zones=(path,)), None)


def test_the_settings_of_car_up_are_settings(tmp_path: Path) -> None:
    path = _write_settings(tmp_path, "demo", ["car", "home-assistant", "car"], 14_550)
    settings = load_settings(DroneSettings, path)
    assert settings.origin == "simulation"
    assert settings.rights["home-assistant"] == {"launch", "follow", "return"}


def recorded(folder: Path, settings: DroneSettings) -> Path:
    path = folder / "flight.jsonl"
    recording = Recording(path, settings.model_dump_json(exclude={"broker"}), None, 1_000_000)
    pilot = make_pilot(settings, None)
    events: list[Event] = [BrokerLink(True), Asked(request()), Asked(request("t2"))]
    for s, event in enumerate(events):
        recording.write(event, moment(s), pilot.handle(event, moment(s)))
    recording.close()
    return path


def test_a_recorded_flight_is_decided_as_it_was(tmp_path: Path) -> None:
    path = recorded(tmp_path, loaded(tmp_path, "[rules.scout]\ncooldown_s = 5\n"))
    assert len(path.read_bytes().splitlines()) == 4
    assert replay_file(path) == []


def test_other_limits_decide_otherwise(tmp_path: Path) -> None:
    path = recorded(tmp_path, loaded(tmp_path, ""))
    head, *lines = path.read_bytes().splitlines()
    changed = orjson.loads(head)
    changed["settings"]["limits"]["wind_mps"] = 3.0
    path.write_bytes(b"\n".join([orjson.dumps(changed), *lines]))
    assert len(replay_file(path)) == 2


@pytest.mark.parametrize("text", ["", "{}", "7", "{", '{"settings": {}, "memory": 7}'])
def test_what_is_no_recording_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "flight.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=r"flight\.jsonl: "):
        replay_file(path)


def test_a_recording_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        replay_file(tmp_path / "none.jsonl")

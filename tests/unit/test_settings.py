"""Settings: the template is the defaults, and every mistake is one clear line."""

import re
from pathlib import Path

import pytest

from gateway.bus_settings import BusSettings
from gateway.settings import GatewaySettings, load_settings, make_settings, template
from gateway.setup import Setup, bus_specs
from internetcar.contract.settings import SettingsError


def write(folder: Path, text: str) -> Path:
    path = folder / "internetcar.toml"
    path.write_text(text)
    return path


def test_the_template_is_the_defaults(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, template())) == GatewaySettings()


def test_the_template_with_every_key_taken_says_the_defaults_too(tmp_path: Path) -> None:
    text = re.sub(r"^# (\w+ = )", r"\1", template(), flags=re.MULTILINE)
    settings = load_settings(write(tmp_path, text))
    assert settings.model_copy(update={"buses": []}) == GatewaySettings(buses=[])
    assert settings.buses == [BusSettings(bitrate=500_000, data_bitrate=500_000)]


def test_the_template_says_where_it_shows_an_example_instead_of_a_default() -> None:
    shown = re.findall(r"^# (\w+) = .*\(no default\)$", template(), flags=re.MULTILINE)
    assert shown == ["bitrate", "data_bitrate"]


def test_no_bus_transmits_by_default() -> None:
    assert not any(bus.transmit for bus in GatewaySettings().buses)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vehicle_id = 'a/b'", "vehicle_id"),
        ("vehicel_id = 'a'", "vehicel_id: no such setting"),
        ("[telemetry]\nbatch_ms = 5", "telemetry.batch_ms"),
        ("[[buses]]\nnmae = 'x'", "buses.0.nmae: no such setting"),
        ("origin = 'dream'", "origin"),
        ("a = = b", "not TOML"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as caught:
        load_settings(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="car init"):
        load_settings(tmp_path / "nothing.toml")


def test_the_environment_stands_above_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERNETCAR_GATEWAY_VEHICLE_ID", "van-7")
    monkeypatch.setenv("INTERNETCAR_GATEWAY_PACING__INTERVAL_MS", "250")
    settings = load_settings(write(tmp_path, "vehicle_id = 'car'"))
    assert (settings.vehicle_id, settings.pacing.interval_ms) == ("van-7", 250)


def test_what_is_named_stands_above_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERNETCAR_GATEWAY_VEHICLE_ID", "kona")
    monkeypatch.setenv("INTERNETCAR_GATEWAY_PACING__INTERVAL_MS", "250")
    path = write(tmp_path, "vehicle_id = 'car'\n[pacing]\nmax_interval_ms = 7")
    named = {"vehicle_id": "other", "pacing": {"enabled": False}}
    settings = load_settings(path, **named)
    assert settings.vehicle_id == "other"
    assert settings.pacing.model_dump() == {
        "enabled": False, "interval_ms": 250, "max_interval_ms": 7
    }  # fmt: skip
    assert make_settings(**named).vehicle_id == "other"
    assert make_settings({"vehicle_id": "replay"}).vehicle_id == "kona"


def test_an_environment_that_is_no_json_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERNETCAR_GATEWAY_BUSES", "can0")
    with pytest.raises(SettingsError, match=r"environment: .*buses"):
        make_settings()


def test_asking_needs_transmit_and_one_bus() -> None:
    with pytest.raises(SettingsError, match=r"^buses.0.obd: OBD only answers questions: set tr"):
        make_settings(buses=[{"name": "can0", "obd": True}])
    asked = {"obd": True, "transmit": True}
    with pytest.raises(SettingsError, match=r"^buses: one bus can be asked over OBD-II, not a, b$"):
        make_settings(buses=[{"name": "a", **asked}, {"name": "b", **asked}])
    taken = make_settings(buses=[{"name": "a", **asked}, {"name": "b", "obd": "listen"}])
    assert [bus.obd for bus in taken.buses] == [True, "listen"]
    with pytest.raises(SettingsError, match=r"^buses.0.obd"):
        make_settings(buses=[{"obd": "sometimes"}])


def test_obd_and_j1939_need_no_database_and_hear_every_id() -> None:
    bus = {"name": "can0", "known_ids_only": True}
    with pytest.raises(SettingsError, match="no DBC"):
        Setup(make_settings(buses=[bus]))
    for more in ({"obd": "listen"}, {"j1939": True}):
        settings = make_settings(buses=[{**bus, **more}])
        setup = Setup(settings)
        assert bus_specs(settings, setup.assemble())[0].can_ids is None
    beside = make_settings(vehicle="reference", buses=[{"name": "obd", "obd": "listen"}])
    assert Setup(beside).databases == [[]]

"""The toll service's settings and its key."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from internetcar.contract.message import InputError
from services.settings import load_settings
from services.tolls.settings import TollSettings
from services.tolls.signing_key import FILE_NAME, load_key, load_or_make_key
from services.tolls.tariff.vehicle import VehicleFacts


def test_what_a_vehicle_is_stands_in_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tolls.toml"
    path.write_text(
        '[vehicle]\nhas_tag = true\n[vehicles.lorry]\nkind = "heavy_goods"\naxles = 4\n'
    )
    monkeypatch.setenv("INTERNETCAR_TOLLS_ORIGIN", "simulation")
    settings = load_settings(TollSettings, path)
    assert settings.facts_of("lorry") == VehicleFacts(kind="heavy_goods", axles=4)
    assert settings.facts_of("car") == VehicleFacts(has_tag=True)
    assert settings.origin == "simulation"
    assert (settings.declares, settings.pays_dearer, settings.dispute_days) == (False, False, 90)


def test_a_tariff_time_is_for_a_simulation_only() -> None:
    at = datetime(2026, 5, 1, 0, 20, tzinfo=UTC)
    with pytest.raises(InputError, match="only with origin"):
        load_settings(TollSettings, None, tariff_time=at)
    settings = load_settings(TollSettings, None, tariff_time=at, origin="simulation")
    assert settings.tariff_time == at


def test_a_key_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with pytest.raises(InputError, match="no key yet"):
        load_key(folder)
    made = load_or_make_key(folder)
    path = folder / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make_key(folder).private_bytes_raw() == made.private_bytes_raw()
    assert [each.name for each in folder.iterdir()] == [FILE_NAME]


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    load_or_make_key(tmp_path)
    path = tmp_path / FILE_NAME
    path.chmod(0o644)
    with pytest.raises(InputError, match="others can read it"):
        load_key(tmp_path)
    path.chmod(0o600)
    path.write_text("nonsense")
    with pytest.raises(InputError, match="Ed25519"):
        load_key(tmp_path)
    with pytest.raises(InputError, match="cannot be"):
        load_or_make_key(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        load_key(tmp_path)

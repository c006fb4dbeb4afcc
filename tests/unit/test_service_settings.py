"""A service's settings: file, environment, and what is said of a mistake; and its entry point."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import Field

from internetcar.contract.message import InputError
from internetcar.contract.settings import SettingsError
from services import __main__ as entry
from services.settings import (
    ServiceSettings,
    broker_of,
    load_settings,
    service_config,
    state_folder,
    store_url,
)


class ParkingSettings(ServiceSettings):
    model_config = service_config("parking")

    accounts: dict[str, str] = Field(default_factory=dict)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parking.toml"


def test_the_environment_stands_above_the_file_and_what_is_named_above_both(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text('store = "a.sqlite"\nreplica = "7"\nshare = "x"\n[accounts]\nkona = "alice"\n')
    monkeypatch.setenv("INTERNETCAR_PARKING_STORE", "b.sqlite")
    monkeypatch.setenv("INTERNETCAR_PARKING_ACCOUNTS", '{"leaf": "bob"}')
    settings = load_settings(ParkingSettings, path, share="y")
    assert (settings.store, settings.replica, settings.share) == ("b.sqlite", "7", "y")
    assert settings.accounts == {"kona": "alice", "leaf": "bob"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("colour = 1", "colour: no such setting"),
        ('replica = "a b"', "replica: "),
        ('share = "a/b"', "share: "),
        ("store = ", "not TOML"),
        ("a = " + "[" * 9000, "not TOML"),
    ],
)
def test_a_mistake_is_one_line_with_the_file_and_the_key(
    path: Path, text: str, complaint: str
) -> None:
    path.write_text(text)
    with pytest.raises(SettingsError, match=f"parking.toml: .*{complaint}"):
        load_settings(ParkingSettings, path)


def test_a_file_that_cannot_be_read_and_a_bad_environment_are_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(ParkingSettings, path)
    monkeypatch.setenv("INTERNETCAR_PARKING_ACCOUNTS", "{")
    with pytest.raises(SettingsError, match=r"environment: .*accounts"):
        load_settings(ParkingSettings, None)


def test_the_broker_is_the_settings_or_the_environments() -> None:
    settings = ParkingSettings(broker="mqtt://one:1")
    assert broker_of(settings, {"INTERNETCAR_BROKER": "mqtt://two:1"}).host == "one"
    assert broker_of(ParkingSettings(), {"INTERNETCAR_BROKER": "mqtt://two:1"}).host == "two"
    with pytest.raises(InputError, match="INTERNETCAR_BROKER"):
        broker_of(ParkingSettings(), {})


def test_state_and_store_have_a_place_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = {"HOME": "/home/alice"}
    assert state_folder(ParkingSettings(), "parking", home) == Path(
        "/home/alice/.local/state/internetcar/parking"
    )
    home["XDG_STATE_HOME"] = "/var/state"
    assert state_folder(ParkingSettings(), "parking", home) == Path(
        "/var/state/internetcar/parking"
    )
    settings = ParkingSettings(state=str(tmp_path))
    assert store_url(settings, "parking") == f"{tmp_path}/parking/parking.sqlite"
    assert store_url(ParkingSettings(store="postgresql://h/d"), "x") == "postgresql://h/d"


def test_the_entry_point_runs_the_service_that_is_named(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    ran: list[Path | None] = []
    monkeypatch.setattr(entry, "names", lambda: ["parking"])
    monkeypatch.setitem(
        sys.modules,
        "services.parking.service",
        SimpleNamespace(main=ran.append),
    )
    for arguments in (["parking", str(path)], ["parking"]):
        monkeypatch.setattr(sys, "argv", ["services", *arguments])
        monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
        entry.main()
    assert ran == [path, None]
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def test_a_service_that_the_command_car_loads_has_one_thread_for_its_matrices_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "services.parking.service", SimpleNamespace(main=print))
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert entry.load("parking") is print
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def test_wrong_input_ends_the_entry_point_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path | None) -> None:
        raise InputError("first line\nsecond")

    monkeypatch.setattr(entry, "names", lambda: ["parking"])
    monkeypatch.setitem(
        sys.modules,
        "services.parking.service",
        SimpleNamespace(main=fail),
    )
    monkeypatch.setattr(sys, "argv", ["services", "parking"])
    with pytest.raises(SystemExit, match=r"^parking: first line second$"):
        entry.main()
    monkeypatch.setattr(sys, "argv", ["services", "nothing"])
    with pytest.raises(SystemExit, match="2"):
        entry.main()


def test_every_service_with_an_entry_is_named() -> None:
    folder = Path(entry.__file__).parent
    assert entry.names() == sorted(each.parent.name for each in folder.glob("*/service.py"))

"""What a person sets from Home Assistant is a command the gateway reads."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from gateway.controls import Topics, control
from internetcar.contract.commands import Command
from internetcar.contract.message import Scalar
from internetcar.contract.signals import CatalogLeaf, Signal
from tests.home_assistant import check_component, read, write
from tests.unit.announced import (
    AIR,
    CABIN,
    HORN,
    LEAVES,
    LOCK,
    PATHS,
    TARGET,
    TRUNK,
    WIPERS,
    enabled,
    of,
)


def sent(key: str, found: dict[str, Any], value: object, of_: str = "command") -> Command:
    """The command a control sends, as the gateway reads it."""
    made = found[key]
    return Command.decode(made[f"{of_}_topic"], write(made[f"{of_}_template"], value))


def test_a_number_sends_the_number() -> None:
    leaf = CatalogLeaf(datatype="uint8", unit="percent", min=0, max=90, step=5)
    found = of({"Vehicle.Cabin.X": leaf}, "Vehicle.Cabin.X")
    made = found["number.Vehicle.Cabin.X"]
    assert (made["min"], made["max"], made["step"]) == (0, 90, 5)
    command = sent("number.Vehicle.Cabin.X", found, 25)
    assert (command.requester, command.path) == ("home-assistant", "Vehicle.Cabin.X")
    assert (command.value, command.id, command.expires_at) == (25, None, None)
    assert sent("number.Vehicle.Cabin.X", found, 21.5).value == 21.5
    assert list(found) == ["connected", "last_seen", "number.Vehicle.Cabin.X"]


@pytest.mark.parametrize(
    ("leaf", "low", "high", "step"),
    [
        (CatalogLeaf(datatype="uint8"), 0, 255, 1),
        (CatalogLeaf(datatype="int64"), -1e6, 1e6, 1),
        (CatalogLeaf(datatype="float"), -1e6, 1e6, 0.1),
        (CatalogLeaf(datatype="double", min=1, max=2, step=1e-9), 1, 2, 0.001),
    ],
)
def test_a_number_without_limits_has_those_of_its_datatype(
    leaf: CatalogLeaf, low: float, high: float, step: float
) -> None:
    made = of({"Vehicle.X": leaf}, "Vehicle.X")["number.Vehicle.X"]
    assert (made["min"], made["max"], made["step"]) == (low, high, step)


@pytest.mark.parametrize(
    "leaf",
    [
        CatalogLeaf(datatype="float", min=3, max=3),
        CatalogLeaf(datatype="string"),
        CatalogLeaf(datatype="uint8[]", allowed=[1, 2]),
    ],
)
def test_what_home_assistant_cannot_set_is_only_shown(leaf: CatalogLeaf) -> None:
    assert list(of({"Vehicle.X": leaf}, "Vehicle.X"))[2:] == ["sensor.Vehicle.X"]


def test_a_choice_sends_the_word_or_the_number() -> None:
    words = CatalogLeaf(datatype="string", allowed=["OFF", "SLOW", 'it\'s "FAST"'])
    levels = CatalogLeaf(datatype="uint8", allowed=[0, 3, 3])
    found = of({WIPERS: words, "Vehicle.X": levels}, WIPERS, "Vehicle.X")
    assert found["select.Vehicle.X"]["options"] == ["0", "3"]
    for value in words.allowed or ():
        assert sent(f"select.{WIPERS}", found, value).value == value
    assert sent("select.Vehicle.X", found, "3").value == 3


@pytest.mark.parametrize("allowed", [["x" * 256], [str(n) for n in range(101)], [""]])
def test_a_list_that_is_too_long_for_a_choice_is_text(allowed: list[Scalar]) -> None:
    made = of({"Vehicle.X": CatalogLeaf(datatype="string", allowed=allowed)})["sensor.Vehicle.X"]
    assert "options" not in made


def test_a_push_has_an_id_of_its_own() -> None:
    push = CatalogLeaf(datatype="boolean", momentary=True)
    found = of({TRUNK: push, HORN: push, "Vehicle.X": push}, TRUNK, HORN, "Vehicle.X")
    trunk = found[f"button.{TRUNK}"]
    assert trunk["name"] == "Open trunk"
    assert found["button.Vehicle.X"]["name"] == "X"
    command = sent(f"button.{TRUNK}", found, trunk["payload_press"])
    assert command.value is True
    assert command.id == "ha-1795230000.123456"
    assert f"button.{TRUNK}" in enabled(found)
    assert f"button.{HORN}" not in enabled(found)
    assert f"binary_sensor.{HORN}" in enabled(found)


@pytest.mark.parametrize(
    "leaf",
    [
        CatalogLeaf(datatype="uint8", min=0, max=9, momentary=True),
        CatalogLeaf(datatype="string", allowed=["A", "B"], momentary=True),
    ],
)
def test_a_momentary_number_or_choice_has_an_id_too(leaf: CatalogLeaf) -> None:
    found = of({"Vehicle.X": leaf}, "Vehicle.X")
    key = next(key for key in found if "command_topic" in found[key])
    value = leaf.allowed[0] if leaf.allowed else 7
    command = sent(key, found, value)
    assert (command.value, command.id) == (value, "ha-1795230000.123456")


def test_a_lock_and_a_switch_send_true_and_false() -> None:
    two = CatalogLeaf(datatype="boolean")
    found = of({LOCK: two, "Vehicle.X": two}, LOCK, "Vehicle.X")
    lock, switch = found[f"lock.{LOCK}"], found["switch.Vehicle.X"]
    pairs = [(lock, "payload_lock", True), (lock, "payload_unlock", False),
             (switch, "payload_on", True), (switch, "payload_off", False)]  # fmt: skip
    for made, key, value in pairs:
        assert Command.decode(made["command_topic"], made[key].encode()).value is value
    at = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    for value, locked, on in ((True, "state_locked", "payload_on"),
                              (False, "state_unlocked", "payload_off")):  # fmt: skip
        said = Signal(vehicle_id="car", path="Vehicle.X", value=value, at=at).encode()
        assert read(lock["value_template"], said) == lock[locked]
        assert read(switch["value_template"], said) == switch[on]


def test_a_lock_shows_what_the_car_last_said_of_it() -> None:
    two = CatalogLeaf(datatype="boolean")
    found = of({LOCK: two, "Vehicle.X": two}, LOCK, "Vehicle.X")
    at = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    said = Signal(vehicle_id="car", path="Vehicle.X", value=True, at=at, quality="stale").encode()
    assert read(found[f"lock.{LOCK}"]["value_template"], said) == "true"
    assert read(found["switch.Vehicle.X"]["value_template"], said) == "None"


def test_a_lock_is_shown_beside_its_control_and_other_controls_stand_alone() -> None:
    two = CatalogLeaf(datatype="boolean")
    found = of({LOCK: two, "Vehicle.X": two}, LOCK, "Vehicle.X")
    assert list(found)[2:] == [f"binary_sensor.{LOCK}", f"lock.{LOCK}", "switch.Vehicle.X"]


def test_a_thermostat_is_the_target_temperature_with_what_belongs_to_it() -> None:
    warm = CatalogLeaf(datatype="float", unit="Celsius", min=17, max=27, step=0.5)
    air = CatalogLeaf(datatype="boolean")
    found = of({TARGET: warm, AIR: air, CABIN: CatalogLeaf(unit="Celsius")}, TARGET, AIR)
    climate = found["climate"]
    assert (climate["min_temp"], climate["max_temp"], climate["temp_step"]) == (17, 27, 0.5)
    assert sent("climate", found, 21.5, "temperature_command").value == 21.5
    assert sent("climate", found, "cool", "mode_command").value is True
    assert sent("climate", found, "off", "mode_command").value is False
    assert climate["current_temperature_topic"].endswith(CABIN)
    assert f"number.{TARGET}" in set(found) - set(enabled(found))
    alone = of({TARGET: CatalogLeaf(), AIR: air}, TARGET)["climate"]
    assert (alone["min_temp"], alone["max_temp"], alone["modes"]) == (16, 28, ["auto"])
    assert "mode_command_topic" not in alone
    assert "climate" not in of({TARGET: warm}, AIR)


@settings(deadline=None)
@given(PATHS, LEAVES)
def test_any_control_sends_a_command_its_contract_allows(path: str, leaf: CatalogLeaf) -> None:
    made = control(path, leaf, Topics("car", "home-assistant"))
    if made is None:
        return
    check_component({"unique_id": "x", **made})
    payloads: Iterable[bytes]
    if "command_template" in made:
        source = str(made["command_template"])
        options = made.get("options", ["true"] if made["platform"] == "button" else [1, 2.5])
        assert isinstance(options, list)
        payloads = [write(source, option) for option in options]
    else:
        payloads = [str(made[key]).encode() for key in made if key.startswith("payload_")]
    for payload in payloads:
        command = Command.decode(str(made["command_topic"]), payload)
        assert orjson.loads(command.encode())["value"] == command.value
        assert (command.id is not None) is leaf.momentary

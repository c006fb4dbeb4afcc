"""A catalog as Home Assistant's device: every key is documented, every template says what holds."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controls import Topics, control
from gateway.discovery import MOST_BYTES, Announced, Device, announce, gone, removal
from gateway.entities import MOST_ENABLED, name_of
from gateway.settings import BusSettings, GatewaySettings
from gateway.setup import Setup, read_mapping
from gateway.units import unit_of
from gateway.vehicles import load_vehicle
from internetcar.contract.commands import Command
from internetcar.contract.message import Scalar
from internetcar.contract.signals import Catalog, CatalogLeaf
from tests.home_assistant import check_component, check_device, write

CAR = Device("car", "homeassistant", "home-assistant", "", "internetcar 0.1.0")
SOC = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
HORN = "Vehicle.Body.Horn.IsActive"
TRUNK = "Vehicle.Body.Trunk.Rear.IsOpen"
TARGET = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
AIR = "Vehicle.Cabin.HVAC.IsAirConditioningActive"
CABIN = "Vehicle.Cabin.HVAC.AmbientAirTemperature"
WIPERS = "Vehicle.Body.Windshield.Front.Wiping.Mode"


@cache
def reference() -> tuple[list[Catalog], frozenset[str]]:
    """The reference car's catalog, and what its mapping can set."""
    vehicle = load_vehicle("reference")
    buses = [BusSettings(name=name) for name in vehicle.buses]
    setup = Setup(GatewaySettings(vehicle="reference", buses=buses))
    rules = read_mapping(Path(vehicle.mapping)).leaves
    settable = frozenset(path for path, rule in rules.items() if rule.command)
    return setup.assemble().messages("car"), settable


def catalog(**leaves: CatalogLeaf) -> list[Catalog]:
    named = {path.replace("_", "."): leaf for path, leaf in leaves.items()}
    return [Catalog(vehicle_id="car", group="Vehicle", leaves=named)]


def of(leaves: dict[str, CatalogLeaf], *may_set: str) -> dict[str, Any]:
    whole = [Catalog(vehicle_id="car", group="Vehicle", leaves=leaves)]
    return components(announce(whole, set(may_set), CAR))


def components(announced: Announced) -> dict[str, Any]:
    return check_device(announced.message.topic, announced.message.encode())


def enabled(found: dict[str, Any]) -> list[str]:
    return [key for key, made in found.items() if made.get("enabled_by_default", True)]


def test_the_reference_car_is_one_device_with_all_its_leaves() -> None:
    leaves, settable = reference()
    found = components(announce(leaves, settable, CAR))
    paths = {path for group in leaves for path in group.leaves}
    assert paths == {key.partition(".")[2] for key in found} - {""}
    assert len(enabled(found)) == MOST_ENABLED
    names = [found[key]["name"] for key in enabled(found)]
    assert names[:6] == ["Connected", "Last seen", "Location", "Charge", "Range", "Odometer"]
    assert {"Climate", "Trunk", "Driver door", "Tyre rear right"} <= set(names)
    assert {made["platform"] for made in found.values()} == {
        "sensor", "binary_sensor", "number", "switch", "select", "lock", "climate",
        "device_tracker",
    }  # fmt: skip


def test_what_the_requester_may_not_set_has_no_control() -> None:
    leaves, settable = reference()
    found = components(announce(leaves, set(), CAR))
    assert {made["platform"] for made in found.values()} == {
        "sensor", "binary_sensor", "device_tracker"
    }  # fmt: skip
    assert not any("command_topic" in made for made in found.values())
    one = components(announce(leaves, {LOCK}, CAR))
    assert [key for key in one if "command_topic" in one[key]] == [f"lock.{LOCK}"]
    assert len(settable) > 20


def test_only_controls_can_be_unavailable_and_only_live_leaves_expire() -> None:
    leaves, settable = reference()
    found = components(announce(leaves, settable, CAR))
    for key, made in found.items():
        is_control = any(name.endswith("command_topic") for name in made)
        assert ("availability" in made) is is_control, key
        assert not (is_control and "expire_after" in made)
    expiring = {key for key, made in found.items() if "expire_after" in made}
    assert "sensor.Vehicle.Speed" in expiring
    assert found["sensor.Vehicle.Speed"]["expire_after"] == 180
    last_known = [f"sensor.{SOC}", "sensor.Vehicle.TraveledDistance", "location", "last_seen",
                  "connected", f"binary_sensor.{LOCK}",
                  "sensor.Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure",
                  "binary_sensor.Vehicle.Cabin.Door.Row2.PassengerSide.IsOpen"]  # fmt: skip
    assert not expiring.intersection(last_known)
    assert set(last_known) <= set(found)


def test_a_leaf_that_is_never_repeated_does_not_expire() -> None:
    found = of({"Vehicle.Speed": CatalogLeaf(unit="km/h"),
                "Vehicle.Y": CatalogLeaf(max_interval_ms=100)})  # fmt: skip
    assert "expire_after" not in found["sensor.Vehicle.Speed"]
    assert found["sensor.Vehicle.Y"]["expire_after"] == 1


def test_units_and_classes_are_those_home_assistant_knows_together() -> None:
    leaves, _ = reference()
    found = components(announce(leaves, set(), CAR))

    def shown(path: str) -> tuple[object, ...]:
        made = found[f"sensor.{path}"]
        keys = ("unit_of_measurement", "device_class", "state_class")
        return tuple(made.get(key) for key in keys)

    assert shown(SOC) == ("%", "battery", "measurement")
    assert shown("Vehicle.TraveledDistance") == ("km", "distance", "total_increasing")
    assert shown("Vehicle.Powertrain.TractionBattery.Range") == ("km", "distance", "measurement")
    consumed = "Vehicle.Powertrain.TractionBattery.AccumulatedConsumedEnergy"
    assert shown(consumed) == ("kWh", "energy", "total_increasing")
    assert shown("Vehicle.Body.Raindetection.Intensity") == ("%", None, "measurement")
    assert shown("Vehicle.CurrentLocation.Heading") == ("°", None, None)
    assert shown("Vehicle.Powertrain.Transmission.CurrentGear") == (None, None, None)


def test_an_odometer_that_is_in_kilometres_already_is_left_as_it_is() -> None:
    found = of({"Vehicle.TraveledDistance": CatalogLeaf(unit="km")})
    made = found["sensor.Vehicle.TraveledDistance"]
    assert made["unit_of_measurement"] == "km"
    assert "1000" not in made["value_template"]


def test_a_fuel_gauge_is_no_battery_and_stored_energy_no_meter() -> None:
    fuel = "Vehicle.Powertrain.FuelSystem.RelativeLevel"
    leaves = {"Vehicle.X": CatalogLeaf(unit="kWh"), fuel: CatalogLeaf(unit="percent")}
    found = of({**leaves, SOC: CatalogLeaf()})
    assert found["sensor.Vehicle.X"]["device_class"] == "energy_storage"
    assert "device_class" not in found[f"sensor.{fuel}"]
    assert "device_class" not in found[f"sensor.{SOC}"]


def test_the_car_was_last_seen_when_its_charge_came_or_else_by_its_gateways_health() -> None:
    def topic(*paths: str) -> object:
        return of({path: CatalogLeaf() for path in paths})["last_seen"]["state_topic"]

    assert topic("Vehicle.Speed", SOC) == f"v1/vehicle/car/signal/{SOC}"
    assert topic("Vehicle.Speed") == "v1/vehicle/car/signal/Vehicle.Speed"
    assert topic("Motion.Speed") == "v1/vehicle/car/health"


def test_there_is_a_location_where_there_are_latitude_and_longitude() -> None:
    latitude, longitude = "Vehicle.CurrentLocation.Latitude", "Vehicle.CurrentLocation.Longitude"
    assert "location" not in of({latitude: CatalogLeaf()})
    assert "location" in of({latitude: CatalogLeaf(), longitude: CatalogLeaf()})


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


def test_the_device_has_the_name_of_the_settings_or_the_vehicle_id() -> None:
    named = CAR._replace(name="Mum's car")
    assert announce([], set(), CAR).message.device.name == "car"
    assert announce([], set(), named).message.device.name == "Mum's car"


def test_a_name_is_what_people_say() -> None:
    assert name_of(SOC) == "Charge"
    assert name_of("Vehicle.ADAS.ABS.IsError") == "ADAS ABS is error"
    assert name_of("Vehicle.Cabin.Seat.Row1.DriverSide.IsBelted") == (
        "Cabin seat row 1 driver side is belted"
    )
    assert name_of("Motion.Wheel_Speed") == "Motion.Wheel_Speed"
    assert name_of("Vehicle._") == "Vehicle._"


def test_a_unit_is_written_as_home_assistant_writes_it() -> None:
    assert unit_of(None) is unit_of("") is None
    assert unit_of("°C") == unit_of("Celsius") == ("°C", "temperature")
    assert unit_of("furlong") == ("furlong", None)
    assert len(unit_of("x" * 50) or "") == 2
    assert (unit_of("x" * 50) or ("",))[0] == "x" * 20


def test_a_car_without_a_mapping_finds_room_for_what_fits() -> None:
    leaves = {f"Message_{n}.Signal_{n}": CatalogLeaf(unit="km/h") for n in range(2000)}
    whole = [Catalog(vehicle_id="car", group="Message", leaves=leaves)]
    announced = announce(whole, set(), CAR)
    found = components(announced)
    assert enabled(found) == ["connected", "last_seen"]
    assert announced.left_out + len(found) == 2002
    assert len(found) > 300
    assert len(announced.message.encode()) < MOST_BYTES + 2000


def test_entities_that_are_gone_are_named_with_their_platform_alone() -> None:
    leaf = CatalogLeaf(datatype="boolean")
    two = announce(catalog(Vehicle_X=leaf, Vehicle_Y=leaf), {"Vehicle.Y"}, CAR).message
    one = announce(catalog(Vehicle_X=leaf), set(), CAR).message
    missing = gone(two, one)
    assert missing == {"switch.Vehicle.Y": "switch"}
    farewell = removal(one, missing)
    assert farewell.components["switch.Vehicle.Y"] == {"platform": "switch"}
    assert (farewell.entities, farewell.enabled) == (one.entities, one.enabled) == (3, 2)
    assert gone(farewell, one) == {}


SCALARS = st.one_of(st.booleans(), st.integers(-9, 9), st.floats(-9, 9), st.text(max_size=9))
NUMBERS = st.none() | st.floats(-1e9, 1e9)
LEAVES = st.builds(
    CatalogLeaf,
    datatype=st.sampled_from(["boolean", "uint8", "int64", "float", "double", "string", "string[]",
                              "uint8[]", "nonsense"]),
    unit=st.none() | st.sampled_from(["percent", "Celsius", "m", "kWh", "degrees", "", "x" * 300]),
    min=NUMBERS, max=NUMBERS, step=st.none() | st.floats(0, 10),
    allowed=st.none() | st.lists(SCALARS, max_size=4), momentary=st.booleans(),
    max_interval_ms=st.none() | st.integers(0, 10**8),
)  # fmt: skip
PATHS = st.sampled_from([SOC, LOCK, HORN, TRUNK, TARGET, AIR, CABIN, "Vehicle.A.IsOn", "A.b"]) | (
    st.from_regex(r"[A-Za-z0-9_.@-]{1,200}", fullmatch=True)
)


@given(st.dictionaries(PATHS, LEAVES, max_size=12), st.booleans())
def test_any_catalog_is_a_device_home_assistant_takes(
    leaves: dict[str, CatalogLeaf], is_settable: bool
) -> None:
    whole = [Catalog(vehicle_id="car", group="Vehicle", leaves=leaves)]
    announced = announce(whole, set(leaves) if is_settable else set(), CAR)
    found = components(announced)
    assert len(enabled(found)) <= MOST_ENABLED
    assert announced.left_out == 0
    again = announce(whole, set(leaves) if is_settable else set(), CAR)
    assert again.message.encode() == announced.message.encode()


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

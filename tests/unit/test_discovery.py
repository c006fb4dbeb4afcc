"""A catalog as Home Assistant's device: every key is documented, every template says what holds."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.discovery import MOST_BYTES, announce, gone, removal
from gateway.entities import MOST_ENABLED, name_of
from gateway.obd_leaves import CATALOG, CODE_COUNT, CODE_TEXT, MIL, SERVICE_DUE
from gateway.units import unit_of
from internetcar.contract.message import Value
from internetcar.contract.signals import Catalog, CatalogLeaf, Signal
from tests.home_assistant import read
from tests.unit.announced import (
    CAR,
    LEAVES,
    LOCK,
    PATHS,
    SOC,
    catalog,
    components,
    enabled,
    of,
    reference,
)


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


def test_a_lock_takes_one_place_and_its_reading_is_there_for_who_wants_it() -> None:
    leaves, settable = reference()
    found = components(announce(leaves, settable, CAR))
    shown = [found[key]["name"] for key in enabled(found)]
    assert shown[-5:] == ["Rear door lock, passenger side", "Cabin temperature", "12 V battery",
                          "Battery power", "Battery temperature"]  # fmt: skip
    assert len(set(shown)) == len(shown) - 1  # the trunk, and what opens it
    lock, reading = found[f"lock.{LOCK}"], found[f"binary_sensor.{LOCK}"]
    assert (lock["name"], reading["name"]) == ("Driver door lock", "Driver door locked")
    assert "availability" not in reading
    alone = components(announce(leaves, set(), CAR))
    assert f"binary_sensor.{LOCK}" in enabled(alone)
    assert alone[f"binary_sensor.{LOCK}"]["name"] == "Driver door lock"
    third = "Vehicle.Cabin.Door.Row3.DriverSide.IsLocked"
    found = of({third: CatalogLeaf(datatype="boolean")}, third)
    assert found[f"lock.{third}"]["name"] == "Lock, driver side row 3 door cabin"
    assert found[f"binary_sensor.{third}"]["name"] == "Locked, driver side row 3 door cabin"


def test_a_car_that_only_answers_obd_shows_what_its_owner_asks_of_it() -> None:
    leaves = {leaf.path: leaf.catalog_leaf("can0", 10_000) for leaf in CATALOG.values()}
    found = of(leaves)
    assert [found[key]["name"] for key in enabled(found)] == [
        "Connected", "Last seen", "Charge", "Fuel", "Odometer", "Warning light", "Service due",
        "Trouble codes", "Trouble codes in words", "Speed", "Engine speed", "Coolant temperature",
        "Outside temperature", "12 V battery",
    ]  # fmt: skip
    for path in (MIL, SERVICE_DUE):
        assert found[f"binary_sensor.{path}"]["device_class"] == "problem"
    last_known = {f"binary_sensor.{MIL}", f"sensor.{CODE_COUNT}", f"sensor.{CODE_TEXT}"}
    assert not any("expire_after" in found[key] for key in last_known)


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


@pytest.mark.parametrize(
    ("path", "leaf", "value", "shown"),
    [
        (SOC, CatalogLeaf(unit="percent"), 62.5, "62.5"),
        ("Vehicle.TraveledDistance", CatalogLeaf(datatype="uint32", unit="m"), 12345678, "12345.7"),
        (LOCK, CatalogLeaf(datatype="boolean"), True, "OFF"),
        (LOCK, CatalogLeaf(datatype="boolean"), False, "ON"),
        ("Vehicle.Body.Trunk.Rear.IsOpen", CatalogLeaf(datatype="boolean"), True, "ON"),
        ("Vehicle.Body.Trunk.Rear.IsOpen", CatalogLeaf(datatype="boolean"), False, "OFF"),
        ("Vehicle.X", CatalogLeaf(datatype="string", allowed=["A", "B"]), "B", "B"),
        ("Vehicle.X", CatalogLeaf(datatype="string"), "x" * 300, "x" * 247 + "..."),
        ("Vehicle.X", CatalogLeaf(datatype="string[]"), ["a", "b"], "a, b"),
        ("Vehicle.X", CatalogLeaf(datatype="string[]"), [], ""),
    ],
)
def test_a_reading_shows_what_the_leaf_says(
    path: str, leaf: CatalogLeaf, value: Value, shown: str
) -> None:
    made = of({path: leaf})
    (reading,) = (made[key] for key in made if key.endswith(path) and "sensor." in key)
    at = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    said = Signal(vehicle_id="car", path=path, value=value, at=at)
    assert reading["state_topic"] == said.topic
    assert read(reading["value_template"], said.encode()) == shown
    gone = said.model_copy(update={"value": None, "quality": "not_available"})
    assert read(reading["value_template"], gone.encode()) == "None"


def test_there_is_a_location_where_there_are_latitude_and_longitude() -> None:
    latitude, longitude = "Vehicle.CurrentLocation.Latitude", "Vehicle.CurrentLocation.Longitude"
    assert "location" not in of({latitude: CatalogLeaf()})
    assert "location" in of({latitude: CatalogLeaf(), longitude: CatalogLeaf()})


def test_the_device_has_the_name_of_the_settings_or_the_vehicle_id() -> None:
    named = CAR._replace(name="Mum's car")
    assert announce([], set(), CAR).message.device.name == "car"
    assert announce([], set(), named).message.device.name == "Mum's car"


def test_a_name_is_what_people_say() -> None:
    assert name_of(SOC) == "Charge"
    for path, name in {
        "ADAS.ABS.IsError": "Error, ABS ADAS",
        "Cabin.Seat.Row1.DriverSide.IsBelted": "Belted, driver side row 1 seat cabin",
        "Cabin.HVAC.IsAirConditioningActive": "Air conditioning, HVAC cabin",
        "Body.Lights.Fog.Rear.IsOn": "Rear fog lights body",
        "Cabin.Door.Row1.DriverSide.Window.Position": (
            "Position, window driver side row 1 door cabin"
        ),
        "Powertrain.Transmission.CurrentGear": "Current gear, transmission powertrain",
        "Trailer.ActiveBrake": "Active brake, trailer",
        "IsMoving": "Moving",
        "IsOn": "Vehicle.IsOn",
    }.items():
        assert name_of(f"Vehicle.{path}") == name
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


@settings(deadline=None)
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

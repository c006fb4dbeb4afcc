"""Which VSS leaves make a trip, and which count as settings: data, no rules (pure)."""

POWER = "Vehicle.LowVoltageSystemState"
POWER_STATES = {"ON": True, "START": True, "ACC": False, "OFF": False, "LOCK": False}
"""Whether the car is on; `UNDEFINED` says nothing."""

ENGINE_RUNNING = "Vehicle.Powertrain.CombustionEngine.IsRunning"
ENGINE_SPEED = "Vehicle.Powertrain.CombustionEngine.Speed"
OBD_ENGINE_SPEED = "Vehicle.OBD.EngineSpeed"
COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
IS_MOVING = "Vehicle.IsMoving"
SPEED = "Vehicle.Speed"
ODOMETER = "Vehicle.TraveledDistance"

LATITUDE = "Vehicle.CurrentLocation.Latitude"
LONGITUDE = "Vehicle.CurrentLocation.Longitude"
ACCURACY = "Vehicle.CurrentLocation.HorizontalAccuracy"
HEADING = "Vehicle.CurrentLocation.Heading"
FIX_TYPE = "Vehicle.CurrentLocation.GNSSReceiver.FixType"
NO_FIX = "NONE"

DRIVERS = (
    "Vehicle.Occupant.Row1.DriverSide.Identifier.Subject",
    "Vehicle.Driver.Identifier.Subject",
)
"""VSS 6, and what it was up to VSS 5; the first that names somebody holds."""

LONGITUDINAL = "Vehicle.Acceleration.Longitudinal"
LATERAL = "Vehicle.Acceleration.Lateral"
YAW_RATE = "Vehicle.AngularVelocity.Yaw"
OUTSIDE = "Vehicle.Exterior.AirTemperature"

BATTERY = "Vehicle.Powertrain.TractionBattery."
BATTERY_POWER = BATTERY + "CurrentPower"
BATTERY_CURRENT = BATTERY + "CurrentCurrent"
BATTERY_VOLTAGE = BATTERY + "CurrentVoltage"
CONSUMED = BATTERY + "AccumulatedConsumedEnergy"
IS_CHARGING = BATTERY + "Charging.IsCharging"

FUEL_SINCE_START = "Vehicle.Powertrain.FuelSystem.ConsumptionSinceStart"
FUEL_PER_100_KM = "Vehicle.Powertrain.FuelSystem.InstantConsumption"
FUEL_RATE = "Vehicle.OBD.FuelRate"

AIRBAGS = tuple(
    f"Vehicle.Cabin.Seat.{row}.{side}.Airbag.IsDeployed"
    for row in ("Row1", "Row2")
    for side in ("DriverSide", "Middle", "PassengerSide")
)
"""One that has gone off is what VSS 6.0 knows of a crash."""

MOTION = (
    POWER, ENGINE_RUNNING, ENGINE_SPEED, OBD_ENGINE_SPEED, IS_MOVING, SPEED, ODOMETER,
    LATITUDE, LONGITUDE, ACCURACY, HEADING, FIX_TYPE, *DRIVERS, LONGITUDINAL, LATERAL, YAW_RATE,
    OUTSIDE, BATTERY_POWER, BATTERY_CURRENT, BATTERY_VOLTAGE, CONSUMED, IS_CHARGING,
    FUEL_SINCE_START, FUEL_PER_100_KM, FUEL_RATE, COOLANT, *AIRBAGS,
)  # fmt: skip
"""What is read of every car."""

_HVAC = "Vehicle.Cabin.HVAC."
_SEAT = "Vehicle.Cabin.Seat.Row1."
_MEDIA = "Vehicle.Cabin.Infotainment.Media."
_MIRROR = "Vehicle.Body.Mirrors."

SETTINGS = (
    *(f"{_HVAC}{name}" for name in (
        "IsAirConditioningActive", "IsAutoPowerOptimize", "IsFrontDefrosterActive",
        "IsRearDefrosterActive", "IsRecirculationActive",
    )),
    *(f"{_HVAC}Station.{row}.{side}.{name}"
      for row in ("Row1", "Row2")
      for side in ("Driver", "Passenger")
      for name in ("Temperature", "FanSpeed", "AirDistribution")),
    *(f"{_SEAT}{side}.{name}"
      for side in ("DriverSide", "PassengerSide")
      for name in (
          "HeatingCooling", "Seating.HeatingCooling", "Backrest.HeatingCooling", "Position",
          "Height", "Tilt", "Backrest.Recline", "Backrest.LumbarSupport", "Backrest.LumbarHeight",
          "Seating.Length", "Massage.Level",
      )),
    *(f"{_MIRROR}{side}.{name}"
      for side in ("DriverSide", "PassengerSide")
      for name in ("Pan", "Tilt", "IsHeatingOn")),
    *(f"{_MEDIA}{name}" for name in (
        "Played.Source", "Played.Track", "Played.Artist", "Played.Album", "Played.URI",
        "SelectedURI", "Volume",
    )),
    "Vehicle.Body.Windshield.Rear.IsHeatingOn",
    "Vehicle.Chassis.SteeringWheel.Extension",
    "Vehicle.Chassis.SteeringWheel.HeatingCooling",
    "Vehicle.Chassis.SteeringWheel.Tilt",
    *(f"Vehicle.Cabin.Seat.{seat}.IsBelted" for seat in (
        "Row1.PassengerSide", "Row2.DriverSide", "Row2.Middle", "Row2.PassengerSide",
    )),
)  # fmt: skip
"""What somebody chose, and (belts) who else sits there: noted at the start and when it changes."""

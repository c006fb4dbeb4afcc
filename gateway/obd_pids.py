"""The numbers of OBD-II's service 01 (SAE J1979): which leaf each is, and how it is read (pure).

A leaf of VSS 6.0 where there is one. VSS 6.0 dropped its branch `Vehicle.OBD`, so that the rest
keeps the names it had there in VSS 5.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from internetcar.contract.message import Value

Pace = Literal["fast", "medium", "slow"]
"""How often a PID is worth asking for."""

COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
ENGINE_SPEED = "Vehicle.Powertrain.CombustionEngine.Speed"
VOLTAGE = "Vehicle.LowVoltageBattery.CurrentVoltage"
STATUS_PID, ENGINE_SPEED_PID, SPEED_PID, VOLTAGE_PID = 0x01, 0x0C, 0x0D, 0x42
CHARGE_PID = 0x5B


@dataclass(frozen=True, slots=True)
class PidLeaf:
    """One leaf of a PID."""

    pid: int
    length: int
    """Bytes of the whole PID."""
    path: str
    read: Callable[[bytes], Value]
    """From the PID's bytes; None where they say that there is no value."""
    datatype: str = "float"
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    description: str = ""
    pace: Pace = "slow"


def _number(
    pid: int,
    path: str,
    unit: str | None,
    scale: float,
    offset: float = 0.0,
    *,
    size: int = 1,
    start: int = 0,
    length: int | None = None,
    signed: bool = False,
    datatype: str = "float",
    text: str = "",
    pace: Pace = "slow",
    unused: int | None = None,
) -> PidLeaf:
    """A leaf that is `raw * scale + offset`, most significant byte first."""
    is_float = datatype == "float"

    def read(data: bytes) -> Value:
        raw = int.from_bytes(data[start : start + size], "big", signed=signed)
        if raw == unused:
            return None
        physical = raw * scale + offset
        return round(physical, 6) if is_float else round(physical)

    lowest = -(1 << (8 * size - 1)) if signed else 0
    highest = lowest + (1 << 8 * size) - 1
    low, high = (round(raw * scale + offset, 6) for raw in (lowest, highest))
    total = start + size if length is None else length
    return PidLeaf(pid, total, path, read, datatype, unit, low, high, text, pace)


def _percent(
    pid: int, path: str, text: str, pace: Pace = "slow", datatype: str = "float"
) -> PidLeaf:
    return _number(pid, path, "percent", 100 / 255, text=text, pace=pace, datatype=datatype)


def _trim(pid: int, path: str, text: str, pace: Pace = "slow") -> PidLeaf:
    return _number(pid, path, "percent", 100 / 128, -100, text=text, pace=pace)


def _celsius(pid: int, path: str, text: str, pace: Pace = "slow") -> PidLeaf:
    return _number(pid, path, "Celsius", 1, -40, text=text, pace=pace)


_FUEL_STATUS = {
    1: "OPEN_LOOP_COLD",
    2: "CLOSED_LOOP",
    4: "OPEN_LOOP_LOAD",
    8: "OPEN_LOOP_FAULT",
    16: "CLOSED_LOOP_FAULT",
}


def _status() -> Iterator[PidLeaf]:
    yield PidLeaf(
        1,
        4,
        "Vehicle.OBD.Status.IgnitionType",
        lambda data: "COMPRESSION" if data[1] & 8 else "SPARK",
        "string",
        description="How the engine ignites",
        pace="medium",
    )
    yield PidLeaf(
        3,
        2,
        "Vehicle.OBD.FuelStatus",
        lambda data: _FUEL_STATUS.get(data[0]),
        "string",
        description="Whether the lambda sensor governs the mixture",
    )
    running = "Vehicle.Powertrain.CombustionEngine.IsRunning"
    yield PidLeaf(0x0C, 2, running, any, "boolean", description="The engine turns", pace="fast")
    yield PidLeaf(
        0x0D, 1, "Vehicle.IsMoving", any, "boolean", description="The car moves", pace="fast"
    )


def _engine() -> Iterator[PidLeaf]:
    engine = "Vehicle.Powertrain.CombustionEngine"
    obd = "Vehicle.OBD"
    yield _percent(0x04, f"{obd}.EngineLoad", "Load of the engine", "fast")
    yield _celsius(0x05, COOLANT, "Coolant of the engine", "medium")
    for bank, pid in ((1, 0x06), (2, 0x08)):
        yield _trim(pid, f"{obd}.ShortTermFuelTrim{bank}", "Mixture correction now", "medium")
        yield _trim(pid + 1, f"{obd}.LongTermFuelTrim{bank}", "Mixture correction learned")
    yield _number(0x0A, f"{obd}.FuelPressure", "kPa", 3, text="Fuel, above the air's pressure")
    pressure = "Intake manifold, absolute"
    yield _number(0x0B, f"{engine}.MAP", "kPa", 1, datatype="uint16", text=pressure, pace="medium")
    yield _number(0x0C, ENGINE_SPEED, "rpm", 0.25, size=2, text="Engine speed", pace="fast")
    yield _number(0x0D, "Vehicle.Speed", "km/h", 1, text="Speed", pace="fast")
    advance = "Ignition before top dead centre"
    yield _number(0x0E, f"{obd}.TimingAdvance", "degrees", 0.5, -64, text=advance)
    yield _celsius(0x0F, f"{obd}.IntakeTemp", "Air in the intake")
    air = "Air drawn into the engine"
    yield _number(
        0x10, f"{engine}.MAF", "g/s", 0.01, size=2, datatype="uint16", text=air, pace="medium"
    )
    yield _percent(0x11, f"{engine}.TPS", "Throttle", "fast", "uint8")
    yield _number(0x1C, f"{obd}.OBDStandards", None, 1, datatype="uint8", text="SAE J1979's list")
    since = "Since the engine was started"
    yield _number(0x1F, f"{obd}.RunTime", "s", 1, size=2, text=since, pace="medium")
    yield _celsius(0x5C, f"{engine}.EngineOil.Temperature", "Oil of the engine", "medium")
    timing = "Injection before top dead centre"
    yield _number(0x5D, f"{obd}.FuelInjectionTiming", "degrees", 1 / 128, -210, size=2, text=timing)
    yield _number(0x5E, f"{obd}.FuelRate", "l/h", 0.05, size=2, text="Fuel burnt", pace="medium")


def _oxygen() -> Iterator[PidLeaf]:
    for sensor in range(1, 9):
        narrow = f"Vehicle.OBD.O2.Sensor{sensor}"
        wide = f"Vehicle.OBD.O2WR.Sensor{sensor}"
        pid = 0x13 + sensor
        yield _number(pid, f"{narrow}.Voltage", "V", 0.005, length=2, text="Lambda sensor")
        yield _number(
            pid,
            f"{narrow}.ShortTermFuelTrim",
            "percent",
            100 / 128,
            -100,
            start=1,
            unused=0xFF,
            text="Mixture correction by this sensor",
        )
        pid = 0x23 + sensor
        ratio = 2 / 65_536
        yield _number(
            pid, f"{wide}.Lambda", None, ratio, size=2, length=4, text="Air to fuel, 1 is even"
        )
        yield _number(
            pid, f"{wide}.Voltage", "V", 8 / 65_536, size=2, start=2, text="Wide-band sensor"
        )
        yield _number(
            0x33 + sensor,
            f"{wide}.Current",
            "A",
            1 / 256_000,
            -0.128,
            size=2,
            start=2,
            text="Wide-band sensor",
        )


def _emissions() -> Iterator[PidLeaf]:
    obd = "Vehicle.OBD"
    distance = "Driven with the warning light lit"
    yield _number(0x21, f"{obd}.DistanceWithMIL", "km", 1, size=2, text=distance)
    rail = "Fuel rail, above the intake's pressure"
    yield _number(0x22, f"{obd}.FuelRailPressureVac", "kPa", 0.079, size=2, text=rail)
    rail = "Fuel rail of direct injection"
    yield _number(0x23, f"{obd}.FuelRailPressureDirect", "kPa", 10, size=2, text=rail)
    yield _percent(0x2C, f"{obd}.CommandedEGR", "Exhaust gas led back, as commanded")
    yield _trim(0x2D, f"{obd}.EGRError", "Exhaust gas led back, off by")
    yield _percent(0x2E, f"{obd}.CommandedEVAP", "Purge of the tank's vapour")
    warmups = "Warm-ups since the codes were cleared"
    yield _number(0x30, f"{obd}.WarmupsSinceDTCClear", None, 1, datatype="uint8", text=warmups)
    distance = "Driven since the codes were cleared"
    yield _number(0x31, f"{obd}.DistanceSinceDTCClear", "km", 1, size=2, text=distance)
    vapour = "Vapour of the tank"
    yield _number(0x32, f"{obd}.EVAPVaporPressure", "Pa", 0.25, size=2, signed=True, text=vapour)
    yield _number(0x33, f"{obd}.BarometricPressure", "kPa", 1, text="The air's pressure")
    for pid, place in enumerate(("1.Temperature1", "2.Temperature1", "1.Temperature2"), 0x3C):
        path = f"{obd}.Catalyst.Bank{place}"
        yield _number(pid, path, "Celsius", 0.1, -40, size=2, text="Catalyst")
    path = f"{obd}.Catalyst.Bank2.Temperature2"
    yield _number(0x3F, path, "Celsius", 0.1, -40, size=2, text="Catalyst")
    lit = "Time with the warning light lit"
    yield _number(0x4D, f"{obd}.RunTimeMIL", "min", 1, size=2, text=lit)
    cleared = "Time since the codes were cleared"
    yield _number(0x4E, f"{obd}.TimeSinceDTCCleared", "min", 1, size=2, text=cleared)


def _car() -> Iterator[PidLeaf]:
    obd = "Vehicle.OBD"
    tank = "Vehicle.Powertrain.FuelSystem.RelativeLevel"
    yield _percent(0x2F, tank, "Fuel in the tank", "slow", "uint8")
    yield _number(VOLTAGE_PID, VOLTAGE, "V", 0.001, size=2, text="Small battery", pace="medium")
    load = "Air per stroke, of what fits"
    yield _number(0x43, f"{obd}.AbsoluteLoad", "percent", 100 / 255, size=2, text=load)
    ratio = "Air to fuel, as commanded"
    path = f"{obd}.CommandedEquivalenceRatio"
    yield _number(0x44, path, "ratio", 2 / 65_536, size=2, text=ratio)
    yield _percent(0x45, f"{obd}.RelativeThrottlePosition", "Throttle from its rest")
    yield _celsius(0x46, "Vehicle.Exterior.AirTemperature", "Air outside")
    yield _percent(0x47, f"{obd}.ThrottlePositionB", "Throttle, second sensor")
    yield _percent(0x48, f"{obd}.ThrottlePositionC", "Throttle, third sensor")
    for pid, sensor in enumerate("DEF", 0x49):
        yield _percent(pid, f"{obd}.AcceleratorPosition{sensor}", "Accelerator, one sensor")
    yield _percent(0x4C, f"{obd}.ThrottleActuator", "Throttle, as commanded")
    yield _number(0x51, f"{obd}.FuelType", None, 1, datatype="uint8", text="SAE J1979's list")
    yield _percent(0x52, f"{obd}.EthanolPercent", "Ethanol in the fuel")
    rail = "Fuel rail, absolute"
    yield _number(0x59, f"{obd}.FuelRailPressureAbsolute", "kPa", 10, size=2, text=rail)
    pedal = "Vehicle.Chassis.Accelerator.PedalPosition"
    yield _percent(0x5A, pedal, "Accelerator from its rest", "fast", "uint8")
    charge = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
    yield _percent(0x5B, charge, "Charge of the traction battery", "medium")
    yield _number(
        0xA6,
        "Vehicle.TraveledDistance",
        "m",
        100,
        size=4,
        datatype="uint32",
        text="Odometer",
        pace="slow",
    )


LEAVES: tuple[PidLeaf, ...] = (*_status(), *_engine(), *_oxygen(), *_emissions(), *_car())
"""Every leaf service 01 can say."""
BY_PID: dict[int, tuple[PidLeaf, ...]] = {
    pid: tuple(leaf for leaf in LEAVES if leaf.pid == pid)
    for pid in sorted({leaf.pid for leaf in LEAVES})
}
LENGTHS: dict[int, int] = {pid: leaves[0].length for pid, leaves in BY_PID.items()}
"""Bytes of each PID."""

"""The parameters of ArduCopter 4.6 that matter here, with its defaults; 4.7's names on wish (pure).

The firmware reads them by their 4.6 names and units; 4.7 calls some otherwise, in metres.
"""

import math
import struct
from collections.abc import Mapping
from typing import Literal

Kind = Literal["int8", "int16", "int32", "float"]

MAV_PARAM_TYPES: Mapping[Kind, int] = {"int8": 2, "int16": 4, "int32": 6, "float": 9}
_RANGES = {"int8": (-128, 127), "int16": (-32_768, 32_767), "int32": (-(2**31), 2**31 - 1)}

DEFAULTS: Mapping[str, tuple[float, Kind]] = {
    "ANGLE_MAX": (3_000, "int16"),
    "ARMING_CHECK": (1, "int32"),
    "AUTO_OPTIONS": (0, "int32"),
    "BATT_ARM_MAH": (0, "int32"),
    "BATT_ARM_VOLT": (0, "float"),
    "BATT_CAPACITY": (3_300, "int32"),
    "BATT_CRT_MAH": (0, "float"),
    "BATT_CRT_VOLT": (0, "float"),
    "BATT_FS_CRT_ACT": (0, "int8"),
    "BATT_FS_LOW_ACT": (0, "int8"),
    "BATT_LOW_MAH": (0, "float"),
    "BATT_LOW_TIMER": (10, "int8"),
    "BATT_LOW_VOLT": (10.5, "float"),
    "BATT_MONITOR": (4, "int8"),
    "DISARM_DELAY": (10, "int8"),
    "FENCE_ACTION": (1, "int8"),
    "FENCE_ALT_MAX": (100, "float"),
    "FENCE_ALT_MIN": (-10, "float"),
    "FENCE_AUTOENABLE": (0, "int8"),
    "FENCE_ENABLE": (0, "int8"),
    "FENCE_MARGIN": (2, "float"),
    "FENCE_OPTIONS": (1, "int16"),
    "FENCE_RADIUS": (300, "float"),
    "FENCE_TOTAL": (0, "int8"),
    "FENCE_TYPE": (7, "int8"),
    "FS_EKF_ACTION": (1, "int8"),
    "FS_EKF_THRESH": (0.8, "float"),
    "FS_GCS_ENABLE": (0, "int8"),
    "FS_GCS_TIMEOUT": (5, "float"),
    "FS_OPTIONS": (16, "int32"),
    "GUID_OPTIONS": (0, "int32"),
    "GUID_TIMEOUT": (3, "float"),
    "LAND_ALT_LOW": (1_000, "int16"),
    "LAND_SPEED": (50, "int16"),
    "LAND_SPEED_HIGH": (0, "int16"),
    "MIS_TOTAL": (0, "int16"),
    "RALLY_INCL_HOME": (1, "int8"),
    "RALLY_LIMIT_KM": (0.3, "float"),
    "RALLY_TOTAL": (0, "int8"),
    "RTL_ALT": (1_500, "int32"),
    "RTL_ALT_FINAL": (0, "int16"),
    "RTL_CLIMB_MIN": (0, "int16"),
    "RTL_CONE_SLOPE": (3, "float"),
    "RTL_LOIT_TIME": (5_000, "int32"),
    "RTL_SPEED": (0, "int16"),
    "SYSID_ENFORCE": (0, "int8"),
    "SYSID_MYGCS": (255, "int16"),
    "SYSID_THISMAV": (1, "int16"),
    "WPNAV_ACCEL": (250, "float"),
    "WPNAV_RADIUS": (200, "float"),
    "WPNAV_SPEED": (1_000, "float"),
    "WPNAV_SPEED_DN": (150, "float"),
    "WPNAV_SPEED_UP": (250, "float"),
}
"""Centimetres and milliseconds are ArduPilot's, up to 4.6."""

RENAMED: Mapping[str, tuple[str, float]] = {
    "ARMING_CHECK": ("ARMING_SKIPCHK", 1.0),
    "LAND_ALT_LOW": ("LAND_ALT_LOW_M", 0.01),
    "LAND_SPEED": ("LAND_SPD_MS", 0.01),
    "LAND_SPEED_HIGH": ("LAND_SPD_HIGH_MS", 0.01),
    "RTL_ALT": ("RTL_ALT_M", 0.01),
    "RTL_ALT_FINAL": ("RTL_ALT_FINAL_M", 0.01),
    "RTL_CLIMB_MIN": ("RTL_CLIMB_MIN_M", 0.01),
    "RTL_SPEED": ("RTL_SPEED_MS", 0.01),
    "SYSID_MYGCS": ("MAV_GCS_SYSID", 1.0),
    "SYSID_THISMAV": ("MAV_SYSID", 1.0),
    "WPNAV_ACCEL": ("WP_ACC", 0.01),
    "WPNAV_RADIUS": ("WP_RADIUS_M", 0.01),
    "WPNAV_SPEED": ("WP_SPD", 0.01),
    "WPNAV_SPEED_DN": ("WP_SPD_DN", 0.01),
    "WPNAV_SPEED_UP": ("WP_SPD_UP", 0.01),
}
"""What 4.7 calls them, and the factor from the unit of 4.6."""


def float32(value: float) -> float:
    """The nearest number that the wire can carry."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


class Parameters:
    """All parameters: read by name, set from the wire."""

    def __init__(self, *, new_names: bool = False) -> None:
        renamed = RENAMED if new_names else {}
        self._values = {name: float(value) for name, (value, _) in DEFAULTS.items()}
        if new_names:
            self._values["ARMING_CHECK"] = 0.0  # it tells what is left out now
        self._wire = {renamed.get(name, (name, 1.0))[0]: name for name in DEFAULTS}
        self._scale = {name: renamed.get(name, (name, 1.0))[1] for name in DEFAULTS}
        self.names = sorted(self._wire)
        """As the wire calls them, in the order of their index."""

    def __getitem__(self, name: str) -> float:
        """A value by its name of 4.6, in the unit of 4.6."""
        return self._values[name]

    def __setitem__(self, name: str, value: float) -> None:
        """Set a value from inside, by its name of 4.6."""
        if name not in self._values:
            raise KeyError(name)
        self._values[name] = self._fitting(name, float(value))

    def knows(self, wire_name: str) -> bool:
        """Whether the wire has such a name."""
        return wire_name in self._wire

    def wire_value(self, wire_name: str) -> tuple[float, int]:
        """Value and MAV_PARAM_TYPE as PARAM_VALUE tells them."""
        name = self._wire[wire_name]
        kind = self._kind(name)
        return float32(self._values[name] * self._scale[name]), MAV_PARAM_TYPES[kind]

    def set_from_wire(self, wire_name: str, value: float) -> bool:
        """Take a value as PARAM_SET tells it; false: there is no such name, or it is no number."""
        name = self._wire.get(wire_name)
        if name is None or not math.isfinite(value):
            return False
        if self._kind(name) != "float":
            value = round(value)
        self._values[name] = self._fitting(name, value / self._scale[name])
        return True

    def _kind(self, name: str) -> Kind:
        return "float" if self._scale[name] != 1.0 else DEFAULTS[name][1]

    def _fitting(self, name: str, value: float) -> float:
        kind = DEFAULTS[name][1]
        if kind == "float" or self._scale[name] != 1.0:
            return float32(value)
        low, high = _RANGES[kind]
        return float(max(low, min(high, round(value))))

"""The body, climate, media and charging controllers: what they say, move and obey.

State is kept under the names of the status signals, as a controller keeps it: what a command sets
is what the next status frame says. Windows and seats take their time.
"""

from collections.abc import Mapping

DOORS = ("FrontDriver", "FrontPassenger", "RearDriver", "RearPassenger")
SEATS = ("Driver", "Passenger", "Rear_Driver", "Rear_Passenger")
HORN_S = 1.0
TRACKS = 8
TRACK_S = 210.0
WIPER_OFF, WIPER_SLOW, WIPER_FAST, WIPER_RAIN_SENSOR = 0, 1, 3, 5
WIPER_MODES = 5
SOURCES = frozenset({0, 2, 3, 4, 9, 11, 12})
FM, BLUETOOTH = 3, 11

RATES = {"Seat_Driver_Position": 20.0} | {f"Window_{d}_Position": 25.0 for d in DOORS}
"""What moves, and how fast: millimetres or percent a second."""

SETTABLE: Mapping[str, tuple[float, float]] = (
    {"HVAC_Temperature_Driver": (16, 28), "HVAC_Temperature_Passenger": (16, 28)}
    | {"HVAC_Fan_Driver": (0, 100), "HVAC_Fan_Passenger": (0, 100)}
    | dict.fromkeys(("HVAC_AC", "HVAC_Recirculation", "HVAC_Defrost_Front"), (0, 1))
    | {f"Door_{d}_Lock": (0, 1) for d in DOORS}
    | {"Trunk_Open": (0, 1), "Horn": (0, 1), "Wiper_Mode": (0, WIPER_MODES)}
    | {f"Window_{d}_Position": (0, 100) for d in DOORS}
    | dict.fromkeys(("Light_Low_Beam", "Light_High_Beam"), (0, 1))
    | dict.fromkeys(("Light_Fog_Rear", "Light_Hazard"), (0, 1))
    | {"Seat_Driver_Position": (0, 400)}
    | {"Seat_Driver_Heating": (-100, 100), "Seat_Passenger_Heating": (-100, 100)}
    | {"Charging_Limit": (50, 100), "Charging_Flap": (0, 1)}
    | {"Media_Source": (0, 12), "Media_Volume": (0, 100)}
)
"""Status signals a command may set, and the range a controller accepts; other values it ignores."""


class Body:
    """All controllers but the powertrain's; `signals` holds what their status frames say."""

    def __init__(self) -> None:
        self.signals: dict[str, float] = (
            {name: low for name, (low, _) in SETTABLE.items()}
            | {f"Door_{d}_Open": 0 for d in DOORS}
            | {f"Door_{d}_Lock": 1 for d in DOORS}
            | {f"Occupied_{s}": 0 for s in SEATS}
            | {f"Belt_{s}": 0 for s in SEATS}
            | dict.fromkeys(("Light_Fog_Front", "Light_Left", "Light_Right"), 0)
            | dict.fromkeys(("Light_Brake", "Light_Reverse"), 0)
            | {"HVAC_Temperature_Driver": 22.0, "HVAC_Temperature_Passenger": 22.0}
            | {"Seat_Driver_Position": 210, "Seat_Driver_Heating": 0, "Seat_Passenger_Heating": 0}
            | {"Charging_Limit": 80, "Charging_Cable": 0, "Charging_State": 0}
            | {"Media_Source": BLUETOOTH, "Media_Volume": 30, "Media_Playing": 0, "Media_Track": 1}
            | {"Media_Track_Position": 0, "Occupant_Identifier_Driver": 0}
            | {"Power_Mode": 1, "Gear_Selected": 0, "Parking_Brake": 1, "Washer_Fluid": 85}
        )
        self._targets: dict[str, float] = {}
        self._by_hand: set[str] = set()
        self._horn_left_s = 0.0

    def set(self, changes: Mapping[str, float]) -> None:
        """Put signals to values at once: somebody opened a door, turned a key."""
        self.signals.update(changes)
        if self.signals["Power_Mode"] <= 2:
            self._by_hand.clear()

    def obey(self, requests: Mapping[str, float]) -> None:
        """Act on a command frame: status signal → wanted value; what is out of range is ignored."""
        for name, value in requests.items():
            low, high = SETTABLE[name]
            if not low <= value <= high or (name == "Media_Source" and value not in SOURCES):
                continue
            self._by_hand.add(name)
            if name in RATES:
                self._targets[name] = value
                continue
            self.signals[name] = value
            if name == "Horn":
                self._horn_left_s = HORN_S * value

    def automatic(self, wishes: Mapping[str, float]) -> None:
        """What the controllers decide by themselves, until somebody sets the same by hand."""
        for name, value in wishes.items():
            if name in self._by_hand:
                continue
            if name in RATES:
                self._targets[name] = value
            else:
                self.signals[name] = value

    def advance(self, dt_s: float) -> None:
        """Move what moves, end what ends, `dt_s` seconds on."""
        for name, target in list(self._targets.items()):
            reach = RATES[name] * dt_s
            gap = target - self.signals[name]
            if abs(gap) <= reach:
                self.signals[name] = target
                del self._targets[name]
            else:
                self.signals[name] += reach if gap > 0 else -reach
        if self._horn_left_s > 0:
            self._horn_left_s -= dt_s
            if self._horn_left_s <= 0:
                self.signals["Horn"] = 0
        if self.signals["Media_Playing"]:
            self._play(dt_s)

    def _play(self, dt_s: float) -> None:
        position = self.signals["Media_Track_Position"] + dt_s
        if position >= TRACK_S:
            self.signals["Media_Track"] = self.signals["Media_Track"] % TRACKS + 1
            position = 0.0
        self.signals["Media_Track_Position"] = position

"""The battery: what flying draws from it (pure)."""

HOVER_A = 16.0
"""At some 1.5 kg; 5,000 mAh then last 18 minutes."""
IDLE_A = 2.0
ASLEEP_A = 0.3
DRAG_A = 0.03
"""For each (m/s)² of airspeed."""
CLIMB_A = 3.0
"""For each m/s upwards."""
FULL_V = 16.8
EMPTY_V = 13.2
RESISTANCE_OHM = 0.02


class Battery:
    """Four cells in series."""

    __slots__ = ("capacity_mah", "consumed_mah", "current_a")

    def __init__(self, capacity_mah: float) -> None:
        self.capacity_mah = capacity_mah
        self.consumed_mah = 0.0
        self.current_a = ASLEEP_A

    def draw(
        self, dt_s: float, is_armed: bool, is_flying: bool, airspeed_mps: float, up_mps: float
    ) -> None:
        """Let one step pass."""
        if is_flying:
            current_a = HOVER_A + DRAG_A * airspeed_mps * airspeed_mps
            if up_mps > 0.0:
                current_a += CLIMB_A * up_mps
        else:
            current_a = IDLE_A if is_armed else ASLEEP_A
        self.current_a = current_a
        self.consumed_mah += current_a * dt_s / 3.6

    @property
    def left_pct(self) -> float:
        """What is truly left, 0…100."""
        return max(0.0, 100.0 * (1.0 - self.consumed_mah / self.capacity_mah))

    @property
    def is_empty(self) -> bool:
        """Nothing turns the motors any more."""
        return self.consumed_mah >= self.capacity_mah

    @property
    def voltage_v(self) -> float:
        """At its terminals, under load."""
        rest_v = EMPTY_V + (FULL_V - EMPTY_V) * self.left_pct / 100.0
        return rest_v - RESISTANCE_OHM * self.current_a

"""The drone of a vehicle: the car's signals decide, interlocks allow, an autopilot flies."""

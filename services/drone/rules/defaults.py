"""The rules that are shipped, as they would stand in a file below `[rules]` (pure data)."""

DEFAULT_RULES = """
[scout]
task = "scout"
when = ["jam"]
cooldown_s = 1800

[beacon]
task = "beacon"
cooldown_s = 600
when = [
  { path = "Vehicle.Body.Lights.Hazard.IsSignaling", is = true, for_s = 5 },
  { condition = "at_rest", for_s = 10 },
  { any = [
    { path = "Vehicle.OBD.Status.IsMILOn", is = true },
    { path = "Vehicle.OBD.Status.DTCCount", above = 0 },
    { path = "Vehicle.ADAS.ABS.IsError", is = true },
    { path = "Vehicle.ADAS.ESC.IsError", is = true },
  ] },
]

# By request only, until the leaf of the car's alarm is known (VSS has none):
# when = ["parked", { path = "Private.Alarm.IsOn", is = true }]
[inspect]
task = "inspect"

[hand_over]
task = "hand_over"

[follow]
task = "follow"

# Only while the drone is out on another task than to follow: it flies to where the car will be.
[rendezvous]
task = "rendezvous"
cooldown_s = 60
when = [{ path = "Vehicle.Speed", above = 25, for_s = 10 }]
"""

"""Closes a window when rain begins: python device.py HOST PORT USER PASSWORD VEHICLE_ID.

The gateway's `[commands.allow]` must name USER, the broker's user: USER = ["Vehicle.Cabin.Door.*"].
"""

import json
import sys

from paho.mqtt.subscribe import callback

host, port, user, password, vehicle = sys.argv[1:]
RAIN = f"v1/vehicle/{vehicle}/signal/Vehicle.Body.Raindetection.Intensity"
WINDOW = f"v1/vehicle/{vehicle}/command/{user}/Vehicle.Cabin.Door.Row1.DriverSide.Window.Position"


def on_rain(client, now, message):
    try:
        rain = json.loads(message.payload)
        rains = rain["value"] > 10 if rain["quality"] == "valid" else now["rains"]
    except (ValueError, TypeError, KeyError):
        return  # a topic that was cleared, or junk
    if rains and not now["rains"]:
        client.publish(WINDOW, "0", qos=1)  # the bare value; a command is never retained
    now["rains"] = rains


auth = {"username": user, "password": password}
callback(on_rain, RAIN, userdata={"rains": False}, hostname=host, port=int(port), auth=auth)

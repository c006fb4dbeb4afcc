"""Closes a window when it rains: python device.py HOST PORT USER PASSWORD VEHICLE_ID."""

import json
import sys

from paho.mqtt.subscribe import callback

host, port, user, password, vehicle = sys.argv[1:]
RAIN = f"v1/vehicle/{vehicle}/signal/Vehicle.Body.Raindetection.Intensity"
WINDOW = f"v1/vehicle/{vehicle}/command/{user}/Vehicle.Cabin.Door.Row1.DriverSide.Window.Position"


def on_rain(client, _, message):
    rain = json.loads(message.payload or "{}")
    if rain.get("quality") == "valid" and rain["value"] > 10:
        client.publish(WINDOW, "0", qos=1)  # the bare value; a command is never retained


auth = {"username": user, "password": password}
callback(on_rain, RAIN, hostname=host, port=int(port), auth=auth)

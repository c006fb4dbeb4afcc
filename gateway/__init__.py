"""The gateway between a vehicle's CAN buses and MQTT."""

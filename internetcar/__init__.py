"""The internet car: a vehicle's CAN signals on MQTT, and services that act on them."""

"""Payments: the wallet that other services use over MQTT."""

"""Tolls: from a vehicle's log to passages, fees and charges."""

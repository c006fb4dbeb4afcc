"""Zones, ways around them, and the fence (pure)."""

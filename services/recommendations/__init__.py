"""Recommendations from a driver's own past trips."""

"""Drivers who do not exist: their trips, climate and music, the same in every run."""

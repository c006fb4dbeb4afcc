"""Toll contexts as data: who charges what where, and what passages cost (pure)."""

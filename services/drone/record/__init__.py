"""A flight on disk: every event with what was decided on it, and the same decided anew."""

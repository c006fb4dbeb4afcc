"""What must hold for a flight, at launch and all the time (pure)."""

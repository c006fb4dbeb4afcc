"""What a flight is for, step by step (pure)."""

"""Which gates a vehicle passed: from its samples to findings that can be proven (pure)."""

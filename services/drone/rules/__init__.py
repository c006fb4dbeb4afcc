"""When the car itself starts a task (pure)."""

"""Between the drone and the broker: what comes in, who may ask, what is said."""

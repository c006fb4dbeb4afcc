"""The trip service: what a vehicle's log says, trip by trip."""

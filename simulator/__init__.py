"""Things that are not here: a virtual car on a virtual CAN bus."""

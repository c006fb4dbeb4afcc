"""Where to: a driver's past visits vote, and how far each kind of vote is believed is learned."""

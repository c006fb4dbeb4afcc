"""How a flight goes: states, launch, return, landing (pure)."""

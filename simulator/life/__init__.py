"""The weeks behind the simulated car: who drives it lives in Singapore, and has habits."""

"""The contract: every topic and payload as one class, and the link that carries them."""

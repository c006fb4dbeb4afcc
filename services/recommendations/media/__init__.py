"""What to hear first and next."""

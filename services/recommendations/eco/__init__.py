"""What a trip took, what the model of its car says, and what would have saved."""

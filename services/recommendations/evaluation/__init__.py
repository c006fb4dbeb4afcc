"""How good the predictions are on visits of the past, asked and learned one after another."""

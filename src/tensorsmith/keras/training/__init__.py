"""Training: data, steps as programs, epochs as compiled loops."""

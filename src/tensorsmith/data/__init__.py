"""Floor 7: data on its way to a model."""
